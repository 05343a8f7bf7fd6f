"""Actions that were started and that no window watches: whether their process is gone must be looked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import BigInteger, bindparam, literal_column, select, tuple_

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.tables import rows, watch_rows

KIND = "left_behind"
"""The entry which says that a person was told of one. There is one for each action at most."""
PORTION = 200
"""Rows that are read at one go."""

_action, _entry, _watch = (table_of(one) for one in (rows.ActionRow, rows.EntryRow, watch_rows.WatchRow))
_at = tuple_(_action.c.updated_us, _action.c.key)
STARTED = Sql.of(
    select(_action.c.key, _action.c.state, _action.c.owner, _action.c.fence, _action.c.updated_us)
    .where(_action.c.agent == bindparam("agent"), _action.c.state == literal_column("'started'"))
    .where(_at > tuple_(bindparam("us", type_=BigInteger), bindparam("key")))
    .where(~select(literal_column("1")).where(_watch.c.action == _action.c.key).exists())
    .order_by(_action.c.updated_us, _action.c.key)
    .limit(PORTION)
)
SAID = Sql.of(
    select(literal_column("1"))
    .where(_entry.c.action == bindparam("action"), _entry.c.kind == literal_column(f"'{KIND}'"))
    .limit(1)
)


def started(cursor: Cursor, agent: str) -> Iterator[Any]:
    """What was started for an agent and has no window, the oldest in front: key, state, owner and fence of each.

    Args:
        cursor: Of one snapshot.
        agent: Whose.
    """
    given: dict[str, Any] = {"agent": agent, "us": -1, "key": ""}
    while True:
        found = cursor.execute(STARTED, given).fetchall()
        yield from found
        if len(found) < PORTION:
            return
        given |= {"us": found[-1]["updated_us"], "key": found[-1]["key"]}


def said(cursor: Cursor, action: str) -> bool:
    """Whether a person was told of an action already.

    Args:
        cursor: In a transaction, so that nobody tells it beside this one.
        action: Its whole key.
    """
    return cursor.execute(SAID, {"action": action}).fetchone() is not None
