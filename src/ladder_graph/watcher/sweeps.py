"""Looking from time to time: through everything that was earned, and for reports that something is due about."""

from __future__ import annotations

from collections.abc import Callable

from ladder_graph.ledger.watching.watches import PULSE

FIRST = 60 * PULSE
"""Microseconds before the first sweep: it reads the whole chain, and whoever starts to watch has work that is due."""

EVERY = 3600 * PULSE
"""Microseconds between two sweeps."""

SOON, OFTEN = PULSE, 10 * PULSE
"""The same for what is due about reports, which costs two look-ups where nothing is."""


class Sweeps:
    """Knows when it is time for the next one. The first comes after a while, in which windows left open go first.

    Args:
        sweep: What is done then; None for nothing.
        first: Microseconds before the first one.
        every: Microseconds between two.
    """

    def __init__(self, sweep: Callable[[], object] | None, first: int = FIRST, every: int = EVERY) -> None:
        self._sweep, self._first, self._every = sweep, first, every
        self._next = 0

    def turn(self, now: int) -> Callable[[], object] | None:
        """What is to be done now; None where it isn't time yet.

        Args:
            now: The present, in microseconds since the epoch. Where the clock was set back by more than the time
                between two sweeps, it is time.
        """
        if self._sweep is None or 0 < self._next - now <= 2 * self._every:
            return None
        if not self._next:
            self._next = now + self._first
            return None
        self._next = now + self._every
        return self._sweep
