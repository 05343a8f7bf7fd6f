"""Quotas in memory, by the same rules as the ledger's counters: what a replayed call would find left in its window.

Of each counter two things are known: what was taken for sure, and what may have been taken besides: by calls that
can't be decided, by calls of which nobody knows when they came, and by what was forgotten to keep memory flat. What is
left for sure decides that a call asks; only what is left at least decides that it is free.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections import OrderedDict
from dataclasses import dataclass, field

from ladder_graph.policy.bounds import Charge

MOST = 100_000
"""Counters that are kept; beyond that the one that was drawn on the longest ago is forgotten. Each value of an
argument, each thread and each user may have one of its own, and a trace may hold millions of them."""
_WINDOWS = 32
"""Windows of one counter that are kept, the latest ones; a trace is nearly in the order of time."""
_NEVER = -(1 << 62)
"""Before any window."""
_EVER = 1 << 62
"""After any window."""
_MARKS = 1 << 22
"""Bytes in which forgotten counters are marked, so that of three million of them a hundredth is taken for another."""


@dataclass(slots=True)
class _Draws:
    """What was drawn at moments that are known."""

    windows: dict[int, int] = field(default_factory=dict)
    """What was taken, by when the window or the bucket began."""
    free: int = 0
    """For a rate, when the next call may come, in microseconds since the epoch."""
    last: int = 0
    """For a rate, the latest moment that it has seen."""
    count: int = 0
    """For a rate, how many calls came in all."""
    forgotten: int = _NEVER
    """The latest window that isn't kept any more."""

    def left(self, charge: Charge) -> int:
        """What is left by what came up to the charge."""
        if charge.interval:
            ahead = self.free - max(charge.start, self.last)
            return charge.limit - max(math.ceil(ahead / charge.interval), 0)
        if not charge.reach:
            return charge.limit - self.windows.get(charge.start, 0)
        return charge.limit - self._between(charge.start - charge.reach, charge.start)

    def least(self, charge: Charge) -> int:
        """The same where what was read before may have come after it, or not be kept any more."""
        if charge.start - charge.reach <= self.forgotten:
            return 0
        if not charge.reach:
            return self.left(charge)
        return charge.limit - self._between(charge.start - charge.reach, charge.start + charge.reach)

    def heaviest(self, charge: Charge) -> int:
        """The most that any window holds."""
        if charge.interval:
            return self.count
        if self.forgotten > _NEVER:
            return charge.limit
        return max((self._between(start - charge.reach, start) for start in self.windows), default=0)

    def take(self, charge: Charge) -> None:
        if charge.interval:
            self.count += 1
            self.last = max(self.last, charge.start)
            self.free = max(self.free, self.last) + charge.interval
            return
        self.windows[charge.start] = self.windows.get(charge.start, 0) + charge.amount
        if len(self.windows) > _WINDOWS:
            oldest = min(self.windows)
            self.forgotten = max(self.forgotten, oldest)
            del self.windows[oldest]

    @property
    def until(self) -> int:
        """The latest moment at which it may still count."""
        return max([self.free, self.last, self.forgotten, *self.windows])

    def _between(self, since: int, until: int) -> int:
        return sum(taken for start, taken in self.windows.items() if since <= start <= until)


@dataclass(slots=True)
class _Counter:
    sure: _Draws = field(default_factory=_Draws)
    """What was taken for sure."""
    most: _Draws | None = None
    """What was taken at most; None where that is the same."""
    loose: int = 0
    """What was or may have been taken, nobody knows when."""

    def least(self, charge: Charge, *, timed: bool) -> int:
        draws = self.most or self.sure
        return (draws.least(charge) if timed else charge.limit - draws.heaviest(charge)) - self.loose

    def take(self, charge: Charge, *, sure: bool, timed: bool) -> None:
        if not timed:
            self.loose += charge.amount
            return
        if not sure and self.most is None:
            self.most = copy.deepcopy(self.sure)
        if self.most is not None:
            self.most.take(charge)
        if sure:
            self.sure.take(charge)


class Counters:
    """What was taken from quotas so far. It holds `MOST` counters at most.

    Example:
        >>> counters, charge = Counters(), Charge("ops/send/calls", "a day", 1, 2, "calls")
        >>> counters.take(charge)
        >>> counters.take(charge, sure=False)
        >>> counters.left(charge), counters.least(charge)
        (1, 0)
    """

    def __init__(self) -> None:
        self._counters: OrderedDict[str, _Counter] = OrderedDict()
        self._marks = bytearray()
        self._until = _NEVER
        """The latest moment at which a forgotten counter may still count."""

    def left(self, charge: Charge) -> int:
        """What is left in the charge's window at most, in its unit; of a rate, how many calls may come at once.

        Args:
            charge: What a call would take.
        """
        counter = self._counters.get(charge.quota)
        return charge.limit if counter is None else counter.sure.left(charge)

    def least(self, charge: Charge, *, timed: bool = True) -> int:
        """The same at least: if all came together that may have.

        Args:
            charge: What a call would take.
            timed: Whether it is known when the call came.
        """
        counter = self._counters.get(charge.quota)
        left = charge.limit if counter is None else counter.least(charge, timed=timed)
        if self._marks and charge.start - charge.reach <= self._until and self._forgot(charge.quota):
            return min(left, 0)
        return left

    def take(self, charge: Charge, *, sure: bool = True, timed: bool = True) -> None:
        """Draw on a counter, whether or not that much is left.

        Args:
            charge: What the call takes.
            sure: Whether it is known that the call ran.
            timed: Whether it is known when it came.
        """
        if (counter := self._counters.get(charge.quota)) is None:
            counter = self._counters[charge.quota] = _Counter()
        else:
            self._counters.move_to_end(charge.quota)
        counter.take(charge, sure=sure, timed=timed)
        if len(self._counters) > MOST:
            self._forget(*self._counters.popitem(last=False))

    def _forget(self, quota: str, counter: _Counter) -> None:
        self._marks = self._marks or bytearray(_MARKS)
        for byte, bit in _places(quota):
            self._marks[byte] |= bit
        self._until = max(self._until, _EVER if counter.loose else (counter.most or counter.sure).until)

    def _forgot(self, quota: str) -> bool:
        """Whether a counter may be among the forgotten ones; of those that aren't, few are taken for one."""
        return all(self._marks[byte] & bit for byte, bit in _places(quota))


def _places(quota: str) -> list[tuple[int, int]]:
    """Where a counter is marked: four bits by its name (a Bloom filter)."""
    digest = hashlib.blake2b(quota.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    numbers = (int.from_bytes(digest[at : at + 4], "big") for at in range(0, 16, 4))
    return [(number // 8 % _MARKS, 1 << number % 8) for number in numbers]
