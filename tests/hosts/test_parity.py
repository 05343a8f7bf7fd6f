"""Sync and async are one: every scenario of this table comes to the same in both, and in both mounts."""

from __future__ import annotations

import pytest
from langgraph.types import Command, interrupt

from ladder_graph.errors import DefiniteFailure
from ladder_graph.testing import FrozenClock, calls, says, tool_call
from ladder_graph.tools import Declaration
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on, told

YES = {"type": "approve", "by": "ana"}
NO = {"type": "decline", "by": "ana", "reason": "no"}
BOUNDED = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 2}]}
HEALTHY = [{"kind": "python", "function": "tests.hosts.test_parity:healthy"}]
SICK = [{"kind": "python", "function": "tests.hosts.test_parity:sick"}]


def healthy(arguments):
    """All is well."""
    return True


def sick(arguments):
    """Nothing is."""
    return False


def raises(error):
    """A tool that raises."""

    def act(x):
        raise error

    return act


ONE = [calls("a", {"x": "1"}), "Done."]
TWICE = [calls("a", {"x": "1"}), calls("a", {"x": "1"}), "Done."]
THREE = [says(*[tool_call("a", {"x": str(n)}) for n in range(3)]), "Done."]

SCENARIOS = {
    "suggest": ("suggest", ONE, None, []),
    "draft": ("draft", ONE, None, []),
    "approve": ("confirm", ONE, None, [YES]),
    "decline": ("confirm", TWICE, None, [NO]),
    "garbage, then approve": ("confirm", ONE, None, ["?", {"type": "approve"}, YES]),
    "typed": ({"rung": "confirm", "confirm": {"type": "x"}}, ONE, None, [YES, {**YES, "typed": "1"}]),
    "bounded": (BOUNDED, ONE, None, []),
    "over the bound": (BOUNDED, [*[calls("a", {"x": str(n)}) for n in range(3)], "Done."], None, [YES]),
    "read": (READ, THREE, None, []),
    "raises": (BOUNDED, TWICE, raises(ValueError("bad")), []),
    "fails definitely": (BOUNDED, TWICE, raises(DefiniteFailure("bad")), []),
    "asks itself": ("confirm", ONE, lambda x: f"{x} {interrupt('sure?')}", [YES, "sure"]),
    "rolled back": ({**BOUNDED, "rung": "rollback", "checks": SICK}, ONE, None, []),
    "rollback": ({**BOUNDED, "rung": "rollback", "checks": HEALTHY}, ONE, None, []),
    "report": ({**BOUNDED, "rung": "report", "checks": HEALTHY}, ONE, None, []),
    "malformed": ("confirm", [says(tool_call("a", {}), tool_call("a", {"x": "1"}, id=None)), "Done."], None, []),
}
"""Name to rule, script, what the tool does, and the answers that come in."""


def account(scenario, way, *, wrapped):
    """Everything that a scenario comes to: what the model read, what happened, what the ledger says."""
    rule, script, acts, answers = SCENARIOS[scenario]
    world = World()
    ladder = ladder_of({"a": rule}, clock=FrozenClock())
    ladder.declare("a", Declaration(prepare=lambda args: 1, undo=lambda state: world.ran.append("undone")))
    tools = [world.tool("a", acts=acts)]
    graph = ladder.wrap(agent_of(script, tools)) if wrapped else agent_of(script, tools, middleware=ladder.middleware())
    out = way.invoke(graph, GO, on())
    asked = [len(out.get("__interrupt__", []))]
    for answer in answers:
        out = way.invoke(graph, Command(resume=answer), on())
        asked.append(len(out.get("__interrupt__", [])))
    assert ladder.verify().ok
    kinds = [entry.kind for entry in ladder.log()]
    return {
        "told": told(out), "ran": sorted(map(str, world.ran)), "asked": asked,
        "actions": sorted((a.arguments["x"], a.rung, a.state, a.why, a.text) for a in ladder.actions()),
        # Parallel calls may be written down in either order.
        "entries": kinds if len(ladder.actions()) < 2 else sorted(kinds),
    }  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_four_times_the_same(scenario):
    """Sync and async, as nodes and as middleware: what was read, done, asked and written down is the same."""
    first, *others = [account(scenario, way, wrapped=wrapped) for wrapped in (True, False) for way in WAYS]
    assert first["told"]
    assert first["asked"][-1] == 0
    for other in others:
        assert other == first
