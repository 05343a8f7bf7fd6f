"""A year of one agent, as it happens whatever the rule, and what it costs under one.

An action costs $2 where somebody is asked, and $200 where it is wrong and nobody caught it. Mistakes are known as in
`worlds`; where nobody is asked nobody catches any at once. The agent may become another one, with or without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.trust_sim.product import Setting
from benchmarks.trust_sim.worlds import NOON, Floats, Integers, World
from ladder_graph.policy.units import MICRO

Flags = NDArray[np.bool_]

LEAST, MOST = 1e-4, 1e-1
"""How often an agent is wrong that nobody knows yet: anywhere in between, evenly in logarithms."""
REDRAWN, JITTER = 0.25, 0.3
"""The share of changes that make another agent of it, and how much the others shift its logarithm."""


@dataclass(frozen=True, slots=True)
class Change:
    """How an agent changes: its model, its prompt, its tools."""

    every: float
    """Days between two changes, on average."""
    announced: float
    """The share of changes that the fingerprint shows."""


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
    chance: Floats
    """How often the agent is wrong, by world and day."""
    shown: Flags
    """Whether another agent is seen from that day on."""
    wrong: tuple[Wrong, ...]
    """For each day."""

    def worth_asking(self, day: int) -> Flags:
        """Whether asking is cheaper than what the reviewer would have caught."""
        priced = Setting().price
        worth: Flags = self.chance[:, day] * self.world.sensitivity * priced.net > priced.before.micro
        return worth


def year(world: World, runs: int, seed: int) -> Year:
    """Draw a year of an agent that stays as it is."""
    shape = (runs, world.days)
    return _year(world, np.full(shape, world.wrong), np.zeros(shape, np.bool_), np.random.default_rng(seed))


def changing(world: World, change: Change, runs: int, seed: int) -> Year:
    """Draw a year of agents that change."""
    rng = np.random.default_rng(seed)
    shape = (runs, world.days)
    changes = rng.random(shape) < 1 / change.every
    changes[:, 0] = False
    ranks = rng.random(shape)
    # At first each part of the range has its share of the worlds, so that the mean of few says more.
    ranks[:, 0] = (rng.permutation(runs) + ranks[:, 0]) / runs
    fresh = np.log(LEAST) + np.log(MOST / LEAST) * ranks
    redrawn, shift = rng.random(shape) < REDRAWN, rng.normal(0, JITTER, shape)
    logs = fresh.copy()
    for day in range(1, world.days):
        other = np.where(redrawn[:, day], fresh[:, day], logs[:, day - 1] + shift[:, day])
        logs[:, day] = np.where(changes[:, day], other, logs[:, day - 1])
    shown = changes & (rng.random(shape) < change.announced)
    return _year(world, np.minimum(np.exp(logs), 1.0), shown, rng)


def _year(world: World, chance: Floats, shown: Flags, rng: np.random.Generator) -> Year:
    done = rng.poisson(world.rate, chance.shape)
    days = range(world.days)
    return Year(world, done, chance, shown, tuple(_day(world, done[:, day], chance[:, day], day, rng) for day in days))


def _day(world: World, done: Integers, chance: Floats, day: int, rng: np.random.Generator) -> Wrong:
    row = np.repeat(np.arange(done.size), rng.binomial(done, chance))
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
    late: list[Late]
    """Mistakes that were reported today, by the day on which they were made."""
    other: Flags
    """Whether another agent is seen from tomorrow on."""

    def reported(self, since: Integers | None = None) -> Integers:
        """How many mistakes were reported today.

        Args:
            since: The day from which on they must have been made; any where it is left out.
        """
        rows = [one.row if since is None else one.row[one.day >= since[one.row]] for one in self.late]
        return np.bincount(np.concatenate([np.zeros(0, np.int64), *rows]), minlength=self.done.size)


Rule = Callable[[Today], Flags]
"""What is known today to whether somebody is asked tomorrow."""


class Cost(NamedTuple):
    """What a year comes to, by world."""

    dollars: Floats
    """For each thousand actions."""
    bad: Floats
    """The share of days on which nobody is asked though the agent is so often wrong that asking is cheaper."""


def cost(happened: Year, rule: Rule, *, asking: bool | Flags = True) -> Cost:
    """Live through a year under a rule, where somebody is asked at first or not."""
    rows, days = happened.done.shape
    priced = Setting().price
    friction, mistake = priced.before.micro / MICRO, priced.net / MICRO
    asked, spent, bad = np.full(rows, asking), np.zeros(rows), np.zeros(rows)
    arriving: list[list[Late]] = [[] for _ in range(days)]
    for day, wrong in enumerate(happened.wrong):
        done = happened.done[:, day]
        caught = wrong.caught & asked[wrong.row]
        spent += friction * done * asked + mistake * np.bincount(wrong.row[~caught], minlength=rows)
        bad += ~asked & happened.worth_asking(day)
        for known, some in _by_day(wrong, ~caught, days):
            row = wrong.row[some]
            arriving[known].append(Late(row, np.full(row.size, day), wrong.delay[some], asked[row]))
        other = happened.shown[:, day + 1] if day + 1 < days else np.zeros(rows, np.bool_)
        found = np.bincount(wrong.row[caught], minlength=rows)
        asked = rule(Today(day, asked, done, found, arriving[day], other))
    return Cost(1000 * spent / happened.done.sum(axis=1), bad / days)


def _by_day(wrong: Wrong, these: Flags, days: int) -> Iterator[tuple[int, Flags]]:
    for known in np.unique(wrong.known[these & (wrong.known < days)]):
        yield int(known), these & (wrong.known == known)
