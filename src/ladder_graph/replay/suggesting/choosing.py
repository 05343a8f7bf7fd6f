"""Which of the bounds belong together: they keep out what was wrong, and ask as little as they can about the rest.

Only the first half of the tasks is looked at here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ladder_graph.policy.bounds import Bound, Equals, OneOf
from ladder_graph.policy.bounds.words import spelt
from ladder_graph.replay.suggesting.bounds import held_by
from ladder_graph.replay.suggesting.trials import Sheet
from ladder_graph.replay.suggesting.verdicts import Verdict

_TIGHT = (
    "equals", "one_of", "domain", "host", "under", "origin", "matches", "range", "count", "length", "volume",
)  # fmt: skip
"""Kinds of bounds, those that say most about an argument first."""


def chosen(sheet: Sheet, bounds: Sequence[Bound]) -> tuple[int, ...]:
    """The bounds that belong together, by their places.

    First, as long as something wrong is inside, the one that keeps out the most of it for each right call that it
    keeps out too. Then those that keep out no right call at all: one for each argument, and limits on calls.

    Args:
        sheet: What was seen in the first half.
        bounds: The bounds that were tried.
    """
    order = sorted(range(len(bounds)), key=lambda place: (_looseness(bounds[place]), place))
    picked: list[int] = []
    while (bit := _keeps_out_most(sheet, picked, order)) is not None:
        picked.append(bit)
    return tuple(sorted([*picked, *_for_free(sheet, bounds, picked, order)], key=order.index))


def _looseness(bound: Bound) -> int:
    """How late a bound comes, of two that are as good. The next number, or the next day, is seldom one of a list."""
    values = bound.values if isinstance(bound, OneOf) else (bound.to,) if isinstance(bound, Equals) else ()
    passing = any(spelt(value, "number") is not None or spelt(value, "date") is not None for value in values)
    return _TIGHT.index("range" if passing else bound.kind) + passing


def _keeps_out_most(sheet: Sheet, picked: Sequence[int], order: Iterable[int]) -> int | None:
    """The next bound to add against what is wrong; None where nothing is, or none of them helps."""
    fine, wrong = _inside(sheet, picked)
    best: tuple[float, int] | None = None
    for place in order:
        left, still = _inside(sheet, [*picked, place])
        worth = (wrong - still) / (fine - left + 1)
        if left and still < wrong and (best is None or worth > best[0]):
            best = worth, place
    return None if best is None else best[1]


def _for_free(sheet: Sheet, bounds: Sequence[Bound], picked: Sequence[int], order: Iterable[int]) -> list[int]:
    held = {held_by(bounds[place]) for place in picked}
    fine, _ = _inside(sheet, picked)
    added: list[int] = []
    for place in order:
        what = held_by(bounds[place])
        if what not in held and fine and _inside(sheet, [*picked, *added, place])[0] == fine:
            held.add(what)
            added.append(place)
    return added


def _inside(sheet: Sheet, places: Iterable[int]) -> tuple[int, int]:
    """Right and wrong calls that all of these bounds would let run."""
    bits = sum(1 << place for place in places)
    counts: Counter[Verdict | None] = Counter()
    for (known, freed), count in sheet.calls.items():
        counts[known] += count if freed & bits == bits else 0
    return counts["fine"], counts["wrong"]
