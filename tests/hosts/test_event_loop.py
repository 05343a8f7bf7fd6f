"""On an event loop nothing waits for a disk: a server that watches for that finds nothing, on any rung or mount."""

from __future__ import annotations

import asyncio
import functools
import time
from contextlib import closing

import pytest
from blockbuster import BlockBuster
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel, field_validator

import ladder_graph
from ladder_graph import Ladder, reversible
from ladder_graph.errors import NotPermitted
from ladder_graph.ladder import refreshing
from ladder_graph.observing import Observer
from ladder_graph.policy.bounds import scope
from ladder_graph.testing import ScriptedModel, calls, says, tool_call

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


WEIGHED, CHECKED = [], []


def slowly(arguments):
    """A bound that waits for something. What it raises would only ask, so it takes down where it runs."""
    WEIGHED.append(asyncio._get_running_loop())
    time.sleep(0.001)
    return True


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request, tmp_path):
    """A ledger on a disk, or on a server."""
    return tmp_path / "ladder.db" if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
def ladder(ledger):
    """A ladder on it."""
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


class Saved(BaseModel):
    """The arguments of a tool whose author looks something up to check them."""

    name: str

    @field_validator("name")
    @classmethod
    def known(cls, name):
        """Take down where this runs."""
        CHECKED.append(asyncio._get_running_loop())
        return name


def known(what, tmp_path, ledger):
    """A ladder and a schema, of which a call looks at a policy file, at where a path leads, or something up."""
    rule = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 9}]}
    if what == "path":
        rule["bounds"].append({"kind": "under", "argument": "name", "directory": str(tmp_path)})
    if what != "file":
        return Ladder(agent="shop", rungs={"save": rule}, ledger=ledger), Saved if what == "schema" else None
    file = tmp_path / "ladder.toml"
    file.write_text('agent = "shop"\ntools.save = { rung = "bounded", bounds = [{ kind = "volume", limit = 9 }] }\n')
    return Ladder(policy=file, ledger=ledger), None


@pytest.mark.parametrize("what", ["file", "path", "schema"])
@pytest.mark.parametrize("how", ["wrap", "middleware"])
async def test_what_a_call_has_to_look_up_is_looked_up_off_the_loop(ledger, tmp_path, how, what, monkeypatch):
    """At each call, and not at the first one alone."""

    def save(name: str) -> str:
        """Save."""
        return f"saved {name}"

    def opened():
        ladder, schema = known(what, tmp_path, ledger)
        script = [*(calls("save", {"name": str(tmp_path / str(n))}) for n in range(4)), "done"]
        tool = StructuredTool.from_function(save, args_schema=schema)
        return ladder, mounted(ladder, how, ScriptedModel(answers=script), [tool])

    def looking(look):
        def looked(path, *args, **kwargs):
            CHECKED.append(asyncio._get_running_loop())
            return look(path, *args, **kwargs)

        return looked

    ladder, graph = await asyncio.to_thread(opened)
    if what != "schema":
        module, name = {"file": (refreshing.os, "stat"), "path": (scope.os, "lstat")}[what]
        monkeypatch.setattr(module, name, looking(getattr(module, name)))
    CHECKED.clear()
    state = await graph.ainvoke({"messages": "go"}, {"configurable": {"thread_id": "1"}})
    monkeypatch.undo()
    await asyncio.to_thread(ladder.close)
    assert [one.text[:5] for one in state["messages"] if one.type == "tool"] == ["saved"] * 4
    assert len(CHECKED) >= 4
    assert {*CHECKED} == {None}


async def test_a_call_by_hand_on_a_watched_loop(ladder, watched):
    """What was put down is read elsewhere: for what only reads, in the code of a node and of a tool."""
    ran, looked = [], []
    *_, look = hands(ran)
    tool = StructuredTool.from_function(coroutine=look)
    reads = ladder.capped

    def capped(agent, name):
        found = reads(agent, name)
        looked.append(asyncio._get_running_loop())
        return found

    ladder.capped = capped

    async def send(n: int) -> str:
        """Send."""
        return await tool.ainvoke({"n": n})

    async def own(state):
        return {"messages": [AIMessage(await tool.ainvoke({"n": 1}))]}

    def opened():
        agent = create_agent(ScriptedModel(answers=[calls("send", {"n": 2}), "done"]), [send, tool])
        builder = StateGraph(MessagesState).add_node("own", own).add_node("inner", agent)
        builder.add_edge(START, "own").add_edge("own", "inner")
        return ladder.wrap(builder.compile(checkpointer=InMemorySaver()))

    graph = await asyncio.to_thread(opened)
    state = await graph.ainvoke({"messages": "go"}, {"configurable": {"thread_id": "1"}})
    assert state["messages"][-2].text == "seen"
    assert ran == ["look", "look"]
    assert looked == [None, None]
    await asyncio.to_thread(ladder.demote, "look", to="confirm", by="ana", reason="it was wrong")
    with pytest.raises(NotPermitted, match="look was called by hand, in the node own of shop"):
        await graph.ainvoke({"messages": "go"}, {"configurable": {"thread_id": "2"}})
    assert ran == ["look", "look"]


async def test_calls_of_which_one_has_to_wait_are_told_of_once(ladder):
    """What was found out of the others before it isn't done a second time for whoever looks on."""

    class Counting(Observer):
        def meets(self, call, *, found):
            return None

        def routed(self, call, route, seconds):
            told.append(call.id)

    told, ran = [], []
    ladder.observers.add(Counting())
    turns = [[("look", {"n": 2 * at}), ("send", {"n": 2 * at + 1})] for at in range(4)]
    script = [*(says(*(tool_call(name, given) for name, given in turn)) for turn in turns), "done"]
    graph = await asyncio.to_thread(mounted, ladder, "wrap", ScriptedModel(answers=script), hands(ran))
    state = await graph.ainvoke({"messages": "go"}, {"configurable": {"thread_id": "1"}})
    made = [call["id"] for message in state["messages"] if message.type == "ai" for call in message.tool_calls]
    assert told == made
    assert len(ran) == 8
    assert not graph.builder.nodes["tools"].runnable.mount.underway._calls
