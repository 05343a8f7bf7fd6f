"""A worker of a soak: `python -m tests.soak.agent FOLDER SLOT [MUTANT]`.

It starts threads of its own, goes on with those that it left when it was killed, and goes on with any thread that has
got an answer. Everything that it knows stands in the databases, and in a file with the names of its threads.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import sys
import threading
import time
from pathlib import Path

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from ladder_graph import Ladder
from ladder_graph.resuming import InProcess
from ladder_graph.testing import ScriptedModel, says, tool_call
from tests.faults.mutants import MUTANTS
from tests.soak.rules import ACCOUNTS
from tests.soak.tools import tools_in

DRIVERS = 2
"""Threads that one worker starts at a time."""
TURNS = 3
"""Turns of the model in one thread."""
END = "Done."
"""What the model says at last."""
WAITING = 40
"""Open questions from which on nobody starts anything new."""
TOOLS = (
    "advise",
    "propose",
    "pay",
    "pay",
    "ship",
    "ship",
    "charge",
    "charge",
    "ping",
    "ping",
    "switch",
    "write",
    "page",
    "mail",
    "tell",
)
"""What the model wants to do, the one as likely as the other."""

log = logging.getLogger("ladder_graph")


def think(thread, turn):
    """What the model wants at one turn of a thread: the same in each process, whoever asks, and however often."""
    dice = random.Random(f"{thread} {turn}")  # noqa: S311  # it makes no secrets
    return says(*(wanted(f"{thread}.{turn}.{n}", dice) for n in range(dice.choice((1, 1, 2, 3)))))


def wanted(ticket, dice):
    """One call."""
    name = dice.choice(TOOLS)
    more = {
        "propose": {"text": "a proposal"}, "pay": {"amount": dice.randint(1, 99)},
        "write": {"path": f"files/{ticket}.txt"},
        "charge": {"account": dice.choice(ACCOUNTS), "amount": dice.randint(1, 24)},
    }  # fmt: skip
    return tool_call(name, {"ticket": ticket, **more.get(name, {})})


def script(messages):
    """The model: the thread's name is its first message."""
    turn = sum(isinstance(message, AIMessage) for message in messages)
    return END if turn >= TURNS else think(str(messages[0].text), turn)


def address(folder):
    """The database of the threads."""
    return (folder / "threads-url").read_text()


@contextlib.contextmanager
def mounted(folder):
    """The graph under the ladder, on databases that come and go."""
    with ConnectionPool(
        address(folder), min_size=1, max_size=6, timeout=10, reconnect_timeout=5, open=True,
        check=ConnectionPool.check_connection,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
    ) as pool:  # fmt: skip
        ladder = Ladder(policy=folder / "ladder.toml")
        model = ScriptedModel(answers=[script] * 10**6)
        graph = ladder.wrap(create_agent(model, tools_in(folder), checkpointer=PostgresSaver(pool)))
        try:
            yield ladder, graph
        finally:
            ladder.close()


class Slot:
    """The threads of one worker, over all its lives.

    Args:
        folder: The run's.
        name: Which worker.
        ladder: Its ladder.
        graph: The graph.
    """

    def __init__(self, folder, name, ladder, graph):
        self.folder, self.name, self.ladder, self.graph = folder, name, ladder, graph
        self._file, self._lock = folder / f"threads-{name}", threading.Lock()
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        self._count = sum(line.startswith("begun ") for line in lines)
        over = {line.split()[1] for line in lines if line.startswith("over ")}
        self.left = [line.split()[1] for line in lines if line.startswith("begun ") and line.split()[1] not in over]
        self._looked, self._full, self._driven = 0.0, False, set[str]()

    def begin(self):
        """The name of a new thread, which is written down before anything of it runs."""
        with self._lock:
            self._count += 1
            thread = f"{self.name}.{self._count}"
            self.note("begun", thread)
        return thread

    def note(self, what, thread):
        """Write something down about a thread."""
        file = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{what} {thread}\n".encode())
        os.close(file)

    @property
    def draining(self):
        """Whether nothing new is to be begun."""
        return (self.folder / "drain").exists()

    def full(self):
        """Whether so many questions wait that nothing new is begun."""
        if time.monotonic() - self._looked > 1:
            self._looked = time.monotonic()
            self._full = len(self.ladder.pending()) >= WAITING
        return self._full

    def drive(self):
        """Go on with what is left over from an earlier life, and then begin one thread after the other."""
        while True:
            try:
                if (thread := self._next()) is None:
                    time.sleep(0.3)
                    continue
                self._go(thread)
            except Exception as wrong:  # noqa: BLE001  # a database that is away, most of the time
                log.warning("driver: %s: %s", type(wrong).__name__, str(wrong).strip()[:200])
                time.sleep(0.5)

    def _next(self):
        with self._lock:
            while self.left:
                if (thread := self.left.pop(0)) not in self._driven:
                    return thread
        if self.draining:
            self._look_again()
            return None
        return None if self.full() else self.begin()

    def _look_again(self):
        """In the end nothing may be forgotten: threads that were left are looked at now and then."""
        with self._lock:
            if time.monotonic() - self._looked > 3:
                self._looked = time.monotonic()
                self.left = Slot(self.folder, self.name, self.ladder, self.graph).left

    def _go(self, thread):
        """Take a thread as far as it goes; who can't do it now comes back to it."""
        config = {"configurable": {"thread_id": thread}}
        self._driven.add(thread)
        try:
            state = self.graph.get_state(config)
            if state.created_at is None:
                self.graph.invoke({"messages": thread}, config)
            elif not over(state) and not waits(state) and not self._in_hand(thread):
                self.graph.invoke(None, config)
            if over(self.graph.get_state(config)):
                self.note("over", thread)
        except Exception:
            with self._lock:
                self.left.append(thread)
            raise
        finally:
            self._driven.discard(thread)

    def _in_hand(self, thread):
        """Whether somebody is about to go on with it, since it was answered. Where that can't be, it is ours."""
        found = (one for one in self.ladder.resumptions(limit=1000) if one.thread == thread)
        return any(one.state in {"taken", "heard"} or not one.problem for one in found)


def over(state):
    """Whether a thread has come to its end; one that failed has no next step either."""
    said = state.values.get("messages")
    return bool(said) and str(said[-1].text) == END


def waits(state):
    """Whether a thread waits for an answer."""
    return any(task.interrupts for task in state.tasks)


def main(folder, name, mutant=""):
    """Work until killed."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    with pytest.MonkeyPatch.context() as patch:
        if mutant:
            MUTANTS[mutant](patch)
        with mounted(folder) as (ladder, graph):
            ladder.attach(InProcess(graph))
            slot = Slot(folder, name, ladder, graph)
            drivers = [threading.Thread(target=slot.drive, daemon=True) for _ in range(DRIVERS)]
            for one in drivers:
                one.start()
            threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
