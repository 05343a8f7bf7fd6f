"""What an earlier simulation found, by other code, 10,000 worlds to a figure: the rules were chosen by it.

It placed actions within their day otherwise, so that figures may differ by a little more than chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from benchmarks.trust_sim.experiments import BARE, CHANCES, OURS, Figure

RUNS = 10_000
SHARE, DAYS, DOLLARS = 0.01, 0.06, 0.03
"""By how much figures may differ beyond chance: a share by one in a hundred, days by 6 %, dollars by 3 %."""
DEVIATIONS = 3
"""Standard deviations of chance."""

Key = tuple[str, str, str]

_PEEKING = {
    "99 % of 50 or more right": (0.333, 0.585, 0.981, 1, 1, 1, 1),
    "50 right in a row": (1, 1, 1, 1, 1, 1, 1),
    "score, +.01 and -.1, up to .9": (1, 1, 1, 1, 1, 1, 1),
    "Beta(1,1), 95 %": (0, 0.006, 0.309, 0.960, 1, 1, 1),
    "Beta(1,1), 95 %, 14 days old": (0, 0, 0.119, 0.893, 1, 1, 1),
    "Clopper-Pearson, 95 %, 14 days old": (0, 0, 0.119, 0.893, 1, 1, 1),
    "SPRT against p*/4": (0, 0.001, 0.066, 0.344, 0.867, 1, 1),
    BARE: (0, 0, 0.035, 0.556, 0.988, 1, 1),
}
_DAYS = {
    "99 % of 50 or more right": (3, 3),
    "50 right in a row": (3, 3),
    "score, +.01 and -.1, up to .9": (3, 2),
    "Beta(1,1), 95 %": (24, 16),
    "Beta(1,1), 95 %, 14 days old": (47, 30),
    "Clopper-Pearson, 95 %, 14 days old": (47, 30),
    "SPRT against p*/4": (31, 21),
    BARE: (47, 26),
}
_DOLLARS = {
    "always ask": (3197, 2400, 2120, 2040, 2004),
    "never ask": (6001, 2003, 601, 200, 20),
    "whichever is cheaper, by an oracle": (3197, 2003, 601, 200, 20),
    "99 % of the last 30 days": (3223, 2197, 622, 216, 36),
    "score, +.01 and -.1, at .9": (5932, 2006, 612, 213, 34),
    f"{OURS}, mistakes are handled (D0)": (3197, 2390, 831, 359, 158),
}

SHARES: Mapping[Key, float] = {
    ("peeking", row, f"{chance:g}"): share
    for row, shares in _PEEKING.items()
    for chance, share in zip(CHANCES, shares, strict=True)
} | {
    ("volumes", "5 a day", "0.01"): 0.025,
    ("alphas", "alpha 0.05", "0.01"): 0.035,
    ("alphas", "alpha 0.01", "0.01"): 0.005,
    ("people", "99 % of 50 or more right", "who looks, 0.01"): 0.981,
    ("people", "Beta(1,1), 95 %", "who looks, 0.01"): 0.309,
    ("people", f"{OURS}, told the truth", "who looks, 0.01"): 0.035,
    ("people", "99 % of 50 or more right", "who doesn't, 0.01"): 1.0,
    ("people", "Beta(1,1), 95 %", "who doesn't, 0.01"): 0.999,
    ("people", f"{OURS}, told the truth", "who doesn't, 0.01"): 0.031,
    ("people", f"{OURS}, told that the reviewer looks", "who doesn't, 0.01"): 0.906,
    ("clusters", "runs of 5 calls, 20 calls a day", "plain"): 0.55,
    ("clusters", "runs of 5 calls, 20 calls a day", "product"): 0.023,
    ("clusters", "runs of 20 calls, 20 calls a day", "plain"): 0.84,
    ("clusters", "runs of 20 calls, 20 calls a day", "product"): 0.0,
    ("clusters", "days correlated by 0.01, 100 a day", "plain"): 0.127,
    ("clusters", "days correlated by 0.01, 100 a day", "product"): 0.0,
    ("clusters", "days correlated by 0.05, 100 a day", "plain"): 0.46,
    ("clusters", "days correlated by 0.05, 100 a day", "product"): 0.040,
    ("clusters", "days correlated by 0.2, 100 a day", "product"): 0.44,
    ("sharing", "all scopes as one", "30 times worse: smallest"): 1.0,
    ("sharing", "each by itself", "30 times worse: smallest"): 0.001,
    ("sharing", "bets by the others", "30 times worse: smallest"): 0.001,
    ("sharing", "shared, with some of its own", "30 times worse: smallest"): 0.017,
}  # fmt: skip
"""The share of worlds that are promoted."""

MEDIANS: Mapping[Key, float] = {
    ("peeking", row, column): days
    for row, each in _DAYS.items()
    for column, days in zip(("0.003", "0.001"), each, strict=True)
} | {
    ("volumes", "5 a day", "0.003"): 183,
    ("volumes", "5 a day", "0.001"): 97,
    ("alphas", "alpha 0.05", "0.003"): 47,
    ("alphas", "alpha 0.01", "0.003"): 76,
}
"""The median day on which they are."""

MEANS: Mapping[Key, float] = {
    ("dollars", row, column): spent
    for row, each in _DOLLARS.items()
    for column, spent in zip(("0.03", "0.01", "0.003", "0.001", "0.0001"), each, strict=True)
} | {
    ("changes", "always ask", "no change"): 2584,
    ("changes", "never ask", "no change"): 2922,
    ("changes", "whichever is cheaper, by an oracle", "no change"): 1485,
    ("changes", "99 % of the last 30 days", "no change"): 1520,
    ("changes", "50 right in a row", "no change"): 1757,
    ("changes", "score, +.01 and -.1, at .9", "no change"): 2449,
}
"""Dollars for a thousand actions."""


def key(figure: Figure) -> Key:
    """By what a figure is looked up."""
    return figure.table, figure.row, figure.column


def differs(figure: Figure) -> str:
    """In what a figure differs from what was expected by more than chance and a little; empty where it doesn't."""
    where, found = key(figure), figure.promoted / figure.runs
    if (share := SHARES.get(where)) is not None:
        chance = math.sqrt(share * (1 - share) * (1 / figure.runs + 1 / RUNS))
        if abs(found - share) > DEVIATIONS * chance + SHARE:
            return f"{where}: {found:.3f} are promoted, and {share:.3f} were expected"
    if (days := MEDIANS.get(where)) is not None and abs((figure.median or 0) - days) > max(1, DAYS * days):
        return f"{where}: promoted on day {figure.median}, and {days} was expected"
    if (spent := MEANS.get(where)) is not None:
        chance = math.sqrt(2) * (figure.error or 0)
        if abs((figure.mean or 0) - spent) > DEVIATIONS * chance + DOLLARS * spent:
            return f"{where}: costs ${figure.mean:.0f}, and ${spent} was expected"
    return ""
