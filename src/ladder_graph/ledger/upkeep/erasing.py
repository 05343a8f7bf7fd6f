"""Erasing what entries say, with every chain intact: which payloads, and the columns that hold the same elsewhere.

An action is erased as a whole, once it is over. What stays of it is in `ledger/evidence/remnants.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    bindparam,
    delete,
    exists,
    literal_column,
    null,
    or_,
    select,
    update,
)

from ladder_graph.facts import Person
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.evidence.remnants import KIND, WHOLE, remnant, says_more
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables import draft_rows, report_rows, resumption_rows, rows, saga_rows, watch_rows
from ladder_graph.ledger.upkeep import lapsing, scopes
from ladder_graph.ledger.upkeep.portions import Found, Portion, Said
from ladder_graph.ledger.upkeep.spellings import Wanted, unpacked
from ladder_graph.reporting.habits import Habit
from ladder_graph.states import STEPS, State
from ladder_graph.unwinding import Phase

LOOSE = frozenset({"refused", "shadow", "shadowed", "unanswerable"})
"""Kinds of entries that hold a call's arguments and may be about no action of the ledger."""

ASKED = frozenset({State.ASKED, State.APPROVED})
"""States in which somebody may wait for an action as long as its question has time."""

LEFT = frozenset({State.UNDO_CONFLICT, State.UNDO_FAILED})
"""States that a person must look at, until somebody keeps what a failed undo left."""

OVER = frozenset({state for state, after in STEPS.items() if not after} | {State.SUGGESTED, State.DONE} | LEFT)
"""States in which nobody waits for an action any more, unless it is watched, or left as above."""

_action, _entry, _payload = (table_of(model) for model in (rows.ActionRow, rows.EntryRow, rows.PayloadRow))
_question, _vote = table_of(rows.QuestionRow), table_of(rows.VoteRow)
_draft, _watch = table_of(draft_rows.DraftRow), table_of(watch_rows.WatchRow)
_signal, _resumption = table_of(watch_rows.SignalRow), table_of(resumption_rows.ResumptionRow)
_measurement, _member = table_of(watch_rows.MeasurementRow), table_of(saga_rows.MemberRow)
_report, _digest = table_of(report_rows.ReportRow), table_of(report_rows.DigestRow)
_saga, _habit = table_of(saga_rows.SagaRow), table_of(report_rows.HabitRow)


def _words(*words: str) -> list[ColumnElement[str]]:
    return [literal_column(f"'{word}'") for word in words]


_NOTHING: ColumnElement[str] = literal_column("''")
_SAID = Sql.of(
    select(_entry.c.n, _entry.c.at_us, _entry.c.kind, _entry.c.action, _entry.c.payload, _payload.c.body)
    .join(_payload, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.stream == bindparam("stream"))
    .order_by(_entry.c.n)
)
_ACTIONS = Sql.of(
    select(*(_action.c[name] for name in ("key", "state", "updated_us", "text", "why", "reply", "artifact"))).where(
        _action.c.agent == bindparam("agent")
    )
)
_WATCHED = Sql.of(
    select(_watch.c.action).where(_watch.c.agent == bindparam("agent"), _watch.c.phase.in_(watch_rows.OPEN))
)
KEPT = exists().where(_watch.c.action == _action.c.key, _watch.c.phase == literal_column("'kept'"))
"""Whether somebody keeps what became of an action."""
_UNSETTLED = Sql.of(
    select(_action.c.key).where(
        _action.c.agent == bindparam("agent"), _action.c.state.in_(_words(*sorted(LEFT))), ~KEPT
    )
)
_UNREAD = Sql.of(
    select(_report.c.action)
    .join(_digest, _digest.c.id == _report.c.digest)
    .where(_report.c.agent == bindparam("agent"), _digest.c.state != literal_column("'read'"))
)
_SCOPED = Sql.of(
    select(_member.c.action)
    .join(_saga, or_(_saga.c.id == _member.c.saga, _saga.c.id == _member.c.root))
    .where(_saga.c.phase.not_in(_words(Phase.CLOSED, Phase.UNDONE)))
)
_STATE = Sql.of(select(_action.c.state).where(_action.c.key == bindparam("action")))
_FLAGS = Sql.of(select(_report.c.digest, _report.c.flags).where(_report.c.action == bindparam("action")))
_PUT_FLAGS = Sql.of(
    update(_report)
    .where(_report.c.digest == bindparam("b_digest"), _report.c.action == bindparam("b_action"))
    .values(flags=bindparam("flags"))
)
_HABITS = Sql.of(select(_habit.c.tool, _habit.c.body).where(_habit.c.agent == bindparam("agent")))
_PUT_HABIT = Sql.of(
    update(_habit)
    .where(_habit.c.agent == bindparam("b_agent"), _habit.c.tool == bindparam("b_tool"))
    .values(body=bindparam("body"))
)
_PEOPLE_SAID = Sql.of(
    select(_signal.c.key, _signal.c.action, _signal.c.body).where(_signal.c.action != literal_column("''"))
)
_PUT_SIGNAL = Sql.of(update(_signal).where(_signal.c.key == bindparam("b_key")).values(body=bindparam("body")))
_DRAFT = Sql.of(select(_draft.c.path).where(_draft.c.action == bindparam("action")))
_GONE = Sql.of(delete(_payload).where(_payload.c.hash == bindparam("b_hash")))
_of: BindParameter[str] = bindparam("b_action")
_EMPTIED = [
    Sql.of(
        update(_action)
        .where(_action.c.key == _of, _action.c.state.in_(_words(*sorted(OVER))))
        .values(text=_NOTHING, why=literal_column(f"'{KIND}'"), reply=null(), artifact=null())
    ),
    Sql.of(
        update(_vote)
        .where(_vote.c.question.in_(select(_question.c.id).where(_question.c.action == _of)))
        .values(reason=_NOTHING)
    ),
    Sql.of(update(_question).where(_question.c.action == _of).values(reason=_NOTHING)),
    Sql.of(update(_draft).where(_draft.c.action == _of).values(reason=_NOTHING)),
    Sql.of(update(_watch).where(_watch.c.action == _of).values(why=_NOTHING, after=null(), resource=_NOTHING)),
    Sql.of(update(_measurement).where(_measurement.c.action == _of).values(text=_NOTHING)),
    Sql.of(update(_member).where(_member.c.action == _of).values(text=_NOTHING)),
    Sql.of(update(_resumption).where(_resumption.c.action == _of).values(problem=_NOTHING)),
]  # fmt: skip
"""Where else a call's arguments, its result or words about it may stand."""


def find(connection: Any, streams: Sequence[str], wanted: Wanted, now_us: int) -> Found:
    """Look for what is to be erased. Nothing is changed.

    Args:
        connection: As `Store.scan` gives it.
        streams: In whose chains.
        wanted: What is to be erased.
        now_us: The present. A question past its time is over, though nobody has closed it yet.
    """
    entries: list[Said] = []
    actions: list[str] = []
    bare: list[tuple[str, str]] = []
    waiting: list[str] = []
    staying: list[tuple[str, int, str]] = []
    for stream in streams:
        over, named = _rows(connection, stream, wanted, now_us)
        if wanted.names:
            for said, body in _bodies(connection, stream):
                if said.kind in WHOLE:
                    if said.kind != KIND and wanted.said(body):
                        staying.append((stream, said.n, said.kind))
                elif said.action and wanted.said(body):
                    named.add(said.action)
        chosen = {key for key in named if over.get(key, False)}
        actions += sorted(chosen)
        waiting += sorted(key for key in named if over.get(key) is False)
        saying = set()
        for said, body in _bodies(connection, stream):
            if not says_more(said.kind, body):
                continue
            if said.action in chosen or (said.action not in over and _loose(said, body, wanted)):
                entries.append(said)
                saying.add(said.action)
        bare += [(stream, key) for key in sorted(chosen - saying)]
    said_of_scopes, open_scopes = scopes.find(connection, streams, wanted, frozenset(actions))
    return Found(
        (*entries, *said_of_scopes), tuple(actions), tuple(bare), tuple(waiting), tuple(open_scopes), tuple(staying)
    )


def _loose(said: Said, body: Mapping[str, Any], wanted: Wanted) -> bool:
    return said.kind in LOOSE and wanted.old(said.at_us) and wanted.said(body)


def _bodies(connection: Any, stream: str) -> Iterator[tuple[Said, dict[str, Any]]]:
    for n, at_us, kind, action, payload, body in connection.execute(_SAID, {"stream": stream}):
        found = json.loads(body)
        yield Said(stream, n, kind, action, payload, at_us, remnant(found)), found


def _rows(
    connection: Any, agent: str, wanted: Wanted, now_us: int
) -> tuple[dict[str, bool | None], set[str]]:  # fmt: skip
    """Each action, with whether it is over, or None where it isn't old enough; and those whose rows name the person.

    Without a person that is all of them, but for those that were erased before.
    """
    busy = {key for sql in (_WATCHED, _UNSETTLED, _UNREAD) for (key,) in connection.execute(sql, {"agent": agent})}
    busy |= {key for (key,) in connection.execute(_SCOPED, {})}
    late = dict(tuple(row) for row in connection.execute(lapsing.LATE, {"agent": agent, "now": now_us}))
    over: dict[str, bool | None] = {}
    named: set[str] = set()
    for key, state, updated_us, text, why, reply, artifact in connection.execute(_ACTIONS, {"agent": agent}):
        is_over, since_us = state in OVER, updated_us
        if state in ASKED and key in late:
            is_over, since_us = True, max(updated_us, late[key])
        over[key] = is_over and key not in busy if wanted.old(since_us) else None
        gone = why == KIND and not (text or reply or artifact)
        if over[key] is not None and not gone and wanted.named(text, why, reply, unpacked(artifact)):
            named.add(key)
    return over, named


def files_of(cursor: Cursor, portion: Portion) -> list[str]:
    """The files of drafts that are to be deleted, before their rows are emptied."""
    rows_of = (cursor.execute(_DRAFT, {"action": action}).fetchone() for action in portion.actions)
    return [str(row[0]) for row in rows_of if row is not None and row[0]]


def erase(journal: Journal, cursor: Cursor, portion: Portion, by: Person, reason: str) -> None:
    """Erase one portion, with the entry that says so.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        portion: What is to be erased.
        by: Whose erasure it is.
        reason: Why.
    """
    for action in portion.actions:
        lapsing.lapse_of(journal, cursor, action)
    going_on = {action for action in portion.actions if not _is_over(cursor, action)}
    portion = portion.without(going_on)
    if not (portion.entries or portion.actions):
        return
    journal.append(cursor, portion.stream, KIND, "", {
        "payloads": [one.payload for one in portion.entries],
        "kept": {one.payload: dict(one.kept) for one in portion.entries},
        "actions": len(portion.actions), "by": by.name, "auth": by.auth, "reason": reason,
    })  # fmt: skip
    for one in portion.entries:
        cursor.execute(_GONE, {"b_hash": one.payload})
    for action in portion.actions:
        for sql in _EMPTIED:
            cursor.execute(sql, {"b_action": action})
        _unname(cursor, action)
    if portion.actions:
        _unsay(cursor, frozenset(portion.actions))
    scopes.empty(cursor, portion.entries)
    _digest_names(cursor, portion.stream)


def _is_over(cursor: Cursor, action: str) -> bool:
    """Whether an action is still over: since it was found, somebody may have gone on with it."""
    row = cursor.execute(_STATE, {"action": action}).fetchone()
    return row is None or row["state"] in OVER


def _unname(cursor: Cursor, action: str) -> None:
    """Take the words out of the flags of an action: they name arguments, and a key of a table may name somebody."""
    for row in cursor.execute(_FLAGS, {"action": action}).fetchall():
        codes = json.dumps([[code, ""] for code, _ in json.loads(row["flags"] or "[]")])
        if row["flags"]:
            cursor.execute(_PUT_FLAGS, {"b_digest": row["digest"], "b_action": action, "flags": codes})


def _unsay(cursor: Cursor, actions: frozenset[str]) -> None:
    """Take the reasons out of what people said of these actions. Only a few days' signals are kept, so all are read."""
    for row in cursor.execute(_PEOPLE_SAID, {}).fetchall():
        if row["action"] in actions and (body := json.loads(row["body"])).get("reason"):
            text = json.dumps({**body, "reason": ""}, sort_keys=True)
            cursor.execute(_PUT_SIGNAL, {"b_key": row["key"], "body": text})


def _digest_names(cursor: Cursor, agent: str) -> None:
    """Keep of the names in an agent's habits what is kept today, where an earlier release kept all."""
    for row in cursor.execute(_HABITS, {"agent": agent}).fetchall():
        if (text := Habit.read(row["body"]).text) != row["body"]:
            cursor.execute(_PUT_HABIT, {"b_agent": agent, "b_tool": row["tool"], "body": text})
