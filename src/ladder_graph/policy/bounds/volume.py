"""Bounds on volume: how many calls fit in a window of the calendar."""

from __future__ import annotations

import datetime as dt
import difflib
import zoneinfo
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.shape import Charge, QuotaBound

Per = Literal["minute", "hour", "day", "month", "ever"]
"""The window: a stretch of the calendar. At its border two windows' worth may pass close together."""

# Minutes and hours carry the offset: when summer time ends, the same hour comes twice.
_LABELS = {"minute": "%Y-%m-%dT%H:%M%z", "hour": "%Y-%m-%dT%H%z", "day": "%Y-%m-%d", "month": "%Y-%m", "ever": "ever"}


def _calendar(name: str) -> dt.tzinfo:
    # UTC needs no time zone database, which small containers don't have.
    return dt.UTC if name == "UTC" else zoneinfo.ZoneInfo(name)


def _zone(name: str) -> str:
    try:
        _calendar(name)
    except (KeyError, ValueError, OSError):
        near = difflib.get_close_matches(name, zoneinfo.available_timezones(), 1)
        hint = f"did you mean {near[0]!r}?" if near else 'write one like "Europe/Zurich" or "UTC"'
        raise ValueError(f"{name!r} is no time zone that this machine knows; {hint}") from None
    return name


Zone = Annotated[str, AfterValidator(_zone)]
"""A named time zone, so that "a day" is somebody's day."""


def window(now: dt.datetime, per: Per, timezone: str) -> str:
    """The label of the window that holds this moment.

    Args:
        now: An aware datetime.
        per: The window's length.
        timezone: Whose calendar counts.

    Raises:
        ValueError: The datetime is naive, so that nobody can tell which moment it is.

    Example:
        >>> window(dt.datetime(2026, 11, 22, 23, 30, tzinfo=dt.UTC), "day", "Europe/Zurich")
        '2026-11-23'
    """
    if now.tzinfo is None:
        raise ValueError(f"{now} has no time zone; pass an aware datetime")
    return now.astimezone(_calendar(timezone)).strftime(_LABELS[per])


class Volume(QuotaBound):
    """At most so many calls in a window."""

    kind: Literal["volume"] = "volume"
    limit: Annotated[int, Field(ge=0, le=2**53 - 1)]
    """Calls that a window holds."""
    per: Per = "day"
    """The window."""
    timezone: Zone = "UTC"
    """Whose calendar."""

    @property
    def counter(self) -> str:
        """Calls, by window and calendar."""
        return f"calls/{self.per}/{self.timezone}"

    def charge(self, call: Call, now: dt.datetime) -> Charge:
        """One call from this window's counter."""
        at = window(now, self.per, self.timezone)
        return Charge(quota=self.quota(call), window=at, amount=1, limit=self.limit, unit="calls")
