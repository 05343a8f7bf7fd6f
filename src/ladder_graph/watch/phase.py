"""The phase of a watch, worked out anew from what is stored. Pure: no clock, no ledger, nothing is measured here.

    watching ──> undo    a check was bad too often, an alert fired, a person said so, nobody kept what must be kept,
       │                 or nobody could measure it (`inconclusive = "undo"`)
       ├───────> kept    a person kept it, or it was healthy when the window ended
       └───────> hold ─> undo | kept    nobody could measure it (`inconclusive = "hold"`), so a person decides

Whoever watches may die at any point: the next one works out the same from the same rows. `kept` and `undo` are final,
and `hold` is left by a person only. What happens in one and the same microsecond has no order; the worst of it counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from ladder_graph.policy.checks import Check
from ladder_graph.policy.units import MICRO, spell_seconds
from ladder_graph.policy.watching import Watch
from ladder_graph.watch.verdicts import Verdict

Phase = Literal["watching", "kept", "undo", "hold"]
"""Where a watch is. The last three are ends; what comes of an undo is no matter of the watch."""
_WORST = ("bad", "inconclusive", "good")
FRESH = 2
"""The last good measurement may be so many times `every` old when the window ends; else the watch was blind by then."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One stored measurement."""

    check: int
    """Its place among the rule's checks."""
    at: int
    """When it was begun, in microseconds since the epoch."""
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Told:
    """Something that the watch was told: by an alert that fires, or by a person."""

    kind: Literal["firing", "undo", "keep", "extend"]
    at: int
    """When it was taken in, in microseconds since the epoch."""
    check: int | None = None
    """For `firing`, the place of the check that the alert is for."""
    until: int | None = None
    """For `extend`, the new end, in microseconds since the epoch; an earlier one changes nothing."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done now."""

    phase: Phase
    why: str = ""
    """Why the watch ended so, in words."""
    due: int | None = None
    """When to judge again at the latest, in microseconds since the epoch; not later than now where a check is due."""
    to_measure: tuple[int, ...] = ()
    """The places of the checks that are due now."""
    ended: int | None = None
    """The moment that ended the watch, in microseconds since the epoch."""


def judge(
    watch: Watch,
    checks: Sequence[Check],
    began: int,
    now: int,
    taken: Iterable[Taken] = (),
    told: Iterable[Told] = (),
) -> Judgement:
    """Work out the phase of a watch. All moments are in microseconds since the epoch.

    Args:
        watch: How the action is watched.
        checks: The rule's checks as they were when the watch began; measurements name them by their place.
        began: When the action had run. What was measured before says nothing about it.
        now: The present, never less than at the last time.
        taken: Every stored measurement, in any order. What is later than now is left out.
        told: Everything that the watch was told, in any order, up to now as well.

    Raises:
        ValueError: A measurement or an alert names a check that isn't there.
    """
    run = _Run(watch, checks, began, began + int(watch.window * MICRO))
    heard: list[Taken | Told] = [*taken, *told]
    for one in heard:
        run.known(one)
    heard = [one for one in heard if began <= one.at <= now]
    heard.sort(key=lambda one: one.at)
    for at, group in groupby(heard, key=lambda one: one.at):
        run.moment(at, list(group))
    run.moment(now, [])
    return run.judgement(now)


@dataclass(slots=True)
class _Run:
    """A watch, gone through moment by moment."""

    watch: Watch
    checks: Sequence[Check]
    began: int
    deadline: int
    phase: Phase = "watching"
    why: str = ""
    ended: int | None = None
    good: dict[int, int] = field(default_factory=dict)
    bad: dict[int, int] = field(default_factory=dict)
    unseen: dict[int, int] = field(default_factory=dict)
    """Measurements without a result since the last good one. A bad one doesn't begin the count anew."""
    fresh: dict[int, int] = field(default_factory=dict)
    """When each check was last good."""
    last: dict[int, int] = field(default_factory=dict)
    """When each check was last measured."""

    def known(self, one: Taken | Told) -> None:
        """Refuse what names a check that isn't there."""
        if one.check is not None and not 0 <= one.check < len(self.checks):
            raise ValueError(f"there is no check {one.check}; the rule has {len(self.checks)}")

    def moment(self, at: int, group: Sequence[Taken | Told]) -> None:
        """Take in what happened at one moment; what comes at the deadline or after it comes too late."""
        if self.phase == "watching" and at >= self.deadline:
            self._close()
        if self.phase == "watching":
            for one in sorted((one for one in group if isinstance(one, Taken)), key=_mildest):
                self._measured(one)
        if self.phase in {"watching", "hold"}:
            self._told(at, [one for one in group if isinstance(one, Told)])

    def _measured(self, one: Taken) -> None:
        place, check = one.check, self.checks[one.check]
        self.last[place] = one.at
        if check.dry_run:
            return
        match one.verdict:
            case "good":
                self.good[place] = self.good.get(place, 0) + 1
                self.unseen[place] = 0
                self.fresh[place] = one.at
            case "bad":
                self.bad[place] = self.bad.get(place, 0) + 1
            case "inconclusive":
                self.unseen[place] = self.unseen.get(place, 0) + 1

    def _told(self, at: int, told: Sequence[Told]) -> None:
        kinds = {one.kind for one in told if one.kind != "firing"}
        if "undo" in kinds:
            return self._end("undo", at, "a person said so")
        if self.phase == "watching" and (why := self._failed(told)):
            return self._end("undo", at, why)
        blind = self._blind() if self.phase == "watching" else ""
        if blind and self.watch.inconclusive == "undo":
            return self._end("undo", at, blind)
        if "keep" in kinds:
            return self._end("kept", at, "a person kept it")
        if blind:
            return self._end("hold", at, blind)
        if self.phase == "watching":
            self.deadline = max(self.deadline, *(one.until or 0 for one in told if one.kind == "extend"), 0)
        return None

    def _failed(self, told: Sequence[Told]) -> str:
        for one in told:
            if one.kind == "firing" and (one.check is None or not self.checks[one.check].dry_run):
                return f"the {self.checks[one.check].title} fired" if one.check is not None else "an alert fired"
        for place, check in enumerate(self.checks):
            if (times := self.bad.get(place, 0)) > check.failure_limit:
                return f"the health check {check.title} was bad {_times(times)}"
        return ""

    def _blind(self) -> str:
        for place, check in enumerate(self.checks):
            times, limit = self.unseen.get(place, 0), check.inconclusive_limit
            if limit is not None and times > limit:
                return f"the health check {check.title} saw nothing {_times(times)} since it was last good"
        return ""

    def _close(self) -> None:
        """The window is over."""
        if self.watch.confirm == "required":
            return self._end("undo", self.deadline, "nobody kept it before the watch ended")
        asked = [(place, check) for place, check in enumerate(self.checks) if check.vouches and not check.dry_run]
        unseen = next((why for place, check in asked if (why := self._unproven(place, check))), "")
        if unseen or not asked:
            return self._end(
                self.watch.inconclusive, self.deadline, unseen or "no health check was there to vouch for it"
            )
        return self._end("kept", self.deadline, "every health check was good until the watch ended")

    def _unproven(self, place: int, check: Check) -> str:
        good = self.good.get(place, 0)
        if good < self.watch.least_good:
            return f"the health check {check.title} was good {_times(good)}, and {self.watch.least_good} are needed"
        if self.fresh[place] < self.deadline - int(FRESH * check.every * MICRO):
            blind = spell_seconds(FRESH * check.every)
            return f"the health check {check.title} was last good more than {blind} before the end"
        return ""

    def _end(self, phase: Phase, at: int, why: str) -> None:
        self.phase, self.ended, self.why = phase, at, why

    def judgement(self, now: int) -> Judgement:
        """What is to be done at this moment."""
        if self.phase != "watching":
            return Judgement(self.phase, self.why, ended=self.ended)
        dues = [self._due(place) for place in range(len(self.checks))]
        now_due = tuple(place for place, due in enumerate(dues) if due <= now)
        return Judgement("watching", due=min([self.deadline, *dues]), to_measure=now_due)

    def _due(self, place: int) -> int:
        check = self.checks[place]
        last = self.last.get(place)
        first = self.began + int(check.delay * MICRO)
        return first if last is None else max(first, last + int(check.every * MICRO))


def _mildest(one: Taken) -> int:
    """Good ones come first, so that what came with them still counts."""
    return -_WORST.index(one.verdict)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
