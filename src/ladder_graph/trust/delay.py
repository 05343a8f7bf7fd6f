"""How much of an action is known by now: mistakes are found late, or never.

An action counts as evidence with the chance q that a mistake in it would be known by now. A reviewer finds it at once
with the chance s. What the reviewer let through is ever reported with the chance r, and by the age t with r F(t):

    q(t) = s + (1 - s) r F(t)

The sum of q over the actions is their effective number. It needs no fixed time of ripening, and the e-value stays
valid: of an action at the limit p*, a report arrives today with a chance of p* dq or more, given that none came before.
An action that was reported keeps the q of that day.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

HORIZON = 14.0
"""Days in which every report is taken to arrive, evenly, until enough of them are known."""

EVER = 0.7
"""The share of mistakes that is taken to be reported at all, until it is measured."""

ENOUGH = 20
"""Reports from which on their own delays are believed."""


@dataclass(frozen=True, slots=True)
class Delays:
    """How long reports take: F."""

    steps: tuple[tuple[float, float], ...] = ()
    """Age in days to the share of reports that have arrived by then, rising; empty for a straight line of 14 days."""

    def arrived(self, age: float) -> float:
        """The share of all reports that have arrived at an age.

        Args:
            age: Days since the action. What is no number, or negative, is no age, and nothing has arrived.

        Example:
            >>> Delays().arrived(7), Delays(((1.0, 0.25), (3.0, 1.0))).arrived(2)
            (0.5, 0.25)
        """
        if not age > 0:
            return 0.0
        if not self.steps:
            return min(age / HORIZON, 1.0)
        place = bisect_right(self.steps, age, key=lambda step: step[0])
        return self.steps[place - 1][1] if place else 0.0


ASSUMED = Delays()
"""The straight line, which is taken where too little is known."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a mistake, for its delay."""

    delay: float
    """Days from the action to the report."""
    age: float
    """Days from the action to now: a longer delay couldn't have been seen yet."""


def observed(reports: Iterable[Report]) -> Delays:
    """Learn the delays from the reports that have arrived.

    Only reports that came can be looked at, so short delays are seen too often. Looked at backwards in time that is
    mended: of the reports that took t days or less and could have taken t, which share took t (Lawless 1994). Where few
    could have taken as long as one did, the curve is too low for a while, never too high. What may take longer than
    anything could have been seen to take is left to the straight line.

    Args:
        reports: Those of one agent and tool. One that isn't dated within its action's age is left out.

    Returns:
        The curve; `ASSUMED` below 20 reports.

    Example:
        >>> observed([Report(2, 30)] * 15 + [Report(9, 30)] * 5)
        Delays(steps=((2, 0.75), (9, 1.0)))
        >>> observed([Report(2, 30)] * 5) is ASSUMED
        True
    """
    known = [one for one in reports if 0 <= one.delay <= one.age < math.inf]
    if len(known) < ENOUGH:
        return ASSUMED
    delays, ages = sorted(one.delay for one in known), sorted(one.age for one in known)
    share, steps = ASSUMED.arrived(ages[-1]), []
    for delay in sorted(set(delays), reverse=True):
        steps.append((delay, share))
        sooner, by_then = bisect_left(delays, delay), bisect_right(delays, delay)
        share *= 1 - (by_then - sooner) / (by_then - bisect_left(ages, delay))
    return Delays(tuple(reversed(steps)))


def known_by(age: float, sensitivity: float, delays: Delays = ASSUMED, ever: float = EVER) -> float:
    """The chance that a mistake in an action would be known by now: what the action counts as evidence.

    Args:
        age: Days since the action.
        sensitivity: The chance that whoever looked at it saw a mistake, a lower bound; 0 where nobody looked.
        delays: How long reports take.
        ever: The share of mistakes that is ever reported.

    Returns:
        A weight from 0 to 1. A share that isn't one counts as 0.

    Example:
        >>> round(known_by(0, 0.5), 3), round(known_by(7, 0.5), 3), round(known_by(30, 0.5), 3)
        (0.5, 0.675, 0.85)
    """
    seen, told = (one if 0 <= one <= 1 else 0.0 for one in (sensitivity, ever))
    return seen + (1 - seen) * told * delays.arrived(age)
