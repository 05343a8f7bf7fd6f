"""A graph with a shadow does what it does without one: the same messages, streams, events, checkpoints and drawings."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, ToolRetryMiddleware
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, interrupt

from ladder_graph import Ladder
from ladder_graph.errors import MountError
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on

TWO = says(tool_call("a", {"x": "1"}), tool_call("b", {"x": "2"}))
TURNS = [TWO, calls("a", {"x": "3"}), "Done."]
ONE_BY_ONE = [calls("a", {"x": "1"}), calls("b", {"x": "2"}), "Done."]
"""For tools that end a run: how far another one comes until then is chance, with a shadow or without."""
RUNGS = {"a": READ, "b": "suggest", "task": READ, "delegate": READ}
MODES = ["values", "updates", "messages", "custom", "debug", "tasks", "checkpoints"]


def writes(x: str) -> str:
    """Tell the stream."""
    get_stream_writer()({"working on": x})
    return f"b {x}"


def raises(x: str) -> str:
    """Raise."""
    raise ValueError(f"bad {x}")


def asks(x: str) -> str:
    """Ask."""
    return f"{x} {interrupt('sure?')}"


def tools_of(acts: Any) -> list[Any]:
    """Two tools, the second of which does something."""
    return [World().tool("a"), World().tool("b", acts=acts)]


def agent(acts=writes, turns=TURNS, **options):
    """An agent of `create_agent`."""
    return agent_of(turns, tools_of(acts), **options)


def raw(*, compiled: bool = True, **options):
    """A graph by hand, in which several calls come to one task; one of its tools fails, and the node says so."""
    model = ScriptedModel(answers=list(TURNS))
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_node("tools", ToolNode(tools_of(raises), **options))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile(checkpointer=InMemorySaver()) if compiled else builder


def deep():
    """A deep agent that hands work to a sub-agent."""
    inner = {"name": "writer", "description": "Writes.", "system_prompt": "Write.", "tools": tools_of(writes),
             "model": ScriptedModel(answers=[TWO, "Written."])}  # fmt: skip
    task = calls("task", {"description": "Work.", "subagent_type": "writer"})
    return create_deep_agent(
        ScriptedModel(answers=[task, calls("a", {"x": "4"}), "Done."]), tools=tools_of(writes), subagents=[inner],
        checkpointer=InMemorySaver(),
    )  # fmt: skip


def nested():
    """A graph with an agent as a node."""
    builder = StateGraph(MessagesState)
    builder.add_node("inner", create_agent(ScriptedModel(answers=list(TURNS)), tools_of(writes)))
    builder.add_edge(START, "inner")
    return builder.compile(checkpointer=InMemorySaver())


GRAPHS = {
    "agent": agent,
    "a tool raises": lambda: agent(raises, turns=ONE_BY_ONE),
    "a tool asks": lambda: agent(asks),
    "no such tool": lambda: agent(turns=[calls("c", {"x": "1"}), calls("a", {"y": "1"}), "Done."]),
    "retries": lambda: agent(
        raises, turns=ONE_BY_ONE, middleware=[ToolRetryMiddleware(max_retries=1, initial_delay=0, jitter=False)]
    ),
    "a gate of another": lambda: agent(middleware=[HumanInTheLoopMiddleware(interrupt_on={"b": True})]),
    "one task for several calls": lambda: raw(handle_tool_errors=True),
    "errors that aren't handled": raw,
    "errors of one kind": lambda: raw(handle_tool_errors=(KeyError,)),
    "sub-agents": deep,
    "an agent as a node": nested,
}

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|0x[0-9a-f]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")


def spelt(parts: list[Any], *, ordered: bool) -> Any:
    """All of it, part by part, without times; with ids in the order in which they come, if that is always the same."""
    known: dict[str, str] = {}
    texts = [_TIME.sub("TIME", repr(part)) for part in parts]
    if not ordered:  # Two calls of one turn run at once, and their parts come as they like.
        return sorted(_ID.sub("ID", text) for text in texts)
    return [_ID.sub(lambda found: known.setdefault(found[0], f"ID{len(known)}"), text) for text in texts]


def streamed(way: Any, graph: Any) -> list[Any]:
    """Everything that a run and its resume stream, and how it ends, or that it raised."""
    config, parts = on(), []
    for value in (GO, Command(resume={"decisions": [{"type": "approve"}]})):
        try:
            parts += way.stream(graph, value, config, stream_mode=MODES, subgraphs=True)
        except Exception as wrong:  # noqa: BLE001  # it is compared
            parts.append(repr(wrong))
        if not graph.get_state(config).interrupts:
            break
    state = graph.get_state(config)
    return [
        *parts,
        state.values,
        state.next,
        state.interrupts,
        [one.metadata for one in graph.get_state_history(config)],
    ]


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_what_a_run_streams_and_leaves(way, make):
    """Every mode of streaming, the messages, the interrupts and the checkpoints are those of the plain graph."""
    with contextlib.closing(ladder_of(RUNGS)) as ladder:
        plain, shadowed = streamed(way, make()), streamed(way, ladder.shadow(make()))
        assert spelt(shadowed, ordered=False) == spelt(plain, ordered=False)
        assert ladder.shadowing.flush()
        assert (ladder.shadowing.lost, ladder.shadowing.failures) == (0, 0)
        assert ladder.shadowed().tools


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_the_order_of_what_a_run_streams(way):
    """Where one call follows the other, so that there is one order, each part of the stream is the plain graph's."""
    with contextlib.closing(ladder_of(RUNGS)) as ladder:
        plain, shadowed = streamed(way, agent(turns=ONE_BY_ONE)), streamed(way, ladder.shadow(agent(turns=ONE_BY_ONE)))
        assert spelt(shadowed, ordered=True) == spelt(plain, ordered=True)


@pytest.mark.parametrize("make", [agent, deep, lambda: raw(handle_tool_errors=True)], ids=["agent", "deep", "raw"])
def test_what_a_run_tells_of_its_steps(make):
    """The events of a run, of each node, model and tool, are those of the plain graph."""

    async def events(graph: Any) -> list[Any]:
        found = [one async for one in graph.astream_events(GO, on(), version="v2")]
        return [{**one, "metadata": sorted(one.get("metadata", {}))} for one in found]

    with contextlib.closing(ladder_of(RUNGS)) as ladder:
        plain, shadowed = asyncio.run(events(make())), asyncio.run(events(ladder.shadow(make())))
        assert spelt(shadowed, ordered=False) == spelt(plain, ordered=False)


def test_a_shadowed_graph_looks_the_same():
    """Its drawing, sub-graphs, schema and settings are those of the plain graph, which is left alone."""
    with contextlib.closing(ladder_of(RUNGS)) as ladder:
        for make in (agent, raw, nested, deep):
            plain = make().with_config(tags=["mine"], recursion_limit=77)
            plain.step_timeout = 12
            before = dict(plain.nodes)
            shadowed = ladder.shadow(plain)
            assert shadowed.get_graph(xray=True).draw_mermaid() == plain.get_graph(xray=True).draw_mermaid()
            assert [name for name, _ in shadowed.get_subgraphs(recurse=True)] == [
                name for name, _ in plain.get_subgraphs(recurse=True)
            ]
            assert shadowed.get_input_jsonschema() == plain.get_input_jsonschema()
            assert (shadowed.step_timeout, shadowed.config["recursion_limit"], shadowed.config["tags"]) == (
                12,
                77,
                ["mine"],
            )
            assert (shadowed.checkpointer, type(shadowed)) == (plain.checkpointer, type(plain))
            assert plain.nodes == before
            assert "callbacks" not in plain.config


def test_each_tool_runs_once():
    """Each tool runs as often and with the same arguments as without a shadow."""
    world = World()
    with contextlib.closing(ladder_of(RUNGS)) as ladder:
        graph = ladder.shadow(agent_of(TURNS, [world.tool("a"), world.tool("b")]))
        graph.invoke(GO, on())
    assert sorted(world.ran) == [("a", "1"), ("a", "3"), ("b", "2")]


@pytest.mark.parametrize(
    "graph", [lambda: agent_of(TURNS, tools_of(writes), checkpointer=None), lambda: raw(compiled=False)]
)
def test_no_checkpointer_is_needed(graph):
    """A graph without a checkpointer, and a builder, have a shadow too."""
    with contextlib.closing(Ladder(agent="ops", rungs={"a": "confirm", "b": "confirm"}, ledger=":memory:")) as ladder:
        with contextlib.suppress(ValueError):
            ladder.shadow(graph()).invoke(GO)
        assert ladder.shadowing.flush()
        assert sum(one.calls for one in ladder.shadowed().tools) >= 2


def test_what_a_tool_does_to_its_arguments():
    """The arguments that are taken down are those of the call, whatever its tool makes of them."""

    def a(x: list[str]) -> str:
        """Change what it is given."""
        x.append("changed")
        return "done"

    graph = agent_of([calls("a", {"x": ["1"]}), "Done."], [StructuredTool.from_function(a)])
    with contextlib.closing(ladder_of(RUNGS)) as ladder:
        ladder.shadow(graph).invoke(GO, on())
        assert ladder.shadowing.flush()
        (entry,) = [one for one in ladder.log(shadow=True) if one.kind == "shadow"]
        assert entry.body["arguments"] == {"x": ["1"]}


def test_what_can_have_no_shadow():
    """A graph without tools, one that runs them by hand, one under a ladder, and what is no graph are refused."""
    with contextlib.closing(ladder_of(RUNGS)) as ladder:
        empty = StateGraph(MessagesState).add_node("n", lambda state: {}).add_edge(START, "n").compile()
        with pytest.raises(MountError, match="no ToolNode"):
            ladder.shadow(empty)
        with pytest.raises(MountError, match="is under a ladder already"):
            ladder.shadow(ladder.wrap(agent()))
        with pytest.raises(MountError, match="a str can't have a shadow"):
            ladder.shadow("graph")
        node = ToolNode(tools_of(writes))

        def runs(state: Any) -> Any:
            return node.invoke(state)

        by_hand = StateGraph(MessagesState).add_node("n", runs).add_edge(START, "n").compile()
        with pytest.raises(MountError, match="runs a ToolNode by itself"):
            ladder.shadow(by_hand)


def test_two_policies_side_by_side():
    """A graph may have the shadows of two ladders, and each takes down its own decisions."""
    with (
        contextlib.closing(ladder_of({"a": READ, "b": "confirm"})) as one,
        contextlib.closing(ladder_of({"a": "draft", "b": "suggest"})) as other,
    ):
        world = World()
        other.shadow(one.shadow(agent_of(TURNS, [world.tool("a"), world.tool("b")]))).invoke(GO, on())
        assert one.shadowing.flush()
        assert other.shadowing.flush()
        found = [{tally.tool: dict(tally.verdicts) for tally in ladder.shadowed().tools} for ladder in (one, other)]
    assert found == [{"a": {"free": 2}, "b": {"asked": 1}}, {"a": {"held": 2}, "b": {"held": 1}}]
    assert len(world.ran) == 3


def test_a_shadow_under_a_gate():
    """Where the shadowed graph is put under another ladder, the gate decides and the shadow sees what ran, sealed."""
    world = World()
    with (
        contextlib.closing(ladder_of(RUNGS)) as shadow,
        contextlib.closing(ladder_of({"a": READ, "b": "suggest"})) as live,
    ):
        live.wrap(shadow.shadow(agent_of(TURNS, [world.tool("a"), world.tool("b")]))).invoke(GO, on())
        assert shadow.shadowing.flush()
        assert [(one.tool, one.calls) for one in shadow.shadowed().tools] == [("a", 2)]
    assert world.ran == [("a", "1"), ("a", "3")]
