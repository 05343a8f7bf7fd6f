"""The product's own rule, asked of many worlds at once.

What an action counts, how much is needed, what a day may give and how long it takes are asked of `ladder_graph.trust`;
here they are only added up. `fold` asks the whole of the product about single worlds, and must come to the same days.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.trust_sim.rivals import first
from benchmarks.trust_sim.worlds import NOON, Floats, Integers, Trace, World, lognormal
from ladder_graph.policy import Policy, Rule
from ladder_graph.policy.trusting import Trust
from ladder_graph.scale import Rung
from ladder_graph.trust.cost import Price, price
from ladder_graph.trust.delay import ASSUMED, EVER, Delays, known_by
from ladder_graph.trust.evalue import evalue, needed
from ladder_graph.trust.gates import PENDING
from ladder_graph.trust.promotion import most_a_day
from ladder_graph.trust.reviewers import Probes, Sensitivity, sensitivity

TOOL = "send_refund"
MISTAKE = "$200"
"""What one costs."""
MINUTES = 2.0
"""What asking takes: $2 of people's time."""


@cache
def rule(mistake: str = MISTAKE) -> Rule:
    """A tool of which a mistake costs so much."""
    stake = {"mistakes": ["wrong"], "single_pattern": True}
    told = {"rung": "confirm", "ceiling": "bounded", "mistake": mistake, "trust": stake}
    return Policy.from_rungs("sim", {TOOL: told}).rule(TOOL)


@cache
def trust(alpha: float, minutes: float = MINUTES) -> Trust:
    """Asking costs so many minutes at $60 an hour. A call that isn't asked about costs nothing."""
    told = {"wage": "$60", "minutes": {"confirm": minutes, "bounded": 0}, "alpha": {"bounded": alpha}}
    return Trust.model_validate(told)


@cache
def priced(alpha: float, mistake: str = MISTAKE, minutes: float = MINUTES) -> Price:
    """What going up is worth."""
    return price(Rung.CONFIRM, rule(mistake), trust(alpha, minutes))


@dataclass(frozen=True, slots=True)
class Setting:
    """What the rule is told about the world, and which parts of it are on."""

    sensitivity: float = 0.8
    ever: float = 0.9
    median: float | None = 4.0
    """Days after which half of the reports have come; None where the product assumes its straight line."""
    alpha: float = 0.05
    day_cap: bool = True
    """Without it, only the e-value and the days on the rung decide."""
    mistake: str = MISTAKE
    """What one costs."""
    minutes: float = MINUTES
    """What asking takes of people's time."""

    @classmethod
    def true_of(cls, world: World) -> Setting:
        """What is told is true."""
        return cls(world.sensitivity, world.ever, world.median)

    @property
    def price(self) -> Price:
        """What going up is worth."""
        return priced(self.alpha, self.mistake, self.minutes)

    @property
    def delays(self) -> Delays:
        """How long reports take."""
        return ASSUMED if self.median is None else lognormal(self.median)

    def known_by(self, age: float) -> float:
        """What an approved action counts at an age in days."""
        return known_by(age, self.sensitivity, self.delays, self.ever)

    @property
    def most(self) -> float:
        """Effective runs that a day may give."""
        return most_a_day(self.price, self.alpha) if self.day_cap else float("inf")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the evidence comes to at each look: rows are worlds, columns are days."""

    k: Floats
    n_eff: Floats
    runs: Floats
    """Runs so far, as they are,"""
    known: Floats
    """those in which a mistake is known,"""
    sure: Floats
    """and what the others would count if no day were thinned."""

    def pending(self, setting: Setting) -> Floats:
        """The share of runs in which a mistake may still come out."""
        return 1 - (self.known + self.sure / setting.known_by(math.inf)) / self.runs


def shown(trace: Trace, setting: Setting) -> Shown:
    """Add up what each world has shown by each look."""
    whole, share = np.ones(trace.shape), np.minimum(1, setting.most / np.maximum(trace.done, 1))
    one = share[trace.row, trace.day]
    open_, kept = _weights(trace, setting, whole)
    n_eff = open_ + kept if share.min() >= 1 else np.add(*_weights(trace, setting, share))
    return Shown(
        np.cumsum(trace.by_day(trace.known, one), axis=1),
        n_eff,
        np.maximum(np.cumsum(trace.done, axis=1), 1),
        np.cumsum(trace.by_day(trace.known), axis=1),
        open_,
    )


def _weights(trace: Trace, setting: Setting, share: Floats) -> tuple[Floats, Floats]:
    """What runs count at each look, each taken at a share: those in which nothing is known, and the others."""
    days = trace.shape[1]
    q = np.array([setting.known_by(age + NOON) for age in range(days)])
    lag = np.arange(days)[None, :] - np.arange(days)[:, None]
    at_once = trace.known == trace.day
    runs = share * (trace.done - trace.by_day(np.where(at_once, trace.day, days)))
    unknown = runs @ np.where(lag >= 0, np.diff(q, prepend=0.0)[lag], 0.0) - _reported(trace, share, q)
    # A run that is reported keeps the weight of that moment.
    caught = setting.known_by(0)
    weight = np.array([setting.known_by(delay) if delay else caught for delay in trace.delay])
    kept = trace.by_day(trace.known, share[trace.row, trace.day] * weight)
    return np.cumsum(unknown, axis=1), np.cumsum(kept, axis=1)


def _reported(trace: Trace, share: Floats, q: Floats) -> Floats:
    """What is to be taken off these on each day: first what a run had counted until then, then what it would gain."""
    days = trace.shape[1]
    late = (trace.known > trace.day) & (trace.known < days)
    row, day, known = trace.row[late], trace.day[late], trace.known[late]
    weight, lasts = share[row, day], days - 1 - known
    place = np.repeat(row * days + known, lasts) + _count(lasts)
    gain = np.repeat(weight, lasts) * np.diff(q)[np.repeat(known - day, lasts) + _count(lasts) - 1]
    at_known = np.bincount(row * days + known, weight * q[known - day], share.size)
    taken: Floats = (at_known + np.bincount(place, gain, share.size)).astype(np.float64).reshape(share.shape)
    return taken


def _count(lengths: Integers) -> Integers:
    """1, 2, ... up to each length, one after the other."""
    return np.arange(1, lengths.sum() + 1) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def promotes(trace: Trace, setting: Setting) -> Integers:
    """For each world the day on which the product promotes, from 1; 0 where it never does."""
    found = shown(trace, setting)
    enough = reached(found.k, setting.price.limit * found.n_eff, setting.alpha)
    return first(late_enough(trace, setting) & (found.pending(setting) < PENDING) & enough)


def promotes_by_probes(trace: Trace, rng: np.random.Generator) -> Integers:
    """The same where nothing is told: one probe a day measures the reviewer, and delays are assumed."""
    nothing = Setting(median=None)
    missed = np.cumsum(rng.random(trace.shape) >= trace.world.sensitivity, axis=1)
    measured = {(day, int(n)): _probed(day + 1, int(n)) for day in range(trace.shape[1]) for n in set(missed[:, day])}
    place = [[measured[day, n] for day, n in enumerate(row)] for row in missed.tolist()]
    worth = np.array([[one.of(60, 0) for one in row] for row in place])
    evidence = np.array([[one.evidence for one in row] for row in place])
    # What an action counts is linear in both: what was seen at once, and of the rest what was reported.
    seen = shown(trace, replace(nothing, sensitivity=1.0, ever=0.0))
    told = shown(trace, replace(nothing, sensitivity=0.0, ever=1.0))
    n_eff, sure = (worth * getattr(seen, name) + (1 - worth) * EVER * getattr(told, name) for name in ("n_eff", "sure"))
    pending = 1 - (seen.known + sure / (worth + (1 - worth) * EVER)) / seen.runs
    enough = reached(told.k, nothing.price.limit * n_eff, nothing.alpha)
    return first(late_enough(trace, nothing) & (pending < PENDING) & evidence & enough)


@cache
def _probed(probes: int, missed: int) -> Sensitivity:
    return sensitivity("ana", {"ana": Probes(probes, missed)})


def late_enough(trace: Trace, setting: Setting) -> NDArray[np.bool_]:
    """Whether a world has been on its rung for so long, and acted on so many days, as the policy asks."""
    asked, begun = trust(setting.alpha), (trace.done > 0).argmax(axis=1)
    since = np.arange(trace.shape[1])[None, :] + 1 - NOON - begun[:, None]
    active = np.cumsum(trace.done > 0, axis=1)
    late: NDArray[np.bool_] = (since >= asked.least_days) & (active >= asked.active_days)
    return late


CLOSE = 0.02
"""Below this distance from the table the e-value itself decides; the table is closer than this everywhere."""


def reached(k: Floats, m: Floats, alpha: float) -> NDArray[np.bool_]:
    """Whether e-values reach 1/alpha. A table of `needed` decides where it is clear, and `evalue` where it is close."""
    over = m - np.interp(k, *_table(alpha), right=np.inf)
    enough: NDArray[np.bool_] = over >= 0
    for place in zip(*np.nonzero(np.abs(over) < CLOSE), strict=True):
        enough[place] = evalue(float(k[place]), float(m[place])) >= 1 / alpha
    return enough


@cache
def _table(alpha: float) -> tuple[Floats, Floats]:
    losses = np.concatenate(
        [np.arange(0, 10, 0.1), np.arange(10, 100), np.arange(100, 400, 10), np.arange(400, 1001, 25)]
    )
    return losses, np.array([needed(float(k), alpha) for k in losses])
