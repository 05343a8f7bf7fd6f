"""What speaks for a cell and against it: runs, weighted by the chance that a mistake would be known by now.

The unit is the run: whatever one thread did in a cell on one day is one trial, since its calls go right or wrong
together (five calls that fail as a block, counted one by one, promote a bad agent in more than half of all cases). No
day gives more than a twentieth of what is needed, and calls of one form no more than a quarter, for the same reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ladder_graph.trust.deeds import Deed, Look

DAY = 86_400_000_000
"""Microseconds in a day."""

SHARE_OF_A_DAY = 1 / 20
"""What one day may give at most, of what is needed without a mistake. Trials and errors are thinned alike."""

SHARE_OF_A_FORM = 1 / 4
"""What calls of one form may give at most."""

STALE = 0.5
"""What evidence weighs that lies before a long silence."""

Known = Callable[[float, float], float]
"""Age in days and a reviewer's sensitivity to the chance that a mistake would be known."""

Sight = Callable[[Look], float]
"""A look to the share of mistakes that it would have caught."""


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
    """The share of the runs in which a mistake might still come out."""
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


NOTHING = Weighed()
"""A cell without evidence."""


def units(deeds: Iterable[Deed], sight: Sight, cosmetic: frozenset[str] = frozenset()) -> list[Unit]:
    """The runs that the deeds of one cell make up.

    Args:
        deeds: Of one cell; those that say nothing about the agent are left out.
        sight: What a look is worth.
        cosmetic: Arguments that a person may reword.
    """
    runs: defaultdict[tuple[str, int], list[Deed]] = defaultdict(list)
    for deed in deeds:
        if deed.counts:
            runs[deed.thread, deed.at_us // DAY].append(deed)
    return sorted(_unit(day, run, sight, cosmetic) for (_, day), run in runs.items())


def _unit(day: int, run: list[Deed], sight: Sight, cosmetic: frozenset[str]) -> Unit:
    if len(run) == 1:
        (deed,) = run
        loss, known = deed.loss(cosmetic), deed.known_us
        seen = sight(deed.look) if deed.look is not None else 0.0
        return Unit(day, deed.at_us, loss, deed.severe, seen, known if loss else None, deed.signature)
    parts = [_unit(day, [deed], sight, cosmetic) for deed in run]
    return Unit(
        day,
        max(part.at_us for part in parts),
        min(1.0, sum(part.loss for part in parts)),
        any(part.severe for part in parts),
        min(part.sight for part in parts),
        min((part.known_us for part in parts if part.known_us is not None), default=None),
        Counter(part.form for part in parts).most_common(1)[0][0] if parts else 0,
    )


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
    days: defaultdict[int, list[Unit]] = defaultdict(list)
    for one in found:
        if one.at_us <= now_us:
            days[one.day].append(one)
    every = [one for day in days.values() for one in day]
    if not every:
        return NOTHING
    k, raw, forms = 0.0, 0.0, Counter[int]()
    for day in days.values():
        share = min(1.0, most_a_day / len(day))
        for one in day:
            weight = share * (STALE if one.at_us <= stale_us else 1.0)
            until = now_us if one.known_us is None else min(now_us, max(one.known_us, one.at_us))
            q = known((until - one.at_us) / DAY, one.sight)
            raw += q
            forms[one.form] += weight * q  # type: ignore[assignment]  # a counter of weights
            k += one.loss if one.severe else weight * one.loss
    counts = Counter(one.form for one in every)
    n_eff = sum(forms.values()) if single_pattern else spread(forms)
    return Weighed(
        k=k, n_eff=n_eff, runs=len(every), pending=1 - raw / len(every),
        active_days=len({one.day for one in every if one.at_us >= since_us}),
        first_us=min(one.at_us for one in every), last_us=max(one.at_us for one in every),
        forms=len(counts), top_form=counts.most_common(1)[0][1] / len(every),
    )  # fmt: skip


def spread(weights: Mapping[int, float]) -> float:
    """The sum of weights in which none is more than a quarter: what is over doesn't count.

    Example:
        >>> spread({1: 10.0, 2: 10.0, 3: 10.0, 4: 10.0}), spread({1: 90.0, 2: 5.0, 3: 5.0, 4: 5.0}), spread({1: 90.0})
        (40.0, 20.0, 0.0)
    """
    rest, falling = sum(weights.values()), sorted(weights.values(), reverse=True)
    whole = rest
    for over, heaviest in enumerate(falling):
        # With `over` forms cut to c each, c is a quarter of the sum: c = rest / (4 - over).
        if over >= 1 / SHARE_OF_A_FORM:
            return 0.0
        cut = rest / (1 / SHARE_OF_A_FORM - over)
        if heaviest <= cut:
            return whole if over == 0 else over * cut + rest
        rest -= heaviest
    return 0.0
