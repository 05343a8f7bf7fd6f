"""What came in from outside: alerts, and what people say of one action. Each counts once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.ledger import rows, watches
from ladder_graph.ledger.cursor import Cursor
from ladder_graph.ledger.dialects import Sql, insert_into, table_of

_signal = table_of(rows.SignalRow)

_INSERT_SIGNAL = insert_into(rows.SignalRow, " ON CONFLICT DO NOTHING")
_put_signal = insert(_signal).values({column.name: bindparam(column.name) for column in _signal.columns})
_PUT_SIGNAL = Sql.of(
    _put_signal.on_conflict_do_update(index_elements=["key"], set_={"at_us": _put_signal.excluded.at_us})
)
_LATEST = "/latest"
"""What the key of an alert's last delivery ends with, where there were several."""
_SIGNALS = Sql.of(select(_signal).where(_signal.c.at_us >= bindparam("since")).order_by(_signal.c.at_us, _signal.c.key))


@dataclass(frozen=True, slots=True)
class Signal:
    """What came from outside."""

    key: str
    """It counts once under this."""
    at_us: int
    kind: str
    """alert, undo, keep or extend."""
    action: str
    """The action it is about; empty for an alert."""
    body: dict[str, Any]
    """Labels and state of an alert; who, and why, for a person's."""


def deliver(cursor: Cursor, signals: Sequence[Signal]) -> int:
    """Write signals down, each once, and let the windows that they may be about be due; how many of them are new.

    Of an alert that is delivered again and again the first moment is kept and the last one: by the first it is blamed
    on an action, by the last it shows that alerts get through.
    """
    new = [one for one in signals if _delivered(cursor, one)]
    if alerts := [one.at_us for one in new if one.kind == "alert"]:
        watches.hurry_alerted(cursor, min(alerts))
    for one in new:
        if one.action:
            watches.hurry_told(cursor, one.action, one.at_us)
    return len(new)


def _delivered(cursor: Cursor, one: Signal) -> bool:
    """Write one down; False where it was known before."""
    row = {
        "key": one.key, "at_us": one.at_us, "kind": one.kind, "action": one.action,
        "body": json.dumps(one.body, sort_keys=True),
    }  # fmt: skip
    cursor.execute(_INSERT_SIGNAL, row)
    new = bool(cursor.rowcount == 1)
    if not new and one.kind == "alert":
        cursor.execute(_PUT_SIGNAL, {**row, "key": one.key + _LATEST})
    return new


def signals(cursor: Cursor, since_us: int) -> list[Signal]:
    """What came in since a moment, oldest first."""
    found = cursor.execute(_SIGNALS, {"since": since_us}).fetchall()
    return [Signal(row["key"], row["at_us"], row["kind"], row["action"], json.loads(row["body"])) for row in found]
