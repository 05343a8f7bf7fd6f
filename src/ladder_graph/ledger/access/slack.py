"""Which requests from Slack were taken before, by whichever process."""

from __future__ import annotations

from sqlalchemy import bindparam, delete

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.tables.rows import US
from ladder_graph.ledger.tables.visit_rows import SlackRequestRow

KEPT = 900 * US
"""Microseconds that a request is remembered: longer than Slack's signature is good, on either side of the present."""


_request = table_of(SlackRequestRow)
_REMEMBER = insert_into(SlackRequestRow, " ON CONFLICT DO NOTHING")
_FORGET = Sql.of(delete(_request).where(_request.c.at_us < bindparam("before")))


def first_time(cursor: Cursor, mark: str, now_us: int) -> bool:
    """Remember a request; False where it is remembered already."""
    cursor.execute(_FORGET, {"before": now_us - KEPT})
    cursor.execute(_REMEMBER, {"mark": mark, "at_us": now_us})
    return cursor.rowcount == 1
