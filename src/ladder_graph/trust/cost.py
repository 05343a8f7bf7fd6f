"""The cost of being wrong against the friction of asking, in money, each figure with where it comes from.

    p* = (f(r) - f(r+1)) / net        net = (1 - c) mistake + c rollback

f is what people's time costs for one action on a rung, c the share of mistakes that is caught and undone in time. A
mean loss below p* makes the next rung cheaper than this one. Roughly: it takes 4.5 times (cost of a mistake / friction
saved) clean runs. Where that is absurd, waiting doesn't help: a lower cap does, or an undo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ladder_graph.policy import Rule
from ladder_graph.policy.trusting import Trust
from ladder_graph.policy.units import MICRO
from ladder_graph.scale import Rung
from ladder_graph.trust.evalue import upper

Source = Literal["measured", "declared", "assumed"]
"""Where a figure comes from."""

WAGE = 60 * MICRO
"""What an hour of a person costs, where nobody says, in micro-dollars."""

REWORK = 5.0
"""Minutes that a wrong suggestion or draft costs, where nothing runs."""

ENOUGH = 20
"""Decisions from which on people's time is measured and not assumed."""

LONGEST = 10.0
"""Minutes to which one decision is cut: whoever took longer went for a coffee."""

MOST = 0.5
"""The largest p*: even where a mistake costs nothing, half of the runs must be right."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount of money with where it comes from."""

    micro: int
    """Micro-dollars."""
    source: Source


@dataclass(frozen=True, slots=True)
class Measured:
    """What the ledger tells about people's time and about undos."""

    minutes: tuple[float, ...] = ()
    """How long people looked at each question before they answered."""
    waited: tuple[float, ...] = ()
    """Minutes from each question to its answer."""
    asked: int = 0
    """Calls on rung 3 and above that asked, since they were outside a bound."""
    calls: int = 0
    """Calls on rung 3 and above."""
    drills: int = 0
    """Undos that were tried, in rehearsals and in earnest."""
    drills_failed: int = 0


NOTHING = Measured()


@dataclass(frozen=True, slots=True)
class Price:
    """What going up one rung is worth, and what a mistake costs there."""

    before: Figure
    """People's time for one action on this rung."""
    after: Figure
    """The same on the next one."""
    mistake: Figure | None
    """What one wrong call costs at most; None where nobody says, and then no call may run unasked on trust."""
    rollback: Figure
    """What it costs to undo one."""
    caught: float
    """The share of mistakes that is caught and undone in time, a lower bound; 0 where no undo was tried."""
    drills: int
    """Undos that this share is known by."""

    @property
    def saved(self) -> int:
        """The friction that one action less costs on the next rung, in micro-dollars."""
        return self.before.micro - self.after.micro

    @property
    def net(self) -> float:
        """What a mistake costs in the end, in micro-dollars."""
        mistake = 0 if self.mistake is None else self.mistake.micro
        return (1 - self.caught) * mistake + self.caught * self.rollback.micro

    @property
    def limit(self) -> float:
        """p*, the mean loss below which the next rung is cheaper; 0 where there is nothing to gain."""
        if self.saved <= 0:
            return 0.0
        return MOST if self.net <= 0 else min(MOST, self.saved / self.net)


def price(rung: Rung, rule: Rule, trust: Trust, found: Measured = NOTHING) -> Price:
    """What going up from a rung is worth for one tool.

    Args:
        rung: Where it stands, below the highest.
        rule: The tool's rule.
        trust: What people's time costs.
        found: What the ledger tells.
    """
    after = Rung(rung + 1)
    acts = after >= Rung.BOUNDED
    rework = Figure(_cost(REWORK, trust), "assumed")
    declared = None if rule.mistake is None else Figure(rule.mistake, "declared")
    caught = _caught(found) if after >= Rung.ROLLBACK else 0.0
    said = "rollback_cost" in rule.trust.model_fields_set
    return Price(
        before=friction(rung, trust, found), after=friction(after, trust, found),
        mistake=declared if acts else rework,
        rollback=Figure(rule.trust.rollback_cost if acts else 0, "declared" if said else "assumed"),
        caught=caught, drills=found.drills,
    )  # fmt: skip


def _caught(found: Measured) -> float:
    """1 - m*(failed) / drills: ten without a failure bound it at 0.55, 46 at 0.90."""
    return 1 - upper(found.drills_failed, found.drills, 0.05) if found.drills else 0.0


def friction(rung: Rung, trust: Trust, found: Measured = NOTHING) -> Figure:
    """What people's time costs for one action on a rung.

    Asking is measured once twenty decisions are known. From bounded up, the share of calls that still ask costs what
    asking costs, on top of what the rung itself takes; that share is measured once twenty calls are known. A sum is as
    sure as the least sure of its parts.
    """
    minutes, declared = trust.minutes_on(rung)
    source: Source = "declared" if declared and trust.wage is not None else "assumed"
    if rung is Rung.CONFIRM:
        if len(found.minutes) >= ENOUGH:
            minutes, source = winsorised(found.minutes), "measured" if trust.wage is not None else "assumed"
        return Figure(_cost(minutes, trust) + _waiting(trust, found), source)
    own = Figure(_cost(minutes, trust), source)
    if rung < Rung.BOUNDED or found.calls < ENOUGH:
        return own
    asking = friction(Rung.CONFIRM, trust, found)
    share = min(1.0, found.asked / found.calls)
    return Figure(own.micro + round(asking.micro * share), min(own.source, asking.source, key=_SURE.index))


_SURE: tuple[Source, ...] = ("assumed", "declared", "measured")
"""From the least to the most."""


def _waiting(trust: Trust, found: Measured) -> int:
    """What it costs that a call waits for its answer, at the median."""
    if not (trust.waiting and found.waited):
        return 0
    return round(sorted(found.waited)[len(found.waited) // 2] / 60 * trust.waiting)


def _cost(minutes: float, trust: Trust) -> int:
    return round(minutes / 60 * (WAGE if trust.wage is None else trust.wage))


def winsorised(minutes: Sequence[float]) -> float:
    """The mean of lengths of time, one or more, each cut to the ninetieth percentile and to ten minutes.

    Example:
        >>> winsorised([1.0] * 9 + [500.0])
        1.0
    """
    rising = sorted(minutes)
    most = min(LONGEST, rising[max(0, -(-len(rising) * 9 // 10) - 1)])
    return sum(min(one, most) for one in rising) / len(rising)
