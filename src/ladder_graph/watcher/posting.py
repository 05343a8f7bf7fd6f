"""Sending what tools have posted to outboxes, once it is due and nobody can want it back."""

from __future__ import annotations

import logging

from ladder_graph.ledger import Store
from ladder_graph.ledger.watching.outboxes import posted
from ladder_graph.ledger.watching.watches import PULSE

log = logging.getLogger("ladder_graph")

EVERY = 10 * PULSE
"""Microseconds between two looks."""
_BACK = 86_400 * PULSE
"""So far back it is looked again for outboxes: clocks of other machines may be behind."""


class Post:
    """Knows the outboxes of a ledger, and sends what is due in them.

    Args:
        store: The ledger.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._directories: set[str] = set()
        self._since = 0
        self._next = 0

    def hurry(self) -> None:
        """Look as soon as possible: a window of an action that posts is over."""
        self._next = 0

    def turn(self, now: int) -> bool:
        """Whether it is time to look; the caller then does.

        Args:
            now: The present, in microseconds since the epoch. Where the clock was set back by more than the time
                between two looks, it is time.
        """
        if 0 < self._next - now <= EVERY:
            return False
        self._next = now + EVERY
        return True

    def directories(self, now: int) -> list[str]:
        """Every outbox that is known by now.

        Args:
            now: The present, in microseconds since the epoch.
        """
        self._directories |= {one.directory for one in self._store.glance(lambda cursor: posted(cursor, self._since))}
        self._since = max(0, now - _BACK)
        return sorted(self._directories)

    def release(self, directory: str) -> None:
        """Send what is due in an outbox. Other processes may do so at the same moment.

        Args:
            directory: Where it is.
        """
        from ladder_graph.undo.outboxes import release_due

        released = release_due(directory)
        for name in released.sent:
            log.info("sent: message %s of %s", name, directory)
        for name in released.failed:
            log.warning("not sent: message %s of %s waits for the next time", name, directory)
        for name in released.in_doubt:
            log.warning("in doubt: nobody knows whether message %s of %s was sent", name, directory)
