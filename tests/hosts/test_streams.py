"""Every way of streaming a wrapped graph says what the plain graph says, with the rungs' names for the tools'."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import StructuredTool
from langgraph.config import get_stream_writer
from langgraph.types import Command, Overwrite

from ladder_graph.scale import Rung
from ladder_graph.testing import calls, says, tool_call
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on

MODES = ["values", "updates", "messages", "custom", "debug", "tasks", "checkpoints"]
RUNGS = {rung.word for rung in Rung}
TURN = says(tool_call("a", {"x": "1"}), tool_call("a", {"x": "2"}))


def noisy(world: World) -> StructuredTool:
    """A tool that writes to the stream while it works."""

    def a(x: str, config: RunnableConfig) -> str:
        """Do a."""
        get_stream_writer()({"working on": x})
        world.ran.append(x)
        return f"a {x}"

    return StructuredTool.from_function(a)


def graph_of(*, wrapped: bool) -> Any:
    """An agent that makes two calls in one turn."""
    agent = agent_of([TURN, "Done."], [noisy(World())])
    return ladder_of({"a": READ}).wrap(agent) if wrapped else agent


def said(value: Any) -> Any:
    """What a part of a stream says, without ids, times and places, and with one name for tools and rungs."""
    match value:
        case BaseMessage():
            return (
                value.type,
                value.text,
                value.name,
                [(c["name"], c["args"]) for c in getattr(value, "tool_calls", [])],
            )
        case Overwrite():
            return said(value.value)
        case dict():
            return {("tools" if k in RUNGS else k): said(v) for k, v in value.items() if k in KEPT or k in RUNGS}
        case list() | tuple():
            return [said(one) for one in value]
        case str():
            return "tools" if value in RUNGS else value
        case _:
            return value


KEPT = {
    "messages", "model", "tools", "working on", "type", "step", "payload", "name", "result", "interrupts", "values",
    "next", "tasks", "data", "langgraph_node", "langgraph_step",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("mode", MODES)
def test_each_mode(way, mode, version):
    """The parts of the stream are the same, in number, kind and content."""
    one, other = (
        way.stream(graph_of(wrapped=wrapped), GO, on(), stream_mode=mode, version=version) for wrapped in (False, True)
    )
    # Two tasks of one superstep may end in either order.
    assert sorted(map(repr, said(one))) == sorted(map(repr, said(other)))
    assert one


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_all_modes_at_once(way):
    """Asked for together, each mode says something."""
    parts = way.stream(graph_of(wrapped=True), GO, on(), stream_mode=MODES)
    assert {mode for mode, _ in parts} == set(MODES)


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_question_in_the_stream(way):
    """An interrupt shows in the stream, in both versions, and the output of v2 carries it."""
    graph = ladder_of({"a": "confirm"}).wrap(agent_of([calls("a", {"x": "1"}), "Done."], [World().tool("a")]))
    parts = way.stream(graph, GO, on(), stream_mode="updates")
    assert parts[-1]["__interrupt__"][0].value["ladder"]["rung"] == 2
    graph = ladder_of({"a": "confirm"}).wrap(agent_of([calls("a", {"x": "1"}), "Done."], [World().tool("a")]))
    output = way.invoke(graph, GO, on(), version="v2")
    assert output.interrupts[0].value["action_requests"][0]["name"] == "a"
    output = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on(), version="v2")
    assert output.interrupts == ()
    assert output.value["messages"][-1].text == "Done."


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
def test_events_of_version_3():
    """The beta protocol tells the tool calls of a wrapped agent as those of a plain one."""
    for wrapped in (False, True):
        run = graph_of(wrapped=wrapped).stream_events(GO, on(), version="v3")
        assert [call.tool_name for call in run.tool_calls] == ["a", "a"]
        assert run.output["messages"][-1].text == "Done."
