"""Questions as rows: reading one, closing one, and what exactly was asked."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from ladder_graph.calls import Call, digest_of
from ladder_graph.ledger import statements as sql
from ladder_graph.ledger.cursor import Cursor
from ladder_graph.ledger.rows import US
from ladder_graph.policy import Rule
from ladder_graph.steps import Decision, Person, Question


def micros(moment: dt.datetime) -> int:
    """An aware datetime in microseconds since the epoch."""
    return int(moment.timestamp()) * US + moment.microsecond


def moment(us: int) -> dt.datetime:
    """Microseconds since the epoch as an aware datetime in UTC."""
    return dt.datetime.fromtimestamp(us // US, tz=dt.UTC).replace(microsecond=us % US)


def question_digest(call: Call, rule: Rule) -> str:
    """What a person is asked: this call, and the rule it would run under. An edit of another rule voids nothing."""
    return digest_of("question", call.key, call.digest, rule.revision)


def question_of(row: Mapping[str, Any], call: Call, why: str) -> Question:
    """A question from its row."""
    decision = None
    if row["state"] in {"approved", "declined", "used"}:
        verdict: Any = "decline" if row["state"] == "declined" else "approve"
        decision = Decision(verdict, Person(row["by"], row["auth"]), moment(row["answered_us"]), row["reason"])
    return Question(
        id=row["id"], digest=row["digest"], call=call, asked_at=moment(row["asked_us"]),
        expires_at=moment(row["expires_us"]), reasons=why, impact=row["impact"],
        may_answer=tuple(json.loads(row["may_answer"])), typed=row["typed"], decision=decision,
        expired=row["state"] == "expired",
    )  # fmt: skip


def latest(cursor: Cursor, call: Call) -> Question | None:
    """The latest question about an action that wasn't consumed, or None."""
    row = cursor.execute(sql.QUESTION_OF, {"action": call.key}).fetchone()
    return None if row is None else question_of(dict(row), call, row["why"])


def declined(cursor: Cursor, call: Call) -> Decision | None:
    """A person's no to the same tool and arguments in the same thread, under whatever id."""
    row = cursor.execute(sql.DECLINED_LIKE, {"thread": call.thread, "digest": call.digest}).fetchone()
    if row is None:
        return None
    return Decision("decline", Person(row["by"], row["auth"]), moment(row["answered_us"]), row["reason"])


def close(cursor: Cursor, question: str, before: str, after: str, decision: Decision | None = None) -> bool:
    """Move a question from one state to another; False where it isn't in the first any more."""
    cursor.execute(sql.MOVE_QUESTION, {
        "b_id": question, "b_state": before, "state": after,
        "by": decision.by.name if decision else "", "auth": decision.by.auth if decision else "",
        "reason": decision.reason if decision else "",
        "answered_us": micros(decision.at) if decision else None,
    })  # fmt: skip
    return cursor.rowcount == 1
