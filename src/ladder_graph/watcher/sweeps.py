"""Looking from time to time through everything that was earned, for what the numbers speak against."""

from __future__ import annotations

from collections.abc import Callable

from ladder_graph.ledger.watches import PULSE

FIRST = 60 * PULSE
"""Microseconds before the first sweep: it reads the whole chain, and whoever starts to watch has work that is due."""

EVERY = 3600 * PULSE
"""Microseconds between two sweeps."""


class Sweeps:
    """Knows when it is time for the next one. The first comes after a minute, in which windows left open go first.

    Args:
        sweep: What is done then; None for nothing.
    """

    def __init__(self, sweep: Callable[[], object] | None) -> None:
        self._sweep = sweep
        self._next = 0

    def turn(self, now: int) -> Callable[[], object] | None:
        """What is to be done now; None where it isn't time yet.

        Args:
            now: The present, in microseconds since the epoch. Where the clock was set back by more than the time
                between two sweeps, it is time.
        """
        if self._sweep is None or 0 < self._next - now <= 2 * EVERY:
            return None
        if not self._next:
            self._next = now + FIRST
            return None
        self._next = now + EVERY
        return self._sweep
