"""Rules that people use, looked at every day. What isn't known to be wrong counts as right, unless a rule waits.

Each takes a trace and gives for each world the day on which it promotes, from 1; 0 where it never does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.trust_sim.worlds import Floats, Integers, Trace

Decision = Callable[[Trace], Integers]

LIMIT = 0.01
"""The chance of a mistake at which both rungs cost the same: friction of $2 over a mistake of $200."""
ALPHA = 0.05
RIPE = 14
"""Days that rules wait which wait for reports."""
MOST = 400
"""Mistakes that the tables go up to; a world with more is promoted by none of their rules."""


def first(promotes: NDArray[np.bool_]) -> Integers:
    """The first day on which it does, from 1; 0 where there is none."""
    return np.where(promotes.any(axis=1), promotes.argmax(axis=1) + 1, 0)


def _seen(trace: Trace) -> tuple[Floats, Floats]:
    """Runs so far, and mistakes that are known so far."""
    return np.cumsum(trace.done, axis=1), np.cumsum(trace.by_day(trace.known), axis=1)


def _ripe(trace: Trace) -> tuple[Floats, Floats]:
    """Runs that are a fortnight old; mistakes count as soon as they are known."""
    done = np.zeros(trace.shape)
    done[:, RIPE:] = np.cumsum(trace.done, axis=1)[:, :-RIPE]
    return done, _seen(trace)[1]


def rate(trace: Trace) -> Integers:
    """99 % of 50 or more are right."""
    done, wrong = _seen(trace)
    return first((done >= 50) & (wrong <= (1 - 0.99) * done))  # noqa: PLR2004  # the rule itself


def streak(trace: Trace) -> Integers:
    """The last 50 were right."""
    rows, days = trace.shape
    last = np.zeros((rows, days), np.int64)
    there = trace.known < days
    np.maximum.at(last, (trace.row[there], trace.known[there]), trace.place[there] + 1)
    since = np.cumsum(trace.done, axis=1) - np.maximum.accumulate(last, axis=1)
    return first(since >= 50)  # noqa: PLR2004  # the rule itself


def walk(trace: Trace) -> Integers:
    """A score from 0 to 1 that starts at .5, gains .01 with a success, loses .1 with a mistake, and reaches .9."""
    wrong = trace.by_day(trace.known)
    at_once = trace.by_day(np.where(trace.known == trace.day, trace.day, trace.shape[1]))
    steps = 0.01 * (trace.done - at_once) - 0.1 * wrong
    score, scores = np.full(trace.shape[0], 0.5), np.zeros(trace.shape)
    for day in range(trace.shape[1]):
        score = np.clip(score + steps[:, day], 0, 1)
        scores[:, day] = score
    return first(scores >= 0.9)  # noqa: PLR2004  # the rule itself


def beta(trace: Trace) -> Integers:
    """The posterior of a uniform prior puts 95 % below the limit."""
    return first(_enough(*_seen(trace), _posterior()))


def beta_ripe(trace: Trace) -> Integers:
    """The same of runs that are a fortnight old."""
    return first(_enough(*_ripe(trace), _posterior()))


def clopper_pearson(trace: Trace) -> Integers:
    """The exact 95 % bound lies below the limit, of runs that are a fortnight old."""
    return first(_enough(*_ripe(trace), _exact()))


def sprt(trace: Trace) -> Integers:
    """Wald's sequential test of the limit against a quarter of it."""
    done, wrong = _seen(trace)
    better = LIMIT / 4
    ratio = wrong * math.log(better / LIMIT) + (done - wrong) * math.log((1 - better) / (1 - LIMIT))
    return first(ratio >= math.log(1 / ALPHA))


def _enough(done: Floats, wrong: Floats, table: Floats) -> NDArray[np.bool_]:
    """Whether as many were done as the mistakes ask for."""
    enough: NDArray[np.bool_] = done >= table[np.minimum(wrong, MOST).astype(np.int64)]
    return enough


@cache
def _posterior() -> Floats:
    # P(Beta(1+k, 1+n-k) <= x) is P(Bin(n+1, x) > k).
    return _least(lambda done, wrong: _binomial(done + 1, wrong) <= ALPHA)


@cache
def _exact() -> Floats:
    return _least(lambda done, wrong: _binomial(done, wrong) <= ALPHA)


def _least(enough: Callable[[int, int], bool]) -> Floats:
    """For each number of mistakes the least number of runs that is enough."""
    table, done = np.full(MOST + 1, np.inf), 1
    for wrong in range(120):
        low, high = done, done + 1000
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle, wrong) else (middle + 1, high)
        table[wrong] = done = low
    return table


def _binomial(done: int, wrong: int) -> float:
    """P(Bin(done, LIMIT) <= wrong)."""
    term = done * math.log1p(-LIMIT)
    logs = [term]
    for k in range(min(wrong, done)):
        term += math.log((done - k) / (k + 1)) + math.log(LIMIT / (1 - LIMIT))
        logs.append(term)
    return math.fsum(map(math.exp, logs))


RIVALS: dict[str, Decision] = {
    "99 % of 50 or more right": rate,
    "50 right in a row": streak,
    "score, +.01 and -.1, up to .9": walk,
    "Beta(1,1), 95 %": beta,
    "Beta(1,1), 95 %, 14 days old": beta_ripe,
    "Clopper-Pearson, 95 %, 14 days old": clopper_pearson,
    "SPRT against p*/4": sprt,
}
"""By the names that the tables have."""
