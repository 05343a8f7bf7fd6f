"""What each rule costs: the friction of asking and the mistakes that it lets through, over a year of one agent.

An action costs $2 where somebody is asked, and $200 where it is wrong and nobody caught it. Mistakes are known as in
`worlds`; where nobody is asked nobody catches any at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.trust_sim.product import Setting, reached, trust
from benchmarks.trust_sim.worlds import NOON, Floats, Integers, World
from ladder_graph.policy.units import MICRO
from ladder_graph.scale import Rung
from ladder_graph.trust.deeds import Severity
from ladder_graph.trust.delay import known_by
from ladder_graph.trust.demotion import RECENT, Demotion, after_alarm, after_incident, repeated
from ladder_graph.trust.evalue import ALARM, ecusum

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Wrong:
    """The mistakes of one day."""

    row: Integers
    caught: Flags
    """The reviewer would catch it, if there is one."""
    known: Integers
    """The day of the first look at which it is known otherwise; beyond the last day where it never is."""
    delay: Floats


@dataclass(frozen=True, slots=True)
class Year:
    """What happens, whatever the rule."""

    world: World
    done: Integers
    wrong: tuple[Wrong, ...]
    """For each day."""


def year(world: World, runs: int, seed: int) -> Year:
    """Draw it."""
    rng = np.random.default_rng(seed)
    done = rng.poisson(world.rate, (runs, world.days))
    return Year(world, done, tuple(_day(world, done[:, day], day, rng) for day in range(world.days)))


def _day(world: World, done: Integers, day: int, rng: np.random.Generator) -> Wrong:
    row = np.repeat(np.arange(done.size), rng.binomial(done, world.wrong))
    delay = rng.lognormal(np.log(world.median), 1.0, row.size)
    caught, ever = rng.random(row.size) < world.sensitivity, rng.random(row.size) < world.ever
    known = day + np.maximum(0, np.ceil(delay - NOON)).astype(np.int64)
    return Wrong(row, caught, np.where(ever, known, world.days), delay)


class Late(NamedTuple):
    """Mistakes that are reported on one day, and were made on one day."""

    row: Integers
    day: Integers
    delay: Floats
    asked: Flags
    """Whether somebody had been asked."""

    def of(self, these: Flags) -> Late:
        """Some of them."""
        return Late(self.row[these], self.day[these], self.delay[these], self.asked[these])


@dataclass(slots=True)
class Today:
    """What a rule is told at a look."""

    day: int
    asked: Flags
    """Whether somebody was asked today, by world."""
    done: Integers
    caught: Integers
    """Mistakes of today that the reviewer caught."""
    reported: Integers
    """Mistakes that were reported today, of whatever day."""
    late: list[Late]
    """The same reports, by the day on which the mistake was made."""


Rule = Callable[[Today], Flags]
"""What is known today to whether somebody is asked tomorrow."""


def cost(happened: Year, rule: Rule, *, asking: bool = True) -> Floats:
    """Dollars for each thousand actions, by world, where somebody is asked at first or not."""
    rows, days = happened.done.shape
    friction, mistake = Setting().price.before.micro / MICRO, Setting().price.net / MICRO
    asked, spent = np.full(rows, asking), np.zeros(rows)
    arriving: list[list[Late]] = [[] for _ in range(days + 1)]
    for day, wrong in enumerate(happened.wrong):
        done = happened.done[:, day]
        caught = wrong.caught & asked[wrong.row]
        spent += friction * done * asked + mistake * np.bincount(wrong.row[~caught], minlength=rows)
        for known, some in _by_day(wrong, ~caught, days):
            arriving[known].append(
                Late(wrong.row[some], np.full(some.sum(), day), wrong.delay[some], asked[wrong.row[some]])
            )
        late = arriving[day]
        told = np.concatenate([np.zeros(0, np.int64), *(one.row for one in late)])
        asked = rule(Today(
            day, asked, done, np.bincount(wrong.row[caught], minlength=rows), np.bincount(told, minlength=rows), late,
        ))  # fmt: skip
    result: Floats = 1000 * spent / happened.done.sum(axis=1)
    return result


def _by_day(wrong: Wrong, these: Flags, days: int) -> Iterator[tuple[int, Flags]]:
    for known in np.unique(wrong.known[these & (wrong.known < days)]):
        yield int(known), these & (wrong.known == known)


# --- rules that people use ---------------------------------------------------------------------------------------


def same(today: Today) -> Flags:
    """It stays as it is: always or never."""
    return today.asked


@dataclass(slots=True)
class Rolling:
    """99 % of the last 30 days right, and 50 runs in them; else somebody is asked again."""

    done: list[Integers] = field(default_factory=list)
    wrong: list[Integers] = field(default_factory=list)

    def __call__(self, today: Today) -> Flags:
        """Look at today."""
        self.done.append(today.done)
        self.wrong.append(today.caught + today.reported)
        done, wrong = np.sum(self.done[-30:], axis=0), np.sum(self.wrong[-30:], axis=0)
        asked: Flags = (done < 50) | (wrong > (1 - 0.99) * done)  # noqa: PLR2004  # the rule itself
        return asked


@dataclass(slots=True)
class Streak:
    """50 right in a row; any mistake begins the count anew, and somebody is asked again."""

    right: Floats

    def __call__(self, today: Today) -> Flags:
        """Look at today."""
        wrong = today.caught + today.reported
        self.right = np.where(wrong > 0, 0, self.right + today.done)
        asked: Flags = self.right < 50  # noqa: PLR2004  # the rule itself
        return asked


@dataclass(slots=True)
class Walk:
    """A score that gains .01 with a success, loses .1 with a mistake, and asks below .9."""

    score: Floats

    def __call__(self, today: Today) -> Flags:
        """Look at today."""
        steps = 0.01 * (today.done - today.caught) - 0.1 * (today.caught + today.reported)
        self.score = np.clip(self.score + steps, 0, 1)
        asked: Flags = self.score < 0.9  # noqa: PLR2004  # the rule itself
        return asked


# --- the product's ------------------------------------------------------------------------------------------------


class Product:
    """The certificate, and demotions: by each mistake that is reported, where `severity` says so, and by the alarm."""

    def __init__(self, rows: int, days: int, setting: Setting, severity: Severity) -> None:
        self.setting, self.severity = setting, severity
        self.k, self.n_eff, self.alarm = np.zeros(rows), np.zeros(rows), np.zeros(rows)
        self.share = np.zeros((rows, days))
        self.since, self.until = np.full(rows, NOON), np.zeros(rows)
        self.active, self.wiped = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        self.open = np.zeros((2, rows, days))
        """The runs of each day in which a mistake may still come out, by whether somebody was asked."""
        self.demotions: list[list[int]] = [[] for _ in range(rows)]
        ages = [age + NOON for age in range(days)]
        self.q = np.array([[self._known_by(age, asked=asked) for age in ages] for asked in (False, True)])
        self.grows = np.diff(self.q, prepend=0.0, axis=1)

    def _known_by(self, age: float, *, asked: bool) -> float:
        told = self.setting
        return known_by(age, told.sensitivity if asked else 0.0, told.delays, told.ever)

    def __call__(self, today: Today) -> Flags:
        """Look at today."""
        limit, alpha, now = self.setting.price.limit, self.setting.alpha, today.day + 1
        k, n = self._caught(today), self._reported(today)
        k += n[0]
        self.k += k
        self.n_eff += n[1]
        self.active += today.done > 0
        fallen = self._fallen(today, k, limit * n[1])
        told = trust(alpha)
        late = (now - self.since >= told.least_days) & (self.active >= told.active_days) & (self.until <= now)
        risen = today.asked & late & reached(self.k, limit * self.n_eff, alpha)
        self.alarm[risen], self.since[risen | fallen], self.active[risen | fallen] = 0.0, now, 0
        asked: Flags = today.asked & ~risen | fallen
        return asked

    def _caught(self, today: Today) -> Floats:
        """The loss that was caught today; what is left of the day is open."""
        share = np.minimum(1, self.setting.most / np.maximum(today.done, 1))
        self.share[:, today.day] = share
        self.open[today.asked.astype(int), np.arange(share.size), today.day] = share * (today.done - today.caught)
        return share * today.caught

    def _reported(self, today: Today) -> Floats:
        """The loss that was reported today, and what the effective runs grow by."""
        grows, day = np.zeros((2, today.done.size)), today.day
        for every in today.late:
            row, made, delay, looked = every.of(every.day >= self.wiped[every.row])
            place, share = looked.astype(int), self.share[row, made]
            kept = np.array([self._known_by(d, asked=bool(a)) for d, a in zip(delay, looked, strict=True)])
            before = np.where(made < day, self.q[place, np.maximum(day - made - 1, 0)], 0.0)
            np.add.at(grows[0], row, share)
            np.add.at(grows[1], row, share * (kept - before))
            np.add.at(self.open, (place, row, made), -share)
        for asked in (0, 1):
            grows[1] += self.open[asked, :, : day + 1] @ self.grows[asked, day::-1]
        return grows

    def _fallen(self, today: Today, k: Floats, m: Floats) -> Flags:
        """Take down what must go down, before its next run."""
        fallen = np.zeros(today.done.size, np.bool_)
        for row in np.flatnonzero(~today.asked & ((k > 0) | (self.alarm > 0))):
            self.alarm[row] = ecusum(float(self.alarm[row]), float(k[row]), max(0.0, float(m[row])))
            found = after_alarm(Rung.BOUNDED, "") if self.alarm[row] >= ALARM else None
            if found is None and today.reported[row]:
                found = after_incident(Rung.BOUNDED, self.severity, "", anticipated=True)
            if found is not None:
                fallen[row] = True
                self._demote(int(row), today.day, found)
        return fallen

    def _demote(self, row: int, day: int, found: Demotion) -> None:
        earlier = [at for at in self.demotions[row] if at > day - RECENT]
        self.until[row] = max(self.until[row], day + 1 + repeated(found, len(earlier)).cooldown)
        self.demotions[row] = [*earlier, day]
        if found.evidence == "wipe":
            self.k[row] = self.n_eff[row] = self.alarm[row] = 0.0
            self.wiped[row], self.open[:, row, :] = day + 1, 0.0
