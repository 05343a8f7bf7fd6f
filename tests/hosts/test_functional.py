"""Guarded tools in agents of LangGraph's functional API, where each call is a task of its own."""

from __future__ import annotations

import asyncio
from contextlib import closing

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command

from ladder_graph.errors import MountError, NotPermitted
from ladder_graph.states import State
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import WAYS, World, ladder_of, on
from tests.hosts.mounts import BOUNDED, NO, YES

GO = [HumanMessage("Write to ana@shop.example.")]
GIVE = calls("a", {"x": "1"}, id="1")
BOTH = says(tool_call("a", {"x": "1"}, id="1"), tool_call("a", {"x": "2"}, id="2"))

FORMS = {
    "call": lambda tool, call, said: tool.invoke(call),
    "list": lambda tool, call, said: ToolNode([tool]).invoke([call])["messages"][0],
    "message": lambda tool, call, said: ToolNode([tool]).invoke({"messages": [said]})["messages"][0],
}
"""How a task calls its tool: by itself, or by a node that is given the call or the message."""


def agent_of(answers, tools, *, checkpointer=None, form="call", acall=None):
    """The agent of LangGraph's tutorial: the model and each call are tasks; in async too, where a call is given."""
    model, by_name = ScriptedModel(answers=list(answers)), {tool.name: tool for tool in tools}
    saver = InMemorySaver() if checkpointer is None else checkpointer

    @task
    def think(messages):
        return model.invoke(messages)

    @task
    def call(one, *, said=None):
        return FORMS[form](by_name[one["name"]], one, said)

    @task
    async def athink(messages):
        return await model.ainvoke(messages)

    @task
    async def run(one):
        return await by_name[one["name"]].ainvoke(one)

    if acall:

        @entrypoint(checkpointer=saver)
        async def desk(messages):
            messages, said = list(messages), await athink(messages)
            while said.tool_calls:
                messages += [said, *await asyncio.gather(*(run(one) for one in said.tool_calls))]
                said = await athink(messages)
            return [*messages, said]

        return desk

    @entrypoint(checkpointer=saver)
    def clerk(messages):
        messages, said = list(messages), think(messages).result()
        while said.tool_calls:
            beside = {"said": said} if form == "message" else {}
            running = [call(one, **beside) for one in said.tool_calls]
            messages += [said, *(one.result() for one in running)]
            said = think(messages).result()
        return [*messages, said]

    return clerk


def told(out):
    """What the tools, or the ladder in their place, told the model."""
    return [one.text for one in out if isinstance(one, ToolMessage)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_it_asks_and_runs_once(way, form):
    """By an interrupt of its task; on resume the model isn't asked again and the call is the same."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    graph = agent_of([GIVE, "Done."], [ladder.guard(world.tool("a"))], form=form)
    out = way.invoke(graph, GO, on())
    assert out["__interrupt__"][0].value["action_requests"][0]["args"] == {"x": "1"}
    assert world.ran == []
    out = way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("a", "1")]
    assert told(out) == ["a 1"]
    assert [(one.agent, one.state) for one in ladder.actions()] == [("ops", State.DONE)]
    assert ladder.verify().ok


def test_it_is_answered_elsewhere_and_goes_on_elsewhere(tmp_path):
    """Another process's ladder and agent go on with the thread: the same question, and one effect."""
    world, saver, ledger = World(), InMemorySaver(), str(tmp_path / "ledger.db")
    first, second = (ladder_of({"a": "confirm"}, ledger=ledger) for _ in range(2))
    with closing(first), closing(second):
        agent_of([GIVE], [first.guard(world.tool("a"))], checkpointer=saver).invoke(GO, on())
        second.approve(second.pending()[0].id, by="ana")
        out = agent_of(["Done."], [second.guard(world.tool("a"))], checkpointer=saver).invoke(None, on())
    assert (told(out), world.ran) == (["a 1"], [("a", "1")])


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_calls_beside_each_other(way):
    """Each task asks for itself, and no answer is taken for the other's."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    graph = agent_of([BOTH, "Done."], [ladder.guard(world.tool("a"))])
    out = way.invoke(graph, GO, on())
    assert len(ladder.pending()) == 2
    answers = {"1": NO, "2": YES}
    while isinstance(out, dict):  # LangGraph tells one interrupt of an entrypoint at a time.
        (asked,) = out["__interrupt__"]
        answer = answers[asked.value["action_requests"][0]["args"]["x"]]
        out = way.invoke(graph, Command(resume={asked.id: answer}), on())
    assert world.ran == [("a", "2")]
    assert [text.split()[0] for text in told(out)] == ["DECLINED", "a"]


async def test_on_an_event_loop():
    """Tasks that are async, beside each other, answered in the ledger."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    graph = agent_of([BOTH, "Done."], [ladder.guard(world.tool("a"))], acall=True)
    await graph.ainvoke(GO, on())
    for asked in ladder.pending():
        ladder.approve(asked.id, by="ana")
    out = await graph.ainvoke(None, on())
    assert sorted(world.ran) == [("a", "1"), ("a", "2")]
    assert told(out) == ["a 1", "a 2"]


def test_what_a_task_was_not_given_does_not_run():
    """Another call, none, or one in the entrypoint itself: where more than one may ask, answers can't be told apart."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    tool = ladder.guard(world.tool("a"))
    other = {"name": "a", "args": {"x": "2"}, "id": "other", "type": "tool_call"}

    @task
    def call(one):
        return tool.invoke(other if one else {"x": "1"})

    @entrypoint(checkpointer=InMemorySaver())
    def desk(given):
        return call(given).result() if given != "here" else tool.invoke(other)

    for given in (GIVE.tool_calls[0], None, "here"):
        with pytest.raises(NotPermitted, match=r"tool\.invoke\(call\)\) in a @task that is given this one call"):
            desk.invoke(given, on())
    assert (world.ran, ladder.actions()) == ([], [])


@pytest.mark.parametrize("given", [BOTH.tool_calls, BOTH, [BOTH]], ids=["calls", "message", "messages"])
def test_several_in_one_task(given):
    """None of them runs; the model reads that it must make one call at a time."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    tool = ladder.guard(world.tool("a"))

    @task
    def call(all_of_them):
        return [tool.invoke(one) for one in BOTH.tool_calls]

    @entrypoint(checkpointer=InMemorySaver())
    def desk(given):
        return call(given).result()

    assert all("make one call at a time" in text for text in told(desk.invoke(given, on())))
    assert world.ran == []


def test_what_is_beside_the_call_is_no_call():
    """A task may be given its call with the conversation that the call stands in."""
    world, ladder, model = World(), ladder_of({"a": BOUNDED}), ScriptedModel(answers=[BOTH])
    tool = ladder.guard(world.tool("a"))

    @task
    def call(one, messages):
        return tool.invoke(one)

    @entrypoint(checkpointer=InMemorySaver())
    def desk(messages):
        said = model.invoke(messages)
        return [call(one, [*messages, said]).result() for one in said.tool_calls]

    assert told(desk.invoke(GO, on())) == ["a 1", "a 2"]


def test_a_call_that_is_made_again_is_known():
    """What tasks gave back in this run is the conversation: nobody is asked whether it has lost the first one."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    graph = agent_of([GIVE, calls("a", {"x": "1"}, id="2"), "Done."], [ladder.guard(world.tool("a"))])
    assert told(graph.invoke(GO, on())) == ["a 1", "a 1"]
    assert ladder.pending() == []


@pytest.mark.parametrize(("inside", "agent", "ran"), [(False, "ops", 1), (True, "ops/desk", 0)])
def test_whose_words_and_whose_calls_they_are(inside, agent, ran):
    """The user's are those that the entrypoint was given, where it is no agent inside another; and so is the name."""
    origin = {"kind": "origin", "argument": "x", "type": "email"}
    world, ladder = World(), ladder_of({"a": {"rung": "bounded", "bounds": [origin]}})
    graph = agent_of([calls("a", {"x": "ana@shop.example"}), "Done."], [ladder.guard(world.tool("a"))])
    if inside:
        builder = StateGraph(MessagesState)
        builder.add_node("desk", lambda state: {"messages": graph.invoke(state["messages"])})
        outer = builder.add_edge(START, "desk").compile(checkpointer=InMemorySaver())
        outer.invoke({"messages": GO}, on())
    else:
        graph.invoke(GO, on())
    assert [one.agent for one in ladder.actions()] == [agent]
    assert len(world.ran) == ran


def test_a_task_that_a_node_calls():
    """It stands in the node's own graph."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    tool = ladder.guard(world.tool("a"))

    @task
    def call(one):
        return tool.invoke(one)

    def act(state):
        return {"messages": [call(one).result() for one in state["messages"][-1].tool_calls]}

    builder = StateGraph(MessagesState).add_node("act", act).add_edge(START, "act")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke({"messages": [AIMessage("", tool_calls=GIVE.tool_calls)]}, on())
    out = graph.invoke(Command(resume=YES), on())
    assert told(out["messages"]) == ["a 1"]
    assert [one.agent for one in ladder.actions()] == ["ops"]


def test_without_a_checkpointer_it_is_drafted():
    """Nobody could answer."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    tool = ladder.guard(world.tool("a"))

    @task
    def call(one):
        return tool.invoke(one)

    @entrypoint()
    def desk(one):
        return [call(one).result()]

    desk.invoke(GIVE.tool_calls[0])
    assert [one.state for one in ladder.actions()] == [State.DRAFTED]
    assert world.ran == []


def test_it_is_not_wrapped():
    """It has no tool node, and the refusal says what to do."""
    with pytest.raises(MountError, match=r"guard its tools, and call each in a @task"):
        ladder_of({}).wrap(agent_of([], []))
