"""A ladder with one watched tool on a shelf, at a clock that stands still."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from ladder_graph.calls import Call
from ladder_graph.errors import UndoConflict
from ladder_graph.facts import Outcome
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.ladder import Ladder
from ladder_graph.ledger.actions import clocks
from ladder_graph.policy import Policy
from ladder_graph.testing import FrozenClock
from ladder_graph.tools import Declaration
from ladder_graph.turns.hosting import Alone

_TOOLS = {"put": "s1"}
MODEL = Environment("openai", "gpt-5", "gpt-5", "none", "{}", toolset_component(_TOOLS), _TOOLS)
WINDOW = 600.0
HEALTH = {"verdict": True}
"""What the health check says."""


def healthy(arguments):
    """The health check, for this process."""
    HEALTH["asked"] = HEALTH.get("asked", 0) + 1
    return HEALTH["verdict"]


class Shelf(Alone):
    """What the tool changes, in this process's memory; and the host that runs it."""

    def __init__(self):
        self.things, self.undone, self.trouble = {}, [], None

    def execute(self, call, *, again=False):
        """Put one thing in a place."""
        self.things[call.arguments["place"]] = call.arguments["thing"]
        return Outcome("done", "put")

    def before(self, arguments):
        """What is there."""
        return {"place": arguments["place"], "thing": self.things.get(arguments["place"])}

    def put_back(self, kept):
        """Put it back, unless there is trouble."""
        if self.trouble is not None:
            raise self.trouble
        self.undone.append(self.things[kept["place"]])
        self.things[kept["place"]] = kept["thing"]

    def declaration(self, **fields):
        """Bound to this shelf, so that the undo runs in this process."""
        undo = Declaration(
            prepare=self.before, undo=self.put_back, fingerprint=lambda kept: str(self.things.get(kept["place"])),
            resource=lambda kept: kept["place"],
        )  # fmt: skip
        return replace(undo, **fields)


class Place:
    """One ledger, one shelf, one clock."""

    def __init__(self, file):
        self.file, self.shelf, self.clock, self.calls = file, Shelf(), FrozenClock(), 0
        self.open = []

    def ladder(self, *, watcher="process", rung="bounded", check=None, declared=None, mounted=True, **watch):
        """A process, or what stands for one, at the ledger."""
        check = {"kind": "python", "function": f"{__name__}:healthy", "count": 0, "every": 60} | (check or {})
        rule = {"rung": rung, "bounds": [{"kind": "volume", "limit": 100}], "checks": [check],
                "watch": {"window": WINDOW} | watch}  # fmt: skip
        policy = Policy.from_rungs("ops", {"put": rule}).model_copy(update={"watcher": watcher})
        ladder = Ladder(policy=policy, ledger=self.file, clock=self.clock)
        if mounted:
            ladder.seat("put", declared or self.shelf.declaration(), agent="ops", can_ask=True)
        self.open.append(ladder)
        return ladder

    def act(self, ladder, thing="a cup", place="top"):
        """One call; its key."""
        self.calls += 1
        call = Call("ops", "t1", f"call_{self.calls}", "put", {"place": place, "thing": thing})
        reply = ladder.run(call, MODEL, self.shelf)
        assert reply.state == "done", reply.text
        ladder.watcher._undoing.wait()  # It looks whether anything had to wait for the call.
        return call.key

    def later(self, ladder, seconds=0.0):
        """Let time pass, and let the watcher do what is due."""
        self.clock.advance(dt.timedelta(seconds=seconds))
        ladder.watcher.settle()


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A place whose only clock is the one that stands still."""
    monkeypatch.setattr(clocks, "boot_id", lambda: "")
    HEALTH.clear()
    HEALTH["verdict"] = True
    made = Place(tmp_path / "ladder.db")
    yield made
    for ladder in made.open:
        ladder.close()


def told(ladder, key):
    """The state of an action, and phase and reason of its window."""
    query = (
        "SELECT action.state, watch.phase, watch.why FROM action JOIN watch ON watch.action = action.key WHERE key = ?"
    )
    return ladder.store.read(lambda cursor: tuple(cursor.execute(query, (key,)).fetchone()))


def changed(ladder, sql, *values):
    """Tamper with the ledger, as somebody with the file could."""
    ladder.store.write(lambda cursor: cursor.execute(sql, values))


CONFLICT = UndoConflict("somebody else put a plate there")
