"""A scope in a world of files, and the processes that act in it, watch it, undo it and die there."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from ladder_graph.calls import Call
from ladder_graph.facts import Outcome
from ladder_graph.watcher.unwinding import Unwinding
from tests.faults.crashing import lay_traps
from tests.faults.watched import MODEL, PATIENCE, Acting, Watched

KEY = "order 17"
"""What the program knows its scope by."""


class Failing(Acting):
    """Fails for certain at the third call."""

    def execute(self, call, *, again=False):
        """As `Acting`, twice."""
        if call.id == "call_3":
            return Outcome("failed", text="DefiniteFailure: no.")
        return super().execute(call, again=again)


@dataclass(frozen=True)
class Scoped(Watched):
    """A watched place whose calls are made in one scope."""

    def numbered(self, n):
        """The call of that number."""
        return Call("ops", "t1", f"call_{n}", "put", {"folder": str(self.folder), "n": n})

    def ended(self):
        """Wait until the scope is over, and return its phase and what came of each member."""
        ladder = self.ladder()
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                found = ladder.sagas(every=True)
                over = bool(found) and found[0].phase in {"undone", "held"}
                if over or time.monotonic() > deadline:
                    assert ladder.verify().problems == ()
                    return str(found[0].phase), [one.came for one in found[0].members]
                time.sleep(0.02)
        finally:
            ladder.close()


def step(place, here=None, count=2):
    """Be the agent: make calls in a scope, or die in the second one."""
    logging.disable(logging.WARNING)
    ladder = place.ladder()
    with ladder.saga("move", key=KEY):
        for n in range(1, count + 1):
            if n == 2 and here is not None:
                lay_traps(here)
            ladder.run(place.numbered(n), MODEL, Failing(None, here if n == 2 else None))
    ladder.close()


def fail(place, here=None):
    """Be an agent whose third call fails, which undoes the scope in its own process; or die in that."""
    undo = Unwinding.undo

    def dying(self, action, why):
        if here is not None:
            lay_traps(here)
        return undo(self, action, why)

    Unwinding.undo = dying
    step(place, count=3)
