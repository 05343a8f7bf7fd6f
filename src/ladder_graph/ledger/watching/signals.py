"""What came in from outside: alerts, and what people say of one action. Each counts once.

What fires now is kept apart, and what no open window can ask about any more is taken away with the deliveries that
follow, so neither a call nor a look costs more for the alerts of last month.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.tables import watch_rows
from ladder_graph.ledger.watching import watches

_signal = table_of(watch_rows.SignalRow)

_INSERT_SIGNAL = insert_into(watch_rows.SignalRow, " ON CONFLICT DO NOTHING")
_put_signal = insert(_signal).values({column.name: bindparam(column.name) for column in _signal.columns})
_PUT_SIGNAL = Sql.of(
    _put_signal.on_conflict_do_update(index_elements=["key"], set_={"at_us": _put_signal.excluded.at_us})
)
_LATEST = "/latest"
"""What the key of an alert's last delivery ends with, where there were several."""
_firing = table_of(watch_rows.FiringRow)
_put_firing = insert(_firing).values({column.name: bindparam(column.name) for column in _firing.columns})
_PUT_FIRING = Sql.of(
    _put_firing.on_conflict_do_update(
        index_elements=["key"], set_={name: _put_firing.excluded[name] for name in ("at_us", "body")}
    )
)
_RESOLVED = Sql.of(delete(_firing).where(_firing.c.key == bindparam("key")))
_FIRING = Sql.of(select(_firing).where(_firing.c.at_us > bindparam("since")).order_by(_firing.c.at_us, _firing.c.key))
_FORGOTTEN = Sql.of(delete(_firing).where(_firing.c.at_us <= bindparam("since")))
_OLDEST = Sql.of(select(func.min(_signal.c.at_us)))
_PRUNE = Sql.of(delete(_signal).where(_signal.c.at_us < bindparam("before")))
_SIGNALS = Sql.of(select(_signal).where(_signal.c.at_us >= bindparam("since")).order_by(_signal.c.at_us, _signal.c.key))

DAY = 86_400_000_000
"""Microseconds in a day: so long a signal stays even where no window is open."""
FIRES = 7 * DAY
"""Microseconds after its last delivery for which an alert that nobody has resolved counts as firing. Alertmanager
delivers one that goes on firing again, after five days at the latest."""


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
    _fire(cursor, [one for one in signals if one.kind == "alert" and not one.body["cut"]])
    if signals:
        _prune(cursor, max(one.at_us for one in signals))
    return len(new)


def _fire(cursor: Cursor, alerts: Sequence[Signal]) -> None:
    """Keep which of these fire. Of the same alert the last delivery counts, and of one delivery that it is resolved."""
    for one in sorted(alerts, key=lambda one: (one.at_us, one.body["status"] == "resolved")):
        key = f"{one.body['fingerprint']}/{one.body['starts']}"
        if one.body["status"] == "resolved":
            cursor.execute(_RESOLVED, {"key": key})
        else:
            cursor.execute(_PUT_FIRING, {"key": key, "at_us": one.at_us, "body": json.dumps(one.body, sort_keys=True)})


def _prune(cursor: Cursor, now_us: int) -> None:
    """Take away what is older than a day and than every window that somebody is to look at."""
    cursor.execute(_FORGOTTEN, {"since": now_us - FIRES})
    oldest = cursor.execute(_OLDEST, {}).fetchone()[0]
    if oldest is not None and oldest < now_us - DAY:
        begun = watches.first_begun(cursor)
        cursor.execute(_PRUNE, {"before": min(now_us - DAY, now_us if begun is None else begun)})


def firing(cursor: Cursor, now_us: int) -> list[Signal]:
    """The alerts that fire at this moment."""
    found = cursor.execute(_FIRING, {"since": now_us - FIRES}).fetchall()
    return [Signal(row["key"], row["at_us"], "alert", "", json.loads(row["body"])) for row in found]


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
