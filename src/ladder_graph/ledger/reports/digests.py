"""Digests: made once their period is over, read by verdicts, and lapsed where nobody has read them in time.

A digest is made by whoever comes first: a sweep, a watcher, or somebody who looks. What it shows is fixed then, and
stands in the chain with the seed of its sample, so that nobody draws it again.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.calls import Call
from ladder_graph.facts import Person
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.actions.lifecycle import call_of
from ladder_graph.ledger.actions.questions import moment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.gate import acts, standings
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.people import filing, outgoing
from ladder_graph.ledger.tables import report_rows, rows, standing_rows, watch_rows
from ladder_graph.policy import Policy
from ladder_graph.policy.reporting import Event, Stream
from ladder_graph.reporting.composing import Composed, compose, hash_of
from ladder_graph.reporting.deadlines import GRACE, Steps, steps
from ladder_graph.reporting.flags import Act
from ladder_graph.reporting.habits import Habit
from ladder_graph.reporting.messages import Told, message, title_of
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.demotion import Demotion, after_unread
from ladder_graph.trust.held import nearest

_digest, _report, _awaited, _habit = (
    table_of(model)
    for model in (report_rows.DigestRow, report_rows.ReportRow, report_rows.AwaitedRow, report_rows.HabitRow)
)
_action, _payload, _entry = (table_of(model) for model in (rows.ActionRow, rows.PayloadRow, rows.EntryRow))
_footing, _watch = table_of(standing_rows.FootingRow), table_of(watch_rows.WatchRow)
_this = _report.c.digest == bindparam("digest")

ONE = Sql.of(select(_digest).where(_digest.c.id == bindparam("id")))
NEXT = Sql.of(
    select(_digest.c.id)
    .where(
        or_(
            _digest.c.next_us <= bindparam("now"),
            (_digest.c.boot == bindparam("boot")) & (_digest.c.next_boot_us <= bindparam("boot_now")),
        )
    )
    .order_by(_digest.c.next_us)
    .limit(200)
)
"""What something is to be done about, by either clock."""
ACTS = Sql.of(
    select(_action, _payload.c.body)
    .join(_report, _report.c.action == _action.c.key)
    .outerjoin(_payload, _payload.c.hash == _action.c.payload)
    .where(_this)
    .order_by(_action.c.at_us, _action.c.key)
)
RUNNING = Sql.of(
    select(literal_column("1"))
    .select_from(_action.join(_report, _report.c.action == _action.c.key))
    .where(_this, _action.c.state.in_([literal_column(f"'{state}'") for state in ("started", "undoing")]))
    .limit(1)
)
KINDS = ("incident", "overrun", "left_behind", "left_standing")
"""The entries about an action for which it stands out."""
SAID = Sql.of(
    select(_entry.c.action, _entry.c.kind)
    .join(_report, _report.c.action == _entry.c.action)
    .where(_this, _entry.c.kind.in_([literal_column(f"'{kind}'") for kind in KINDS]))
)
HELD = Sql.of(
    select(_watch.c.action)
    .join(_report, _report.c.action == _watch.c.action)
    .where(_this, _watch.c.phase == literal_column("'held'"))
)
OUTWARD = Sql.of(select(_footing.c.tool, _footing.c.outward).where(_footing.c.agent == bindparam("agent")))
HABITS = Sql.of(select(_habit.c.tool, _habit.c.body).where(_habit.c.agent == bindparam("agent")))
_put_habit = insert(_habit).values({column.name: bindparam(column.name) for column in _habit.columns})
PUT_HABIT = Sql.of(
    _put_habit.on_conflict_do_update(index_elements=["agent", "tool"], set_={"body": _put_habit.excluded.body})
)
BEFORE = Sql.of(
    select(_digest.c.body)
    .where(_digest.c.agent == bindparam("agent"), _digest.c.channel == bindparam("channel"))
    .where(_digest.c.ends_us <= bindparam("begins"), _digest.c.about == literal_column("'period'"))
    .where(_digest.c.id != bindparam("id"), _digest.c.made_us.is_not(None))
    .order_by(_digest.c.ends_us.desc())
    .limit(1)
)
MADE = Sql.of(
    update(_digest)
    .where(_digest.c.id == bindparam("b_id"), _digest.c.made_us.is_(None))
    .values({name: bindparam(name) for name in ("state", "made_us", "body", "hash", "readers")})
)
SHOW = Sql.of(
    update(_report)
    .where(_report.c.digest == bindparam("b_digest"), _report.c.action == bindparam("b_action"))
    .values(place=bindparam("place"), flags=bindparam("flags"))
)
CELLS = Sql.of(select(_awaited).where(_awaited.c.digest == bindparam("digest")).order_by(_awaited.c.tool))
AWAIT_NO_MORE = Sql.of(delete(_awaited).where(_awaited.c.digest == bindparam("digest")))
NEXT_STEP = Sql.of(
    update(_digest)
    .where(_digest.c.id == bindparam("b_id"))
    .values(next_us=bindparam("next_us"), next_boot_us=bindparam("next_boot_us"))
)


def _once(column: str) -> Sql:
    """Mark a step as done, by the one process that comes first; nothing of it is done for a digest that is read."""
    return Sql.of(
        update(_digest)
        .where(_digest.c.id == bindparam("b_id"), _digest.c[column].is_(None), _digest.c.read_us.is_(None))
        .values({column: bindparam("now")})
    )


FELL = Sql.of(update(_digest).where(_digest.c.id == bindparam("b_id")).values(fell=bindparam("fell")))
REMINDED, ESCALATED, LAPSED = (_once(name) for name in ("reminded_us", "escalated_us", "lapsed_us"))


def row_of(cursor: Cursor, digest: str) -> Any:
    """The row of a digest, by its whole id; None where there is none."""
    return cursor.execute(ONE, {"id": digest}).fetchone()


def stream_of(policy: Policy, row: Any) -> Stream:
    """How a digest is read: as the policy says now, or as it said where it knows the stream no more."""
    found = policy.reports.stream(row["channel"])
    return found if found is not None and found.reader else Stream(reader=tuple(json.loads(row["readers"])))


def due(cursor: Cursor, now: dt.datetime) -> list[str]:
    """The digests that something is to be done about, by either clock; two hundred at most.

    Args:
        cursor: Of the ledger.
        now: Aware.
    """
    here = Moment.at(now)
    asked = {"now": here.wall_us, "boot": here.boot, "boot_now": here.boot_us}
    return [str(row["id"]) for row in cursor.execute(NEXT, asked).fetchall()]


def advance(journal: Journal, cursor: Cursor, policy: Policy, digest: str) -> list[tuple[CellKey, Demotion]]:
    """Do all that is due about one digest: make it, remind, escalate, let it lapse. A second time changes nothing.

    Args:
        journal: The moment.
        cursor: In a transaction.
        policy: In force.
        digest: Its id.

    Returns:
        What was put down.
    """
    row, done = row_of(cursor, digest), list[tuple[CellKey, Demotion]]()
    if row is None or row["read_us"] is not None:
        return done
    now = filing.on_its_axis(row, Moment.at(journal.now))
    due_now = steps_of(policy, row).due(now)
    for step in due_now:
        if step in {"remind", "escalate"} and "lapse" in due_now:
            continue  # It is too late for that, and what it has cost is told.
        match step:
            case "make":
                _make(journal, cursor, policy, row, now)
            case "remind":
                _tell_once(journal, cursor, policy, row, REMINDED, "reminder")
            case "escalate":
                _tell_once(journal, cursor, policy, row, ESCALATED, "escalation")
            case "lapse":
                done += lapse(journal, cursor, policy, row)
    _plan(cursor, policy, row_of(cursor, digest))
    return done


def steps_of(policy: Policy, row: Any) -> Steps:
    """When each step about a digest is due, on its axis."""
    stream = stream_of(policy, row)
    return steps(
        row["ends_us"], row["sla_us"], row["due_us"], made=row["made_us"] is not None,
        reminded=row["reminded_us"] is not None, escalated=row["escalated_us"] is not None,
        lapsed=row["lapsed_us"] is not None, escalate=stream.escalate if stream.escalate_to else None,
    )  # fmt: skip


def _plan(cursor: Cursor, policy: Policy, row: Any) -> None:
    """Write down when something is to be done about it next."""
    following = None if row["read_us"] is not None else steps_of(policy, row).next
    by_boot = None if following is None else row["opened_boot_us"] + following - row["opened_us"]
    if row["state"] == "gathering" and following is not None:
        return  # It is open, and its end may still come closer.
    cursor.execute(NEXT_STEP, {"b_id": row["id"], "next_us": following, "next_boot_us": by_boot})


# --- making ----------------------------------------------------------------------------------------------------------


def _make(journal: Journal, cursor: Cursor, policy: Policy, row: Any, now: int) -> None:
    """Choose what it shows, once; actions that still run are waited for a little."""
    if now < row["ends_us"] + GRACE and cursor.execute(RUNNING, {"digest": row["id"]}).fetchone() is not None:
        return
    stream, seed = stream_of(policy, row), secrets.token_hex(16)
    composed = _composed(cursor, policy, row, stream, seed)
    body = {"counts": asdict(composed.counts), "before": _before(cursor, row), "seed": seed}
    shown = [[one.action, [flag.code for flag in one.flags]] for one in composed.shown]
    span = {name: row[name] for name in ("agent", "channel", "about", "begins_us", "ends_us", "due_us")}
    said = hash_of(id=row["id"], shown=[[one.action, list(one.flags)] for one in composed.shown], **body, **span)
    cursor.execute(MADE, {
        "b_id": row["id"], "state": "unread", "made_us": journal.us, "body": json.dumps(body), "hash": said,
        "readers": json.dumps(stream.reader),
    })  # fmt: skip
    if cursor.rowcount != 1:
        return
    for place, one in enumerate(composed.shown):
        flags = json.dumps([list(flag) for flag in one.flags]) if one.flags else ""
        cursor.execute(SHOW, {"b_digest": row["id"], "b_action": one.action, "place": place, "flags": flags})
    for tool, habit in composed.habits.items() if row["about"] == "period" else ():
        cursor.execute(PUT_HABIT, {"agent": row["agent"], "tool": tool, "body": habit.text})
    journal.append(
        cursor, row["agent"], "digest", "", {"digest": row["id"], "hash": said, "shown": shown, **body, **span}
    )
    tell(journal, cursor, policy, row_of(cursor, row["id"]), "filed")


def _composed(
    cursor: Cursor, policy: Policy, row: Any, stream: Stream, seed: str
) -> Composed:  # fmt: skip
    outward = cursor.execute(OUTWARD, {"agent": row["agent"]}).fetchall()
    habits = cursor.execute(HABITS, {"agent": row["agent"]}).fetchall()
    return compose(
        _acts(cursor, row, ZoneInfo(stream.timezone)), policy.rule,
        {one["tool"]: frozenset(json.loads(one["outward"])) for one in outward},
        {one["tool"]: Habit.read(one["body"]) for one in habits}, seed=seed, sample=stream.sample,
    )  # fmt: skip


def _acts(cursor: Cursor, row: Any, zone: ZoneInfo) -> Iterator[Act]:
    """The actions of a digest, with what else is on record about each."""
    said: dict[str, set[str]] = {}
    for one in cursor.execute(SAID, {"digest": row["id"]}).fetchall():
        said.setdefault(one["action"], set()).add(one["kind"])
    for one in cursor.execute(HELD, {"digest": row["id"]}).fetchall():
        said.setdefault(one["action"], set()).add("held")
    sampled: dict[str, dict[CellKey, Any]] = {}
    for one in cursor.execute(ACTS, {"digest": row["id"]}).fetchall():
        tool = one["tool"]
        held = sampled.setdefault(tool, standings.of_tool(cursor, row["agent"], tool))
        cell = CellKey(row["agent"], tool, one["scope"], one["env"] or "")
        codes = said.get(one["key"], set()) | (
            {"suspected"} if nearest(held, cell).sampled_us > one["at_us"] else set()
        )
        at = moment(one["at_us"]).astimezone(zone)
        yield Act(one["key"], tool, call_of(one).arguments, State(one["state"]), at, frozenset(codes))


def _before(cursor: Cursor, row: Any) -> dict[str, int] | None:
    """The counts of the period before; None where there was none."""
    asked = {"agent": row["agent"], "channel": row["channel"], "begins": row["begins_us"], "id": row["id"]}
    found = cursor.execute(BEFORE, asked).fetchone()
    return None if found is None else dict(json.loads(found["body"])["counts"])


# --- telling and lapsing ---------------------------------------------------------------------------------------------


def told(cursor: Cursor, policy: Policy, row: Any) -> Told:
    """What a message may say of a digest."""
    stream = stream_of(policy, row)
    shown = cursor.execute(_ODD, {"digest": row["id"]}).fetchone()[0]
    return Told(
        row["id"], row["agent"], row["channel"], title(policy, row), row["calls"], shown, stream.reader,
        stream.escalate_to, moment(row["due_us"]), stream.timezone,
        list(dict.fromkeys(str(one["tool"]) for one in cells(cursor, row["id"]))), policy.console.url,
    )  # fmt: skip


_ODD = Sql.of(
    select(literal_column("count(*)")).select_from(_report).where(_this, _report.c.flags != literal_column("''"))
)


def title(policy: Policy, row: Any) -> str:
    """What a digest is called."""
    stream = stream_of(policy, row)
    named = f"{row['agent']} ({row['channel']})" if row["channel"] else str(row["agent"])
    return title_of(named, stream.digest, stream.timezone, moment(row["begins_us"]), moment(row["ends_us"]))


def cells(cursor: Cursor, digest: str) -> list[Any]:
    """The cells that lose their rung where a digest isn't read in time; none once they have, or it is read."""
    return list(cursor.execute(CELLS, {"digest": digest}).fetchall())


def tell(
    journal: Journal, cursor: Cursor, policy: Policy, row: Any, event: Event, lost: Sequence[str] | None = None
) -> None:  # fmt: skip
    """Write down that people are to be told of a digest, and which tools it has cost their rung."""
    stream = stream_of(policy, row)
    targets = [target for target in stream.notify if event in target.on]
    if targets:
        said = told(cursor, policy, row)
        body = message(event, said if lost is None else replace(said, tools=list(lost)))
        outgoing.queue(
            cursor, journal.us, kind=event, agent=row["agent"], subject=row["id"], channel=outlet(row["channel"]),
            targets=targets, body=body,
        )  # fmt: skip


def outlet(channel: str) -> str:
    """What a stream of reports is called among all that people are told by."""
    return f"reports/{channel}" if channel else "reports"


def _tell_once(journal: Journal, cursor: Cursor, policy: Policy, row: Any, mark: Sql, event: Event) -> None:
    cursor.execute(mark, {"b_id": row["id"], "now": journal.us})
    if cursor.rowcount == 1:
        tell(journal, cursor, policy, row, event)
        stream = stream_of(policy, row)
        whom = stream.reader if event == "reminder" else stream.escalate_to
        journal.append(cursor, row["agent"], "reminded", "", {"digest": row["id"], "event": event, "told": list(whom)})


def lapse(journal: Journal, cursor: Cursor, policy: Policy, row: Any) -> list[tuple[CellKey, Demotion]]:
    """It wasn't read in time: every cell that acted in it goes down from report to rollback, once.

    Args:
        journal: The moment.
        cursor: In a transaction.
        policy: In force.
        row: The digest's.

    Returns:
        What was put down.
    """
    cursor.execute(LAPSED, {"b_id": row["id"], "now": journal.us})
    if cursor.rowcount != 1:
        return []
    now = filing.on_its_axis(row, Moment.at(journal.now))
    down = after_unread(f"{row['id'][:12]} ({title(policy, row)})", (now - row["ends_us"]) / rows.US)
    acted = [CellKey(one["agent"], one["tool"], one["scope"], one["env"]) for one in cells(cursor, row["id"])]
    fell = [cell for cell in acted if _falls(journal, cursor, cell, down, row["id"])]
    journal.append(cursor, row["agent"], "lapsed", "", {
        "digest": row["id"], "due_us": row["due_us"], "unread_us": now - row["ends_us"], "text": down.reason,
        "cells": [[cell.tool, cell.scope, cell.env] for cell in fell],
    })  # fmt: skip
    cursor.execute(FELL, {"b_id": row["id"], "fell": json.dumps(sorted({(one.tool, one.scope) for one in fell}))})
    cursor.execute(AWAIT_NO_MORE, {"digest": row["id"]})
    tools = list(dict.fromkeys(cell.tool for cell in fell))
    tell(journal, cursor, policy, row, "demoted", tools)
    return [(cell, down) for cell in fell]


def _falls(journal: Journal, cursor: Cursor, cell: CellKey, down: Demotion, digest: str) -> bool:
    """Put a cell down, unless something else holds it as low already."""
    held = nearest(standings.of_tool(cursor, cell.agent, cell.tool), cell)
    if held.cap is not None and held.cap <= Rung.ROLLBACK:
        return False
    return acts.demote(journal, cursor, cell, down, digest=digest) is not None


def mute(cursor: Cursor, filed: filing.Filing | None, now_us: int) -> str:
    """Why nobody hears of reports that are filed so; empty where people do."""
    return "" if filed is None else outgoing.mute(cursor, outlet(filed.channel), now_us) or ""


def lapse_late(journal: Journal, cursor: Cursor, policy: Policy, call: Call) -> list[tuple[CellKey, Demotion]]:
    """Let each digest lapse that the cell of a call acted in and that wasn't read in time: no sweep has come by."""
    cell = CellKey(call.agent, call.tool, journal.scope_of(call), call.env or "")
    found = filing.late(cursor, cell, Moment.at(journal.now))
    return [one for digest in found for one in advance(journal, cursor, policy, digest)]


def readers_of(policy: Policy, row: Any) -> set[str]:
    """The names of those who may read a digest: its readers, and those who are told when they are late."""
    stream = stream_of(policy, row)
    return policy.able((*stream.reader, *stream.escalate_to))


def signed(by: Person) -> dict[str, str]:
    """Who, for an entry."""
    return {"by": by.name, "auth": by.auth}
