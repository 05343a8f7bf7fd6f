"""Ladders that nobody closed: what they held is free once they are collected, and not before."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder, LedgerError
from ladder_graph.testing import ScriptedModel, calls

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="other systems list no open files"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Python says of a file, too, that nobody closed it.
]

RUNGS = {"send": "bounded"}


@pytest.fixture(params=["file", "memory", "postgres"])
def ledger(request, tmp_path):
    """Where the ledger is."""
    if request.param == "file":
        return tmp_path / "ladder.db"
    return ":memory:" if request.param == "memory" else request.getfixturevalue("postgres")


def held():
    """How many files and sockets this process has open, and which threads of a ladder's run."""
    gc.collect()
    threads = {one for one in threading.enumerate() if one.name.startswith("ladder-")}
    return len([*Path("/proc/self/fd").iterdir()]), threads


def asking(ladder, mount, send):
    """An agent under the ladder that sends once."""
    agent = create_agent(ScriptedModel(answers=[calls("send", {"to": "ana"}), "sent"]), [send],
                         checkpointer=InMemorySaver())  # fmt: skip
    return getattr(ladder, mount)(agent)


@tool
def send(to: str) -> str:
    """Send a message."""
    return f"sent to {to}"


def served(ledger, mount="wrap", how="invoke"):
    """One request, as a program serves it that makes everything anew each time; the ladder is dropped after it."""
    ladder = Ladder(agent="ops", rungs=RUNGS, ledger=ledger)
    agent, config = asking(ladder, mount, send), {"configurable": {"thread_id": "1"}}
    asked = {"messages": "Send it."}
    found = agent.invoke(asked, config) if how == "invoke" else asyncio.run(agent.ainvoke(asked, config))
    assert found["messages"][-1].content == "sent"
    ladder.actions()
    if mount == "shadow":
        assert ladder.shadowing.flush()
    return weakref.ref(ladder)


def soon(true):
    """Whether it comes to hold; threads that were told to end take a moment, and so does a server."""
    for _ in range(100):
        if true():
            return True
        time.sleep(0.05)
    return False


def no_more_than(before):
    """Whether no more is held than before."""
    files, threads = held()
    return files <= before[0] and threads <= before[1]


@pytest.mark.parametrize("mount", ["wrap", "shadow"])
@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
def test_a_dropped_ladder_leaves_nothing_open(ledger, mount, how):
    """No file, no connection, no lock and no thread, on every kind of ledger."""
    served(ledger, mount, how)  # What is loaded once, and stays.
    before = held()
    kept = [served(ledger, mount, how) for _ in range(3)]
    assert soon(lambda: no_more_than(before))
    assert [one() for one in kept] == [None, None, None]


def test_a_dropped_ladder_leaves_no_lock_file(tmp_path):
    """Else there would be one more for each request."""
    served(tmp_path / "ladder.db")
    gc.collect()
    assert list((tmp_path / "ladder.db.owners").iterdir()) == []


def test_a_call_that_runs_keeps_its_ladder(ledger):
    """Others see its process live until it is over, though nobody else knows the ladder any more."""
    if ledger == ":memory:":
        pytest.skip("nobody else sees it")
    began, free, came = threading.Event(), threading.Event(), []

    @tool("send")
    def slow(to: str) -> str:
        """Send a message."""
        began.set()
        assert free.wait(30)
        return f"sent to {to}"

    def serve():
        agent = asking(Ladder(agent="ops", rungs=RUNGS, ledger=ledger), "wrap", slow)
        came.append(agent.invoke({"messages": "Send it."}, {"configurable": {"thread_id": "1"}})["messages"][-1])

    thread = threading.Thread(target=serve)
    thread.start()
    assert began.wait(30)
    gc.collect()
    with Ladder(agent="ops", rungs=RUNGS, ledger=ledger) as other:
        (row,) = other.store.read(lambda cursor: cursor.execute("SELECT owner FROM action").fetchall())
        assert other.store.owner.lives(row["owner"])
        free.set()
        thread.join()
        assert [one.state for one in other.actions()] == ["done"]
        gc.collect()
        assert soon(lambda: not other.store.owner.lives(row["owner"]))
    assert came[0].content == "sent"


def test_a_ladder_in_a_with(tmp_path):
    """It is closed at the end, also where that is an error."""
    with Ladder(agent="ops", rungs=RUNGS, ledger=tmp_path / "ladder.db") as ladder:
        assert ladder.verify().ok
    with pytest.raises(LedgerError, match="it was closed"):
        ladder.actions()
    with pytest.raises(ZeroDivisionError), ladder:
        raise ZeroDivisionError
    assert not [one for one in Path("/proc/self/fd").iterdir() if str(tmp_path) in os.path.realpath(one)]
