"""Scopes around real graphs: each mount, sync and async, in parallel, and with questions in them."""

from __future__ import annotations

import asyncio

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

from ladder_graph.testing import calls, says, tool_call
from tests.hosts.steps import MOUNTS, Things

CONFIG = {"configurable": {"thread_id": "t1"}}
GO = {"messages": [("user", "Go.")]}
FAILING = [
    calls("put", {"place": "a"}),
    calls("put", {"place": "b"}),
    calls("put", {"place": "c", "value": "bad"}),
    "Ok.",
]
"""Two steps that work, and one that doesn't."""


@pytest.fixture
def things():
    """A new world."""
    made = Things()
    yield made
    made.ladder.close()


def run_invoke(graph, saga):
    """Sync, in one go."""
    with saga:
        return graph.invoke(GO, CONFIG)["messages"]


def run_stream(graph, saga):
    """Sync, state by state."""
    with saga:
        return list(graph.stream(GO, CONFIG, stream_mode="values"))[-1]["messages"]


def run_ainvoke(graph, saga):
    """Async, in one go."""

    async def run():
        async with saga:
            return (await graph.ainvoke(GO, CONFIG))["messages"]

    return asyncio.run(run())


def run_astream(graph, saga):
    """Async, state by state, from a block that isn't."""

    async def run():
        with saga:
            return [part async for part in graph.astream(GO, CONFIG, stream_mode="values")][-1]["messages"]

    return asyncio.run(run())


@pytest.mark.parametrize("run", [run_invoke, run_stream, run_ainvoke, run_astream])
@pytest.mark.parametrize("mount", MOUNTS)
def test_a_later_failure_undoes_the_run(things, mount, run):
    """The block's context reaches the tasks of every graph; the agent reads it, and earlier messages stay."""
    saga = things.ladder.saga("move")
    messages = run(MOUNTS[mount](things, *FAILING, saver=InMemorySaver()), saga)
    assert (things.values, things.order) == ({}, ["b", "a"])
    assert [(one.tool, one.came) for one in saga.members] == [("put", "undone"), ("put", "undone"), ("put", "no-op")]
    told = [message.text for message in messages if message.type == "tool"]
    assert told[:2] == ["put new in a", "put new in b"]
    assert "put failed and changed nothing: DefiniteFailure: no such value." in told[2]
    assert "ROLLED BACK: the scope move is undone as a whole" in told[2]


@pytest.mark.parametrize("run", [run_invoke, run_ainvoke])
@pytest.mark.parametrize("mount", ["wrap", "middleware"])
def test_calls_of_one_message(things, mount, run):
    """They run side by side; whatever the order of their ends, nothing of them stands."""
    batch = says(
        tool_call("put", {"place": "a"}), tool_call("put", {"place": "b"}),
        tool_call("put", {"place": "c", "value": "bad"}), tool_call("read", {"place": "a"}),
    )  # fmt: skip
    saga = things.ladder.saga()
    run(MOUNTS[mount](things, batch, "Ok.", saver=InMemorySaver()), saga)
    assert (things.values, saga.phase) == ({}, "undone")


@pytest.mark.parametrize("mount", MOUNTS)
def test_a_question_in_a_scope(things, mount):
    """A point of no return asks; answered outside of the block it still belongs to the scope."""
    graph = MOUNTS[mount](
        things, calls("put", {"place": "a"}), calls("pay", {"cents": 3}), calls("put", {"place": "b"}), "Ok.",
        saver=InMemorySaver(),
    )  # fmt: skip
    with things.ladder.saga("shop", key="order 17") as saga:
        (asked,) = graph.invoke(GO, CONFIG)["__interrupt__"]
    said = asked.value["action_requests"][0]["description"]
    assert "pay can't be undone, and after it neither could be, of the scope shop: put" in said
    assert saga.phase == "closed"
    with things.ladder.saga("shop", key="order 17"):
        graph.invoke(Command(resume={"type": "approve", "by": "ana"}), CONFIG)
    assert [one.tool for one in saga.members] == ["put", "pay", "put"]
    saga.undo("a test")
    assert things.values == {"a": "new", "paid": 3}
    assert [one.came for one in saga.members] == ["skipped", "skipped", "undone"]


def test_a_scope_in_a_node_survives_its_question(things):
    """The node starts over after the answer; what ran before isn't run again, and is undone with what fails later."""
    inner = things.agent(
        calls("put", {"place": "a"}), calls("pay", {"cents": 3}), calls("put", {"place": "b", "value": "bad"}), "Ok."
    )

    def work(state):
        with things.ladder.saga("work", key="order 17"):
            return {"messages": inner.invoke(state)["messages"][-1:]}

    built = StateGraph(MessagesState)
    built.add_node("work", work)
    built.add_edge(START, "work")
    graph = built.compile(checkpointer=InMemorySaver())
    graph.invoke(GO, CONFIG)
    (view,) = things.ladder.sagas()
    assert (view.phase, view.waits) == ("left", True)
    graph.invoke(Command(resume={"type": "decline", "by": "ana", "reason": "no"}), CONFIG)
    assert things.ladder.saga_view(view.id).phase == "undone"
    assert (things.values, things.order) == ({}, ["a"])
