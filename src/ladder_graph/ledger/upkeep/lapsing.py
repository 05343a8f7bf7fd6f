"""Silence is a no, also where no task of a thread is there to notice it: questions past their time are closed."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import bindparam, literal_column, select

from ladder_graph.errors import AnswerRefused, UnknownQuestion
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.evidence import probes
from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables.rows import QuestionRow

_question = table_of(QuestionRow)
_unused = _question.c.state.in_([literal_column("'open'"), literal_column("'approved'")])
LATE = Sql.of(
    select(_question.c.action, _question.c.expires_us)
    .where(_unused)
    .where(_question.c.expires_us <= bindparam("now"), _question.c.agent == bindparam("agent"))
)
"""The actions of an agent whose question is past its time and that nobody has closed, with when that was."""
_OF = Sql.of(select(_question.c.id).where(_question.c.action == bindparam("action"), _unused))


def lapse(journal: Journal, cursor: Cursor, question: str, text: str | None = None) -> bool:
    """Close a question that nobody answered in time, as its thread does where it goes on: it reads the same no then.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        question: Its id.
        text: What its thread reads; None for that nobody answered in time.

    Returns:
        False where it isn't late, or somebody else has closed it.
    """
    with suppress(UnknownQuestion, AnswerRefused):
        found = acts.find_question(journal, cursor, question)
        # A probe belongs to no thread, so nobody is to go on with one.
        return journal.lapse(cursor, found, sleeps=probes.why(cursor, found.call.key) is None, text=text)
    return False


def lapse_of(journal: Journal, cursor: Cursor, action: str) -> None:
    """Close the question about an action, where it is late."""
    for row in cursor.execute(_OF, {"action": action}).fetchall():
        lapse(journal, cursor, row["id"])
