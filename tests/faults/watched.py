"""A watched action in a world of files, and the processes that act, watch, undo and die there."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ladder_graph.calls import Call
from ladder_graph.facts import Outcome
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.ladder import Ladder
from ladder_graph.ledger import Store
from ladder_graph.ledger.watching import measurements
from ladder_graph.policy import Policy
from ladder_graph.states import State
from ladder_graph.tools import Declaration
from ladder_graph.watcher import Watcher
from tests.faults.crashing import CONTEXT, Host, Point, die, lay_traps

BOUNDS = [{"kind": "volume", "limit": 10**6}]
CHECK = {"kind": "python", "function": "tests.faults.watched:healthy", "count": 0, "every": 3}
"""One measurement vouches for six seconds, so that a busy machine makes nothing look ill."""
_TOOLS = {"put": "s1"}
MODEL = Environment("openai", "gpt-5", "gpt-5", "none", "{}", toolset_component(_TOOLS), _TOOLS)
PATIENCE = 60.0
"""Seconds after which what was waited for doesn't come."""

DURING = ("before it put back", "after it put back")
"""Where the undo's own process kills the watcher that asked for it."""


# --- the tool, as any process knows it ---------------------------------------------------------------------------


def text(folder):
    """What the tool changes."""
    file = Path(folder) / "value"
    return file.read_text() if file.exists() else ""


def before(arguments):
    """The before-image."""
    return {"folder": arguments["folder"], "text": text(arguments["folder"])}


def put_back(kept):
    """Put it back, and leave a line behind; a file says at which point the one who asked is to be killed."""
    folder = Path(kept["folder"])
    _kill_who_asked(folder, DURING[0])
    (folder / "value").write_text(kept["text"])
    with (folder / "undos").open("a") as undos:
        undos.write("undone\n")
    _kill_who_asked(folder, DURING[1])


def _kill_who_asked(folder, at):
    here = folder / "kill"
    if here.exists() and here.read_text() == at:
        here.unlink()
        os.kill(os.getppid(), signal.SIGKILL)
        threading.Event().wait()  # This process ends with the one that asked.


def present(kept):
    """The fingerprint."""
    return text(kept["folder"])


def resource(kept):
    """What is touched."""
    return kept["folder"]


def healthy(arguments):
    """The health check: all is well, unless a file says otherwise."""
    return not (Path(arguments["folder"]) / "ill").exists()


TOOL = Declaration(prepare=before, undo=put_back, fingerprint=present, resource=resource, home="tests.faults.watched")


class Acting(Host):
    """Runs the tool, and dies where it is told to."""

    def execute(self, call, *, again=False):
        """One line more, between two points."""
        die(self.here, "before", "effect")
        folder = Path(call.arguments["folder"])
        (folder / "value").write_text(text(folder) + f"{call.id}\n")
        with (folder / "effects").open("a") as effects:
            effects.write(f"{call.id}\n")
        die(self.here, "after", "effect")
        return Outcome("done", "put")


# --- a place -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Watched:
    """One ledger and one world of files.

    Args:
        folder: Where the world is.
        ledger: The ledger's file or URL.
        window: Seconds that an action is watched.
        rung: On which the tool stands; below `rollback` nobody asks whether a watcher lives.
        watcher: As the policy says it.
    """

    folder: Path
    ledger: str
    window: float = 3.0
    rung: str = "rollback"
    watcher: str = "process"

    @property
    def call(self):
        """The call."""
        return Call("ops", "t1", "call_1", "put", {"folder": str(self.folder)})

    def ladder(self, **fields):
        """A ladder with the one tool, mounted."""
        logging.disable(logging.WARNING)
        rule = {"rung": self.rung, "bounds": BOUNDS, "checks": [CHECK], "watch": {"window": self.window}}
        policy = Policy.from_rungs("ops", {"put": rule}).model_copy(update={"watcher": self.watcher})
        ladder = Ladder(policy=policy, ledger=self.ledger, **fields)
        ladder.seat("put", TOOL, agent="ops", can_ask=True)
        return ladder

    def ill(self):
        """From now on the health check is bad."""
        (self.folder / "ill").touch()

    def count(self, what):
        """How many effects, or undos, there were."""
        file = self.folder / what
        return len(file.read_text().splitlines()) if file.exists() else 0

    def ends(self):
        """Wait until the action is over, and return its state and the phase of its window."""
        ladder = self.ladder() if self.watcher == "process" else replace(self, watcher="process").ladder()
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                state, phase = ladder.store.read(_stands)
                if phase in {"kept", "undone", "held", "over"} or time.monotonic() > deadline:
                    assert ladder.verify().problems == ()
                    return state, phase
                time.sleep(0.02)
        finally:
            ladder.close()


def _stands(cursor):
    action = cursor.execute("SELECT state FROM action").fetchone()
    watch = cursor.execute("SELECT phase FROM watch").fetchone()
    return State(action[0]) if action else None, watch[0] if watch else None


# --- processes ---------------------------------------------------------------------------------------------------


def act(place, here=None):
    """Be the agent: make the call, or die on the way."""
    if here is not None:
        lay_traps(here)
    ladder = place.ladder()
    reply = ladder.run(place.call, MODEL, Acting(None, here))
    die(here, "after", "reply")
    ladder.close()
    return reply


def watch(place, here=None):
    """Be a watcher for as long as this process lives, or die on the way."""
    if here == Point("before", "takeover"):
        claim = Watcher._undo

        def dying(self, window, known):
            die(here, "before", "takeover")
            claim(self, window, known)

        Watcher._undo = dying
    elif here == Point("in", "measurement"):
        note = measurements.note

        def noted(*args):
            die(here, "in", "measurement")
            return note(*args)

        measurements.note = noted
    elif here is not None:
        lay_traps(here)
    logging.disable(logging.WARNING)
    ladder = place.ladder()
    Watcher(ladder.store, ladder.clock, lambda: ladder.policy).run()


class Watching:
    """A watcher's process, killed at the end of the block."""

    def __init__(self, place, here=None):
        self.process = CONTEXT.Process(target=watch, args=(place, here))
        self.store, self.place = None, place

    def __enter__(self):
        self.process.start()
        store = Store(self.place.ledger)
        try:
            deadline = time.monotonic() + PATIENCE
            while not store.read(lambda cursor: cursor.execute("SELECT owner FROM watcher").fetchone()):
                assert time.monotonic() < deadline
                assert self.process.is_alive()
                time.sleep(0.02)
        finally:
            store.close()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join(60)

    def dies(self):
        """Wait until it has died by itself."""
        self.process.join(PATIENCE)
        assert self.process.exitcode == -signal.SIGKILL
