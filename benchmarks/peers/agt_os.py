"""Microsoft's agent-governance-toolkit, `agent_os`: a `PolicyEvaluator` over one document of six rules.

A rule has one condition, and the first that matches decides; six rules that name several tools at once are the fewest
that say the policy, and the ones met most often stand first where the order is free. It knows no question: it denies.
Each decision comes with an entry for an audit, made in any case. In the audit tier that goes to its own logger and its
backend in memory. It keeps no counter that outlives a process, and its file backend flushes nothing to the disk.
"""

from __future__ import annotations

from typing import Any

from agent_os.audit_logger import GovernanceAuditLogger, InMemoryBackend
from agent_os.policies import PolicyEvaluator
from agent_os.policies.schema import PolicyAction, PolicyCondition, PolicyDocument, PolicyOperator, PolicyRule

from benchmarks.peers.answering import Decide, answer
from benchmarks.peers.policy import ASKING, MOST, MOVING, READING, RECIPIENTS, REFUSED, Verdict

RULES = (
    ("reading", "tool_name", PolicyOperator.IN, list(READING), PolicyAction.ALLOW),
    ("refused", "tool_name", PolicyOperator.IN, list(REFUSED), PolicyAction.BLOCK),
    ("asking", "tool_name", PolicyOperator.IN, list(ASKING), PolicyAction.DENY),
    ("most", "amount", PolicyOperator.GT, MOST, PolicyAction.DENY),
    ("recipients", "to", PolicyOperator.NOT_IN, list(RECIPIENTS), PolicyAction.DENY),
    ("moving", "tool_name", PolicyOperator.IN, list(MOVING), PolicyAction.ALLOW),
)


def _evaluator() -> PolicyEvaluator:
    rules = [
        PolicyRule(
            name=name,
            condition=PolicyCondition(field=field, operator=operator, value=value),
            action=action,
            priority=len(RULES) - place,
        )
        for place, (name, field, operator, value, action) in enumerate(RULES)
    ]
    return PolicyEvaluator(policies=[PolicyDocument(name="bench", rules=rules)])


_VERDICTS: dict[str, Verdict] = {"allow": "allow", "deny": "ask", "block": "refuse"}


def deciding() -> Decide:
    """The evaluator alone."""
    evaluator = _evaluator()

    def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        return _VERDICTS[evaluator.evaluate({"tool_name": tool, **arguments}).action]

    return decide


def logged() -> Decide:
    """The evaluator, and its logger."""
    evaluator, logger = _evaluator(), GovernanceAuditLogger()
    logger.add_backend(InMemoryBackend())

    def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        decision = evaluator.evaluate({"tool_name": tool, **arguments})
        logger.log_decision("bench", tool, decision.action, decision.reason, **decision.audit_entry["context_snapshot"])
        return _VERDICTS[decision.action]

    return decide


if __name__ == "__main__":
    answer({"decision": lambda _: deciding(), "audit": lambda _: logged()}, of="agent-governance-toolkit-core")
