"""Filing what was done unasked, with the claim of the action: into the digest that is open for its stream.

The deadline is known from then on. It stands in `awaited`, one row for each cell of a digest that isn't read, where the
gate looks it up before the next call of that cell.
"""

from __future__ import annotations

import json
import secrets
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.calls import Call
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.actions.lifecycle import Actions
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.tables import report_rows
from ladder_graph.ledger.tables.rows import US
from ladder_graph.policy import Policy
from ladder_graph.policy.reporting import Stream
from ladder_graph.reporting.periods import Period, period_at
from ladder_graph.trust.cells import CellKey

_digest, _report, _awaited = (
    table_of(model) for model in (report_rows.DigestRow, report_rows.ReportRow, report_rows.AwaitedRow)
)

_open: ColumnElement[bool] = and_(
    _digest.c.agent == bindparam("b_agent"),
    _digest.c.channel == bindparam("b_channel"),
    _digest.c.state == literal_column("'gathering'"),
)
COUNT_IN = Sql.of(
    update(_digest)
    .where(_open, _digest.c.ends_us > bindparam("now"))
    .where(
        or_(
            _digest.c.boot != bindparam("b_boot"),
            _digest.c.opened_boot_us + _digest.c.ends_us - _digest.c.opened_us > bindparam("boot_now"),
        )
    )
    .values(calls=_digest.c.calls + 1)
    .returning(*_digest.columns)
)
"""One more action in the digest that is open; no row where there is none, or its period is over by either clock."""
CLOSE = Sql.of(update(_digest).where(_open).values(state=literal_column("'closed'")))
CLOSE_EARLY = Sql.of(
    update(_digest)
    .where(_digest.c.id == bindparam("b_id"))
    .values(
        state=literal_column("'closed'"),
        **{name: bindparam(name) for name in ("ends_us", "due_us", "next_us", "next_boot_us")},
    )
)
SOONER = Sql.of(
    update(_awaited)
    .where(_awaited.c.digest == bindparam("b_id"))
    .values(due_us=bindparam("due_us"), due_boot_us=bindparam("due_boot_us"))
)
OPEN = insert_into(report_rows.DigestRow, " ON CONFLICT DO NOTHING")
"""Somebody else may have opened it at the same moment."""
FILE = insert_into(report_rows.ReportRow, " ON CONFLICT DO NOTHING")
_await = insert(_awaited).values({column.name: bindparam(column.name) for column in _awaited.columns})
AWAIT = Sql.of(_await, " ON CONFLICT DO NOTHING")
FILED = Sql.of(
    select(_digest.c.id, _digest.c.due_us, _digest.c.about, _digest.c.state)
    .join(_report, _report.c.digest == _digest.c.id)
    .where(_report.c.action == bindparam("action"))
)
_of_cell = (
    select(_awaited.c.digest)
    .where(_awaited.c.agent == bindparam("agent"), _awaited.c.tool == bindparam("tool"))
    .where(_awaited.c.scope == bindparam("scope"), _awaited.c.env == bindparam("env"))
)
LATE = Sql.of(_of_cell.where(_awaited.c.due_us <= bindparam("now")))
LATE_BY_BOOT = Sql.of(
    _of_cell.where(_awaited.c.boot == bindparam("boot"), _awaited.c.due_boot_us <= bindparam("boot_now"))
)

ROOM = 3
"""How often it is tried to count an action in; each time another process has closed or opened a digest meanwhile."""


class Filing(NamedTuple):
    """Where reports on a tool go."""

    channel: str
    """The stream's name; empty for that of all other tools."""
    stream: Stream
    """How it is read."""

    @property
    def sla_us(self) -> int:
        """The time that its readers have, in microseconds."""
        return round(self.stream.sla * US)


def filing_of(policy: Policy, tool: str) -> Filing | None:
    """Where reports on a tool go; None where nobody is named to read them."""
    found = policy.stream_of(policy.rule(tool))
    return None if found is None else Filing(*found)


def opened(row: Any) -> Moment:
    """When the first action of a digest was claimed, on both clocks."""
    return Moment(row["opened_us"], row["boot"], row["opened_boot_us"])


def on_its_axis(row: Any, here: Moment) -> int:
    """The present moment as a digest counts it: since it was opened, by whichever clock says more.

    Args:
        row: The digest's.
        here: The moment.

    Returns:
        Microseconds since the epoch; its deadlines are on the same axis.
    """
    begun = opened(row)
    return begun.wall_us + here.since(begun)[1]


def file(journal: Actions, cursor: Cursor, call: Call, filing: Filing, *, again: bool = False) -> tuple[str, int]:
    """File an action of rung 5, in the transaction of its claim.

    Args:
        journal: The moment.
        cursor: In a transaction.
        call: The action's.
        filing: Where reports on its tool go.
        again: The ledger knew the action before; then it may be filed already, and is counted once.

    Returns:
        The digest's id, and by when it must be read, in microseconds since the epoch.
    """
    for known in cursor.execute(FILED, {"action": call.key}).fetchall() if again else ():
        if known["about"] == "period":
            return str(known["id"]), int(known["due_us"])
    here = Moment.at(journal.now)
    row = _counted_in(journal, cursor, call.agent, filing, here)
    _file(cursor, row["id"], call.agent, call.key, journal.us)
    due = _closed_early(cursor, row, filing, here)
    cursor.execute(AWAIT, {
        "digest": row["id"], "agent": call.agent, "tool": call.tool, "scope": journal.scope_of(call),
        "env": call.env or "", "due_us": due, "boot": row["boot"], "due_boot_us": _by_boot(row, due),
    })  # fmt: skip
    return str(row["id"]), due


def page(journal: Actions, cursor: Cursor, agent: str, action: str, filing: Filing | None) -> None:
    """File a report on one action that a person must see to, unless one waits to be read already.

    Args:
        journal: The moment.
        cursor: In a transaction.
        agent: Who acted.
        action: The action's key.
        filing: Where reports on its tool go; nobody is paged where nobody is named.
    """
    known = cursor.execute(FILED, {"action": action}).fetchall()
    if filing is None or any(row["about"] == "mess" and row["state"] != "read" for row in known):
        return
    row = _row(agent, filing, Period(journal.now, journal.now), Moment.at(journal.now), about="mess")
    cursor.execute(OPEN, row)
    _file(cursor, row["id"], agent, action, journal.us)


def late(cursor: Cursor, cell: CellKey, here: Moment) -> list[str]:
    """The digests that a cell acted in and that weren't read in time, by either clock."""
    asked = cell._asdict()
    by_wall = cursor.execute(LATE, {**asked, "now": here.wall_us}).fetchall()
    by_boot = cursor.execute(LATE_BY_BOOT, {**asked, "boot": here.boot, "boot_now": here.boot_us}).fetchall()
    return list(dict.fromkeys(str(row["digest"]) for row in (*by_wall, *by_boot)))


def _counted_in(journal: Actions, cursor: Cursor, agent: str, filing: Filing, here: Moment) -> Any:
    """The digest that an action belongs to, which knows of it by now."""
    single = filing.stream.digest == "action"
    stream = {"b_agent": agent, "b_channel": filing.channel}
    clocks = {"now": here.wall_us, "b_boot": here.boot, "boot_now": here.boot_us}
    for _ in range(ROOM):
        if not single and (found := cursor.execute(COUNT_IN, {**stream, **clocks}).fetchone()) is not None:
            return found
        cursor.execute(CLOSE, stream)
        row = _row(agent, filing, period_at(filing.stream, journal.now), here, about="period")
        cursor.execute(OPEN, row)
        if cursor.rowcount == 1:
            return row
    raise RuntimeError(f"no digest of {agent} could be opened in {ROOM} attempts")


def _row(agent: str, filing: Filing, period: Period, here: Moment, *, about: str) -> dict[str, Any]:
    begins, ends = micros(period.begins), micros(period.ends)
    row: dict[str, Any] = dict.fromkeys(column.name for column in _digest.columns)
    row |= {
        "id": secrets.token_hex(16), "agent": agent, "channel": filing.channel, "about": about, "calls": 1,
        "state": "closed" if begins == ends else "gathering", "readers": json.dumps(filing.stream.reader),
        "begins_us": begins, "ends_us": ends, "due_us": ends + filing.sla_us, "sla_us": filing.sla_us,
        "opened_us": here.wall_us, "boot": here.boot, "opened_boot_us": here.boot_us, "body": "", "hash": "",
        "fell": "", "by": "", "note": "",
    }  # fmt: skip
    return row | {"next_us": ends, "next_boot_us": _by_boot(row, ends)}


def _by_boot(row: Any, moment_us: int) -> int:
    """A moment on a digest's axis, by the clock that nobody sets."""
    return int(row["opened_boot_us"] + moment_us - row["opened_us"])


def _file(cursor: Cursor, digest: str, agent: str, action: str, now_us: int) -> None:
    cursor.execute(FILE, {
        "digest": digest, "action": action, "agent": agent, "filed_us": now_us, "place": None, "flags": "",
        "verdict": "", "by": "", "said_us": None, "came": "",
    })  # fmt: skip


def _closed_early(cursor: Cursor, row: Any, filing: Filing, here: Moment) -> int:
    """By when a digest must be read; one that holds as many actions as it may ends with this one."""
    due, after = int(row["due_us"]), filing.stream.after
    if after is None or row["calls"] < after or row["state"] != "gathering":
        return due
    ends = on_its_axis(row, here)
    due = min(due, ends + int(row["sla_us"]))
    new = {"b_id": row["id"], "ends_us": ends, "due_us": due, "next_us": ends, "next_boot_us": _by_boot(row, ends)}
    cursor.execute(CLOSE_EARLY, new)
    cursor.execute(SOONER, {"b_id": row["id"], "due_us": due, "due_boot_us": _by_boot(row, due)})
    return due
