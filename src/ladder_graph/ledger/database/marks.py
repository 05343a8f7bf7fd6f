"""What a ledger says of its moves: where it is going or has gone, and where it came from.

It stands in a table of its own, which no other ledger takes over, and decides whether a ledger may be opened. A ledger
that is being moved, or was, is shut besides: a trigger on each table stops those that had it open already.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Dialect

from ladder_graph.errors import LedgerMoved

TABLE = "ladder_move"
"""The table's name, which stands beside those of the ledger."""
CREATE = (
    f"CREATE TABLE {TABLE} (id text NOT NULL, way text NOT NULL, other text NOT NULL, mover text NOT NULL, "
    "begun_us bigint NOT NULL, ended_us bigint)"
)
SELECT = f"SELECT id, way, other, mover, begun_us, ended_us FROM {TABLE} ORDER BY begun_us"  # noqa: S608  # ours
INSERT = f"INSERT INTO {TABLE} (id, way, other, mover, begun_us, ended_us) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
DELETE = f"DELETE FROM {TABLE} WHERE id = ? AND way = ?"  # noqa: S608

Way = Literal["out", "in"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One move, as one of its two ledgers has it."""

    id: str
    """The same on both sides; random."""
    way: Way
    """Whether the ledger goes away from here or comes here."""
    other: str
    """The other side, without a password."""
    mover: str
    """Who moves it."""
    begun_us: int
    """When they began."""
    ended_us: int | None = None
    """When it was done; None until then."""

    @property
    def values(self) -> tuple[Any, ...]:
        """As its row."""
        return self.id, self.way, self.other, self.mover, self.begun_us, self.ended_us

    @property
    def text(self) -> str:
        """Why nothing can be written here."""
        begun = f"since {_when(self.begun_us)}, by {self.mover}"
        again = "goes on, where that was interrupted; with --undo it takes the move back"
        if self.way == "in":
            return f"{self.other} is being moved here {begun}. `ladder move` from there to here {again}."
        if self.ended_us is None:
            return f"this ledger is being moved to {self.other} {begun}. `ladder move` from here to there {again}."
        return (
            f"this ledger was moved to {self.other} on {_when(self.ended_us)}, by {self.mover}. Name that one in the "
            "policy; nothing is written here any more."
        )

    @property
    def shuts(self) -> bool:
        """Whether the ledger can't be used because of it."""
        return self.way == "out" or self.ended_us is None

    def ended(self, now_us: int) -> Mark:
        """The mark of a move that is done."""
        return replace(self, ended_us=now_us)


def of(rows: Iterable[Any]) -> list[Mark]:
    """The marks in the rows of `SELECT`."""
    return [Mark(*row) for row in rows]


def refuse(marks: Iterable[Mark], name: str) -> None:
    """Let nobody use a ledger that isn't here, or not yet.

    Raises:
        LedgerMoved: It is being moved, or was.
    """
    for mark in marks:
        if mark.shuts:
            raise LedgerMoved(f"{name}: {mark.text}")


def shut(dialect: Dialect, tables: Iterable[str], text: str) -> Iterator[str]:
    """The statements that stop every writer from now on, whichever release it is of.

    Args:
        dialect: Of which database.
        tables: The tables of the ledger.
        text: What a writer is told.
    """
    said = text.replace("'", "''")
    if dialect.name == "sqlite":
        for table in tables:
            for verb in ("insert", "update", "delete"):
                name = f"ladder_moved_{table}_{verb}"
                yield f"CREATE TRIGGER {name} BEFORE {verb} ON \"{table}\" BEGIN SELECT RAISE(ABORT, '{said}'); END"
        return
    raising = f"BEGIN RAISE EXCEPTION USING MESSAGE = '{said}'; END"
    yield f"CREATE FUNCTION ladder_moved() RETURNS trigger LANGUAGE plpgsql AS $ladder${raising}$ladder$"
    for table in tables:
        when = "BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE"
        yield f'CREATE TRIGGER ladder_moved {when} ON "{table}" EXECUTE FUNCTION ladder_moved()'


def reopen(dialect: Dialect, tables: Iterable[str]) -> Iterator[str]:
    """The statements that let writers in again."""
    if dialect.name == "sqlite":
        for table in tables:
            for verb in ("insert", "update", "delete"):
                yield f"DROP TRIGGER IF EXISTS ladder_moved_{table}_{verb}"
        return
    yield "DROP FUNCTION IF EXISTS ladder_moved() CASCADE"


def _when(moment_us: int) -> str:
    return f"{dt.datetime.fromtimestamp(moment_us / 1_000_000, dt.UTC):%Y-%m-%d %H:%M} UTC"
