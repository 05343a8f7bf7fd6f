"""Windows: the stretch of time in which a bound counts, of somebody's calendar or of any moment's past."""

from __future__ import annotations

import datetime as dt
import difflib
import math
import zoneinfo
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.shape import Charge, QuotaBound
from ladder_graph.policy.units import Seconds, spell_seconds

Per = Literal["minute", "hour", "day", "month", "ever"]
"""The window: a stretch of the calendar. At its border two windows' worth may pass close together."""

BUCKETS = 8
"""Parts of a sliding window. One that is partly over still counts in full, so it is up to an eighth too strict."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_US = dt.timedelta(microseconds=1)


@lru_cache(maxsize=64)
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


def local(now: dt.datetime, timezone: str) -> dt.datetime:
    """A moment on the clocks of a time zone.

    Args:
        now: An aware datetime.
        timezone: Whose clocks.

    Raises:
        ValueError: The datetime is naive, so that nobody can tell which moment it is.
    """
    return aware(now).astimezone(_calendar(timezone))


def aware(now: dt.datetime) -> dt.datetime:
    """The moment itself, where it is one.

    Raises:
        ValueError: The datetime is naive, so that nobody can tell which moment it is.
    """
    if now.tzinfo is None:
        raise ValueError(f"{now} has no time zone; pass an aware datetime")
    return now


def moment_us(now: dt.datetime) -> int:
    """A moment in microseconds since the epoch.

    Raises:
        ValueError: The datetime is naive, so that nobody can tell which moment it is.
    """
    return (aware(now) - _EPOCH) // _US


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
    return _label(local(now, timezone), per)


def _label(here: dt.datetime, per: Per) -> str:
    match per:
        # By the day and the month without `strftime`, which costs more than all the rest of a bound.
        case "day":
            return here.date().isoformat()
        case "month":
            return here.date().isoformat()[: -len("-01")]
        # Minutes and hours carry the offset: when summer time ends, the same hour comes twice.
        case "hour":
            return here.strftime("%Y-%m-%dT%H%z")
        case "minute":
            return here.strftime("%Y-%m-%dT%H:%M%z")
        case "ever":
            return per


def start(now: dt.datetime, per: Per, timezone: str) -> int:
    """When the window that holds this moment began, in microseconds since the epoch; later windows have later ones.

    Example:
        >>> start(dt.datetime(1970, 1, 1, 23, 30, tzinfo=dt.UTC), "day", "Asia/Tokyo") / 3_600_000_000
        15.0
    """
    return _begun(local(now, timezone), per)


def _begun(begun: dt.datetime, per: Per) -> int:
    match per:
        case "minute":
            begun = begun.replace(second=0, microsecond=0)
        case "hour":
            begun = begun.replace(minute=0, second=0, microsecond=0)
        case "day":
            begun = begun.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        case "month":
            begun = begun.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
        case "ever":
            return 0
    return (begun.astimezone(dt.UTC) - _EPOCH) // _US


_LAST: dict[tuple[Per, str], tuple[int, int, str]] = {}
"""The last day or month that was looked up in each time zone: when it began and ends, and its label."""


def _looked_up(now: dt.datetime, per: Per, timezone: str) -> tuple[str, int]:
    """The label of the window that holds this moment, and when it began. The calendar is asked once for each day."""
    moment = moment_us(now)
    begun, end, label = _LAST.get((per, timezone), (0, 0, ""))
    if begun <= moment < end:
        return label, begun
    here = local(now, timezone)
    label, begun = _label(here, per), _begun(here, per)
    if per in {"day", "month"}:
        first = here.replace(day=1) if per == "month" else here
        with suppress(OverflowError):  # the last day of all
            later = first + dt.timedelta(days=1 if per == "day" else 31)
            _LAST[per, timezone] = begun, _begun(later, per), label
    return label, begun


class WindowBound(QuotaBound):
    """The parent of bounds that count in windows."""

    per: Per = "day"
    """The window, a stretch of the calendar."""
    timezone: Zone = "UTC"
    """Whose calendar."""
    within: Annotated[Seconds, Field(ge=1)] | None = None
    """In place of the calendar: any stretch of this length, as `"24h"`, wherever it begins. Short ones bound a rate."""

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        if self.within is not None and (self.per, self.timezone) != ("day", "UTC"):
            raise ValueError(
                'say how long the window is: either per = "day", with a timezone, or within = "24h", not both'
            )
        return self

    @cached_property
    def span(self) -> str:
        """The window and its calendar, for a counter's key."""
        return f"{self.per}/{self.timezone}" if self.within is None else f"within:{self._stretch}"

    @cached_property
    def _stretch(self) -> str:
        return spell_seconds(self.within or 0)

    def taken(self, call: Call, now: dt.datetime, amount: int, limit: int, unit: str) -> Charge:
        """A charge on the window of this moment."""
        if self.within is None:
            at, begun = _looked_up(now, self.per, self.timezone)
            reach = 0
        else:
            width = math.ceil(self.within * 1_000_000 / BUCKETS)
            moment = moment_us(now)
            at, begun, reach = f"any {self._stretch}", moment - moment % width, width * BUCKETS
        return Charge(self.quota(call), at, amount, limit, unit, begun, reach)
