"""How a ledger comes to the present schema, from nothing or from any earlier release.

A file knows what it is by SQLite's `application_id`, and its schema by `user_version`; on PostgreSQL
(`ledger/database/postgres_schema.py`) a row says both. Anything else is refused untouched. It only goes forward, one
version after the other, each of them whole.
"""

from __future__ import annotations

import functools
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Dialect, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import SQLModel

from ladder_graph.errors import LedgerNewer, LedgerOlder, NotALedger
from ladder_graph.ledger.database import marks
from ladder_graph.ledger.tables import (
    checkpoint_rows,
    draft_rows,
    report_rows,
    resumption_rows,
    rows,
    saga_rows,
    standing_rows,
    visit_rows,
    watch_rows,
)

APPLICATION = 0x4C414444
"""`LADD`, in the header of each of our files."""

PAGE = 2048
"""Bytes of a page of a new file."""

TABLES: tuple[type[SQLModel], ...] = (
    rows.EntryRow,
    rows.MentionRow,
    rows.PayloadRow,
    rows.HeadRow,
    rows.ActionRow,
    rows.QuestionRow,
    rows.VoteRow,
    rows.QuotaRow,
    rows.RateRow,
    rows.HoldRow,
    rows.BeyondRow,
    draft_rows.DraftRow,
    draft_rows.NoticeRow,
    standing_rows.EnvironmentRow,
    standing_rows.PromptRow,
    standing_rows.ProposalRow,
    standing_rows.StandingRow,
    standing_rows.AssessmentRow,
    standing_rows.ProbeRow,
    standing_rows.FootingRow,
    watch_rows.WatchRow,
    watch_rows.MeasurementRow,
    watch_rows.SignalRow,
    watch_rows.FiringRow,
    watch_rows.WatcherRow,
    watch_rows.RehearsalRow,
    report_rows.DigestRow,
    report_rows.ReportRow,
    report_rows.AwaitedRow,
    report_rows.HabitRow,
    report_rows.MessageRow,
    saga_rows.SagaRow,
    saga_rows.MemberRow,
    rows.PartRow,
    resumption_rows.ResumptionRow,
    resumption_rows.ResumerRow,
    visit_rows.SlackRequestRow,
    visit_rows.LinkRow,
    visit_rows.VisitRow,
    checkpoint_rows.CheckpointRow,
    checkpoint_rows.AnchoredRow,
    checkpoint_rows.ExportRow,
    checkpoint_rows.SigningKeyRow,
    checkpoint_rows.RestorationRow,
)
"""Every table of the ledger."""

ONLY_APPENDED = "the ledger is append-only"
"""What both databases say to who changes or deletes an entry."""

_RAISE = f"BEGIN RAISE EXCEPTION '{ONLY_APPENDED}'; END"
_REFUSING = {
    "sqlite": [
        f"CREATE TRIGGER entry_{verb} BEFORE {verb.upper()} ON entry BEGIN SELECT RAISE(ABORT, '{ONLY_APPENDED}'); END"
        for verb in ("update", "delete")
    ],
    "postgresql": [
        f"CREATE FUNCTION entry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {_RAISE} $$",
        "CREATE TRIGGER entry_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON entry EXECUTE FUNCTION entry_refuse()",
    ],
}


def _first(dialect: Dialect) -> list[str]:
    """Version 1: all tables, and triggers that refuse to change or delete an entry."""
    tables = _tables(type(dialect))  # type: ignore[arg-type]  # a class can be a key, whatever SQLAlchemy's says
    return [*tables, *_REFUSING[dialect.name]]


@functools.cache  # to write them takes longer than to run them, and a process may make many ledgers
def _tables(dialect: type[Dialect]) -> tuple[str, ...]:
    statements: list[str] = []
    for model in TABLES:
        table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it to every table class
        assert isinstance(table, Table)  # noqa: S101  # narrows the type for the next lines
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [str(CreateTable(table).compile(dialect=dialect()))]
        statements += [str(CreateIndex(index).compile(dialect=dialect())) for index in indexes]
    return tuple(statements)


MIGRATIONS: tuple[Callable[[Dialect], list[str]], ...] = (_first,)
"""The statements of each version, in order; a released one is never edited."""


def newer(name: str, version: int) -> LedgerNewer:
    """The error for a ledger that a later release wrote."""
    return LedgerNewer(
        f"{name} has schema {version}, and this release of ladder-graph knows {len(MIGRATIONS)}. Upgrade it."
    )


def older(name: str, version: int) -> LedgerOlder:
    """The error for a ledger that an earlier release wrote, and that isn't brought up without a word."""
    return LedgerOlder(
        f"{name} has schema {version}, and this release of ladder-graph works with {len(MIGRATIONS)}. End what still "
        "runs under the earlier release, then run `ladder migrate`. It was not touched."
    )


def statements(version: int, dialect: Dialect) -> Iterator[str]:
    """What brings a ledger of some version, 0 for none, to the present one."""
    for step in MIGRATIONS[version:]:
        yield from step(dialect)


def for_many_rows(dialect: Dialect) -> tuple[list[str], list[str]]:
    """The statements of a new ledger: those before its rows, and those of indexes, which are made faster after them."""
    apart: tuple[list[str], list[str]] = ([], [])
    for statement in statements(0, dialect):
        apart[_OF_AN_INDEX.match(statement) is not None].append(statement)
    return apart


_OF_AN_INDEX = re.compile(r"\s*(CREATE|DROP) (UNIQUE )?INDEX")


def migrate(connection: sqlite3.Connection, source: str) -> None:
    """Bring a database to the present schema, in one transaction.

    Args:
        connection: In autocommit mode, to a database that was recognised.
        source: The file's name, for messages.
    """
    # A call changes a few bytes on each of a dozen pages, and whole pages are written. It holds for new files only.
    connection.execute(f"PRAGMA page_size = {PAGE}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have migrated it while this one waited for the lock.
        for statement in statements(recognise(connection, source), sqlite.dialect()):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def recognise(connection: sqlite3.Connection, source: str) -> int:
    """The schema version of a ledger, 0 for an empty file. It only reads.

    Raises:
        NotALedger: It holds something else.
        LedgerNewer: A later release wrote it.
        LedgerMoved: It is being moved, or has gone elsewhere.
    """
    with _one_state(connection):
        version = schema_of(connection, source)
        marks.refuse(marks_of(connection), source)
    return version


def schema_of(connection: sqlite3.Connection, source: str) -> int:
    """As `recognise`, wherever it has gone."""
    with _one_state(connection):
        application: int = connection.execute("PRAGMA application_id").fetchone()[0]
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if application != APPLICATION and (application or version or not empty):
        raise NotALedger(
            f"{source} is a SQLite database, but not a ladder ledger. Name another file; it was not touched."
        )
    if version > len(MIGRATIONS):
        raise newer(source, version)
    return version


def marks_of(connection: sqlite3.Connection) -> list[marks.Mark]:
    """What a ledger says of its moves."""
    return marks.of(connection.execute(marks.SELECT)) if has_marks(connection) else []


def has_marks(connection: sqlite3.Connection) -> bool:
    """Whether it was ever moved."""
    found = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (marks.TABLE,)).fetchone()
    return bool(found[0])


@contextmanager
def _one_state(connection: sqlite3.Connection) -> Iterator[None]:
    """What is read in here is of one moment: another process may be making the ledger, and half of it is none."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
