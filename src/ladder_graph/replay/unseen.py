"""What undecidable calls may have drawn on quotas where nobody knows from which counter, or how much.

A call without arguments may have been to anybody: each recipient's counter may hold one call more than is known. One
that costs what an argument says may have cost anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import Bound, Charge, Cost
from ladder_graph.policy.bounds.shape import QuotaBound
from ladder_graph.policy.bounds.window import moment_us

_MOST = 10_000
"""Threads that are told apart."""
_EVER = 1 << 62
"""After any window, and more than any quota."""
_Counted = tuple[str, str, str]
"""The tool, the thread and the counter, each empty where it is any."""


@dataclass(slots=True)
class _Unseen:
    amount: int = 0
    """What may be missing from each counter, at most."""
    until: int = 0
    """When the last such call came, in microseconds since the epoch."""


class Unseen:
    """What may have been drawn unseen so far."""

    def __init__(self) -> None:
        self._drawn: dict[_Counted, _Unseen] = {}

    def add(self, bounds: Iterable[Bound], call: Call, at: dt.datetime | None) -> None:
        """A call may have run that drew on these.

        Args:
            bounds: Those of its bounds of which isn't known what it drew.
            call: The call.
            at: When it came, aware; None where that isn't known.
        """
        for bound in bounds:
            if isinstance(bound, QuotaBound):
                found = self._drawn.setdefault(_counted(bound, call), _Unseen())
                found.amount += _EVER if isinstance(bound, Cost) else 1
                found.until = max(found.until, _EVER if at is None else moment_us(at))
        if len(self._drawn) > _MOST:
            self._merge()

    def of(self, bound: QuotaBound, call: Call, charge: Charge, *, timed: bool) -> int:
        """What may be missing from a counter that a call would draw on.

        Args:
            bound: The bound that counts there.
            call: The call.
            charge: What it would take.
            timed: Whether it is known when it came.
        """
        tool, thread, counter = _counted(bound, call)
        keys = dict.fromkeys([(tool, thread, counter), (tool, "", counter)])
        since = charge.start - charge.reach - charge.limit * charge.interval
        found = (self._drawn[key] for key in keys if key in self._drawn)
        return sum(one.amount for one in found if not timed or since <= one.until)

    def __bool__(self) -> bool:
        return bool(self._drawn)

    def _merge(self) -> None:
        """From now on what was drawn in one thread may have been drawn in any."""
        apart, self._drawn = self._drawn, {}
        for (tool, _, counter), one in apart.items():
            found = self._drawn.setdefault((tool, "", counter), _Unseen())
            found.amount, found.until = found.amount + one.amount, max(found.until, one.until)


def _counted(bound: QuotaBound, call: Call) -> _Counted:
    return "" if bound.by == "agent" else call.tool, call.thread if bound.by == "thread" else "", bound.counter
