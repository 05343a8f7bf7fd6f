"""What is to be sent to Slack, written with its question, and which requests from there were taken before."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, bindparam, delete, select, update
from sqlmodel import Field, SQLModel

from ladder_graph.ledger.cursor import Cursor
from ladder_graph.ledger.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.rows import US

KEPT = 900 * US
"""Microseconds that a request is remembered: longer than Slack's signature is good, on either side of the present."""
HAND = 60 * US
"""Microseconds that whoever sends a message has it in hand."""
PORTION = 20


class SlackRequestRow(SQLModel, table=True):
    """A signed request that was taken, so that it isn't taken twice by whichever process."""

    __tablename__ = "slack_request"
    __table_args__ = (Index("slack_request_at", "at_us"),)

    mark: str = Field(primary_key=True)
    """SHA-256 of its signature."""
    at_us: int = Field(sa_type=BigInteger)
    """When."""


class SlackNoticeRow(SQLModel, table=True):
    """A question that is to be sent to Slack; gone once it was."""

    __tablename__ = "slack_notice"
    __table_args__ = (Index("slack_notice_due", "due_us"),)

    question: str = Field(primary_key=True)
    """The question's id."""
    due_us: int = Field(sa_type=BigInteger)
    """When it is to be sent, or tried again."""
    tries: int = 0
    """How often it was taken in hand."""


_request, _notice = table_of(SlackRequestRow), table_of(SlackNoticeRow)
_REMEMBER = insert_into(SlackRequestRow, " ON CONFLICT DO NOTHING")
_FORGET = Sql.of(delete(_request).where(_request.c.at_us < bindparam("before")))
_PUT = insert_into(SlackNoticeRow, " ON CONFLICT DO NOTHING")
_DUE = Sql.of(select(_notice).where(_notice.c.due_us <= bindparam("now")).order_by(_notice.c.due_us).limit(PORTION))
_MOVE = Sql.of(
    update(_notice)
    .where(_notice.c.question == bindparam("b_question"))
    .values(due_us=bindparam("due_us"), tries=_notice.c.tries + 1)
)
_DONE = Sql.of(delete(_notice).where(_notice.c.question == bindparam("question")))


def first_time(cursor: Cursor, mark: str, now_us: int) -> bool:
    """Remember a request; False where it is remembered already."""
    cursor.execute(_FORGET, {"before": now_us - KEPT})
    cursor.execute(_REMEMBER, {"mark": mark, "at_us": now_us})
    return cursor.rowcount == 1


def put(cursor: Cursor, question: str, now_us: int) -> None:
    """A question is to be sent; in the transaction that asks it."""
    cursor.execute(_PUT, {"question": question, "due_us": now_us, "tries": 0})


def due(cursor: Cursor, now_us: int) -> bool:
    """Whether anything is to be sent."""
    return cursor.execute(_DUE, {"now": now_us}).fetchone() is not None


def take(cursor: Cursor, now_us: int) -> list[tuple[str, int]]:
    """Take what is due in hand: questions by their ids, with how often each was taken before."""
    found = [(row["question"], row["tries"]) for row in cursor.execute(_DUE, {"now": now_us}).fetchall()]
    for question, _ in found:
        cursor.execute(_MOVE, {"b_question": question, "due_us": now_us + HAND})
    return found


def put_off(cursor: Cursor, question: str, due_us: int) -> None:
    """It could not be sent now."""
    cursor.execute(_MOVE, {"b_question": question, "due_us": due_us})


def done(cursor: Cursor, question: str) -> None:
    """It was sent, or needn't be any more."""
    cursor.execute(_DONE, {"question": question})


def later(tries: int) -> int:
    """Microseconds until the next try."""
    return US * min(600, 5 << min(tries, 10))
