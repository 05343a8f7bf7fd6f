"""What a bound must know, and what of it was recorded.

A bound whose facts are all known is held to them as ever. Of one whose facts are partly missing only this is certain:
what lies inside by what is known lies inside, for the bounds on origin and for counters; whatever else it says is a
doubt, and named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import (
    Bound,
    Cost,
    Environment,
    Origin,
    Rate,
    Tenant,
    Time,
    Volume,
)
from ladder_graph.policy.bounds.shape import MISSING, QuotaBound, follow
from ladder_graph.policy.scene import Scene
from ladder_graph.replay.traces import Run

ARGUMENTS = "its arguments"
TIMES = "when the calls came"
WORDS = "the user's own words"
REQUESTER = "whose run it was"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a recorded call besides its tool."""

    run: Run
    place: int
    """Its place among the calls of the run."""
    arguments: bool
    """They were recorded, and could be read."""
    timed: bool
    """When it came was recorded, or is assumed by whoever replays."""

    @property
    def whole(self) -> bool:
        """Whether arguments, times and the user's words are all there."""
        return self.arguments and self.timed and self.run.said is not None

    def covers(self, bound: Bound) -> bool:
        """Whether all that a bound looks at is known. A counter tells without the time what a call would take."""
        return not any(lack != TIMES or isinstance(bound, Time) for lack in self.lacks(bound))

    def lacks(self, bound: Bound) -> list[str]:
        """What a bound looks at and that isn't known, in words."""
        match bound:
            case Time():
                return [] if self.timed else [TIMES]
            case Volume() | Rate() | Cost():
                return self._of_quota(bound)
            case Origin():
                return self._of_origin(bound)
            case Tenant():
                known = follow(self.run.facts, bound.fact) is not MISSING
                return [*self._needed(), *([] if known else [f"the {bound.fact} of the run"])]
            case Environment(variable=str(name)):
                return [f"the environment variable {name}"]
            case _:
                return self._needed()

    def _needed(self) -> list[str]:
        return [] if self.arguments else [ARGUMENTS]

    def _of_quota(self, bound: QuotaBound) -> list[str]:
        reads = bound.each_value_of is not None or getattr(bound, "argument", None) is not None
        lacks = [] if self.timed else [TIMES]
        lacks += self._needed() if reads else []
        return lacks + ([REQUESTER] if bound.by == "user" and self.run.requester is None else [])

    def _of_origin(self, bound: Origin) -> list[str]:
        lacks = self._needed()
        if bound.user and self.run.said is None:
            lacks.append(WORDS)
        if bound.tools:
            this, before = self.run.calls[self.place], self.run.calls[: self.place]
            silent = {one.tool for one in before if one.word is None and not one.silent and this.heard_of(one)}
            lacks += [
                f"what {tool} answered" for tool in sorted({one.partition(":")[0] for one in bound.tools} & silent)
            ]
        return lacks


def plain(bounds: Iterable[Bound]) -> bool:
    """Whether bounds look at nothing but arguments, times and the user's words, which most runs bring with them.

    Args:
        bounds: The bounds of a rule.
    """
    return not any(
        isinstance(bound, Tenant)
        or (isinstance(bound, Environment) and bound.variable is not None)
        or (isinstance(bound, Origin) and bound.tools)
        or (isinstance(bound, QuotaBound) and bound.by == "user")
        for bound in bounds
    )


def doubts(bounds: Iterable[Bound], call: Call, scene: Scene, known: Known) -> list[str]:
    """What is missing to hold a call against bounds, in words; nothing of those that are settled by what is known.

    Args:
        bounds: The bounds of a rule.
        call: The call; without arguments where those are missing.
        scene: Its circumstances, as far as they are known.
        known: What is known.
    """
    missing: list[str] = []
    for bound in bounds:
        if known.covers(bound):
            continue
        lacks = known.lacks(bound)
        settled = isinstance(bound, Origin) and ARGUMENTS not in lacks and bound.check(call, scene) is None
        missing += [] if settled else lacks
    return missing
