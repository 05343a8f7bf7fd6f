"""What the ledger says waits, read for whoever shows it: one look a second, however many ask."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ladder_graph.errors import LedgerError
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.lists import backlog
from ladder_graph.ledger.lists.backlog import Backlog
from ladder_graph.ledger.tables.rows import US
from ladder_graph.ledger.upkeep import checkpoints, signing_keys
from ladder_graph.policy.checkpoints import Checkpoints
from ladder_graph.telemetry import catalog
from ladder_graph.telemetry.catalog import Level

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

log = logging.getLogger("ladder_graph")

FRESH = 1.0
"""Seconds for which a look holds."""


class Levels:
    """The levels of one ladder's ledger.

    Args:
        ladder: The ladder.
    """

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        self._lock = threading.Lock()
        self._read: list[Level] = []
        self._at = -FRESH
        self._failed = False

    def now(self) -> Sequence[Level]:
        """All of them, at most a second old.

        Raises:
            LedgerError: The ledger can't be read.
        """
        with self._lock:
            if time.monotonic() - self._at >= FRESH:
                self._read, self._at = self._looked(), time.monotonic()
            return self._read

    def told(self) -> Sequence[Level]:
        """As `now`; none where the ledger can't be read, which is logged once until it can."""
        try:
            found = self.now()
        except LedgerError as wrong:
            if not self._failed:
                log.warning("what waits can't be told: %s", wrong)
            self._failed = True
            return ()
        self._failed = False
        return found

    def _looked(self) -> list[Level]:
        store, said = self._ladder.store, self._ladder.policy.checkpoints
        now = micros(self._ladder.clock())
        found, vouched = store.glance(
            lambda cursor: (backlog.look(cursor, store.owner, now), vouching(cursor, said, now))
        )
        return [*levels_of(found, now), *vouched]


def levels_of(found: Backlog, now_us: int) -> list[Level]:
    """What was found in a ledger, as figures.

    Args:
        found: What waits.
        now_us: The moment, in microseconds.
    """

    def age(since_us: int) -> float:
        return _seconds(now_us - since_us)

    levels = [Level(catalog.WATCHERS, (state,), count) for state, count in found.watchers.items()]
    for agent, tool, count, oldest_us in found.questions:
        levels += [
            Level(catalog.QUESTIONS, (agent, tool), count),
            Level(catalog.OLDEST, (agent, tool), age(oldest_us)),
        ]
    levels += [Level(catalog.UNREAD, (agent,), count) for agent, count, _ in found.reports]
    levels += [Level(catalog.OVERDUE, (agent,), late) for agent, _, late in found.reports]
    levels += [Level(catalog.WATCHES, (agent, tool, phase), count) for agent, tool, phase, count in found.watches]
    levels += [Level(catalog.LATE, (agent,), age(due_us)) for agent, due_us in found.due]
    levels += [Level(catalog.UNSETTLED, (agent, tool, state), count) for agent, tool, state, count in found.unsettled]
    levels += [Level(catalog.SCOPES, (agent,), count) for agent, count in found.scopes]
    levels += [Level(catalog.DEMOTIONS, (agent,), count) for agent, count in found.demotions]
    return levels


def vouching(cursor: Cursor, said: Checkpoints, now_us: int) -> list[Level]:
    """How far signed checkpoints and their exports lag behind; nothing where there are none.

    Args:
        cursor: For reading.
        said: What the policy says of them.
        now_us: The moment, in microseconds.
    """
    signer = None if said.key is None else signing_keys.active(cursor)
    if signer is None:
        return []
    last = checkpoints.last(cursor)
    since_us = last.at_us if last.number else signer.at_us
    late = _seconds(now_us - since_us - int(said.every * US)) if last.unseen else 0.0
    levels = [Level(catalog.UNSIGNED, (), late)]
    reached = checkpoints.reached(cursor, [one.title for one in said.to])
    for place, (target, got) in enumerate(zip(said.to, reached, strict=True), 1):
        labels = (f"{target.kind} {place}",)
        levels += [
            Level(catalog.WAITING, labels, got.waiting),
            Level(catalog.UNEXPORTED, labels, 0.0 if got.since_us is None else _seconds(now_us - got.since_us)),
            Level(catalog.FAILURES, labels, got.tries),
        ]
    return levels


def _seconds(lapse_us: int) -> float:
    """None of them where the clock was set back."""
    return max(0, lapse_us) / US
