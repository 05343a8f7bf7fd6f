"""Trying whether a ledger can be written: by a row that reaches the disk, and is taken away again."""

from __future__ import annotations

import secrets

from sqlalchemy import bindparam, delete, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.ledger.database.cursor import Cursor, remote
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.database.store import Store
from ladder_graph.ledger.tables.resumption_rows import ResumerRow

SIZE = 96 * 1024
"""Bytes that are written. A call takes a few pages; where these find room, the next calls do too."""
NAME = "a trial"
"""Whose row it is. That is no process's lock, so what a crash leaves of it is buried with the dead workers."""

_row = table_of(ResumerRow)
_put = insert(_row).values({column.name: bindparam(column.name) for column in _row.columns})
_PUT = Sql.of(_put.on_conflict_do_update(index_elements=["owner", "agent"], set_={"how": _put.excluded["how"]}))
_TAKE_AWAY = Sql.of(delete(_row).where(_row.c.owner == bindparam("owner")))
_MAY = Sql.on_a_server(select(func.has_table_privilege(literal_column("'entry'"), literal_column("'INSERT'"))))


def may_write(store: Store) -> bool:
    """Whether this process's role has the right to; in a file, who has no right to write can't open it either."""
    return store.glance(lambda cursor: remote(cursor) is None or bool(cursor.execute(_MAY, {}).fetchone()[0]))


def write(store: Store) -> None:
    """Write a row that is no entry, wait until it is on the disk, and take it away again.

    Raises:
        LedgerUnwritable: It can't be written; the message says why.
    """
    # It must not be made smaller on its way, as a server does with what repeats itself.
    padding = secrets.token_urlsafe(SIZE * 3 // 4)

    def put(cursor: Cursor) -> None:
        cursor.execute(_PUT, {"owner": NAME, "agent": "", "name": "", "how": padding, "beat_us": 0})

    store.write(put)
    store.write(lambda cursor: cursor.execute(_TAKE_AWAY, {"owner": NAME}))
