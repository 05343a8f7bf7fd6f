"""Guarded tools in agents that other agents run: each call is asked about where it is made."""

from __future__ import annotations

import pytest
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from ladder_graph import answer_to
from ladder_graph.states import State
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import (
    GO,
    WAYS,
    World,
    agent_of,
    ladder_of,
    on,
    texts,
    told,
)
from tests.hosts.mounts import BOUNDED, NO, YES, delegating

GIVE = calls("a", {"x": "1"})


def states(ladder):
    """Agent, tool and state of each action."""
    return [(action.agent, action.tool, action.state) for action in ladder.actions()]


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", ["nothing", "middleware", "wrap", "guard"])
def test_an_agent_inside_a_tool(way, mount):
    """A tool's own agent asks by itself, however the outer one is mounted; with the question the outer thread waits."""
    world = World()
    ladder = ladder_of({"a": "confirm", "research": BOUNDED})
    inner = create_agent(ScriptedModel(answers=[GIVE, "found"]), [ladder.guard(world.tool("a"))], name="researcher")
    outer = delegating(inner)
    answers = [calls("research", {"x": "?"}), "Done."]
    if mount == "middleware":
        graph = agent_of(answers, [outer], middleware=ladder.middleware())
    elif mount == "wrap":
        graph = ladder.wrap(agent_of(answers, [outer]))
    else:
        graph = agent_of(answers, [ladder.guard(outer) if mount == "guard" else outer])
    out = way.invoke(graph, GO, on())
    (asked,) = ladder.pending()
    assert asked.call.agent == "ops/researcher"
    assert world.ran == []
    out = way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("a", "1")]
    assert told(out) == [("research", "found")]
    assert texts(out)[-1] == "Done."
    expected = [("ops/researcher", "a", State.DONE)]
    if mount != "nothing":
        expected = [("ops", "research", State.DONE), *expected]
    assert states(ladder) == expected
    assert ladder.verify().ok


def deep(ladder, tools, answers, **options):
    """A deep agent whose own sub-agent and a declared one have the same tools."""
    other = {"name": "other", "description": "Other.", "system_prompt": "Do it.", "tools": tools}
    return create_deep_agent(
        ScriptedModel(answers=answers), tools, subagents=[other], checkpointer=InMemorySaver(), **options
    )


def task(kind):
    """The model hands something to a sub-agent."""
    return calls("task", {"description": "Do a.", "subagent_type": kind})


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("rung", [None, "bounded", "confirm"], ids=["unwrapped", "wrapped", "wrapped and asking"])
def test_sub_agents_of_a_deep_agent(way, rung):
    """The general-purpose sub-agent, a declared one and the agent itself each ask for themselves, once a call."""
    world = World()
    ladder = ladder_of({"a": "confirm", "task": {**BOUNDED, "rung": rung or "bounded"}})
    answers = [
        task("general-purpose"), calls("a", {"x": "1"}), "sub done",
        task("other"), calls("a", {"x": "2"}), "sub done",
        calls("a", {"x": "3"}), "Done.",
    ]  # fmt: skip
    graph = deep(ladder, [ladder.guard(world.tool("a"))], answers)
    graph = ladder.wrap(graph) if rung else graph
    out = way.invoke(graph, GO, on())
    asked = []
    while out.get("__interrupt__"):
        (question,) = ladder.pending()
        asked.append((question.call.agent, question.call.tool, question.call.arguments.get("x")))
        # Three answers within milliseconds, so each names its question.
        out = way.invoke(graph, Command(resume=answer_to(out["__interrupt__"][0], "approve", by="ana")), on())
    expected = [("ops/general-purpose", "a", "1"), ("ops/other", "a", "2"), ("ops", "a", "3")]
    assert [one for one in asked if one[1] == "a"] == expected
    assert len(asked) == (5 if rung == "confirm" else 3)
    assert world.ran == [("a", "1"), ("a", "2"), ("a", "3")]
    assert texts(out)[-1] == "Done."
    assert {state for _, _, state in states(ladder)} == {State.DONE}
    assert ladder.verify().ok


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("wrapped", [False, True], ids=["unwrapped", "wrapped"])
def test_parallel_sub_agents(way, wrapped):
    """Two sub-agents that ask at once: each answer goes to the one it was given to."""
    world = World()
    ladder = ladder_of({"a": "confirm", "task": BOUNDED})
    tools = [ladder.guard(world.tool("a"))]

    def model(messages):
        text = str(messages[-1].text)
        if text in {"one", "two"}:
            return calls("a", {"x": text})
        if text == "Go.":
            both = ({"description": name, "subagent_type": "general-purpose"} for name in ("one", "two"))
            return says(*(tool_call("task", args) for args in both))
        return "done"

    graph = create_deep_agent(ScriptedModel(answers=[model] * 20), tools, checkpointer=InMemorySaver())
    graph = ladder.wrap(graph) if wrapped else graph
    out = way.invoke(graph, GO, on())
    asked = {i.value["action_requests"][0]["args"]["x"]: i.id for i in out["__interrupt__"]}
    assert sorted(asked) == ["one", "two"]
    out = way.invoke(graph, Command(resume={asked["two"]: YES, asked["one"]: NO}), on())
    assert world.ran == [("a", "two")]
    assert not out.get("__interrupt__")
    declined = {action.arguments["x"]: action.state for action in ladder.actions() if action.tool == "a"}
    assert declined == {"one": State.DECLINED, "two": State.DONE}


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", ["nothing", "middleware", "wrap", "guard"])
def test_a_tool_of_the_same_name_inside(way, mount):
    """The permit of a tool that runs an agent is no permit for a tool of that agent, not even for one of its name."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    answers = [calls("a", {"x": "2"}), "found"]
    inner = create_agent(ScriptedModel(answers=answers), [ladder.guard(world.tool("a"))], name="inner")
    outer = delegating(inner, "a")
    inside = ladder.middleware() if mount == "middleware" else []
    outer = ladder.guard(outer) if mount == "guard" else outer
    graph = agent_of([GIVE, "Done."], [outer], middleware=inside)
    graph = ladder.wrap(graph) if mount == "wrap" else graph
    out = way.invoke(graph, GO, on())
    asked = []
    while out.get("__interrupt__"):
        (question,) = ladder.pending()
        asked.append(question.call.agent)
        assert world.ran == []
        # By its id: without `wrap`, the same answer to the thread as a whole can't be told from the last one.
        out = way.invoke(graph, Command(resume={out["__interrupt__"][0].id: YES}), on())
    assert asked == (["ops/inner"] if mount == "nothing" else ["ops", "ops/inner"])
    assert world.ran == [("a", "2")]
