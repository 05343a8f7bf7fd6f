"""One look of a person at one action, as an entry of the ledger tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_MOST = 1e9
"""Seconds or characters above which a number is no measure of a look."""


class Look(NamedTuple):
    """One look of a person at an action."""

    at_us: int
    by: str
    seconds: float | None = None
    """How long they looked; None where that wasn't measured."""
    characters: int = 0
    """How much there was to read."""
    batch: str = ""
    """Where it was one of several that were answered at once: which ones belong together."""


def look_of(at_us: int, body: Mapping[str, Any]) -> Look:
    """The look behind what somebody said; without a name or a length, and as one of a batch, it is a glance.

    Args:
        at_us: When, in microseconds since the epoch.
        body: What the entry says.
    """
    by, seconds, characters = body.get("by"), body.get("looked"), body.get("characters") or 0
    name = by if isinstance(by, str) else ""
    if batch := body.get("batch"):
        return Look(at_us, name, 0.0, batch=str(batch))
    if not (name and (seconds is None or _measure(seconds)) and _measure(characters)):
        return Look(at_us, name, 0.0)
    return Look(at_us, name, None if seconds is None else float(seconds), int(characters))


def rank(look: Look) -> tuple[int, str, float, int, str]:
    """The order of looks, the same whatever order they came in."""
    return look.at_us, look.by, -1.0 if look.seconds is None else look.seconds, look.characters, look.batch


def _measure(value: object) -> bool:
    return (type(value) is float or type(value) is int) and 0 <= value <= _MOST
