"""How much a record of clean and of wrong actions says against an agent that errs too often.

One statistic in closed form. With `k` the loss that was seen, in whole mistakes, and `m` the mistakes that an agent at
the limit would have shown by now, p* x n_eff:

    E(k, m) = integral over x in [0, 1] of x^k e^(m(1-x)) = sum over j of m^j / ((k+1) ... (k+1+j))

For losses X in [0, 1] of mean p* or more, given the past, E[rho^X] <= e^((rho-1) p*). So rho^k e^((1-rho) m) is a
supermartingale for each rho up to 1, and so is their mixture. By Ville's inequality the chance that E ever reaches
1/alpha is at most alpha, however often somebody looks (Ville 1939; Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon
2021). A look each day spends nothing, `k` may be a fraction, and actions needn't be independent of each other.

Everything fails closed: what is no finite number, or negative, is evidence for nothing, and raises the alarm.
"""

from __future__ import annotations

import math
from functools import lru_cache

CAP = 1e12
"""The largest e-value; more evidence than this is told apart from none of it."""

ALARM = math.log(100)
"""Where `ecusum` demotes: a cell at the limit gets there once in a hundred looks or more, on average."""

FARTHEST = 0.3
"""A bet on a rate above this share of the limit gains nothing over no bet."""

BOLDEST = 0.02
"""The lowest rate that is bet on, as a share of the limit."""

_TERMS = 10_000
"""Each term is positive, so a sum that stops early is too low, never too high. Below k = 10^6 none stops this early."""
_EXACT = 1e-17
_LARGEST_RATIO = 3.0
"""The rate that `ecusum` bets on, as a multiple of the limit."""


def evalue(k: float, m: float) -> float:
    """The e-value against the claim that the mean loss of an action is at the limit or above it.

    Args:
        k: Loss that was seen, in whole mistakes; a fraction is fine.
        m: The limit p* times the effective number of actions.

    Returns:
        E(k, m), at most 1e12. 0 where either isn't a finite number of zero or more.

    Example:
        >>> round(evalue(0, 4.51), 2)
        19.94
        >>> evalue(1, 4.51) < evalue(0, 4.51)
        True
    """
    if not (0 <= k < math.inf and 0 <= m < math.inf):
        return 0.0
    total = term = 1.0 / (k + 1)
    for j in range(1, _TERMS):
        term *= m / (k + 1 + j)
        total += term
        if term < _EXACT * total or total > CAP:
            break
    return min(total, CAP)


def bet(k: float, m: float) -> float:
    """The rate to bet on after a change, as a share of the limit, from the record of before.

    What an agent did before it changed is no evidence; it may only choose the bet, and a wrong choice costs time.

    Args:
        k: Loss that was seen before the change, in whole mistakes.
        m: The limit times the effective number of actions before the change.

    Example:
        >>> bet(0, 25), bet(0, 0)
        (0.02, 1.0)
    """
    if not (0 <= k < math.inf and 0 < m < math.inf):
        return 1.0
    return min(max((k + 0.5) / m, BOLDEST), 1.0)


def warm(k: float, m: float, rho: float) -> float:
    """The e-value where half of the stake is bet on one rate; as valid as `evalue`, whatever the rate.

    Args:
        k: Loss that was seen since the change, in whole mistakes.
        m: The limit times the effective number of actions since the change.
        rho: The rate that is bet on, as a share of the limit, chosen before any of these actions. Above 0.3 the bet
            gains nothing, and this is `evalue`; so it is where `rho` is no share.

    Returns:
        ½ E(k, m) + ½ rho^k e^((1-rho)m), at most 1e12. 0 where `k` or `m` isn't a finite number of zero or more.

    Example:
        >>> warm(0, 3.51, 0.02) > 20 > evalue(0, 3.51)
        True
    """
    plain = evalue(k, m)
    if not 0 < rho <= FARTHEST or plain == 0:
        return plain
    exponent = k * math.log(rho) + (1 - rho) * m
    bold = math.exp(exponent) if exponent < math.log(CAP) else CAP
    return min(plain / 2 + bold / 2, CAP)


@lru_cache(maxsize=1024)
def needed(k: float, alpha: float, rho: float = 1.0) -> float:
    """The m at which the e-value reaches 1/alpha; divided by the limit it is the number of actions that are needed.

    For no loss and alpha = .05 it is 4.51: the rule of three, for somebody who looks each day.

    Args:
        k: Loss that was seen, in whole mistakes.
        alpha: The chance that is taken of promoting a cell that errs too often.
        rho: The bet of `warm`, if there is one.

    Returns:
        The least m, rounded up in the last digits; infinity where `k` isn't a finite number of zero or more.

    Raises:
        ValueError: `alpha` isn't between 1e-12 and 1.

    Example:
        >>> round(needed(0, 0.05), 2), round(needed(1, 0.05), 2)
        (4.51, 6.85)
    """
    if not 1 / CAP <= alpha < 1:
        raise ValueError(f"alpha is {alpha}; it is a chance of being wrong, at least {1 / CAP:g} and below 1")
    if not 0 <= k < math.inf:
        return math.inf
    low, high = 0.0, k + 10.0
    while warm(k, high, rho) < 1 / alpha:
        low, high = high, 2 * high
        if high == math.inf:
            return high
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if warm(k, middle, rho) >= 1 / alpha else (middle, high)
    return high


def upper(k: float, n_eff: float, alpha: float, rho: float = 1.0) -> float:
    """The bound that the mean loss of an action stays below, at all times at once with probability 1 - alpha.

    Args:
        k: Loss that was seen, in whole mistakes.
        n_eff: The effective number of actions.
        alpha: The chance that the bound is ever wrong.
        rho: The bet of `warm`, if there is one.

    Returns:
        A share from 0 to 1; 1 where nothing is known.

    Raises:
        ValueError: `alpha` isn't between 1e-12 and 1.

    Example:
        >>> round(upper(0, 452, 0.05), 4), upper(0, 0, 0.05)
        (0.01, 1.0)
    """
    most = needed(k, alpha, rho)
    return min(most / n_eff, 1.0) if 0 < n_eff < math.inf else 1.0


def ecusum(previous: float, k: float, m: float) -> float:
    """The alarm that a cell has come to err three times as often as it may: S = max(0, S + k ln 3 - 2m).

    An e-detector (Shin, Ramdas and Rinaldo 2024), in logarithms: as long as the mean loss is at the limit or below it,
    there are exp(threshold) looks or more between two false alarms, on average.

    Args:
        previous: What it was before; 0 to begin with.
        k: Loss seen since then, in whole mistakes.
        m: The limit times the effective number of actions since then.

    Returns:
        The new value, to be held against `ALARM`. Infinity where anything isn't a finite number of zero or more.

    Example:
        >>> state = 0.0
        >>> for mistakes in (1, 2, 2):
        ...     state = ecusum(state, mistakes, m=0.2)
        >>> round(state, 2), state >= ALARM
        (4.29, False)
    """
    if not all(0 <= one < math.inf for one in (previous, k, m)):
        return math.inf
    return max(0.0, previous + k * math.log(_LARGEST_RATIO) - (_LARGEST_RATIO - 1) * m)
