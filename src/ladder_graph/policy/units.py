"""Durations, money and moments as people write them: `"24h"`, `"$0.02"`, `"2026-11-23T10:00Z"`."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
# [0-9] and not \d, which takes the digits of every script.
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)")
_DOLLARS = re.compile(r"\$([0-9]{1,10}(?:\.[0-9]{1,6})?)(?: ?USD)?|([0-9]{1,10}(?:\.[0-9]{1,6})?) ?USD")
MICRO = 1_000_000
"""Micro-dollars in a dollar."""
MOST_SECONDS = 36500 * 86400.0
"""The longest duration, a hundred years: beyond it the calendar itself runs out."""
MOST_MICRO = 2**53 - 1
"""The largest amount in micro-dollars: nine billion dollars, exact in every JSON reader and every database."""


def seconds(value: object) -> float:
    """Read a duration in seconds from `"90s"`, `"15m"`, `"24h"`, `"7d"`, or a number of seconds.

    Raises:
        ValueError: It is none of these, negative, or longer than a hundred years.

    Example:
        >>> seconds("15m"), seconds(0.5)
        (900.0, 0.5)
    """
    length: float | None = None
    if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        length = float(found[1]) * _UNITS[found[2]]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        length = value
    if length is None or not 0 <= length <= MOST_SECONDS:
        raise ValueError(f'{value!r} is no duration; write "90s", "15m", "24h" or "7d", at most a hundred years')
    return float(length)


def spell_seconds(value: float) -> str:
    """A spelling that `seconds` reads back as exactly the same duration.

    Example:
        >>> spell_seconds(5400.0), spell_seconds(0.2)
        ('90m', '0.2s')
    """
    for unit in ("w", "d", "h", "m"):
        if value and value % _UNITS[unit] == 0:
            return f"{int(value / _UNITS[unit])}{unit}"
    return f"{int(value) if value == int(value) else format(Decimal(repr(value)), 'f')}s"


def moment(value: str | dt.datetime) -> dt.datetime:
    """Read a moment, aware, from `"2026-11-23T10:00Z"`, or from a datetime.

    Raises:
        ValueError: It is none, or has no time zone; the message goes on from what was given.

    Example:
        >>> moment("2026-11-23T10:00Z").isoformat()
        '2026-11-23T10:00:00+00:00'
    """
    try:
        found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError("is no moment with a time zone, such as 2026-11-23T10:00Z")
    return found


def micro_dollars(value: object) -> int:
    """Read an amount in whole micro-dollars from `"$0.02"` or `"0.02 USD"`.

    Raises:
        ValueError: It is no amount, negative, finer than a micro-dollar, or beyond nine billion dollars. A bare
            number is refused, because nobody can tell whether it means dollars, cents or micro-dollars.

    Example:
        >>> micro_dollars("$0.02"), micro_dollars("5 USD")
        (20000, 5000000)
    """
    found = _DOLLARS.fullmatch(value.strip()) if isinstance(value, str) else None
    amount = int(Decimal(found[1] or found[2]) * MICRO) if found else -1
    if not 0 <= amount <= MOST_MICRO:
        raise ValueError(f'{value!r} is no amount; write "$0.02" or "0.02 USD", at most six decimals')
    return amount


def spell_dollars(micro: int) -> str:
    """Micro-dollars as `$0.02`, without trailing zeros beyond the cents.

    Example:
        >>> spell_dollars(20_000), spell_dollars(1)
        ('$0.02', '$0.000001')
    """
    whole, rest = divmod(micro, MICRO)
    cents = f"{rest:06d}".rstrip("0")
    return f"${whole}.{cents:0<2}"


Seconds = Annotated[
    float,
    BeforeValidator(seconds),
    PlainSerializer(spell_seconds, return_type=str),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": f"^{_DURATION.pattern}$"}, {"type": "number", "minimum": 0}]}
    ),
]
"""A duration in a policy, in seconds."""
SomeSeconds = Annotated[Seconds, Field(gt=0)]
"""A duration in a policy that is longer than nothing."""
MicroDollars = Annotated[
    int,
    BeforeValidator(micro_dollars),
    PlainSerializer(spell_dollars, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{_DOLLARS.pattern})$"}),
]
"""An amount of money in a policy, in micro-dollars."""
