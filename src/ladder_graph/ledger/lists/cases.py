"""One question with everything that has become of it, for whoever comes to it early or late."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from ladder_graph.facts import Question
from ladder_graph.ledger.actions import questions
from ladder_graph.ledger.actions.lifecycle import call_of
from ladder_graph.ledger.actions.questions import moment, question_of
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.evidence import probes
from ladder_graph.ledger.tables import rows
from ladder_graph.states import State

_question, _action = table_of(rows.QuestionRow), table_of(rows.ActionRow)
_BY_ID = Sql.of(select(_question).where(_question.c.id == bindparam("id")))
_LATEST = Sql.of(
    select(_question.c.id, _question.c.state)
    .where(_question.c.action == bindparam("action"))
    .order_by(_question.c.round.desc())
    .limit(1)
)
_SAME_CALL = Sql.of(
    select(_question.c.id, _question.c.state)
    .join(_action, _action.c.key == _question.c.action)
    .where(_action.c.thread == bindparam("thread"), _action.c.call_id == bindparam("call_id"))
    .where(_question.c.asked_us > bindparam("asked_us"))
    .order_by(_question.c.asked_us.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Case:
    """A question, its action, and what took its place."""

    question: Question
    state: str
    """The question's own: open, approved, declined, edited, responded, expired, or used."""
    became: State
    """Where its action is now."""
    text: str
    """The sentence that the model was given, if the action ended in one."""
    updated: dt.datetime
    """When the action last changed."""
    next: str = ""
    """The id of the question that was asked in its place; empty where none was."""
    probe: str = ""
    """What is wrong with it, where it was a probe that is answered."""

    @property
    def open(self) -> bool:
        """Whether an answer may still be written down for it; its time may be up."""
        return self.state == "open"


def case_of(cursor: Cursor, question: str) -> Case | None:
    """One question by its whole id; None where there is none.

    Args:
        cursor: Of one snapshot.
        question: The id.
    """
    row = cursor.execute(_BY_ID, {"id": question}).fetchone()
    action = None if row is None else cursor.execute(sql.ACTION, {"key": row["action"]}).fetchone()
    if action is None:
        return None
    asked = question_of(row, call_of(action), action["why"], questions.votes(cursor, row))
    wrong = None if row["state"] in {"open", "expired"} else probes.why(cursor, row["action"])
    return Case(
        asked, row["state"], State(action["state"]), action["text"], moment(action["updated_us"]),
        _instead(cursor, row, action), wrong or "",
    )  # fmt: skip


def _instead(cursor: Cursor, row: dict[str, object], action: dict[str, object]) -> str:
    """What was asked in the place of a question: after an edit, on other terms, or with other arguments."""
    for found in (
        cursor.execute(_LATEST, {"action": action["successor"] or row["action"]}).fetchone(),
        cursor.execute(_SAME_CALL, {
            "thread": action["thread"], "call_id": action["call_id"], "asked_us": row["asked_us"],
        }).fetchone(),
    ):  # fmt: skip
        # While a question is open, only one that is open too can be the one that counts.
        if found is not None and found["id"] != row["id"] and (row["state"] != "open" or found["state"] == "open"):
            return str(found["id"])
    return ""
