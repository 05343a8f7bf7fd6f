"""The periods that reports cover: an hour, a day or a week on somebody's clocks, or a single action."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ladder_graph.policy.reporting import Stream

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


class Period(NamedTuple):
    """From one moment to another, both in UTC; the second isn't part of it."""

    begins: dt.datetime
    ends: dt.datetime


def period_at(stream: Stream, now: dt.datetime) -> Period:
    """The period of a stream that a moment is in.

    A day is as long as it is where the readers are: 23 or 25 hours where the clocks change.

    Args:
        stream: How the stream is read.
        now: Aware.

    Example:
        >>> stream = Stream(digest="day", timezone="Europe/Berlin")
        >>> found = period_at(stream, dt.datetime(2026, 10, 25, 12, tzinfo=dt.UTC))
        >>> found.begins.isoformat(), found.ends - found.begins
        ('2026-10-24T22:00:00+00:00', datetime.timedelta(days=1, seconds=3600))
    """
    match stream.digest:
        case "action":
            return Period(now.astimezone(dt.UTC), now.astimezone(dt.UTC))
        case "hour":
            begins = _on_the_hour(now, stream.timezone)
            return Period(begins, begins + HOUR)
        case "day":
            return _days(stream, now, 1)
        case "week":
            return _days(stream, now, 7)


def _on_the_hour(now: dt.datetime, timezone: str) -> dt.datetime:
    """The hour begins where the minutes of that zone do, which may be half an hour off."""
    local = now.astimezone(ZoneInfo(timezone))
    past = dt.timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return now.astimezone(dt.UTC) - past


def _days(stream: Stream, now: dt.datetime, length: int) -> Period:
    """Whole days from the hour on at which one closes; a week begins on the Monday."""
    zone = ZoneInfo(stream.timezone)
    day = now.astimezone(zone).date()
    day -= dt.timedelta(days=day.weekday() if length > 1 else 0)
    first = day if _moment(day, stream, zone) <= now else day - dt.timedelta(days=length)
    begins, ends = (_moment(first + dt.timedelta(days=step), stream, zone) for step in (0, length))
    if ends <= now:  # The clocks went back over the hour at which days close.
        begins, ends = ends, _moment(first + dt.timedelta(days=2 * length), stream, zone)
    return Period(begins, ends)


def _moment(day: dt.date, stream: Stream, zone: ZoneInfo) -> dt.datetime:
    """When a day closes, in UTC: 24:00 is the next midnight."""
    hour, minute = map(int, stream.closes.split(":"))
    day += dt.timedelta(days=hour // 24)
    return dt.datetime.combine(day, dt.time(hour % 24, minute), zone).astimezone(dt.UTC)
