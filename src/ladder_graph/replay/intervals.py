"""How sure a ratio is: 95 % intervals by a bootstrap over tasks.

Runs of one task are alike, so it is tasks that are drawn anew, with replacement and within their suite, and each
brings all of its runs (Davison and Hinkley, Bootstrap Methods, 1997, section 3.8; percentile interval, 5.3.1).
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    draws = _draws([len(tasks) for tasks in suites])
    tasks = [tally for suite in suites for tally in suite]
    return {name: _estimate(tasks, ratio, draws) for name, ratio in ratios.items()}


def _draws(sizes: Sequence[int]) -> list[list[int]]:
    """Resamples, each as places in the list of all tasks."""
    chance = random.Random(SEED)  # noqa: S311  # nothing is kept secret by it
    suites = [range(sum(sizes[:suite]), sum(sizes[: suite + 1])) for suite in range(len(sizes))]
    return [[at for suite in suites for at in chance.choices(suite, k=len(suite))] for _ in range(ROUNDS)]


def _estimate(tasks: Sequence[Tally], ratio: Ratio, draws: Sequence[Sequence[int]]) -> Estimate:
    counts = [int(getattr(task, ratio.counted)) for task in tasks]
    wholes = [int(getattr(task, ratio.of)) for task in tasks]
    if not sum(wholes):
        return Estimate(None, None, None)
    drawn = [(sum(map(counts.__getitem__, draw)), sum(map(wholes.__getitem__, draw))) for draw in draws]
    # A resample without any attack says nothing of the share of attacks.
    spread = sorted(count / whole for count, whole in drawn if whole)
    low, high = math.floor(_TAIL * len(spread)), math.ceil((1 - _TAIL) * len(spread)) - 1
    return Estimate(sum(counts) / sum(wholes), spread[low], spread[high])
