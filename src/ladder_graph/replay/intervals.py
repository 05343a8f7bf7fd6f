"""How sure a ratio is: 95 % intervals by a bootstrap over tasks.

Runs of one task are alike, so it is tasks that are drawn anew, with replacement and within their suite, and each
brings all of its runs (Davison and Hinkley, Bootstrap Methods, 1997, section 3.8; percentile interval, 5.3.1).
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ladder_graph.replay.metrics import Ratio, Tally

ROUNDS = 2000
"""Resamples."""
SEED = 20240515
"""Where they begin, so that the same runs have the same intervals."""
_TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Estimate:
    """A ratio, and where 95 % of its resamples lie. All three are None where there is nothing to count it of."""

    value: float | None
    low: float | None
    high: float | None


def estimated(suites: Sequence[Sequence[Tally]], ratios: Mapping[str, Ratio]) -> dict[str, Estimate]:
    """Each ratio over all tasks of all suites, with its interval.

    The resamples are the same for any counts of the same number of tasks, so policies are compared on the same ones.

    Args:
        suites: For each suite, what was counted of each of its tasks.
        ratios: What is wanted, by name.
    """
    tasks = [tally for suite in suites for tally in suite]
    names = {name for ratio in ratios.values() for name in (ratio.counted, ratio.of)}
    columns = {name: [getattr(task, name) for task in tasks] for name in sorted(names)}
    drawn = _drawn(columns, [len(tasks) for tasks in suites])
    return {
        name: _estimate(sum(columns[ratio.counted]), sum(columns[ratio.of]), drawn[ratio.counted], drawn[ratio.of])
        for name, ratio in ratios.items()
    }


def _drawn(columns: Mapping[str, Sequence[int]], sizes: Sequence[int]) -> dict[str, list[int]]:
    """The sum of each column in each resample."""
    draws = _draws(tuple(sizes))
    return {
        name: [sum(map(column.__getitem__, draw)) for draw in draws] if any(column) else [0] * len(draws)
        for name, column in columns.items()
    }


@lru_cache(maxsize=4)
def _draws(sizes: tuple[int, ...]) -> list[list[int]]:
    """Resamples, each as places in the list of all tasks."""
    chance = random.Random(SEED)  # noqa: S311  # nothing is kept secret by it
    suites = [range(sum(sizes[:suite]), sum(sizes[: suite + 1])) for suite in range(len(sizes))]
    return [[at for suite in suites for at in chance.choices(suite, k=len(suite))] for _ in range(ROUNDS)]


def _estimate(count: int, whole: int, counts: Sequence[int], wholes: Sequence[int]) -> Estimate:
    if not whole:
        return Estimate(None, None, None)
    # A resample without any attack says nothing of the share of attacks.
    spread = sorted(count / whole for count, whole in zip(counts, wholes, strict=True) if whole)
    low, high = math.floor(_TAIL * len(spread)), math.ceil((1 - _TAIL) * len(spread)) - 1
    return Estimate(count / whole, spread[low], spread[high])
