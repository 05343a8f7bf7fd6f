"""The processes that work off windows, and until when each is known to have lived."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.database.liveness import Owner
from ladder_graph.ledger.tables import watch_rows
from ladder_graph.ledger.watching.watches import PULSE, hurry

_watch = table_of(watch_rows.WatchRow)
_watcher = table_of(watch_rows.WatcherRow)

_put_beat = insert(_watcher).values({column.name: bindparam(column.name) for column in _watcher.columns})
_BEAT = Sql.of(_put_beat.on_conflict_do_update(index_elements=["owner"], set_={"beat_us": _put_beat.excluded.beat_us}))
_BEATS = Sql.of(select(_watcher).order_by(_watcher.c.beat_us.desc()))
_LEAVE = Sql.of(delete(_watcher).where(_watcher.c.owner == bindparam("owner")))
_AHEAD = Sql.of(
    select(
        func.max(_watch.c.begun_us).label("begun"), select(func.max(_watcher.c.beat_us)).scalar_subquery().label("beat")
    ).where(_watch.c.due_us.is_not(None))
)

SILENT = 5 * PULSE
"""Microseconds after the last beat from which on a process that still lives doesn't count as watching."""
AHEAD = 60 * PULSE
"""Microseconds that the clock of another watcher may be ahead; a beat of later says nothing."""


def beat(cursor: Cursor, owner: Owner, name: str, now_us: int) -> None:
    """Say that this process works off windows."""
    cursor.execute(_BEAT, {"owner": owner.hold(), "name": name, "beat_us": now_us})


def leave(cursor: Cursor, owner: Owner) -> None:
    """This process watches no more."""
    cursor.execute(_LEAVE, {"owner": owner.id})


def bury(cursor: Cursor, owner: Owner, now_us: int) -> None:
    """Take the names of dead watchers away; what they had in their hands is due at once."""
    dead = [
        row["owner"]
        for row in cursor.execute(_BEATS, {}).fetchall()
        if row["owner"] != owner.id and not owner.lives(row["owner"])
    ]
    for one in dead:
        cursor.execute(_LEAVE, {"owner": one})
    if dead:
        hurry(cursor, now_us)


def watchers(cursor: Cursor, owner: Owner, now_us: int) -> list[tuple[str, int]]:
    """The processes that watch: name and last beat, the latest in front; the dead and the silent left out."""
    found = cursor.execute(_BEATS, {}).fetchall()
    return [
        (row["name"], row["beat_us"])
        for row in found
        if -AHEAD < now_us - row["beat_us"] < SILENT and (row["owner"] == owner.id or owner.lives(row["owner"]))
    ]


def ahead(cursor: Cursor) -> int:
    """The latest moment that is known to have been, by any watcher's beat or the beginning of an open window."""
    found = cursor.execute(_AHEAD, {}).fetchone()
    return max(found["begun"] or 0, found["beat"] or 0)
