"""What people are told of a report: no argument of any call, but where it is read, by when, and what happens else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from ladder_graph.policy.reporting import Event
from ladder_graph.wording import inert


@dataclass(frozen=True, slots=True)
class Told:
    """Everything about a report that a message may say."""

    digest: str
    """Its id."""
    agent: str
    channel: str
    title: str
    calls: int
    odd: int
    """How many of them stand out."""
    readers: Sequence[str]
    escalated_to: Sequence[str]
    due: dt.datetime
    timezone: str
    tools: Sequence[str]
    """Those that lose their rung where it isn't read."""
    console: str | None
    """Where the console is."""


def message(event: Event, told: Told) -> dict[str, Any]:
    """One message, as it is kept until it is sent.

    Args:
        event: What is told.
        told: Of which report.
    """
    link = link_to(told)
    lines = [_first(event, told), *_rest(event, told), link or f"`ladder report {told.digest[:12]}` shows it."]
    return {
        "event": event, "digest": told.digest, "agent": told.agent, "channel": told.channel, "calls": told.calls,
        "stands_out": told.odd, "readers": list(told.readers), "escalated_to": list(told.escalated_to),
        "read_by": told.due.isoformat(), "tools": list(told.tools), "link": link, "title": _title(event, told),
        "text": "\n".join(lines),
    }  # fmt: skip


def link_to(told: Told) -> str | None:
    """The report's page; None where nobody says where the console is."""
    return None if told.console is None else f"{told.console.rstrip('/')}/reports/{quote(told.digest)}"


def _title(event: Event, told: Told) -> str:
    what = {
        "filed": "report to read", "reminder": "report still unread", "escalation": "report unread, time runs out",
        "demoted": "report was not read in time",
    }[event]  # fmt: skip
    return f"{inert(told.title)}: {what}"


def _first(event: Event, told: Told) -> str:
    calls = f"{told.calls} call{'s' * (told.calls != 1)} ran without asking anyone"
    stand = f"{told.odd or 'none'} stand{'s' * (told.odd == 1)} out"
    if event == "filed":
        return f"{inert(told.title)}: {calls}; {stand}."
    return f"{inert(told.title)}: {calls}, and the report is not read."


def _rest(event: Event, told: Told) -> list[str]:
    by = _listed(told.readers)
    when = f"{told.due.astimezone(ZoneInfo(told.timezone)):%Y-%m-%d %H:%M} ({told.timezone})"
    tools = _listed(told.tools)
    if event == "demoted":
        lost = (
            f"{tools} went down one rung, from report to rollback, until somebody signs for them again."
            if tools
            else ""
        )
        return [f"It was to be read by {by} until {when}.", *([lost] if lost else [])]
    late = [f"Unread then, {tools} go{'es' * (len(told.tools) == 1)} down from report to rollback."] if tools else []
    told_too = [f"{_listed(told.escalated_to)} may read it too."] if event == "escalation" and told.escalated_to else []
    return [f"To be read by {by} until {when}.", *late, *told_too]


def _listed(names: Sequence[str]) -> str:
    shown = [inert(name) for name in names]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def title_of(agent: str, stream_digest: str, timezone: str, begins: dt.datetime, ends: dt.datetime) -> str:
    """What a report is called: the agent and the period on the readers' clocks.

    Example:
        >>> midnight = dt.datetime(2026, 11, 15, tzinfo=dt.UTC)
        >>> title_of("ops", "week", "UTC", midnight, midnight + dt.timedelta(days=7))
        'ops, 15 to 21 November 2026'
        >>> title_of("ops", "day", "UTC", midnight, midnight + dt.timedelta(days=1))
        'ops, 15 November 2026'
        >>> title_of("ops", "hour", "UTC", midnight, midnight + dt.timedelta(hours=1))
        'ops, 15 November 2026, 00:00 to 01:00'
    """
    zone = ZoneInfo(timezone)
    first, after = begins.astimezone(zone), ends.astimezone(zone)
    if begins == ends:
        return f"{agent}, {_day(first)} {first.year}, {first:%H:%M}"
    last = after - dt.timedelta(microseconds=1)
    if stream_digest in {"day", "week"} and first.time() == after.time() == dt.time():
        if first.date() == last.date():
            return f"{agent}, {_day(first)} {first.year}"
        start = f"{first.day}" if (first.year, first.month) == (last.year, last.month) else _day(first)
        return f"{agent}, {start} to {_day(last)} {last.year}"
    end = f"{after:%H:%M}" if first.date() == after.date() else f"{_day(after)}, {after:%H:%M}"
    return f"{agent}, {_day(first)} {first.year}, {first:%H:%M} to {end}"


def _day(at: dt.datetime) -> str:
    return f"{at.day} {_MONTHS[at.month - 1]}"


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
"""By ourselves, since the names of the system's depend on its locale."""
