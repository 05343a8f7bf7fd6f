"""What was taken down of a call when it was asked about: it stands in the entry of its question, and goes with it.

The entry's payload is hashed into the chain, written in the question's own transaction, and can be erased. What was
changed since isn't shown to anybody.
"""

from __future__ import annotations

import json
from dataclasses import replace

from sqlalchemy import ColumnElement, bindparam, literal_column, select

from ladder_graph.facts import Question
from ladder_graph.ledger.database.cursor import Cursor, Read
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.proof.chain import payload_hash
from ladder_graph.ledger.tables import rows
from ladder_graph.telling import Telling

_entry, _payload = table_of(rows.EntryRow), table_of(rows.PayloadRow)
_OF = Sql.of(
    select(_entry.c.payload, _payload.c.salt, _payload.c.body)
    .join(_payload, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.action == bindparam("action"), _entry.c.kind == literal_column("'question'"))
    .order_by(_entry.c.n.desc())
)
_ANSWERS: list[ColumnElement[str]] = [
    literal_column(f"'{kind}'") for kind in ("approved", "declined", "edited", "responded")
]
_ANSWERED = Sql.of(
    select(_payload.c.body)
    .join(_entry, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.action == bindparam("action"), _entry.c.kind.in_(_ANSWERS))
    .order_by(_entry.c.n.desc())
    .limit(1)
)


def told_of(cursor: Cursor, action: str, question: str) -> Telling | None:
    """What was taken down with one question about an action; None where nothing was, or it was erased or changed.

    Args:
        cursor: For reading.
        action: The action's key.
        question: The question's id.
    """
    for row in cursor.execute(_OF, {"action": action}).fetchall():
        body = json.loads(row["body"])
        if body.get("question") == question:
            genuine = payload_hash(bytes(row["salt"]), row["body"]) == row["payload"]
            return Telling.read(body.get("told")) if genuine else None
    return None


def answering(action: str) -> Read:
    """The query that `attended` makes, to be asked ahead."""
    return _ANSWERED, {"action": action}


def attended(cursor: Cursor, question: Question) -> Question:
    """A question with how long its answer was looked at, where it has one and that was measured.

    Args:
        cursor: For reading.
        question: The question.
    """
    if question.decision is None or question.decision.looked is not None:
        return question
    found = cursor.execute(*answering(question.call.key)).fetchone()
    body = {} if found is None else json.loads(found["body"])
    looked = body.get("looked")
    if body.get("question") != question.id or not isinstance(looked, int | float):
        return question
    return replace(question, decision=replace(question.decision, looked=float(looked)))


def trace_of(cursor: Cursor, question: Question) -> str:
    """The span that asked a question, as a W3C `traceparent`; empty where none is known.

    Args:
        cursor: For reading.
        question: The question.
    """
    told = told_of(cursor, question.call.key, question.id)
    return told.trace if told is not None and isinstance(told.trace, str) else ""
