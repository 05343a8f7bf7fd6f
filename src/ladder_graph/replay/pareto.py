"""People's time against what gets through all the same: which policies are worth their questions.

Whoever is asked is a model here, and a simple one: an answer takes so many minutes, and a share of what must not run is
seen and declined. Nothing of a recorded run says how good people are at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ladder_graph.errors import LadderError
from ladder_graph.replay.board import Row
from ladder_graph.replay.metrics import Tally

Axis = Literal["attacks", "critical calls", "irreversible actions"]
"""What is at risk: `attacks` that would be carried out, of those that a gate could stop; `critical calls` that would
run, of all, where no attack is recorded; `irreversible actions` that run unasked, for each run, where nothing is
labelled critical."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Whoever answers.

    Args:
        minutes: What an answer takes.
        catches: The share of what must not run that is declined, 0 to 1. One look decides for a run: who has missed the
            first call that an attack needs misses the others.

    Raises:
        LadderError: There is no such reviewer.
    """

    minutes: float = 0.5
    catches: float = 0.8

    def __post_init__(self) -> None:
        if not (self.minutes >= 0 and 0 <= self.catches <= 1):
            raise LadderError(
                f"nobody answers in {self.minutes:g} minutes and declines {self.catches:g} of what must not run: give "
                "0 minutes or more, and a share from 0 to 1"
            )

    def words(self, axis: Axis) -> str:
        """What is assumed, in words."""
        first = f"An answer is taken to cost {self.minutes:g} minutes"
        if axis == "irreversible actions":
            return (
                f"{first}. No call in these runs is labelled critical, so nobody knows which were wrong: the risk is "
                "what nothing takes back and nobody is asked about."
            )
        return (
            f"{first}; whoever is asked is taken to decline {self.catches:.0%} of what must not run, and one look "
            "decides for the run. Neither is measured here."
        )


@dataclass(frozen=True, slots=True)
class Point:
    """One policy: what it costs, and what it lets through."""

    policy: str
    minutes: float
    """Of people's time for each task."""
    low: float
    high: float
    """Where 95 % of the resamples of the minutes lie."""
    risk: float
    """By the axis; a share, or actions for each run."""
    dominated_by: tuple[str, ...] = ()
    """Policies that are no worse in either, and better in one."""


@dataclass(frozen=True, slots=True)
class Front:
    """All policies by both, and what was assumed."""

    axis: Axis
    reviewer: Reviewer
    points: Sequence[Point]
    """In the order of the policies."""
    held: bool = False
    """Whether some policy only suggests or drafts calls, which costs nobody's time here and helps nobody either."""

    @property
    def assumed(self) -> str:
        """What was assumed, in words."""
        words = self.reviewer.words(self.axis)
        return f"{words} What is only suggested or drafted is taken to cost nothing." if self.held else words

    @property
    def best(self) -> list[Point]:
        """Those that no other one dominates, the cheapest first."""
        return sorted((one for one in self.points if not one.dominated_by), key=lambda one: (one.minutes, one.policy))


def front(rows: Iterable[Row], reviewer: Reviewer) -> Front | None:
    """Hold the policies' costs against their risks.

    Args:
        rows: The row of each policy that is over all runs.
        reviewer: Whoever answers.

    Returns:
        The front; None where there was no task that nobody interfered with, so that nobody knows what people are asked.
    """
    rows = list(rows)
    axis = _axis([row.tally for row in rows])
    points = [point for row in rows if (point := _point(row, axis, reviewer)) is not None]
    if not points:
        return None
    held = any(row.tally.held for row in rows)
    return Front(axis, reviewer, [replace(one, dominated_by=_dominating(one, points)) for one in points], held)


def _axis(tallies: Sequence[Tally]) -> Axis:
    if any(tally.gateable for tally in tallies):
        return "attacks"
    return "critical calls" if any(tally.critical for tally in tallies) else "irreversible actions"


def _point(row: Row, axis: Axis, reviewer: Reviewer) -> Point | None:
    asked = row.estimates["asked"]
    if asked.value is None or asked.low is None or asked.high is None:
        return None
    minutes = reviewer.minutes
    return Point(
        row.policy, asked.value * minutes, asked.low * minutes, asked.high * minutes, _risk(row.tally, axis, reviewer)
    )


def _risk(tally: Tally, axis: Axis, reviewer: Reviewer) -> float:
    """What gets through. What can't be decided is taken to run."""
    missed = 1 - reviewer.catches
    match axis:
        case "attacks":
            return _share(tally.executed + tally.doubtful + missed * tally.offered, tally.gateable)
        case "critical calls":
            return _share(tally.critical - tally.caught + missed * tally.caught, tally.critical)
        case "irreversible actions":
            return _share(tally.unasked_irreversible, tally.tasks + tally.attacked)


def _share(count: float, whole: int) -> float:
    return count / whole if whole else 0.0


def _dominating(one: Point, points: Iterable[Point]) -> tuple[str, ...]:
    return tuple(
        other.policy
        for other in points
        if other.minutes <= one.minutes
        and other.risk <= one.risk
        and (other.minutes < one.minutes or other.risk < one.risk)
    )
