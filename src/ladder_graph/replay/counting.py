"""Quotas in memory, by the same rules as the ledger's counters: what a replayed call would find left in its window."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field

from ladder_graph.policy.bounds import Charge

MOST = 100_000
"""Counters that are kept; beyond that the one that was drawn on the longest ago is taken for empty. Each value of an
argument, each thread and each user may have one of its own, and a trace may hold millions of them."""
_WINDOWS = 32
"""Windows of one counter that are kept, the latest ones; a trace is nearly in the order of time."""


@dataclass(slots=True)
class _Counter:
    windows: dict[int, int] = field(default_factory=dict)
    """What was taken, by when the window or the bucket began."""
    free: int = 0
    """For a rate, when the next call may come, in microseconds since the epoch."""
    last: int = 0
    """For a rate, the latest moment that it has seen."""


class Counters:
    """What was taken from quotas so far. It holds `MOST` counters at most."""

    def __init__(self) -> None:
        self._counters: OrderedDict[str, _Counter] = OrderedDict()

    def left(self, charge: Charge) -> int:
        """What is left in the charge's window, in its unit; of a rate, how many calls may come at once.

        Args:
            charge: What a call would take.
        """
        counter = self._counters.get(charge.quota)
        if counter is None:
            return charge.limit
        if charge.interval:
            ahead = counter.free - max(charge.start, counter.last)
            return charge.limit - max(math.ceil(ahead / charge.interval), 0)
        if not charge.reach:
            return charge.limit - counter.windows.get(charge.start, 0)
        since = charge.start - charge.reach
        return charge.limit - sum(taken for start, taken in counter.windows.items() if since <= start <= charge.start)

    def take(self, charge: Charge) -> None:
        """Draw on a counter, whether or not that much is left.

        Args:
            charge: What the call takes.
        """
        counter = self._counters.setdefault(charge.quota, _Counter())
        self._counters.move_to_end(charge.quota)
        if charge.interval:
            counter.last = max(counter.last, charge.start)
            counter.free = max(counter.free, counter.last) + charge.interval
        else:
            counter.windows[charge.start] = counter.windows.get(charge.start, 0) + charge.amount
            if len(counter.windows) > _WINDOWS:
                del counter.windows[min(counter.windows)]
        if len(self._counters) > MOST:
            self._counters.popitem(last=False)
