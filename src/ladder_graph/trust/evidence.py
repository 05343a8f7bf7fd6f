"""What speaks for a cell and against it: runs, weighted by the chance that a mistake would be known by now.

The unit is the run: whatever one thread did in a cell on one day is one trial, since its calls go right or wrong
together (five calls that fail as a block, counted one by one, promote a bad agent in more than half of all cases). Runs
that a person answered in one batch are one trial too: it was one decision. No day gives more than a twentieth of what
is needed, and calls of one form no more than a quarter, for the same reason. Trials and errors are thinned alike: were
only trials, a good agent with much to do could never go up. The weights come from how many runs there were, and never
from how they went.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ladder_graph.trust.deeds import Deed
from ladder_graph.trust.looks import Look

DAY = 86_400_000_000
"""Microseconds in a day."""

SHARE_OF_A_DAY = 1 / 20
"""What one day may give at most, of what is needed without a mistake."""

SHARE_OF_A_FORM = 1 / 4
"""What calls of one form may give at most."""

STALE = 0.5
"""What evidence weighs that lies before a long silence."""

Known = Callable[[float, float], float]
"""Age in days and a reviewer's sensitivity to the chance that a mistake would be known."""

Sight = Callable[[Look], float]
"""A look to the share of mistakes that it would have caught."""


Run = tuple[str, int]
"""A thread, and a day since the epoch."""


class Unit(NamedTuple):
    """One run in one cell: what one thread did there on one day."""

    day: int
    """Days since the epoch, UTC."""
    at_us: int
    """Its latest action, since a run is as old as its youngest part."""
    loss: float
    """In units of one full mistake, at most one."""
    severe: bool
    """Somebody was hurt: such a loss is never thinned."""
    sight: float
    """The share of mistakes that whoever looked at it would have caught; the least of its actions."""
    known_us: int | None
    """When its first mistake became known. Its weight stays that of this day."""
    form: int
    """The form of its arguments."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the evidence in a cell comes to."""

    k: float = 0.0
    """The loss, in units of one full mistake."""
    n_eff: float = 0.0
    """The effective number of runs."""
    runs: int = 0
    """Runs, as they are."""
    pending: float = 0.0
    """The share of the runs in which a mistake might still come out: of what would ever be known, what isn't yet."""
    active_days: int = 0
    """Days with a run, since the cell came to its rung."""
    first_us: int | None = None
    """The first run."""
    last_us: int | None = None
    """The last one."""
    forms: int = 0
    """Different forms of arguments."""
    top_form: float = 0.0
    """The share of the most frequent form, before it was thinned."""
    again: int = 0
    """Runs without a mistake since the last long silence; all of them where there was none."""


NOTHING = Weighed()
"""A cell without evidence."""


def units(deeds: Iterable[Deed], sight: Sight, cosmetic: frozenset[str] = frozenset()) -> list[Unit]:
    """The runs that the deeds of one cell make up.

    Args:
        deeds: Of one cell; those that say nothing about the agent are left out.
        sight: What a look is worth.
        cosmetic: Arguments that a person may reword.
    """
    runs: dict[Run, list[Unit]] = {}
    batches: defaultdict[str, list[Run]] = defaultdict(list)
    for deed in deeds:
        if deed.counts:
            part = _part(deed, sight, cosmetic)
            run = deed.thread, part.day
            runs.setdefault(run, []).append(part)
            for look in deed.judged.values():
                if look.batch:
                    batches[look.batch].append(run)
    whole = _joined(runs, batches.values()) if batches else runs
    return sorted([run[0] if len(run) == 1 else _together(run) for run in whole.values()], key=_order)


def _joined(runs: Mapping[Run, list[Unit]], batches: Iterable[list[Run]]) -> dict[Run, list[Unit]]:
    """The runs with those put together that were answered at once."""
    into: dict[Run, Run] = {}

    def head(run: Run) -> Run:
        while run in into:
            run = into[run]
        return run

    for first, *others in batches:
        for other in others:
            if (one := head(other)) != (kept := head(first)):
                into[one] = kept
    found: dict[Run, list[Unit]] = {}
    for run, parts in runs.items():
        found.setdefault(head(run), []).extend(parts)
    return found


def _part(deed: Deed, sight: Sight, cosmetic: frozenset[str]) -> Unit:
    at, known, loss, severe = deed.at_us, None, 0.0, False
    if not deed.clean and (loss := deed.loss(cosmetic)):
        known, severe = deed.known_us, deed.severe
    if not deed.shown:
        # Only a report makes it count, and a trial that counts when it goes wrong alone is none: no weight.
        return Unit(at // DAY, at, loss, severe, 0.0, at, deed.signature)
    # Who looked when the mistake was known couldn't overlook it.
    looks = [sight(look) for look in deed.looks if known is None or look.at_us <= known]
    return Unit(at // DAY, at, loss, severe, max(looks, default=0.0), known, deed.signature)


def _together(parts: list[Unit]) -> Unit:
    forms = Counter(part.form for part in parts)
    return Unit(
        max(part.day for part in parts),
        max(part.at_us for part in parts),
        min(1.0, math.fsum(part.loss for part in parts)),  # The same in any order.
        any(part.severe for part in parts),
        min(part.sight for part in parts),
        min((part.known_us for part in parts if part.known_us is not None), default=None),
        max(forms, key=lambda form: (forms[form], form)),
    )


def _order(unit: Unit) -> tuple[float, ...]:
    return (*unit[:5], -1 if unit.known_us is None else unit.known_us, unit.form)


def weigh(
    found: Iterable[Unit], now_us: int, known: Known, *, most_a_day: float, since_us: int = 0,
    stale_us: int = 0, single_pattern: bool = False,
) -> Weighed:  # fmt: skip
    """What runs come to at a moment.

    Args:
        found: The runs, those that were wiped left out.
        now_us: The moment, in microseconds since the epoch.
        known: The chance that a mistake would be known, by age and sensitivity.
        most_a_day: Effective runs that one day may give.
        since_us: When the cell came to its rung; only days and activity count from there.
        stale_us: Runs up to this moment weigh half; 0 for none.
        single_pattern: The calls are all alike by nature.
    """
    every = [one for one in found if one.at_us <= now_us]
    if not every:
        return NOTHING
    of_day = Counter(one.day for one in every)
    thin = {day: min(1.0, most_a_day / runs) for day, runs in of_day.items()}
    weights = [thin[one.day] * (STALE if one.at_us <= stale_us else 1.0) for one in every]
    forms: defaultdict[int, float] = defaultdict(float)
    for one, weight in zip(every, weights, strict=True):
        forms[one.form] += weight
    most = math.inf if single_pattern else _most(forms.values())
    k, n_eff, pending = 0.0, 0.0, 0.0
    ever = {sight: known(math.inf, sight) for sight in {one.sight for one in every}}
    for one, weight in zip(every, weights, strict=True):
        # Where there are too few forms nothing counts as a trial, and mistakes are shown whole.
        share = min(1.0, most / forms[one.form]) if forms[one.form] else 1.0
        until = now_us if one.known_us is None else min(now_us, max(one.known_us, one.at_us))
        q = known((until - one.at_us) / DAY, one.sight)
        n_eff += share * weight * q
        if one.loss:
            k += one.loss if one.severe else (share or 1.0) * weight * one.loss
        elif one.known_us is None:
            pending += 1 - q / ever[one.sight] if ever[one.sight] > 0 else 1.0
    counts = Counter(one.form for one in every)
    return Weighed(
        k=k, n_eff=n_eff, runs=len(every), pending=pending / len(every),
        active_days=len({one.day for one in every if one.at_us >= since_us}),
        first_us=min(one.at_us for one in every), last_us=max(one.at_us for one in every),
        forms=len(counts), top_form=max(counts.values()) / len(every),
        again=sum(one.at_us > stale_us and not one.loss for one in every),
    )  # fmt: skip


def spread(weights: Mapping[int, float]) -> float:
    """The sum of weights in which none is more than a quarter: what is over doesn't count.

    Example:
        >>> spread({1: 10.0, 2: 10.0, 3: 10.0, 4: 10.0}), spread({1: 90.0, 2: 5.0, 3: 5.0, 4: 5.0}), spread({1: 90.0})
        (40.0, 20.0, 0.0)
    """
    most = _most(weights.values())
    return math.fsum(min(weight, most) for weight in weights.values())


def _most(weights: Iterable[float]) -> float:
    """What each weight may be at most, so that none is more than a quarter of the sum; 0 below four of them."""
    least = int(1 / SHARE_OF_A_FORM)
    falling = sorted((weight for weight in weights if weight > 0), reverse=True)
    if len(falling) < least:
        return 0.0  # The division below may round a weight next to nothing up.
    rest = math.fsum(falling)
    # With `over` forms cut to c each, c is a quarter of the sum: c = rest / (4 - over).
    for over, heaviest in enumerate(falling[:least]):
        most = rest / (1 / SHARE_OF_A_FORM - over)
        if heaviest <= most:
            return most
        rest = math.fsum(falling[over + 1 :])
    return 0.0
