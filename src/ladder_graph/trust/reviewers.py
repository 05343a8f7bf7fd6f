"""What a person's approval is worth, measured: how often they catch what is wrong, and whether they looked.

A share of approvals says almost nothing: whoever approves everything of a good agent does their work well. So calls
that are known to be wrong are put among the questions, and never run. How many of these probes a reviewer catches
bounds from below how many mistakes they catch. People miss more where mistakes are rare than where they are often
(Wolfe, Brunel and Rubinstein 2013), and probes are never as rare; hence a discount.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ladder_graph.trust.evalue import ALARM, upper

ENOUGH = 10
"""Probes from which on a reviewer is measured by their own; below, they are pooled with others who have too few."""

ASSUMED = 0.5
"""The share of mistakes that a reviewer is taken to catch until enough probes are known."""

EVIDENCE = 0.5
"""Below this share approvals are no evidence, and nothing is promoted on them."""

PREVALENCE = 0.9
"""The discount for probes being more frequent than mistakes."""

ALPHA = 0.05
"""The chance that the bound on a reviewer is ever too high."""

LOAD = 30
"""Decisions in an hour above which nobody reads what they decide on."""

RUBBER_STAMP = ALARM
"""Where `stamping` says that a reviewer doesn't look any more: a hundred to one."""

_SOUND, _STAMP = 0.2, 0.6
"""Shares of probes that are missed by somebody who looks, and by somebody who doesn't."""


@dataclass(frozen=True, slots=True)
class Probes:
    """The probes that a reviewer was shown."""

    shown: int = 0
    missed: int = 0
    """Those they approved."""

    def __add__(self, other: Probes) -> Probes:
        return Probes(self.shown + other.shown, self.missed + other.missed)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The share of mistakes that a reviewer is known to catch."""

    bound: float
    """The lower bound from probes; assumed where there are too few."""
    measured: bool
    """Whether probes say so."""

    @property
    def evidence(self) -> bool:
        """Whether approvals are evidence at all."""
        return self.bound >= EVIDENCE

    def of(self, active_seconds: float, characters: int) -> float:
        """What one approval is worth: the share of mistakes that it would have caught.

        Args:
            active_seconds: How long the reviewer looked at the question.
            characters: How much there was to read.
        """
        if glance(active_seconds, characters):
            return 0.0
        return self.bound * PREVALENCE if self.measured else self.bound


def sensitivity(reviewer: str, probes: Mapping[str, Probes]) -> Sensitivity:
    """Bound from below how many mistakes a reviewer catches, at all times at once with probability 95 %.

    Ten probes without a miss bound it at a half or more, 46 at nine tenths. Below ten of their own a reviewer is
    measured by the pool of all who have fewer than ten, if that holds ten. Else a half is assumed; less where they
    missed more than half of what they were shown.

    Args:
        reviewer: Whose approvals.
        probes: What each reviewer was shown.

    Example:
        >>> sensitivity("ana", {"ana": Probes(10, 0)})
        Sensitivity(bound=0.548..., measured=True)
        >>> sensitivity("bo", {"ana": Probes(10, 0)})
        Sensitivity(bound=0.5, measured=False)
    """
    own = probes.get(reviewer, Probes())
    few = (one for one in probes.values() if one.shown < ENOUGH)
    basis = own if own.shown >= ENOUGH else sum(few, Probes())
    if basis.shown >= ENOUGH:
        return Sensitivity(1 - upper(basis.missed, basis.shown, ALPHA), measured=True)
    return Sensitivity(min(ASSUMED, max(0.0, 1 - own.missed / own.shown)) if own.shown else ASSUMED, measured=False)


def glance(active_seconds: float, characters: int) -> bool:
    """Whether nobody can have read it in that time: less than 1.5 seconds and one for each 60 characters.

    Args:
        active_seconds: How long the question was looked at. What is no number is a glance.
        characters: How much there was to read.

    Example:
        >>> glance(4.0, 240), glance(6.0, 240)
        (True, False)
    """
    return not active_seconds >= 1.5 + characters / 60


def stamping(previous: float, probe: Probes) -> float:
    """The alarm that a reviewer has come to miss most probes, as a logarithm; to be held against `RUBBER_STAMP`.

    An e-detector for 20 % against 60 % of misses: whoever misses one in five gets there once in a hundred probes or
    more, on average.

    Args:
        previous: What it was before; 0 to begin with.
        probe: What was shown since then. Probes one by one give the highest alarm that their order holds.

    Example:
        >>> state = 0.0
        >>> for missed in (1, 1, 0, 1, 1, 1):
        ...     state = stamping(state, Probes(1, missed))
        >>> state >= RUBBER_STAMP
        True
    """
    caught = probe.shown - probe.missed
    step = probe.missed * math.log(_STAMP / _SOUND) + caught * math.log((1 - _STAMP) / (1 - _SOUND))
    return max(0.0, previous + step)


def load(decided: Iterable[dt.datetime], now: dt.datetime) -> int:
    """How many decisions a reviewer made in the hour before now; above `LOAD` they can't have read them.

    Args:
        decided: When they decided, timezone-aware.
        now: The present, timezone-aware.
    """
    return sum(now - dt.timedelta(hours=1) < at <= now for at in decided)
