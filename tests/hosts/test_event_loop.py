"""On an event loop nothing waits for a disk: a server that watches for that finds nothing, on any rung or mount."""

from __future__ import annotations

import asyncio
import functools
import time
from contextlib import closing

import pytest
from blockbuster import BlockBuster
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

import ladder_graph
from ladder_graph import Ladder, reversible
from ladder_graph.testing import ScriptedModel, calls

BOUNDS = [{"kind": "volume", "limit": 9}, {"kind": "predicate", "function": "tests.hosts.test_event_loop:slowly"}]
CHECKS = [{"kind": "python", "function": "tests.faults.crashing:healthy"}]
RUNGS = {
    "note": {"rung": "suggest"},
    "letter": {"rung": "draft"},
    "pay": {"rung": "confirm"},
    "send": {"rung": "bounded", "bounds": BOUNDS},
    "set_price": {"rung": "rollback", "bounds": BOUNDS, "checks": CHECKS},
    "look": {"rung": "report", "read_only": True},
}


WEIGHED = []


def slowly(arguments):
    """A bound that waits for something. What it raises would only ask, so it takes down where it runs."""
    WEIGHED.append(asyncio._get_running_loop())
    time.sleep(0.001)
    return True


@pytest.fixture(params=["sqlite", "postgres"])
def ladder(request, tmp_path):
    """A ladder whose ledger is on a disk, or on a server."""
    file = request.param == "sqlite"
    ledger = tmp_path / "ladder.db" if file else request.getfixturevalue("postgres")
    with closing(Ladder(agent="shop", rungs=RUNGS, ledger=ledger)) as opened:
        yield opened


@pytest.fixture
def watched():
    """Raises where this package waits on an event loop."""
    buster = BlockBuster(scanned_modules=[ladder_graph])
    buster.activate()
    yield
    buster.deactivate()


def hands(ran):
    """One tool for each rung; the last one is unknown to the policy."""

    async def note(n: int) -> str:
        """Note."""
        return "noted"

    async def letter(n: int) -> str:
        """Write."""
        return "written"

    async def pay(n: int) -> str:
        """Pay."""
        ran.append("pay")
        return "paid"

    async def send(n: int) -> str:
        """Send."""
        ran.append("send")
        return "sent"

    @reversible(prepare=lambda said: said["n"], undo=lambda n: None)
    async def set_price(n: int) -> str:
        """Set a price."""
        ran.append("set_price")
        return "set"

    async def look(n: int) -> str:
        """Look."""
        ran.append("look")
        return "seen"

    return [note, letter, pay, send, set_price, look]


def sync_hands(ran):
    """The same tools, none of them async."""

    def sync(hand):
        @functools.wraps(hand)  # what it declares comes along
        def work(n: int) -> str:
            return asyncio.run(hand(n))

        return work

    return [sync(hand) for hand in hands(ran)]


def mounted(ladder, how, model, tools):
    """The agent under the ladder, by one of the mounts."""
    saver = InMemorySaver()
    if how == "wrap":
        return ladder.wrap(create_agent(model, tools, checkpointer=saver))
    if how == "middleware":
        return create_agent(model, tools, middleware=ladder.middleware(), checkpointer=saver)
    return create_agent(model, [ladder.guard(tool) for tool in tools], checkpointer=saver)


@pytest.mark.parametrize("tools", [hands, sync_hands])
@pytest.mark.parametrize("how", ["wrap", "middleware", "guard"])
async def test_every_rung_on_a_watched_loop(ladder, how, tools, watched):
    """From the first environment to the last record, with a question, a draft, a bad call and an unknown tool.

    And once more, when most of what was looked up is known.
    """
    WEIGHED.clear()
    ran, asked = [], []
    wanted = [*RUNGS, "pay", "send", "set_price", "look", "look"]
    script = [calls(name, {"n": at}) for at, name in enumerate(wanted)]
    script += [calls("send", {"n": "no number"}), calls("send", {"n": 99}, id=None), "done"]
    # Mounting reads the tools' sources; servers import graphs off their loops.
    graph = await asyncio.to_thread(mounted, ladder, how, ScriptedModel(answers=script), tools(ran))
    config = {"configurable": {"thread_id": "1"}}
    state = await graph.ainvoke({"messages": "go"}, config)
    for _ in range(9):
        if "__interrupt__" not in state:
            break
        (interrupt,) = state["__interrupt__"]
        asked.append(interrupt.value["name"])
        answer = ladder_graph.answer_to(interrupt.value, "approve", by="ana")
        state = await graph.ainvoke(Command(resume=answer), config)
    assert state["messages"][-1].text == "done"
    assert asked == ["pay", "pay"]
    assert {*WEIGHED} == {None}
    assert ran == ["pay", "send", "set_price", "look", "pay", "send", "set_price", "look", "look"]


async def test_a_shadow_on_a_watched_loop(ladder, watched):
    """Nor does anything wait beside an agent that has a shadow, whose calls are all taken down by another thread."""
    ran = []
    script = [*[calls(name, {"n": at}) for at, name in enumerate(RUNGS)], calls("send", {"n": "no number"}), "done"]
    agent = await asyncio.to_thread(lambda: create_agent(ScriptedModel(answers=script), hands(ran)))
    graph = await asyncio.to_thread(ladder.shadow, agent)
    state = await graph.ainvoke({"messages": "go"}, {"configurable": {"thread_id": "1"}})
    assert state["messages"][-1].text == "done"
    assert ran == ["pay", "send", "set_price", "look"]
    assert await asyncio.to_thread(ladder.shadowing.flush)
    assert ladder.shadowing.lost == 0
    found = await asyncio.to_thread(ladder.shadowed)
    assert {one.tool: one.calls for one in found.tools} == {**dict.fromkeys(RUNGS, 1), "send": 2}
