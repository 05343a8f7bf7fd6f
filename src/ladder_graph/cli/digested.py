"""The JSON of reports on what ran unasked. As in `ladder_graph.cli.documents`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, TypedDict

from ladder_graph.cli.aftermath import moment
from ladder_graph.cli.documents import ActionDocument, action

if TYPE_CHECKING:
    from ladder_graph.ledger import Digest, Item, Report


class ReportDocument(ActionDocument):
    """Something done unasked that is to be read: `ladder reports --json`."""

    report: str
    """The report that it is in."""
    channel: str
    about: str
    """period, or mess where it waits to be seen to by itself."""
    reader: str
    filed_at: str
    due_at: str
    overdue: bool
    read_at: str | None
    said: str | None
    """What was said of it itself; null where it isn't among what the report shows."""
    by: str
    """Who has read the report."""


class CountsDocument(TypedDict):
    """What a period comes to."""

    calls: int
    failed: int
    undone: int
    new_targets: int


class FlagDocument(TypedDict):
    """Why an action stands out."""

    code: str
    text: str


class ItemDocument(ActionDocument):
    """One action that a report shows."""

    flags: list[FlagDocument]
    """Empty where it was picked at random."""
    said: str | None
    """fine, look or undo; null before."""
    by: str
    said_at: str | None
    not_undone: str
    """Why the undo that somebody wanted isn't to be had; empty otherwise."""


class StakeDocument(TypedDict):
    """A cell that goes down where the report isn't read in time."""

    tool: str
    scope: str


class DigestDocument(TypedDict):
    """A report: `ladder report --json`."""

    report: str
    agent: str
    channel: str
    about: str
    """period, or mess where one action waits by itself."""
    title: str
    report_state: str
    """gathering, unread or read."""
    begins: str
    ends: str
    timezone: str
    calls: int
    counts: CountsDocument | None
    """null before it was made."""
    before: CountsDocument | None
    """The same for the period before."""
    shows: int
    given: int
    """How many verdicts were given."""
    hash: str
    due_at: str
    overdue: bool
    readers: list[str]
    escalate_to: list[str]
    lapsed_at: str | None
    read_at: str | None
    by: str
    note: str
    at_stake: list[StakeDocument]
    fell: list[StakeDocument]
    items: list[ItemDocument]
    """What it shows; empty in a list of reports."""


def report(of: Report, now: dt.datetime) -> ReportDocument:
    """A report as JSON."""
    return {
        **action(of.action), "report": of.digest, "channel": of.channel, "about": of.about, "reader": of.reader,
        "filed_at": moment(of.filed), "due_at": moment(of.due),
        "overdue": of.overdue(now), "read_at": None if of.read is None else moment(of.read),
        "said": of.verdict, "by": of.by,
    }  # fmt: skip


def digest(of: Digest, now: dt.datetime, *, items: bool = False) -> DigestDocument:
    """A report as JSON."""
    return {
        "report": of.id, "agent": of.agent, "channel": of.channel, "about": of.about, "title": of.title,
        "report_state": of.state, "begins": moment(of.begins), "ends": moment(of.ends), "timezone": of.timezone,
        "calls": of.calls, "counts": _counts(of.counts), "before": _counts(of.before), "shows": of.shows,
        "given": of.given, "hash": of.hash, "due_at": moment(of.due), "overdue": of.late(now),
        "readers": list(of.readers), "escalate_to": list(of.escalate_to), "lapsed_at": _maybe(of.lapsed),
        "read_at": _maybe(of.read), "by": of.by, "note": of.note,
        "at_stake": [{"tool": tool, "scope": scope} for tool, scope in of.stakes],
        "fell": [{"tool": tool, "scope": scope} for tool, scope in of.fell],
        "items": list(map(item, of.items)) if items else [],
    }  # fmt: skip


def item(of: Item) -> ItemDocument:
    """One action that a report shows as JSON."""
    return {
        **action(of.action), "flags": [{"code": flag.code, "text": flag.text} for flag in of.flags],
        "said": of.verdict, "by": of.by, "said_at": _maybe(of.said), "not_undone": of.came,
    }  # fmt: skip


def _counts(of: object) -> CountsDocument | None:
    from dataclasses import asdict

    from ladder_graph.reporting.composing import Counts

    if not isinstance(of, Counts):
        return None
    found = asdict(of)
    return {
        "calls": found["calls"], "failed": found["failed"], "undone": found["undone"],
        "new_targets": found["new_targets"],
    }  # fmt: skip


def _maybe(at: dt.datetime | None) -> str | None:
    return None if at is None else moment(at)
