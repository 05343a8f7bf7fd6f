"""Cedar, by cedarpy: the policies are parsed once, there are no entities, and one request is made for each call.

The fastest way found: `is_authorized` with handles. A call that must be asked about is forbidden by a policy whose
`@id` says so; Cedar knows no question.
"""

from __future__ import annotations

import json
from typing import Any

import cedarpy

from benchmarks.peers.answering import answer
from benchmarks.peers.policy import ASKING, MOST, MOVING, READING, RECIPIENTS, Verdict


def _actions(tools: tuple[str, ...]) -> str:
    return ", ".join(f'Action::"{tool}"' for tool in tools)


POLICIES = f"""
permit (principal, action in [{_actions(READING)}], resource);
permit (principal, action in [{_actions(MOVING)}], resource)
    when {{ context.amount <= {MOST} && {json.dumps(RECIPIENTS)}.contains(context.to) }};
@id("ask") forbid (principal, action in [{_actions(ASKING)}], resource);
@id("ask") forbid (principal, action in [{_actions(MOVING)}], resource)
    when {{ context.amount > {MOST} || !{json.dumps(RECIPIENTS)}.contains(context.to) }};
"""


def deciding() -> Any:
    """One request for each call, with its arguments as the context."""
    policies, entities = cedarpy.PolicySet.from_str(POLICIES), cedarpy.Entities.from_json_str("[]")

    def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        request = {
            "principal": {"type": "Agent", "id": "bench"},
            "action": {"type": "Action", "id": tool},
            "resource": {"type": "World", "id": "all"},
            "context": arguments,
        }
        result = cedarpy.is_authorized(request, policies, entities)
        if result.allowed:
            return "allow"
        return "ask" if result.diagnostics.reasons else "refuse"

    return decide


if __name__ == "__main__":
    answer({"decision": lambda _: deciding()}, of="cedarpy")
