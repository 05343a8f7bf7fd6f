"""Which actions are the part and the rest of a call that goes by a part first.

The arguments of both stand in an entry beside the call's claim, so that they can be erased as its own can; a row holds
their keys.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import and_, bindparam, literal_column, or_, select

from ladder_graph.calls import Call
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.proof.chain import payload_hash
from ladder_graph.ledger.tables import rows
from ladder_graph.splitting import Split

KIND = "split"
"""The kind of the entry that holds the arguments of part and rest."""


_part = table_of(rows.PartRow)
_entry = table_of(rows.EntryRow)
_payload = table_of(rows.PayloadRow)
_INSERT = insert_into(rows.PartRow)
_OF = Sql.of(select(_part).where(_part.c.whole == bindparam("whole")))
_HOLDING = Sql.of(select(_part).where(or_(_part.c.part == bindparam("key"), _part.c.rest == bindparam("key"))))
_KEPT = Sql.of(
    select(_entry.c.payload, _payload.c.salt, _payload.c.body)
    .join(_payload, _payload.c.hash == _entry.c.payload)
    .where(and_(_entry.c.action == bindparam("action"), _entry.c.kind == literal_column(f"'{KIND}'")))
)


def insert(cursor: Cursor, whole: Call, split: Split) -> None:
    """Write down which actions run in place of a call."""
    cursor.execute(_INSERT, {"whole": whole.key, "part": split.part.key, "rest": split.rest.key})


def of(cursor: Cursor, whole: str) -> Any:
    """The row of a call that goes by a part first; None where it runs at once."""
    return cursor.execute(_OF, {"whole": whole}).fetchone()


def holding(cursor: Cursor, key: str) -> Any:
    """The row that an action is the part or the rest of; None for any other action."""
    return cursor.execute(_HOLDING, {"key": key}).fetchone()


def split_of(cursor: Cursor, whole: Call, row: Any) -> Split | None:
    """What runs in place of a call, as it was written down; None where that was erased, or changed since."""
    kept = cursor.execute(_KEPT, {"action": whole.key}).fetchone()
    if kept is None or payload_hash(bytes(kept["salt"]), kept["body"]) != kept["payload"]:
        return None
    found = Split.read(whole, json.loads(kept["body"]))
    return found if (found.part.key, found.rest.key) == (row["part"], row["rest"]) else None
