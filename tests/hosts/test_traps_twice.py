"""The known traps that make LangGraph run a call twice: each does harm without the ladder, and none with it.

Every test sets its trap twice: for the plain graph, to show that it is one, and then for the same under the ladder.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal

import pytest
from langchain.agents.middleware import ToolRetryMiddleware
from langchain_core.tools import StructuredTool
from langgraph.types import Command, interrupt

from ladder_graph.states import State
from ladder_graph.testing import calls, says, tool_call
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on, told
from tests.hosts.mounts import BOUNDED, INNER, MOUNTS, YES, Between
from tests.programs import Program


def states(ladder):
    """The state of each action, by its argument."""
    return {action.arguments["x"]: action.state for action in ladder.actions()}


# --- a time-travel fork ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
def test_a_fork_in_time(mount, way):
    """Going back to before the tools runs a finished call again, in the world as it is now."""
    turn = says(tool_call("book", {"x": "1"}), tool_call("pay", {"x": "2"}))

    def fork(graph):
        before = next(s for s in graph.get_state_history(on()) if len(s.next) == 2)
        return way.invoke(graph, None, before.config)

    def ask(x):
        return interrupt(f"pay {x}?")

    world = World()
    graph = agent_of([turn, "Done."], [world.tool("book"), world.tool("pay", acts=ask)])
    way.invoke(graph, GO, on())
    fork(graph)
    assert world.ran.count(("book", "1")) == 2

    world, ladder = World(), ladder_of({"book": BOUNDED, "pay": "confirm"})
    graph = mount(ladder, [turn, "Done.", "Done."], [world.tool("book"), world.tool("pay")])
    way.invoke(graph, GO, on())
    fork(graph)
    assert world.ran == [("book", "1")]
    out = way.invoke(graph, Command(resume=YES), on())
    assert told(out) == [("book", "book 1"), ("pay", "pay 2")]
    fork(graph)
    assert world.ran == [("book", "1"), ("pay", "2")]
    assert ladder.verify().ok


# --- retries -----------------------------------------------------------------------------------------------------


def lossy(world):
    """A tool whose first answer is lost on its way back."""

    def pay(x):
        if len(world.ran) == 1:
            raise OSError("connection reset")
        return "paid"

    return world.tool("pay", acts=pay)


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_a_retry_inside_the_gate(mount, way):
    """Middleware that retries pays twice where only the answer was lost."""
    retry = ToolRetryMiddleware(max_retries=2, initial_delay=0.0, jitter=False)
    world, answers = World(), [calls("pay", {"x": "1"}), "Done."]
    way.invoke(agent_of(answers, [lossy(world)], middleware=[retry]), GO, on())
    assert world.ran == [("pay", "1")] * 2

    world, ladder = World(), ladder_of({"pay": "confirm"})
    graph = mount(ladder, answers, [lossy(world)], retry)
    way.invoke(graph, GO, on())
    out = way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("pay", "1")]
    assert "Nobody knows whether it took effect" in told(out)[0][1]
    assert states(ladder) == {"1": State.UNKNOWN}


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", ["middleware", "guard"])
def test_a_retry_outside_the_gate(mount, way):
    """Middleware that asks again for whatever looks like an error gets the recorded answer, and no second effect."""
    again = Between(times=3)
    world, answers = World(), [calls("pay", {"x": "1"}), "Done."]
    way.invoke(agent_of(answers, [lossy(world)], middleware=[again]), GO, on())
    assert world.ran == [("pay", "1")] * 2

    world, ladder = World(), ladder_of({"pay": "confirm"})
    if mount == "guard":
        graph = agent_of(answers, [ladder.guard(lossy(world))], middleware=[again])
    else:
        graph = agent_of(answers, [lossy(world)], middleware=[again, *ladder.middleware()])
    way.invoke(graph, GO, on())
    out = way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("pay", "1")]
    assert "Nobody knows whether it took effect" in told(out)[0][1]
    assert states(ladder) == {"1": State.UNKNOWN}


# --- an async sibling that raises --------------------------------------------------------------------------------


@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
def test_an_async_sibling_that_raises(mount):
    """One of two parallel calls raises; the other, cancelled after its effect, is run again with the thread."""

    def pair(world):
        paid, failed = asyncio.Event(), []

        async def pay(x: str) -> str:
            world.ran.append(("pay", x))
            paid.set()
            await asyncio.sleep(0.1)
            return "paid"

        async def look(x: str) -> str:
            await paid.wait()
            if not failed:
                failed.append(x)
                raise OSError("connection reset")
            return "seen"

        return [
            StructuredTool.from_function(coroutine=pay, name="pay", description="Pay."),
            StructuredTool.from_function(coroutine=look, name="look", description="Look."),
        ]

    async def through(graph):
        with contextlib.suppress(OSError):
            await graph.ainvoke(GO, on())
        return await graph.ainvoke(None, on())

    turn = says(tool_call("pay", {"x": "1"}), tool_call("look", {"x": "2"}))
    world = World()
    asyncio.run(through(agent_of([turn, "Done."], pair(world))))
    assert world.ran == [("pay", "1")] * 2

    world, ladder = World(), ladder_of({"pay": BOUNDED, "look": READ})
    out = asyncio.run(through(mount(ladder, [turn, "Done."], pair(world))))
    assert world.ran == [("pay", "1")]
    assert told(out)[0] == ("pay", "paid")
    assert states(ladder) == {"1": State.DONE, "2": State.FAILED}


# --- durability="exit" -------------------------------------------------------------------------------------------

CRASH = """
import os, signal, sys
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from ladder_graph import Ladder
from ladder_graph.testing import ScriptedModel, calls

under, call_id = sys.argv[1:]
model = ScriptedModel(answers=[calls("pay", {"x": "1"}, id=call_id)])

@tool
def pay(x: str) -> str:
    "Pay."
    with open("effects", "a") as file:
        file.write(x + chr(10))
    if call_id == "first":
        os.kill(os.getpid(), signal.SIGKILL)
    return "paid"

builder = StateGraph(MessagesState)
builder.add_node("agent", lambda state: {"messages": [model.invoke(state["messages"])]})
builder.add_node("tools", ToolNode([pay]))
builder.add_edge(START, "agent")
builder.add_edge("agent", "tools")

with SqliteSaver.from_conn_string("threads.db") as saver:
    if under == "ladder":
        rule = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 9}]}
        graph = Ladder("ops", {"pay": rule}, ledger="ladder.db").wrap(builder, checkpointer=saver)
    else:
        graph = builder.compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    out = graph.invoke({"messages": [("user", "Go.")]}, config, durability="exit")
    print(out["messages"][-1].text)
"""


def test_a_crash_before_the_first_checkpoint(tmp_path):
    """With durability="exit" a crash forgets the turn; the model plans the call anew under another id."""

    def process(under, call_id):
        folder = tmp_path / under
        folder.mkdir(exist_ok=True)
        return Program(["-c", CRASH, under, call_id], folder)

    first = [process(under, "first") for under in ("nothing", "ladder")]
    for one in first:
        said = one.said()
        assert one.returncode == -signal.SIGKILL, said
    second = [process(under, "second") for under in ("nothing", "ladder")]
    said = [one.said() for one in second]
    assert [one.returncode for one in second] == [0, 0], said
    assert (tmp_path / "nothing" / "effects").read_text().split() == ["1", "1"]
    assert (tmp_path / "ladder" / "effects").read_text().split() == ["1"]
    assert said[0].strip() == "paid"
    assert said[1].startswith("NOT RUN: the very same call of pay was started before")
