"""Microsoft's agent-governance-toolkit, `agentmesh`: a `PolicyEngine` over one policy, which knows approvals.

Four rules whose conditions name several tools at once are the fewest that say the policy. The default of the policy is
to deny. In the audit tier the decision goes to its own `AuditLog`, a hash chain in memory. Its limits are counted in
memory, and its file sink doesn't flush, so it has no durable tier.
"""

from __future__ import annotations

from typing import Any

from agentmesh.governance.audit import AuditLog
from agentmesh.governance.policy import Policy, PolicyEngine, PolicyRule

from benchmarks.peers.answering import Decide, answer
from benchmarks.peers.policy import ASKING, MOST, MOVING, READING, RECIPIENTS, Verdict

AGENT = "did:mesh:bench"


def _among(field: str, values: tuple[str, ...]) -> str:
    return f"{field} in [{', '.join(repr(value) for value in values)}]"


RULES = (
    ("reading", _among("tool_name", READING), "allow"),
    ("asking", _among("tool_name", ASKING), "require_approval"),
    ("inside", f"{_among('to', RECIPIENTS)} and amount <= {MOST} and {_among('tool_name', MOVING)}", "allow"),
    ("outside", _among("tool_name", MOVING), "require_approval"),
)
_VERDICTS: dict[str, Verdict] = {"allow": "allow", "require_approval": "ask", "deny": "refuse"}


def _engine() -> PolicyEngine:
    rules = [
        PolicyRule(name=name, condition=condition, action=action, priority=len(RULES) - place)
        for place, (name, condition, action) in enumerate(RULES)
    ]
    engine = PolicyEngine()
    engine.load_policy(Policy(name="bench", agents=["*"], rules=rules))
    return engine


def deciding() -> Decide:
    """The engine alone."""
    engine = _engine()

    def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        return _VERDICTS[engine.evaluate(AGENT, {"tool_name": tool, **arguments}).action]

    return decide


def logged() -> Decide:
    """The engine, and its log."""
    engine, log = _engine(), AuditLog()

    def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        action = engine.evaluate(AGENT, {"tool_name": tool, **arguments}).action
        log.log("policy_evaluation", AGENT, tool, data=arguments, outcome="success", policy_decision=action)
        return _VERDICTS[action]

    return decide


if __name__ == "__main__":
    answer({"decision": lambda _: deciding(), "audit": lambda _: logged()}, of="agent-governance-toolkit-core")
