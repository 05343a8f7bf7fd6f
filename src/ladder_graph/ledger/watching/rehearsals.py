"""What came of trying undos out, kept for the version of the tool, and for the undo, that it was tried with."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.tables import watch_rows

_rehearsal = table_of(watch_rows.RehearsalRow)
_put_rehearsal = insert(_rehearsal).values({column.name: bindparam(column.name) for column in _rehearsal.columns})
_PUT_REHEARSAL = Sql.of(
    _put_rehearsal.on_conflict_do_update(
        index_elements=["tool", "version", "undo"],
        set_={name: _put_rehearsal.excluded[name] for name in ("at_us", "passed", "text")},
    )
)
_REHEARSAL = Sql.of(
    select(_rehearsal).where(and_(*(_rehearsal.c[name] == bindparam(name) for name in ("tool", "version", "undo"))))
)
_REHEARSALS = Sql.of(select(_rehearsal).order_by(_rehearsal.c.at_us))


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The last rehearsal of an undo with one version of a tool."""

    at_us: int
    passed: bool
    text: str
    """What didn't hold; empty where everything did."""


def rehearsal_of(cursor: Cursor, tool: str, version: str, undo: str) -> Rehearsed | None:
    """The last rehearsal of this very undo with this version of a tool, or None."""
    row = cursor.execute(_REHEARSAL, {"tool": tool, "version": version, "undo": undo}).fetchone()
    return None if row is None else Rehearsed(row["at_us"], bool(row["passed"]), row["text"])


def last_of_each(cursor: Cursor) -> dict[str, Rehearsed]:
    """The last rehearsal of each tool, whatever its version and its undo."""
    found = cursor.execute(_REHEARSALS, {}).fetchall()
    return {row["tool"]: Rehearsed(row["at_us"], bool(row["passed"]), row["text"]) for row in found}


def rehearsed(cursor: Cursor, tool: str, version: str, undo: str, found: Rehearsed) -> None:
    """Write a rehearsal down in the place of the one before."""
    cursor.execute(_PUT_REHEARSAL, {
        "tool": tool, "version": version, "undo": undo, "at_us": found.at_us, "passed": found.passed,
        "text": found.text,
    })  # fmt: skip
