"""Eight scopes of one tool, of which one may be much worse than the others: who is promoted with whom.

200 runs a day, most in the first scope and four or five in the last. What shares evidence promotes the bad scope too;
what shares none leaves the small scopes without any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.trust_sim.product import Setting, late_enough, reached, shown
from benchmarks.trust_sim.rivals import first
from benchmarks.trust_sim.worlds import Floats, Integers, Trace, World, draw
from ladder_graph.trust.evalue import BOLDEST, FARTHEST, bet, needed, warm
from ladder_graph.trust.gates import SOME

SCOPES = 8
A_DAY = 200.0
_SIZES = np.arange(1, SCOPES + 1) ** -1.5
RATES = A_DAY * _SIZES / _SIZES.sum()
"""Runs a day in each scope."""
GOOD = 0.001
"""The chance of a mistake in an ordinary scope, a tenth of the limit."""
DAYS = 180


@dataclass(frozen=True, slots=True)
class Days:
    """The day on which each rule promotes each scope: rows are worlds, columns are scopes; 0 where it never does."""

    pooled: Integers
    """All as one."""
    alone: Integers
    """Each by itself."""
    sibling: Integers
    """Each by itself, with a bet that the others suggest."""
    floor: Integers
    """All as one, with a little evidence of its own."""


def scopes(bad: int, worse: float, runs: int, seed: int) -> Iterator[Days]:
    """Draw worlds in which one scope is so many times worse than the others.

    Args:
        bad: Which one.
        worse: How many times; 1 where all are alike.
        runs: Worlds.
        seed: Of the draw.
    """
    worlds = [World(GOOD * (worse if n == bad else 1), rate=float(RATES[n]), days=DAYS) for n in range(SCOPES)]
    drawn = [draw(world, runs, seed + n) for n, world in enumerate(worlds)]
    for traces in zip(*drawn, strict=True):
        yield _decide(traces, Setting())


def _decide(traces: tuple[Trace, ...], setting: Setting) -> Days:
    limit, alpha = setting.price.limit, setting.alpha
    found = [shown(trace, setting) for trace in traces]
    late = [late_enough(trace, setting) for trace in traces]
    k, m = np.stack([one.k for one in found]), np.stack([limit * one.n_eff for one in found])
    whole = _together(traces)
    pool = shown(whole, setting)
    shared = reached(pool.k, limit * pool.n_eff, alpha)
    alone = [reached(k[n], m[n], alpha) for n in range(SCOPES)]
    sibling = [alone[n] | _bets(k[n], m[n], k.sum(0) - k[n], m.sum(0) - m[n], alpha, alone[n]) for n in range(SCOPES)]
    floor = [alone[n] | (shared & reached(k[n], m[n], 1 / SOME)) for n in range(SCOPES)]
    at_once = first(late_enough(whole, setting) & shared)
    return Days(
        np.stack([at_once] * SCOPES, axis=1),
        *(np.stack([first(late[n] & rule[n]) for n in range(SCOPES)], axis=1) for rule in (alone, sibling, floor)),
    )


def _together(traces: tuple[Trace, ...]) -> Trace:
    """All scopes as one."""
    row, day, place = (np.concatenate([getattr(one, name) for one in traces]) for name in ("row", "day", "place"))
    done, delay = sum(trace.done for trace in traces), np.concatenate([trace.delay for trace in traces])
    return Trace(traces[0].world, np.asarray(done), row, day, place, delay)


def _bets(
    k: Floats, m: Floats, other_k: Floats, other_m: Floats, alpha: float, reached: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Where the e-value is reached by betting on the rate of the others, and not without."""
    enough = np.zeros(k.shape, np.bool_)
    # The boldest bet needs the least; below that no other can be enough.
    for place in zip(*np.nonzero((m >= needed(0, alpha, BOLDEST)) & ~reached), strict=True):
        rho = bet(float(other_k[place]), float(other_m[place]))
        enough[place] = rho <= FARTHEST and warm(float(k[place]), float(m[place]), rho) >= 1 / alpha
    return enough
