"""Which requests from Slack were taken before, by whichever process."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, bindparam, delete
from sqlmodel import Field, SQLModel

from ladder_graph.ledger.cursor import Cursor
from ladder_graph.ledger.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.rows import US

KEPT = 900 * US
"""Microseconds that a request is remembered: longer than Slack's signature is good, on either side of the present."""


class SlackRequestRow(SQLModel, table=True):
    """A signed request that was taken, so that it isn't taken twice by whichever process."""

    __tablename__ = "slack_request"
    __table_args__ = (Index("slack_request_at", "at_us"),)

    mark: str = Field(primary_key=True)
    """SHA-256 of its signature."""
    at_us: int = Field(sa_type=BigInteger)
    """When."""


_request = table_of(SlackRequestRow)
_REMEMBER = insert_into(SlackRequestRow, " ON CONFLICT DO NOTHING")
_FORGET = Sql.of(delete(_request).where(_request.c.at_us < bindparam("before")))


def first_time(cursor: Cursor, mark: str, now_us: int) -> bool:
    """Remember a request; False where it is remembered already."""
    cursor.execute(_FORGET, {"before": now_us - KEPT})
    cursor.execute(_REMEMBER, {"mark": mark, "at_us": now_us})
    return cursor.rowcount == 1
