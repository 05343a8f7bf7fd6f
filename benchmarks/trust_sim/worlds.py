"""Random worlds: what an agent does each day, what goes wrong, and when anybody hears of it.

Actions happen at noon and somebody looks at midnight. A wrong action is caught by the reviewer at once, or reported
after a lognormal delay, or never. The unit is the run; a run is one call unless a world says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ladder_graph.trust.delay import Delays

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NOON = 0.5
"""Days from an action to the look of the same day."""
BATCH = 500
"""Worlds that are drawn at once, so that their days fit into memory."""


@dataclass(frozen=True, slots=True)
class World:
    """What is true of an agent and of those who watch it, which no rule is told."""

    wrong: float
    """The chance that a run is wrong."""
    rate: float = 20.0
    """Runs a day, on average."""
    sensitivity: float = 0.8
    """The share of mistakes that the reviewer catches at once."""
    ever: float = 0.9
    """The share of the others that is ever reported."""
    median: float = 4.0
    """Days after which half of these reports have come."""
    clustered: float = 0.0
    """The correlation of two runs of one day: 0.05 means that some days are much worse than others."""
    calls: int = 1
    """Calls of a run, which go right or wrong together."""
    days: int = 365


@cache
def lognormal(median: float) -> Delays:
    """The delays of reports as they truly are, in steps of a quarter of a day, as the product reads them."""
    ages = [n / 4 for n in range(1, 1200)]
    return Delays(tuple((age, 0.5 + 0.5 * math.erf(math.log(age / median) / math.sqrt(2))) for age in ages))


@dataclass(frozen=True, slots=True)
class Trace:
    """Many worlds of one kind: rows are worlds, columns are days."""

    world: World
    done: Integers
    """Runs of each day."""
    row: Integers
    """For each mistake that is ever known: in which world it was made,"""
    day: Integers
    """on which day,"""
    place: Integers
    """as which run, counted from the first of its world,"""
    delay: Floats
    """and the days after which it was known."""

    @property
    def shape(self) -> tuple[int, int]:
        """Worlds and days."""
        return self.done.shape[0], self.done.shape[1]

    @property
    def known(self) -> Integers:
        """For each mistake the day of the first look at which it was known."""
        return self.day + np.maximum(0, np.ceil(self.delay - NOON)).astype(np.int64)

    @property
    def by_call(self) -> Trace:
        """The same where each call is counted by itself, though those of a run go right or wrong together."""
        calls = self.world.calls
        row, day, place = (np.repeat(each, calls) for each in (self.row, self.day, self.place))
        return Trace(self.world, self.done * calls, row, day, place * calls, np.repeat(self.delay, calls))

    def by_day(self, day: Integers, weight: Floats | None = None) -> Floats:
        """Add up something of each mistake by world and day; what lies after the last day is left out."""
        rows, days = self.shape
        there = day < days
        flat = self.row[there] * days + day[there]
        added = np.bincount(flat, None if weight is None else weight[there], rows * days)
        return added.astype(np.float64).reshape(rows, days)


def draw(world: World, runs: int, seed: int) -> Iterator[Trace]:
    """Draw worlds of one kind, batch by batch."""
    rng = np.random.default_rng(seed)
    for first in range(0, runs, BATCH):
        yield _batch(world, min(BATCH, runs - first), rng)


def _batch(world: World, runs: int, rng: np.random.Generator) -> Trace:
    shape = (runs, world.days)
    done = rng.poisson(world.rate, shape)
    chance: float | Floats = world.wrong
    if world.clustered:
        mass = 1 / world.clustered - 1
        chance = rng.beta(world.wrong * mass, (1 - world.wrong) * mass, shape)
    wrong = rng.binomial(done, chance)
    row, day = (np.repeat(axis.ravel(), wrong.ravel()) for axis in np.indices(shape))
    caught = rng.random(row.size) < world.sensitivity
    delay = np.where(caught, 0.0, rng.lognormal(math.log(world.median), 1.0, row.size))
    before = np.cumsum(done, axis=1) - done
    place = before[row, day] + (rng.random(row.size) * done[row, day]).astype(np.int64)
    ever = caught | (rng.random(row.size) < world.ever)
    return Trace(world, done, row[ever], day[ever], place[ever], delay[ever])
