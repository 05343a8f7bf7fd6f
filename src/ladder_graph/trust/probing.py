"""Calls that are known to be wrong, put among the questions to tell whether anybody looks. They never run.

Some are written by whoever knows the tool; others are made from a real call, by a mistake that is easy to overlook.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

SOONEST = 5
"""Decisions of one tool from one probe to the next at least, that about the first of them among them."""

MOST = 0.05
"""The share of questions that are probes at most."""

LATEST_US = 7 * 86_400_000_000
"""A probe comes at least so often, in microseconds, where anything is decided at all."""

_TIMES = 10


def due(decided: int, since_us: int | None, share: float, drawn: float) -> bool:
    """Whether the next question should be a probe.

    Args:
        decided: Decisions about the tool since the last probe was put there, that about it among them.
        since_us: Microseconds since the last probe; None where there was none.
        share: The share of questions that are to be probes, above 0, in the long run.
        drawn: A random number from 0 to 1.

    Example:
        >>> due(4, 0, 0.05, 0.0), due(5, 0, 0.05, 0.06), due(5, 0, 0.05, 0.07), due(1, 8 * 86_400_000_000, 0.05, 0.9)
        (False, True, False, True)
    """
    if decided < 1:
        return False
    if since_us is None:
        share = MOST  # The first one tells the most, and only from then on the week counts.
    elif since_us >= LATEST_US:
        return True
    # Never two in a row. Then each question is as likely as the next, so that nobody sees one come; those that are
    # skipped are made up for by the others, or it would be rarer than the share says.
    return decided >= SOONEST and drawn < 1 / (1 / share - SOONEST + 1)


def mutated(arguments: Mapping[str, Any], drawn: float) -> tuple[dict[str, Any], str] | None:
    """A real call with one mistake in it, and what is wrong; None where nothing of it can be made wrong.

    Args:
        arguments: Of the real call.
        drawn: A random number from 0 to 1, which chooses among the mistakes that it allows.

    Example:
        >>> mutated({"order": "A-1041", "amount": 25}, 0.9)
        ({'order': 'A-1041', 'amount': 250}, 'amount is 250, and was 25')
    """
    found = [(name, one) for name, value in arguments.items() for one in _wrong(value)]
    if not found:
        return None
    name, wrong = found[int(drawn * len(found)) % len(found)]
    made = copy.deepcopy(dict(arguments))
    made[name] = wrong
    return made, f"{name} is {wrong!r}, and was {arguments[name]!r}"


_SWAPPED = {"staging": "production", "test": "production", "dev": "production", "production": "staging"}


def _wrong(value: object) -> Iterator[object]:
    """What a value may be mistaken for: ten times the amount, another number in an id, production for staging."""
    match value:
        case bool():
            yield not value
        case int() | float() if value:
            yield value * _TIMES
        case str() if value.lower() in _SWAPPED:
            yield _SWAPPED[value.lower()]
        case str() if digits := [place for place, sign in enumerate(value) if sign.isascii() and sign.isdigit()]:
            place = digits[-1]
            yield f"{value[:place]}{(int(value[place]) + 1) % 10}{value[place + 1 :]}"
