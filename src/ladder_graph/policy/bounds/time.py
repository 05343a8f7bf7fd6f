"""Bounds on time: when a call may run without asking."""

from __future__ import annotations

import datetime as dt
import re
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.shape import Breach
from ladder_graph.policy.bounds.window import Zone, local
from ladder_graph.policy.fields import Many, Some, Strict
from ladder_graph.policy.scene import Scene

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""A day of the week."""
_WEEK: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OF_THE_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")

_DAYS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:/[0-9]{4}-[0-9]{2}-[0-9]{2})?")


def _of_the_day(text: str) -> str:
    if not _OF_THE_DAY.fullmatch(text):
        raise ValueError(f'{text!r} is no time of day; write "09:00", from "00:00" to "24:00"')
    return text


def _days(text: str) -> str:
    try:
        first, last = _first_and_last(text if _DAYS.fullmatch(text) else "")
    except ValueError:
        raise ValueError(f'{text!r} names no days; write "2026-12-24/2027-01-02", or one day, "2026-12-24"') from None
    if last < first:
        raise ValueError(f"{text!r} ends before it begins; swap the days")
    return text


def _first_and_last(text: str) -> tuple[dt.date, dt.date]:
    first, _, last = text.partition("/")
    return dt.date.fromisoformat(first), dt.date.fromisoformat(last if "/" in text else first)


TimeOfDay = Annotated[str, AfterValidator(_of_the_day)]
"""A time of day as `"09:00"`."""
Days = Annotated[str, AfterValidator(_days)]
"""Days of the calendar, first and last included."""


class Time(Strict):
    """The call must come at certain hours of certain days, and outside of a freeze.

    What counts is the clock when the call is proposed. Whoever approves it later decides about that moment too.

    Example:
        >>> bound = Time(days=["mon", "fri"], start="09:00", end="17:00", timezone="Europe/Zurich")
        >>> bound.at(dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)).text
        'it is sun 2026-11-22 13:00 in Europe/Zurich, and the bound allows mon, fri from 09:00 to 17:00'
    """

    kind: Literal["time"] = "time"
    days: Some[Day] = _WEEK
    """Days of the week."""
    start: TimeOfDay = "00:00"
    """When the hours begin, this minute included."""
    end: TimeOfDay = "24:00"
    """When they end, this minute excluded. An end before the start is on the next morning."""
    timezone: Zone = "UTC"
    """Whose clock."""
    freeze: Many[Days] = ()
    """Days on which nothing runs unasked, as `"2026-12-24/2027-01-02"`."""

    @model_validator(mode="after")
    def _limited(self) -> Self:
        if self.start == self.end:
            raise ValueError(f"start and end are both {self.start}; leave both away for the whole day")
        if not self.freeze and set(self.days) == set(_WEEK) and (self.start, self.end) == ("00:00", "24:00"):
            raise ValueError('say days = ["mon"], start = "09:00", end = "17:00" or freeze; else it bounds nothing')
        return self

    def check(self, call: Call, scene: Scene) -> Breach | None:  # noqa: ARG002  # all bounds are asked about a call
        """None inside the bound, else why not."""
        return self.at(scene.now)

    def at(self, now: dt.datetime) -> Breach | None:
        """None where this moment is inside the bound, else why not.

        Raises:
            ValueError: The datetime is naive, so that nobody can tell which moment it is.
        """
        here = local(now, self.timezone)
        for frozen, (first, last) in zip(self.freeze, self._frozen, strict=True) if self.freeze else ():
            if first <= here.date() <= last:
                return self._breach(here, f"nothing runs unasked in the freeze {frozen}")
        if self._open(here):
            return None
        until = f"{self.end} the next morning" if self.end < self.start else self.end
        return self._breach(here, f"the bound allows {', '.join(self.days)} from {self.start} to {until}")

    def _breach(self, here: dt.datetime, why: str) -> Breach:
        said = f"it is {_WEEK[here.weekday()]} {here:%Y-%m-%d %H:%M} in {self.timezone}, and"
        return Breach(self.kind, f"{said} {why}")

    def _open(self, here: dt.datetime) -> bool:
        """Whether the hours are on; those that go over midnight belong to the day on which they began."""
        minute, (start, end) = here.hour * 60 + here.minute, self._hours
        overnight = end < start
        since_yesterday = overnight and minute < end
        begun = _WEEK[(here.weekday() - since_yesterday) % 7]
        within = (minute >= start or since_yesterday) if overnight else start <= minute < end
        return within and begun in self.days

    @cached_property
    def _hours(self) -> tuple[int, int]:
        """Start and end in minutes of the day."""
        return _minutes(self.start), _minutes(self.end)

    @cached_property
    def _frozen(self) -> tuple[tuple[dt.date, dt.date], ...]:
        return tuple(map(_first_and_last, self.freeze))


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
