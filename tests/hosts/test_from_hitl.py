"""A policy made from LangChain's human-in-the-loop middleware asks about the very calls that the middleware did."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder, starter
from ladder_graph.policy import policy_of
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import GO, WAYS, World, agent_of, on

TURN = says(*(tool_call(name, {"x": str(n)}) for n, name in enumerate("abcab")))
OURS = {"approve": "approve", "reject": "decline", "edit": "edit", "respond": "respond"}
CONFIGS: dict[str, dict[str, Any]] = {
    "all": {"a": True, "b": True, "c": True},
    "some": {"a": True, "b": False},
    "none": {"a": False},
    "decisions": {
        "a": {"allowed_decisions": ["approve", "reject"]},
        "b": {"allowed_decisions": ["approve", "edit", "reject", "respond"]},
        "c": {"allowed_decisions": ["approve"]},
    },
    "described": {
        "a": {"allowed_decisions": ["approve", "reject"], "description": "Look at it."},
        "b": {"allowed_decisions": ["edit", "reject"], "description": lambda call, state, runtime: call["name"]},
    },
}


def asked_there(out: Any) -> list[tuple[str, str, frozenset[str]]]:
    """What the middleware asks about, whichever way: tool, argument, and what may be answered, in our words."""
    found = []
    for one in out.get("__interrupt__", []):
        if "action_requests" not in one.value:
            found.append((one.value["name"], one.value["args"]["x"], None))
            continue
        for request, review in zip(one.value["action_requests"], one.value["review_configs"], strict=True):
            allowed = frozenset(OURS[each] for each in review["allowed_decisions"]) | {"decline"}
            found.append((request["name"], request["args"]["x"], allowed))
    return sorted(found, key=lambda one: one[:2])


def asked_here(ladder: Ladder, out: Any) -> list[tuple[str, str, frozenset[str]]]:
    """The same of the ladder's questions."""
    told = [(one.value["action_requests"][0], one.value["ladder"]) for one in out.get("__interrupt__", [])]
    assert len(told) == len(ladder.pending())
    return sorted((request["name"], request["args"]["x"], frozenset(said["decisions"])) for request, said in told)


def imported(graph: Any) -> Ladder:
    """A ladder under the policy that `ladder init` would write for this graph."""
    return Ladder(policy=policy_of(tomllib.loads(starter(graph, agent="ops")), "test"), ledger=":memory:")


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mode", ["batched", "per_call"])
@pytest.mark.parametrize("config", CONFIGS)
def test_the_very_same_calls_ask(way, mode, config):
    """Each call that stopped the agent there stops it here, with the same answers; and no other does."""
    world = World()
    tools = [world.tool(name) for name in "abc"]
    there = agent_of(
        [TURN, "Done."], tools,
        middleware=[HumanInTheLoopMiddleware(interrupt_on=CONFIGS[config], interrupt_mode=mode)],
    )  # fmt: skip
    ladder = imported(there)
    expected = asked_there(way.invoke(there, GO, on()))
    world.ran.clear()
    found = asked_here(ladder, way.invoke(ladder.wrap(agent_of([TURN, "Done."], tools)), GO, on()))
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    if mode == "batched":
        assert found == expected
    assert world.ran == []  # what ran unasked there has no bound, and suggests


def deep(world: World, *, asks: bool) -> Any:
    """A deep agent whose sub-agents take over what the main one asks about."""
    tools = [world.tool(name) for name in "abc"]
    writer = {
        "name": "writer", "description": "Writes.", "system_prompt": "Write.", "tools": tools,
        "model": ScriptedModel(answers=[TURN, "Written."]),
    }  # fmt: skip
    turn = calls("task", {"description": "Work.", "subagent_type": "writer"})
    more: Any = {"interrupt_on": CONFIGS["decisions"]} if asks else {}
    return create_deep_agent(
        ScriptedModel(answers=[turn, "Done."]), tools=tools, subagents=[writer], checkpointer=InMemorySaver(), **more
    )


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_the_same_in_a_deep_agent(way):
    """The `interrupt_on` of deepagents counts in its sub-agents, and so does the policy made of it."""
    world = World()
    ladder = imported(deep(world, asks=True))
    expected = asked_there(way.invoke(deep(world, asks=True), GO, on()))
    assert len(expected) == 5
    assert asked_here(ladder, way.invoke(ladder.wrap(deep(world, asks=False)), GO, on())) == expected


def test_a_hand_over_is_given_no_entry():
    """An entry would make it suggest; where the middleware asks about it, it gets one."""
    world = World()
    text = starter(deep(world, asks=False))
    assert "task" not in tomllib.loads(text)["tools"]
    assert "it only hands over" in text
    asked = create_deep_agent(ScriptedModel(answers=[]), tools=[world.tool("a")], interrupt_on={"task": True})
    assert tomllib.loads(starter(asked))["tools"]["task"]["rung"] == "confirm"
