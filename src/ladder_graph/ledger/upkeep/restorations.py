"""Copies of the ledger that were put back: what happened after the copy was made isn't in it, and that is said.

Until somebody has gone through it, tools ask. What waited or was allowed in the copy may have been settled since, so
questions are past their time, approvals are void, accepted drafts wait again, and what was under way or was being
watched is left to a person.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select, update

from ladder_graph.facts import Person
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.people import drafts
from ladder_graph.ledger.tables import checkpoint_rows, rows, watch_rows
from ladder_graph.ledger.upkeep import lapsing
from ladder_graph.ledger.watching import watches
from ladder_graph.states import AT_WORK, State
from ladder_graph.steps import Record

_row, _question = table_of(checkpoint_rows.RestorationRow), table_of(rows.QuestionRow)
_action, _watch = table_of(rows.ActionRow), table_of(watch_rows.WatchRow)


def _words(*words: str) -> list[Any]:
    return [literal_column(f"'{word}'") for word in words]


_INSERT = insert_into(checkpoint_rows.RestorationRow)
_OPEN = Sql.of(select(_row).where(_row.c.acknowledged_us.is_(None)).order_by(_row.c.at_us))
_ACKNOWLEDGE = Sql.of(update(_row).where(_row.c.acknowledged_us.is_(None)).values(acknowledged_us=bindparam("now")))
_NEWEST = Sql.of(select(func.max(_action.c.updated_us).label("newest")))
_EXPIRE = Sql.of(
    update(_question)
    .where(_question.c.state.in_(_words("open", "approved")), _question.c.expires_us > bindparam("b_now"))
    .values(expires_us=bindparam("b_now"))
    .returning(_question.c.id, _question.c.tool)
)
_UNDER_WAY = Sql.of(
    select(_action.c.key, _action.c.fence)
    .where(_action.c.state.in_(_words(*sorted(AT_WORK), "paused")))
    .order_by(_action.c.updated_us)
)
_WATCHED = Sql.of(select(_watch.c.action).where(_watch.c.phase.in_(_words("armed", "open", "undo"))))


@dataclass(frozen=True, slots=True)
class Restoration:
    """A copy that was put back, and that nobody has gone through yet."""

    at_us: int
    """When that was done, or found, in microseconds since the epoch."""
    copied_us: int
    """When the last action that it knows of changed."""
    text: str
    """What was put back, or how it was found."""


def unacknowledged(cursor: Cursor) -> Restoration | None:
    """The first one that nobody has acknowledged; None where there is none."""
    row: Mapping[str, Any] | None = cursor.execute(_OPEN, {}).fetchone()
    return None if row is None else Restoration(row["at_us"], row["copied_us"], row["text"])


def mark(journal: Journal, cursor: Cursor, stream: str, text: str, by: Person) -> Restoration:
    """Write down that this ledger is a copy that was put back.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        stream: The agent in whose chain it is written.
        text: What was put back, or how that was found.
        by: Who did it, or who found it.
    """
    newest = cursor.execute(_NEWEST, {}).fetchone()["newest"] or 0
    cursor.execute(_INSERT, {
        "id": secrets.token_hex(8), "at_us": journal.us, "copied_us": newest, "text": text, "acknowledged_us": None,
    })  # fmt: skip
    for question, tool in [tuple(row) for row in cursor.execute(_EXPIRE, {"b_now": journal.us}).fetchall()]:
        lapsing.lapse(journal, cursor, question, _void(tool))
    drafts.take_back(journal, cursor, WHY_UNRUN)
    for key, fence in [tuple(row) for row in cursor.execute(_UNDER_WAY, {}).fetchall()]:
        if not journal.owner.runs(key, fence):
            _leave(journal, cursor, key)
    for (action,) in [tuple(row) for row in cursor.execute(_WATCHED, {}).fetchall()]:
        window = watches.window_of(cursor, action)
        if window is not None and watches.over(cursor, window, "held", WHY_HELD):
            journal.append(cursor, window.agent, "watched", action, {"phase": "held", "text": WHY_HELD})
    body = {"text": text, "copied_us": newest, "by": by.name, "auth": by.auth}
    journal.append(cursor, stream, "restored", "", body)
    return Restoration(journal.us, newest, text)


def _void(tool: str) -> str:
    """What an agent reads of a question that was open in the copy, or whose approval wasn't used."""
    return (
        f"NOT RUN: the ledger was put back from a copy, so that what was asked or said about {tool} is void. This may "
        f"have been done already; a person must find out first. Do not ask again now."
    )


def _leave(journal: Journal, cursor: Cursor, key: str) -> None:
    """Leave an action that was under way in the copy to a person; what only reads may start over.

    Another process may hold the lock of its owner and have long ended it, since the copy doesn't know of that.
    """
    known = journal.known(cursor, key)
    if known is None or (journal.policy is not None and journal.policy.rule(known.call.tool).read_only):
        return
    call = known.call
    undone = known.state is State.UNDOING
    text = (
        f"{call.tool} was {'being undone' if undone else 'under way'} in a copy of the ledger that was put back, and "
        f"nobody knows what became of it. Do not call it again for this; a person will find out (action {call.short})."
    )
    if undone:
        journal.record(cursor, Record(call, known.fence, State.UNDO_FAILED, text=text), None)
        return
    journal.move(cursor, call, State.UNKNOWN, body={"text": text}, text=text)


WHY_UNRUN = "It was accepted, and the ledger was put back from a copy since, so it may have been done already."
"""Why an accepted draft doesn't run."""
WHY_HELD = "the ledger was put back from a copy, and what was measured since isn't in it"
"""Why a person must keep or undo what was being watched."""


def acknowledge(journal: Journal, cursor: Cursor, stream: str, by: Person, reason: str) -> bool:
    """Somebody has gone through what is missing; whether there was anything to acknowledge."""
    cursor.execute(_ACKNOWLEDGE, {"now": journal.us})
    if not cursor.rowcount:
        return False
    body = {"by": by.name, "auth": by.auth, "reason": reason}
    journal.append(cursor, stream, "acknowledged_restore", "", body)
    return True
