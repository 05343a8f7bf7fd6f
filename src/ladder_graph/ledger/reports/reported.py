"""What people look at of reports: the stream of what was filed, digests in pages, one digest whole."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlmodel import Session, col, select

from ladder_graph.ledger.actions.questions import micros, moment
from ladder_graph.ledger.lists.pages import Sees, anybody
from ladder_graph.ledger.lists.reading import Action, Reading, action_of
from ladder_graph.ledger.tables.report_rows import AwaitedRow, DigestRow, ReportRow
from ladder_graph.ledger.tables.rows import ActionRow, PayloadRow
from ladder_graph.policy import Policy
from ladder_graph.policy.reporting import Stream
from ladder_graph.reporting.composing import Counts
from ladder_graph.reporting.flags import Flag
from ladder_graph.reporting.messages import title_of

Saying = Literal["fine", "look", "undo"]
"""What a reader says of an action: it is fine, somebody must look into it, it is to be undone."""
Place = Literal["gathering", "unread", "read"]
"""Its period isn't over; it waits for verdicts; every verdict was given."""


@dataclass(frozen=True, slots=True)
class Report:
    """One action on the stream of what was done unasked, or that left a mess."""

    action: Action
    digest: str
    """The digest that it is in."""
    channel: str
    """The stream; empty for that of all other tools."""
    about: Literal["period", "mess"]
    """`mess` where it waits to be seen to by itself."""
    reader: str
    """Who must read it."""
    filed: dt.datetime
    due: dt.datetime
    read: dt.datetime | None
    """When the digest was read; None before."""
    verdict: Saying | None
    """What was said of it itself; None where it isn't among what the digest shows."""
    by: str
    """Who has read the digest."""

    def overdue(self, now: dt.datetime) -> bool:
        """Whether nobody read it in time."""
        return self.read is None and now >= self.due


@dataclass(frozen=True, slots=True)
class Item:
    """One action that a digest shows."""

    action: Action
    flags: tuple[Flag, ...]
    """Why it stands out, what matters most in front; empty where it was picked at random."""
    verdict: Saying | None
    """What was said of it; None before."""
    by: str
    said: dt.datetime | None
    came: str
    """Why the undo that somebody wanted isn't to be had; empty otherwise."""

    @property
    def picked(self) -> bool:
        """Whether it was picked at random."""
        return not self.flags


@dataclass(frozen=True, slots=True)
class Digest:
    """A report on one period of one stream, as the console shows it."""

    id: str
    agent: str
    channel: str
    about: Literal["period", "mess"]
    title: str
    """The agent and the period, in words."""
    state: Place
    begins: dt.datetime
    ends: dt.datetime
    timezone: str
    """Whose clocks its period is on."""
    made: dt.datetime | None
    calls: int
    counts: Counts | None
    """None before it was made."""
    before: Counts | None
    """The same for the period before; None where there was none."""
    shows: int
    """How many actions it shows, each of which needs a verdict."""
    given: int
    """How many of these verdicts were given."""
    hash: str
    """What verdicts are bound to; empty before it was made."""
    due: dt.datetime
    """By when it must be read."""
    readers: tuple[str, ...]
    escalate_to: tuple[str, ...]
    """Who is told when it is late, and may read it too."""
    reminded: dt.datetime | None
    escalated: dt.datetime | None
    lapsed: dt.datetime | None
    """When it cost its tools their rung."""
    read: dt.datetime | None
    by: str
    """Who gave verdicts, with commas."""
    note: str
    looked: float | None
    """Seconds for which it was open, where that was measured."""
    stakes: tuple[tuple[str, str], ...] = ()
    """Tool and scope of each cell that goes down from report to rollback where it isn't read in time."""
    fell: tuple[tuple[str, str], ...] = ()
    """Those that did, since it wasn't."""
    items: tuple[Item, ...] = ()
    """What it shows, where the digest was asked for by its id."""

    def late(self, now: dt.datetime) -> bool:
        """Whether its time is over, or was when it was read."""
        return (now if self.read is None else self.read) >= self.due


class Reported:
    """Queries about reports over one ledger. As `Reading`."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._store = reading.store

    def stream(
        self, agent: str, *, unread: bool, limit: int | None = None, before: dt.datetime | None = None
    ) -> list[Report]:  # fmt: skip
        """What was filed of an agent and of those inside it, oldest first; the latest `limit` of it."""
        agents = self._reading.agents(agent)

        def work(session: Session) -> list[Report]:
            query = (
                select(ReportRow, DigestRow, ActionRow, PayloadRow)
                .join(DigestRow, col(DigestRow.id) == ReportRow.digest)
                .join(ActionRow, col(ActionRow.key) == ReportRow.action)
                .join(PayloadRow, col(PayloadRow.hash) == ActionRow.payload, isouter=True)
                .where(col(ReportRow.agent).in_(agents))
                .order_by(col(ReportRow.filed_us).desc(), col(ReportRow.action).desc())
                .limit(limit)
            )
            if unread:
                query = query.where(DigestRow.state != "read")
            if before is not None:
                query = query.where(ReportRow.filed_us < micros(before))
            return [_report(*found) for found in session.exec(query)][::-1]

        return self._store.query(work)

    def of_action(self, action: str) -> Report | None:
        """The report on one action, an unread one before others, and one about a mess before a digest."""

        def work(session: Session) -> Report | None:
            query = (
                select(ReportRow, DigestRow, ActionRow, PayloadRow)
                .join(DigestRow, col(DigestRow.id) == ReportRow.digest)
                .join(ActionRow, col(ActionRow.key) == ReportRow.action)
                .join(PayloadRow, col(PayloadRow.hash) == ActionRow.payload, isouter=True)
                .where(ReportRow.action == action)
            )
            found = [_report(*row) for row in session.exec(query)]
            return min(found, key=lambda one: (one.read is not None, one.about != "mess"), default=None)

        return self._store.query(work)

    def listed(
        self, agent: str, policy: Policy, *, state: Place | None = None, limit: int = 50, before: Digest | None = None,
        sees: Sees = anybody,
    ) -> list[Digest]:  # fmt: skip
        """A page of digests, what ended last in front, without what each shows.

        Args:
            agent: Whose, with those inside it.
            policy: In force.
            state: Only those in this state.
            limit: How many at most.
            before: The last one of the page before.
            sees: Tells of each agent whether its digests are listed.
        """
        agents = [name for name in self._reading.agents(agent) if sees(name)]

        def work(session: Session) -> list[Digest]:
            ends, key = col(DigestRow.ends_us), col(DigestRow.id)
            query = select(DigestRow).where(col(DigestRow.agent).in_(agents))
            if state is not None:
                query = query.where(col(DigestRow.state).in_(_STATES[state]))
            if before is not None:
                last = micros(before.ends)
                query = query.where((ends < last) | ((ends == last) & (key < before.id)))
            found = session.exec(query.order_by(ends.desc(), key.desc()).limit(limit)).all()
            return [_digest(session, row, policy) for row in found]

        return self._store.query(work)

    def whole(self, digest: str, policy: Policy) -> Digest | None:
        """One digest with all that it shows, by its id or the beginning of it; None where there isn't exactly one.

        Args:
            digest: The id.
            policy: In force.
        """

        def work(session: Session) -> Digest | None:
            if not digest.isalnum():
                return None
            query = select(DigestRow).where(col(DigestRow.id).startswith(digest)).limit(2)
            found = session.exec(query).all()
            return _digest(session, found[0], policy, items=True) if len(found) == 1 else None

        return self._store.query(work)


_STATES: dict[Place, tuple[str, ...]] = {"gathering": ("gathering",), "unread": ("closed", "unread"), "read": ("read",)}


def _when(us: int | None) -> dt.datetime | None:
    return None if us is None else moment(us)


def _report(report: ReportRow, digest: DigestRow, action: ActionRow, payload: PayloadRow | None) -> Report:
    verdict: Any = report.verdict or None
    about: Any = digest.about
    return Report(
        action_of(action, payload), digest.id, digest.channel, about, ", ".join(json.loads(digest.readers)),
        moment(report.filed_us), moment(digest.due_us), _when(digest.read_us), verdict, digest.by,
    )  # fmt: skip


def _items(session: Session, digest: str) -> Sequence[Item]:
    query = (
        select(ReportRow, ActionRow, PayloadRow)
        .join(ActionRow, col(ActionRow.key) == ReportRow.action)
        .join(PayloadRow, col(PayloadRow.hash) == ActionRow.payload, isouter=True)
        .where(ReportRow.digest == digest, col(ReportRow.place).is_not(None))
        .order_by(col(ReportRow.place))
    )
    return [_item(*found) for found in session.exec(query)]


def _item(report: ReportRow, action: ActionRow, payload: PayloadRow | None) -> Item:
    flags = tuple(Flag(code, text or code.replace("_", " ")) for code, text in json.loads(report.flags or "[]"))
    verdict: Any = report.verdict or None
    return Item(action_of(action, payload), flags, verdict, report.by, _when(report.said_us), report.came)


def _digest(session: Session, row: DigestRow, policy: Policy, *, items: bool = False) -> Digest:
    found = policy.reports.stream(row.channel)
    stream = found if found is not None and found.reader else Stream(reader=tuple(json.loads(row.readers)))
    said: dict[str, Any] = json.loads(row.body) if row.body else {}
    given = session.exec(
        select(ReportRow.verdict).where(ReportRow.digest == row.id, col(ReportRow.place).is_not(None))
    ).all()
    stakes = session.exec(select(AwaitedRow.tool, AwaitedRow.scope).where(AwaitedRow.digest == row.id)).all()
    named, about, state = f"{row.agent} ({row.channel})" if row.channel else row.agent, row.about, row.state
    place: Any = "unread" if state == "closed" else state
    kind: Any = about
    begins, ends = moment(row.begins_us), moment(row.ends_us)
    return Digest(
        id=row.id, agent=row.agent, channel=row.channel, about=kind, state=place, begins=begins, ends=ends,
        title=title_of(named, stream.digest, stream.timezone, begins, ends), timezone=stream.timezone,
        made=_when(row.made_us), calls=row.calls, counts=Counts(**said["counts"]) if said else None,
        before=Counts(**said["before"]) if said and said["before"] else None, shows=len(given),
        given=sum(map(bool, given)), hash=row.hash, due=moment(row.due_us), readers=stream.reader,
        escalate_to=stream.escalate_to, reminded=_when(row.reminded_us), escalated=_when(row.escalated_us),
        lapsed=_when(row.lapsed_us), read=_when(row.read_us), by=row.by, note=row.note, looked=row.looked,
        stakes=tuple(sorted({(tool, scope) for tool, scope in stakes})),
        fell=tuple((tool, scope) for tool, scope in json.loads(row.fell or "[]")),
        items=tuple(_items(session, row.id)) if items else (),
    )  # fmt: skip
