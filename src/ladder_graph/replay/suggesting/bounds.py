"""Bounds that right calls bring to mind. Each is found in what was seen and widened a little; none is any good yet."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ladder_graph.policy.bounds import Bound
from ladder_graph.policy.bounds.shape import QuotaBound
from ladder_graph.policy.bounds.words import Type
from ladder_graph.replay.suggesting.arguments import TYPES, Argument, Recurring, Shape

FEWEST = 3
"""Right calls below which nothing is found in them."""
MOST = 32
"""Bounds that are tried for one tool."""
_LISTED = 8
"""Values that a bound lists at most."""
_USUAL = 0.5
"""The share of right calls that must have what a bound looks at."""
_HEADROOM = 1.25
"""How much more than was ever seen a limit on calls allows."""
_HARMLESS = "-_ :/@,;#"
"""Characters that mean themselves in a regular expression."""
_BOUND: TypeAdapter[Bound] = TypeAdapter(Bound)


def proposed(shape: Shape) -> tuple[Bound, ...]:
    """Bounds to try for a tool.

    Args:
        shape: What its right calls looked like.
    """
    if shape.calls < FEWEST:
        return ()
    found: list[Bound] = []
    for fields in (*_volumes(shape), *_of_arguments(shape)):
        try:
            found.append(_BOUND.validate_python(fields))
        except ValidationError:
            continue  # What was seen can't stand in a policy.
    return tuple(found[:MOST])


def spelt_out(bound: Bound) -> dict[str, Any]:
    """A bound as it stands in a policy: its kind, and what isn't a default.

    Args:
        bound: The bound.
    """
    return {"kind": bound.kind, **bound.model_dump(mode="json", exclude_defaults=True)}


def held_by(bound: Bound) -> str:
    """What a bound holds: an argument, or what it counts.

    Args:
        bound: The bound.
    """
    return bound.counter if isinstance(bound, QuotaBound) else str(getattr(bound, "argument", ""))


def _volumes(shape: Shape) -> Iterator[dict[str, Any]]:
    yield {"kind": "volume", "limit": _roomy(shape.in_a_run), "per": "ever", "by": "thread"}
    if shape.timed == shape.calls:
        # A day's limit is for all tasks, and only half of them are looked at here.
        yield {"kind": "volume", "limit": _roomy(2 * max(shape.days.values())), "per": "day"}


def _roomy(most: int) -> int:
    return math.ceil(most * _HEADROOM)


def _of_arguments(shape: Shape) -> Iterator[dict[str, Any]]:
    for name, seen in shape.arguments.items():
        if seen.calls >= shape.calls * _USUAL:
            yield from ({**fields, "argument": name} for fields in _of_argument(seen))


def _of_argument(seen: Argument) -> Iterator[dict[str, Any]]:
    yield from _listed(seen.values)
    if domains := _back(seen.domains) if seen.addresses == seen.calls else []:
        yield {"kind": "domain", "domains": domains}
    if hosts := _back(seen.hosts) if seen.urls == seen.calls else []:
        yield {"kind": "host", "hosts": [host for _, host in hosts], "schemes": sorted({scheme for scheme, _ in hosts})}
    if kind := _type(seen):
        yield {"kind": "origin", "type": kind}
    if seen.several:
        yield from _of_extent(seen)


def _of_extent(seen: Argument) -> Iterator[dict[str, Any]]:
    """How far the values went. In a single task that says nothing of the next one."""
    if seen.texts == seen.calls and seen.folder:
        yield {"kind": "under", "directory": seen.folder}
    if seen.texts == seen.calls and (pattern := _pattern(seen)):
        yield {"kind": "matches", "pattern": pattern}
    if seen.numeric == seen.calls:
        low, high = seen.numbers
        yield {"kind": "range", "least": 0 if low >= 0 else -widened(-low), "most": widened(max(high, 0))}
    if seen.lists == seen.calls:
        few, many = seen.entries
        yield {"kind": "count", "most": _roomy(many), "least": min(few, 1)}
    if seen.texts == seen.calls:
        yield {"kind": "length", "most": int(widened(seen.longest))}


def _listed(values: Recurring) -> Iterator[dict[str, Any]]:
    found = [value for _, value in _back(values)]
    if len(found) == 1:
        yield {"kind": "equals", "to": found[0]}
    elif found:
        yield {"kind": "one_of", "values": found}


def _back(values: Recurring) -> list[Any]:
    """The values that came back in another task; none where they are too many to list."""
    return list(values.again) if len(values.again) <= _LISTED else []


def _type(seen: Argument) -> Type | None:
    """The narrowest type that every value has."""
    fits = (kind for kind in TYPES if seen.typed[kind] == seen.calls)
    # A file's name may look like a host; only with a scheme is it surely a URL.
    return next((kind for kind in fits if kind != "url" or seen.urls == seen.calls), None)


def _pattern(seen: Argument) -> str:
    """A regular expression for a stable shape; empty where it says little: plain words, or always the same text."""
    pieces = seen.shape or ()
    if not any(kind == "[0-9]" for kind, _, _ in pieces):
        return ""
    return "".join(_piece(*piece) for piece in pieces)


def _piece(kind: str, low: int, high: int) -> str:
    many = f"{{{low}}}" if low == high else f"{{{low},{high}}}"
    plain = kind if len(kind) > 1 or kind in _HARMLESS else re.escape(kind)
    return plain + ("" if low == high == 1 else many)


def widened(number: float) -> float:
    """A number, not below zero, rounded up to two digits.

    Args:
        number: The largest that was seen.

    Example:
        >>> widened(98.7), widened(1234), widened(0.011), widened(7)
        (99, 1300, 0.011, 7)
    """
    if number <= 0:
        return 0
    places = 1 - math.floor(math.log10(number))
    step = 10.0**places
    wide = math.ceil(round(number * step, 6)) / step
    whole = round(wide, max(places, 0))
    return int(whole) if float(whole).is_integer() else whole
