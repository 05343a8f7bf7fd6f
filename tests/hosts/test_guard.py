"""Guarded tools: gated wherever they are called from, with the question where the call is made."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import InjectedState, ToolNode, ToolRuntime, tools_condition
from langgraph.types import Command, Send, interrupt

from ladder_graph.errors import DefiniteFailure, MountError, NotPermitted
from ladder_graph.hosts.sealing import seal_of
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import (
    GO,
    READ,
    WAYS,
    World,
    agent_of,
    ladder_of,
    model_node,
    on,
    questions,
    raw_graph,
    told,
)
from tests.hosts.mounts import BOUNDED, NO, YES, by_guard, delegating, rewriting

GIVE = calls("a", {"x": "1"})


def states(ladder):
    """Agent, tool and state of each action."""
    return [(action.agent, action.tool, action.state) for action in ladder.actions()]


# --- in a graph --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_it_asks_where_it_is_called(way):
    """In a plain agent a guarded tool asks, waits for the answer and runs once."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    graph = by_guard(ladder, [GIVE, "Done."], [world.tool("a")])
    out = way.invoke(graph, GO, on())
    assert out["__interrupt__"][0].value["action_requests"][0]["args"] == {"x": "1"}
    assert world.ran == []
    out = way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("a", "1")]
    assert told(out) == [("a", "a 1")]
    assert states(ladder) == [("ops", "a", State.DONE)]
    assert ladder.verify().ok


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_it_can_be_answered_elsewhere(way):
    """A question of a guarded tool is one of the ladder's: answered there, the thread just goes on."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    graph = by_guard(ladder, [GIVE, "Done."], [world.tool("a")])
    way.invoke(graph, GO, on())
    ladder.decline(ladder.pending()[0].id, by="ana", reason="not today")
    out = way.invoke(graph, None, on())
    assert world.ran == []
    assert told(out)[0][1].startswith("DECLINED by ana: not today")


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_each_rung_in_a_plain_agent(way):
    """Suggested, drafted, run inside bounds and read: a guarded tool stands on its rung like any other."""
    world = World()
    rungs = {"s": "suggest", "d": "draft", "b": BOUNDED, "r": READ}
    ladder = ladder_of(rungs)
    turn = says(*(tool_call(name, {"x": "1"}) for name in rungs))
    out = way.invoke(by_guard(ladder, [turn, "Done."], [world.tool(name) for name in rungs]), GO, on())
    assert [text.split(":")[0] for _, text in told(out)] == ["SUGGESTED, NOT RUN", "DRAFTED, NOT RUN", "b 1", "r 1"]
    assert sorted(world.ran) == [("b", "1"), ("r", "1")]
    assert {cell.tool: cell.route.rung for cell in ladder.status()}["r"] is Rung.REPORT
    ladder.accept(next(action.key for action in ladder.actions() if action.tool == "d"), by="ana")
    assert ("d", "1") in world.ran


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_eight_at_once(way):
    """Of eight parallel calls each gets its own answer, in whatever order they come."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    turn = says(*(tool_call("a", {"x": str(n)}) for n in range(8)))
    graph = by_guard(ladder, [turn, "Done."], [world.tool("a")])
    out = way.invoke(graph, GO, on())
    asked = {i.id: int(i.value["action_requests"][0]["args"]["x"]) for i in out["__interrupt__"]}
    for asking, n in reversed(asked.items()):
        out = way.invoke(graph, Command(resume={asking: YES if n % 2 else NO}), on())
    assert sorted(world.ran) == [("a", str(n)) for n in (1, 3, 5, 7)]
    assert [text.startswith("a ") for _, text in told(out)] == [bool(n % 2) for n in range(8)]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_what_is_injected_is_there(way):
    """State, runtime and call id reach a guarded tool; what a model forged in their place doesn't."""
    seen = []

    @tool
    def a(
        x: str, state: Annotated[dict, InjectedState], call_id: Annotated[str, InjectedToolCallId], runtime: ToolRuntime
    ) -> str:
        """Do a."""
        seen.append((x, len(state["messages"]), call_id, runtime.config["configurable"]["thread_id"]))
        return x

    ladder = ladder_of({"a": "confirm"})
    graph = by_guard(ladder, [calls("a", {"x": "1", "state": {}}, id="c"), "Done."], [a])
    out = way.invoke(graph, GO, on("t"))
    assert out["__interrupt__"][0].value["action_requests"][0]["args"] == {"x": "1"}
    out = way.invoke(graph, Command(resume=YES), on("t"))
    assert seen == [("1", 2, "c", "t")]
    assert told(out) == [("a", "1")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_guarded_tool_that_asks(way):
    """A guarded tool's own question comes after the ladder's, and neither is handed the other's answer."""
    heard = []

    def ask(x):
        heard.append(interrupt(f"{x}: which one?"))
        return "asked"

    world, ladder = World(), ladder_of({"a": "confirm"})
    graph = by_guard(ladder, [GIVE, "Done."], [world.tool("a", acts=ask)])
    way.invoke(graph, GO, on())
    (own,) = way.invoke(graph, Command(resume=YES), on())["__interrupt__"]
    assert (own.value, heard) == ("1: which one?", [])
    assert states(ladder) == [("ops", "a", State.PAUSED)]
    out = way.invoke(graph, Command(resume="the red one"), on())
    assert heard == ["the red one"]
    assert told(out) == [("a", "asked")]
    assert states(ladder) == [("ops", "a", State.DONE)]


def test_failures_are_answered():
    """What a guarded tool raises is recorded and told to the model; it doesn't end the run."""

    def fail(x):
        raise OSError("gone") if x == "1" else DefiniteFailure("no such host")

    world, ladder = World(), ladder_of({"a": BOUNDED})
    graph = by_guard(ladder, [GIVE, calls("a", {"x": "2"}), "Done."], [world.tool("a", acts=fail)])
    first, second = (text for _, text in told(graph.invoke(GO, on())))
    assert first.startswith("a was started and failed: OSError: gone. Nobody knows")
    assert second.startswith("a failed and changed nothing: DefiniteFailure: no such host.")
    assert [state for _, _, state in states(ladder)] == [State.UNKNOWN, State.FAILED]


def test_what_stands_around_it_is_before_the_gate():
    """All middleware of the agent is outside of a guarded tool's gate: what it makes of a call is what is asked."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    graph = by_guard(ladder, [GIVE, "Done."], [world.tool("a")], rewriting(x="2"))
    out = graph.invoke(GO, on())
    assert questions(out)[0]["tool_call_id"] == ladder.pending()[0].call.id
    graph.invoke(Command(resume=YES), on())
    assert world.ran == [("a", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_arguments_that_dont_fit(way):
    """A call that can't be considered is refused before anybody is asked."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    out = way.invoke(by_guard(ladder, [calls("a", {"x": {}}), "Done."], [world.tool("a")]), GO, on())
    assert world.ran == []
    assert "Error invoking tool 'a'" in told(out)[0][1]
    assert [entry.kind for entry in ladder.log()].count("refused") == 1


# --- one call a task ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_raw_graph(way):
    """In a hand-built graph, where the tools get the whole state, one call is gated."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    graph = raw_graph([GIVE, "Done."], [ladder.guard(world.tool("a"))]).compile(checkpointer=InMemorySaver())
    assert way.invoke(graph, GO, on())["__interrupt__"]
    assert told(way.invoke(graph, Command(resume=YES), on())) == [("a", "a 1")]
    assert world.ran == [("a", "1")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_several_calls_in_one_task(way):
    """Where several calls share a task, none runs: one's answer could be taken for another's."""
    world, ladder = World(), ladder_of({"a": "confirm", "b": "suggest"})
    turn = says(tool_call("a", {"x": "1"}), tool_call("b", {"x": "2"}))
    tools = [ladder.guard(world.tool("a")), ladder.guard(world.tool("b"))]
    graph = raw_graph([turn, "Done."], tools).compile(checkpointer=InMemorySaver())
    out = way.invoke(graph, GO, on())
    assert [text.split(",")[0] for _, text in told(out)] == ["REFUSED: several calls came in one task"] * 2
    assert world.ran == []
    assert states(ladder) == []


def _sending(what):
    """A graph that sends its tool node something of its author's making."""

    def build(answers, tools):
        builder = StateGraph(MessagesState)
        builder.add_node("agent", model_node(answers, tools))
        builder.add_node("tools", ToolNode(tools))
        builder.add_edge(START, "agent")
        builder.add_conditional_edges(
            "agent", lambda state: what(state["messages"][-1]) if state["messages"][-1].tool_calls else "__end__"
        )
        builder.add_edge("tools", "agent")
        return builder.compile(checkpointer=InMemorySaver())

    return build


@pytest.mark.parametrize(
    ("what", "several"),
    [
        (lambda m: [Send("tools", [call]) for call in m.tool_calls], False),
        (lambda m: [Send("tools", {"messages": [m]})], True),
        (lambda m: [Send("tools", m.tool_calls)], True),
        (
            lambda m: [
                Send("tools", {"__type": "tool_call_with_context", "tool_call": call, "state": {"messages": [m]}})
                for call in m.tool_calls
            ],
            False,
        ),
    ],
    ids=["each by itself", "a state", "all in one", "each with a state"],
)
def test_what_was_sent_to_the_task_is_looked_at(what, several):
    """However the calls are sent, those that come together are refused and those that come alone are gated."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    turn = says(tool_call("a", {"x": "1"}), tool_call("a", {"x": "2"}))
    out = _sending(what)([turn, "Done."], [ladder.guard(world.tool("a"))]).invoke(GO, on())
    assert [text.startswith("REFUSED: several calls") for _, text in told(out)] == [several] * 2
    assert sorted(world.ran) == ([] if several else [("a", "1"), ("a", "2")])


class Talk(TypedDict):
    """A state that keeps its messages under another key."""

    talk: Annotated[list, add_messages]
    todos: list


def test_another_key_for_the_messages():
    """The messages may stand under any key of the state."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    tools = [ladder.guard(world.tool("a"))]
    builder = StateGraph(Talk)
    builder.add_node("agent", model_node([GIVE, "Done."], tools, "talk"))
    builder.add_node("tools", ToolNode(tools, messages_key="talk"))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", lambda state: tools_condition(state, "talk"))
    builder.add_edge("tools", "agent")
    out = builder.compile(checkpointer=InMemorySaver()).invoke(
        {"talk": [("user", "Go.")], "todos": [{"type": "tool_call", "id": "z"}]}, on()
    )
    assert told(out, "talk") == [("a", "a 1")]


# --- by hand -----------------------------------------------------------------------------------------------------


def test_by_hand():
    """Called by hand a guarded tool raises, with advice, in sync and async; nothing is written down."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    guarded = ladder.guard(world.tool("a"))
    call = {"name": "a", "args": {"x": "1"}, "id": "1", "type": "tool_call"}
    for attempt in (
        lambda: guarded.invoke({"x": "1"}),
        lambda: guarded.invoke(call),
        lambda: guarded.run({"x": "1"}),
        lambda: asyncio.run(guarded.ainvoke(call)),
        lambda: asyncio.run(guarded.ainvoke({"x": "1"})),
    ):
        with pytest.raises(NotPermitted, match=r"a is guarded, and was called by hand: .* ToolNode"):
            attempt()
    assert world.ran == []
    assert ladder.log() == []


@pytest.mark.parametrize("forged", [{"x": "1"}, {"name": "b", "args": {"x": "1"}, "id": "other", "type": "tool_call"}])
@pytest.mark.parametrize("wrapped", [False, True])
def test_by_hand_inside_another_tool(wrapped, forged):
    """A tool that calls a guarded one in its own body can't lend it its own call."""
    world, ladder = World(), ladder_of({"a": BOUNDED, "b": BOUNDED})
    other = ladder.guard(world.tool("b"))
    raised = []

    def act(x):
        with pytest.raises(NotPermitted) as found:
            other.invoke(forged)
        raised.append(str(found.value))
        return "tried"

    outer = world.tool("a", acts=act)
    graph = ladder.wrap(agent_of([GIVE, "Done."], [outer])) if wrapped else agent_of([GIVE, "Done."], [outer])
    assert told(graph.invoke(GO, on())) == [("a", "tried")]
    assert world.ran == [("a", "1")]
    assert len(raised) == 1


# --- what can be guarded -----------------------------------------------------------------------------------------


def test_a_function_and_a_tool():
    """A plain function becomes a tool; the original of a tool stays as it is; guarding twice changes nothing."""
    world, ladder = World(), ladder_of({"a": "confirm"})

    def wipe(disk: str) -> str:
        """Wipe a disk."""
        return disk

    guarded = ladder.guard(wipe)
    assert (guarded.name, guarded.description) == ("wipe", "Wipe a disk.")
    original = world.tool("a")
    guarded = ladder.guard(original)
    assert ladder.guard(guarded) is guarded
    assert original.invoke({"x": "1"}) == "a 1"
    assert seal_of(original) is None
    with pytest.raises(MountError, match="sealed already"):
        ladder_of({}).guard(guarded)


def test_a_tool_that_runs_an_unguarded_agent():
    """Guarding the tool that runs an agent doesn't gate what that agent does, and is refused with the way out."""
    world, ladder = World(), ladder_of({})
    inner = create_agent(ScriptedModel(answers=[]), [world.tool("a")])
    with pytest.raises(MountError, match="runs an agent whose own tools aren't guarded"):
        ladder.guard(delegating(inner))
    guarded = create_agent(ScriptedModel(answers=[]), [ladder.guard(world.tool("a"))])
    assert ladder.guard(delegating(guarded)).name == "research"


# --- together with the mounts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", ["wrap", "middleware"])
def test_under_a_rungs_permit_it_just_runs(way, mount):
    """In a graph that is mounted, a guarded tool isn't asked about a second time."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    tools = [ladder.guard(world.tool("a"))]
    inside = ladder.middleware() if mount == "middleware" else []
    graph = agent_of([GIVE, "Done."], tools, middleware=inside)
    graph = ladder.wrap(graph) if mount == "wrap" else graph
    way.invoke(graph, GO, on())
    out = way.invoke(graph, Command(resume=YES), on())
    assert told(out) == [("a", "a 1")]
    assert world.ran == [("a", "1")]
    assert [entry.kind for entry in ladder.log()].count("question") == 1
    assert states(ladder) == [("ops", "a", State.DONE)]


def test_what_is_written_down_of_the_environment():
    """The model behind a guarded tool's call is known without any mount, and another one lowers it."""
    world, ladder = World(), ladder_of({"a": READ})
    for model, rung in (("one", Rung.REPORT), ("two", Rung.CONFIRM)):
        scripted = ScriptedModel(answers=[GIVE, "Done."], model_name=model)
        out = create_agent(scripted, [ladder.guard(world.tool("a"))], checkpointer=InMemorySaver()).invoke(
            GO, on(model)
        )
        assert ladder.actions()[-1].rung == rung
        assert bool(out.get("__interrupt__")) is (rung is Rung.CONFIRM)
    env: Any = ladder.environments()[1]
    assert env.model == "two"
