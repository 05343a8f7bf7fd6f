"""Signs that an agent has changed though no name in its fingerprint did.

Routing, compilers and re-trained aliases move a model under an id that stays the same. Two things show it before
mistakes do: which tools it calls, and what it answers to fixed prompts. Both detectors are e-detectors (Shin, Ramdas
and Rinaldo 2024), which look each day and seldom cry wolf. A shift of the mix as small as a Jensen-Shannon divergence
of .01 isn't found at the volume of an agent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ladder_graph.trust.evalue import ecusum, upper

BASELINE = 500
"""Calls that the mix is learnt from; with fewer nothing is said."""

ALARM = math.log(1000)
"""Where either detector says that something changed."""

_PRIOR = 0.5
"""Jeffreys' prior of each tool's share."""
_ALPHA = 0.05


def mix(baseline: Mapping[str, int], weeks: Sequence[Mapping[str, int]]) -> float:
    """The evidence that an agent calls other tools than it did, as a logarithm; to be held against `ALARM`.

    A new e-value begins with each week and goes on. Each sets a mix that starts from nothing against one that starts
    from the baseline, both Dirichlet-multinomial, so it matters little that the baseline itself is a sample. All tools
    that the baseline doesn't know are one.

    Args:
        baseline: Calls of each tool by which the agent was known, 500 or more in all.
        weeks: Calls of each tool in each week since then, oldest first; the last may have only begun.

    Returns:
        The logarithm of the sum. Minus infinity where the baseline is too small or nothing was called.

    Example:
        >>> usual = {"search": 400, "refund": 100}
        >>> mix(usual, [{"search": 80, "refund": 20}]) < 0
        True
        >>> mix(usual, [{"search": 40, "refund": 60}]) > ALARM
        True
    """
    if sum(baseline.values()) < BASELINE:
        return -math.inf
    known = sorted(baseline)
    before = [*(baseline[tool] for tool in known), 0]
    since, total = [0] * len(before), -math.inf
    for week in reversed(weeks):
        counts = [week.get(tool, 0) for tool in known]
        counts.append(sum(week.values()) - sum(counts))
        since = [a + b for a, b in zip(since, counts, strict=True)]
        if sum(since):
            total = _sum(total, _bayes_factor(before, since))
    return total


def _bayes_factor(before: Sequence[int], since: Sequence[int]) -> float:
    """The logarithm of the chance of `since` by itself over that after `before`."""
    alone, after = [_PRIOR] * len(since), [_PRIOR + count for count in before]
    return _polya(alone, since) - _polya(after, since)


def _polya(prior: Sequence[float], counts: Sequence[int]) -> float:
    """The logarithm of the Dirichlet-multinomial probability of one order of the counts."""
    whole = math.lgamma(sum(prior)) - math.lgamma(sum(prior) + sum(counts))
    return whole + sum(math.lgamma(a + n) - math.lgamma(a) for a, n in zip(prior, counts, strict=True))


def _sum(a: float, b: float) -> float:
    """log(e^a + e^b)."""
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def replay(previous: float, changed: int, prompts: int, baseline: tuple[int, int]) -> float:
    """The alarm that fixed prompts are answered by other tool calls than usual; to be held against `ALARM`.

    The usual is the call that most replays of the baseline gave: name and normalised arguments. Some replays of the
    baseline gave another, and so may some now: their share is bounded from above, and held against three times that.

    Args:
        previous: What it was before; 0 to begin with.
        changed: Replays since then that gave another call than usual.
        prompts: Replays since then.
        baseline: The same two of the baseline; without one there is nothing to differ from, and no alarm.

    Example:
        >>> replay(0.0, 9, 30, (3, 300)) > ALARM, replay(0.0, 1, 30, (3, 300)) > ALARM
        (True, False)
    """
    return ecusum(previous, changed, prompts * upper(baseline[0], baseline[1], _ALPHA))
