"""Calls that can't be considered: nobody is asked, nothing runs, nothing is lost, and the model is told what to do."""

from __future__ import annotations

import logging
import math

import pytest
from langchain_core.tools import StructuredTool
from langgraph.types import Command
from pydantic import BaseModel, field_validator

from ladder_graph.states import State
from ladder_graph.testing import calls, says, tool_call
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on, raw_graph, texts, told


def refused(way, call, rule="confirm", *, tool=None, raw=False):
    """What the model is told of one bad call, and the ladder that it was refused by."""
    world = World()
    ladder = ladder_of({"a": rule})
    tools = [tool or world.tool("a")]
    agent = (
        raw_graph([says(call), "Done."], tools) if raw else agent_of([says(call), "Done."], tools, checkpointer=None)
    )
    out = way.invoke(ladder.wrap(agent, checkpointer="host"), GO)
    assert world.ran == []
    assert ladder.pending() == []
    assert ladder.actions() == []
    assert texts(out)[-1] == "Done."
    (entry,) = [entry for entry in ladder.log() if entry.kind == "refused"]
    ((_, text),) = told(out)
    assert entry.body["text"] == text
    assert ladder.verify().ok
    return text, out


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("rule", ["confirm", READ, "suggest"], ids=["confirm", "report", "suggest"])
@pytest.mark.parametrize("raw", [True, False])
def test_no_id(way, rule, raw):
    """A call without an id is refused on every rung; its answer bears an id that says so."""
    text, out = refused(way, tool_call("a", {"x": "1"}, id=None), rule, raw=raw)
    assert text == "REFUSED: the call of a has no id, so its outcome could not be told from another's. Nothing ran."
    assert out["messages"][-2].tool_call_id == "missing"


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("args", [{}, {"x": 3}, {"x": None}, {"y": "1"}])
def test_arguments_that_dont_fit(way, args):
    """Arguments that don't fit the schema are told in the words of a ToolNode, before anybody is asked."""
    text, out = refused(way, tool_call("a", args))
    assert text.startswith(f"Error invoking tool 'a' with kwargs {args} with error:\n x: ")
    assert out["messages"][-2].status == "error"


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, "is nan, which JSON has no form for"),
        (math.inf, "is inf, which JSON has no form for"),
        ("\ud800", "holds half a surrogate pair"),
        (b"1", ""),
    ],
)
def test_arguments_without_a_canonical_form(way, value, reason):
    """What no digest can be made of can't be bound to an answer, so it doesn't run."""

    def act(x) -> str:
        """Act."""
        raise AssertionError(x)

    tool = StructuredTool.from_function(act, name="a")
    if reason:
        text, _ = refused(way, tool_call("a", {"x": value}), tool=tool)
        assert reason in text
        return
    ladder = ladder_of({"a": "confirm"})  # bytes have a tagged form
    graph = ladder.wrap(agent_of([calls("a", {"x": value}), "Done."], [tool]))
    way.invoke(graph, GO, on())
    assert ladder.pending()[0].call.arguments == {"x": value}


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_unknown_tool(way):
    """A tool that isn't there is told in the words of a ToolNode, whatever the policy says about it."""
    text, _ = refused(way, tool_call("b", {"x": "1"}), {"rung": "confirm"})
    assert text == "Error: b is not a valid tool, try one of [a]."


class Picky(BaseModel):
    """A schema whose author's check fails in a way of its own."""

    x: str

    @field_validator("x")
    @classmethod
    def check(cls, x: str) -> str:
        """Fail."""
        raise RuntimeError("no connection")


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_schema_that_cant_be_checked(way):
    """A validator that fails is no reason to run, nor to take the agent down."""
    tool = StructuredTool.from_function(lambda x: x, name="a", description="Do a.", args_schema=Picky)
    text, _ = refused(way, tool_call("a", {"x": "1"}), tool=tool)
    assert text.startswith("REFUSED: the arguments of a can't be checked: RuntimeError: no connection")


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_bad_call_beside_a_good_one(way):
    """The bad one is refused and the good one asked about; answered, it runs."""
    world = World()
    turn = says(tool_call("a", {}), tool_call("a", {"x": "2"}), tool_call("a", {"x": "3"}, id=None))
    ladder = ladder_of({"a": "confirm"})
    graph = ladder.wrap(agent_of([turn, "Done."], [world.tool("a")]))
    way.invoke(graph, GO, on())
    assert len(ladder.pending()) == 1
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
    assert [text.split(" ")[0] for _, text in told(out)] == ["Error", "a", "REFUSED:"]
    assert world.ran == [("a", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_tool_that_the_policy_doesnt_name(way, caplog):
    """It only suggests; and that is said once in the log, with what to add."""
    world = World()
    ladder = ladder_of({})
    with caplog.at_level(logging.WARNING, "ladder_graph"):
        for thread in ("1", "2"):
            turn = says(tool_call("a", {"x": thread}), tool_call("a", {"x": "again"}))
            graph = ladder.wrap(agent_of([turn, "Done."], [world.tool("a")]))
            out = way.invoke(graph, GO, on(thread))
            assert all(text.startswith("SUGGESTED, NOT RUN: a was written down") for _, text in told(out))
    assert world.ran == []
    assert {action.state for action in ladder.actions()} == {State.SUGGESTED}
    said = [message for message in caplog.messages if "doesn't name the tool" in message]
    assert said == ["the policy of ops doesn't name the tool a, so it only suggests; add [tools.a]"]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_the_same_id_twice(way):
    """Two calls of one turn under one id: the same twice runs once, two different ones run each."""
    world = World()
    rule = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 9}]}
    turn = says(
        tool_call("a", {"x": "1"}, id="c"), tool_call("a", {"x": "1"}, id="c"), tool_call("a", {"x": "2"}, id="c")
    )
    out = way.invoke(ladder_of({"a": rule}).wrap(agent_of([turn, "Done."], [world.tool("a")])), GO, on())
    assert [text for _, text in told(out)] == ["a 1", "a 1", "a 2"]
    assert sorted(world.ran) == [("a", "1"), ("a", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_no_ids_before_an_edge_that_looks(way):
    """Calls without ids count as answered once they were refused; an edge after the tools isn't led in a circle."""
    world = World()
    builder = raw_graph([says(*[tool_call("a", {"x": "1"}, id=None)] * 2), "Done."], [world.tool("a")])
    builder.edges.discard(("tools", "agent"))
    builder.add_conditional_edges("tools", lambda state: "agent", ["agent"])
    out = way.invoke(ladder_of({"a": READ}).wrap(builder), GO, {"recursion_limit": 12})
    assert world.ran == []
    assert len(told(out)) == 2
    assert texts(out)[-1] == "Done."
