"""A file as one end of a move."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.dialects import sqlite

from ladder_graph.errors import LedgerError, LedgerUnwritable
from ladder_graph.ledger.database import marks, migrations
from ladder_graph.ledger.database.liveness import Flag
from ladder_graph.ledger.database.marks import Mark
from ladder_graph.ledger.database.sqlite import MEMORY, check, in_our_words
from ladder_graph.ledger.moves.ends import NAMES, in_hand, in_use
from ladder_graph.ledger.moves.lines import Form
from ladder_graph.ledger.proof import chain
from ladder_graph.ledger.proof.checkpoints_alone import Head
from ladder_graph.ledger.proof.verify_alone import HEADS

_PORTION = 1000
"""Rows that are inserted together."""
_DIALECT = sqlite.dialect()


class SqliteEnd:
    """See `End`.

    Args:
        source: The file.
    """

    def __init__(self, source: str) -> None:
        if source == MEMORY:
            raise LedgerError("a ledger in memory goes with its process, and can't be moved")
        self.path = Path(source).resolve()
        self.name = str(self.path)
        check(self.path)
        with ExitStack() as opened:
            self._flag = opened.enter_context(closing(Flag(self.path.with_name(self.path.name + ".moving"))))
            if not self._flag.raised:
                raise LedgerError(in_hand(self.name))
            self._connection: sqlite3.Connection | None = None
            opened.pop_all()

    @property
    def connection(self) -> sqlite3.Connection:
        """The file, in autocommit mode. It is made where it isn't there."""
        if self._connection is None:
            self._connection = sqlite3.connect(self.path, isolation_level=None, timeout=5)
            self._connection.execute("PRAGMA synchronous = FULL")
        return self._connection

    def close(self) -> None:
        """As every end does."""
        self._let_go()
        self._flag.close()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def version(self) -> int:
        """As every end does."""
        with self._said():
            return migrations.schema_of(self.connection, self.name) if self._there() else 0

    def _there(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0

    def marks(self) -> list[Mark]:
        """As every end does."""
        with self._said():
            return migrations.marks_of(self.connection) if self._there() else []

    def holders(self) -> list[str]:
        """As every end does; who merely has it open is found when it is shut."""
        return []

    # --- as what is given away -------------------------------------------------------------------------------

    def shut(self, mark: Mark) -> None:
        """As every end does. Nobody else may have the file open, which leaving the write-ahead log shows."""
        with self._said():
            connection = self.connection
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            try:
                connection.execute("PRAGMA journal_mode = DELETE")
            except sqlite3.OperationalError as wrong:
                self._let_go()
                raise in_use(self.name, opened_by(self.path) or ["another process"]) from wrong
            with self._transaction():
                self._write(mark, [*marks.reopen(_DIALECT, NAMES), *marks.shut(_DIALECT, NAMES, mark.text)])
            # From now on everybody may see why.
            connection.execute("PRAGMA locking_mode = NORMAL")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def reopen(self, mark: Mark) -> None:
        """As every end does."""
        with self._said():
            # Before the mark goes: who opens it takes it as it is.
            self.connection.execute("PRAGMA journal_mode = WAL")
            with self._transaction():
                for statement in marks.reopen(_DIALECT, NAMES):
                    self.connection.execute(statement)
                self.connection.execute(marks.DELETE, (mark.id, mark.way))

    def verify(self) -> chain.Verification:
        """As every end does."""
        with self._transaction():
            return chain.verify(self.connection)

    def heads(self) -> list[Head]:
        """As every end does."""
        return self.connection.execute(HEADS).fetchall()

    def lines(self, form: Form) -> Iterator[bytes]:
        """As every end does."""
        with self._said():
            yield from map(form.written, self.connection.execute(f'SELECT {form.columns} FROM "{form.table.name}"'))  # noqa: S608  # ours

    # --- as where it comes to be -----------------------------------------------------------------------------

    def vacant(self, mark: Mark) -> None:
        """As every end does."""
        if self._there() and not any(one.id == mark.id for one in self.marks()):
            raise LedgerError(f"{self.name} is there already. Name a file that isn't; it was not touched.")

    def reserve(self, mark: Mark) -> None:
        """As every end does. The file is readable by its owner alone, as a copy is."""
        self.vacant(mark)
        self._remove()
        try:
            self.path.touch(0o600, exist_ok=False)
        except OSError as wrong:
            raise LedgerUnwritable(f"{self.name} can't be made: {wrong.strerror}. It was not touched.") from wrong
        with self._said(), self._transaction(before=f"PRAGMA page_size = {migrations.PAGE}"):
            self.connection.execute(f"PRAGMA application_id = {migrations.APPLICATION}")
            self._write(mark, [])

    @contextmanager
    def filling(self) -> Iterator[None]:
        """As every end does. The indexes are made once the rows are there."""
        with self._said(), self._transaction():
            tables, indexes = migrations.for_many_rows(_DIALECT)
            for statement in tables:
                self.connection.execute(statement)
            yield
            for statement in indexes:
                self.connection.execute(statement)
            self.connection.execute(f"PRAGMA user_version = {len(migrations.MIGRATIONS)}")

    def fill(self, form: Form, lines: Iterable[bytes]) -> None:
        """As every end does."""
        places = ", ".join("?" * len(form.table.columns))
        statement = f'INSERT INTO "{form.table.name}" ({form.columns}) VALUES ({places})'  # noqa: S608  # ours
        rows = map(form.read, lines)
        while portion := list(islice(rows, _PORTION)):
            self.connection.executemany(statement, portion)

    def filled(self) -> bool:
        """As every end does."""
        return bool(self.version())

    def accept(self, mark: Mark) -> None:
        """As every end does."""
        with self._said():
            self.connection.execute("PRAGMA journal_mode = WAL")
            with self._transaction():
                self._write(mark, [])

    def release(self, mark: Mark) -> None:
        """As every end does."""
        if any(one.id == mark.id and one.ended_us is None for one in self.marks()):
            self._remove()

    def _remove(self) -> None:
        self._let_go()
        for end in ("", "-journal", "-wal", "-shm"):
            self.path.with_name(self.path.name + end).unlink(missing_ok=True)

    # --- the file --------------------------------------------------------------------------------------------

    def _write(self, mark: Mark, statements: Iterable[str]) -> None:
        if not migrations.has_marks(self.connection):
            self.connection.execute(marks.CREATE)
        self.connection.execute(marks.DELETE, (mark.id, mark.way))
        self.connection.execute(marks.INSERT, mark.values)
        for statement in statements:
            self.connection.execute(statement)

    @contextmanager
    def _transaction(self, before: str = "") -> Iterator[None]:
        if before:
            self.connection.execute(before)
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as wrong:
            raise in_our_words(wrong, self.name) from wrong


def opened_by(path: Path, locks: Path = Path("/proc/locks")) -> list[str]:
    """Which processes have a lock on a file, where the system tells; no more than a help to find them."""
    found: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        there = path.stat()
        for line in locks.read_text().splitlines():
            words = line.split()
            major, minor, inode = words[-3].split(":")
            if (int(major, 16), int(minor, 16), int(inode)) == (
                os.major(there.st_dev), os.minor(there.st_dev), there.st_ino,
            ):  # fmt: skip
                found[f"process {words[-4]}" if int(words[-4]) != os.getpid() else "this process"] = None
    return list(found)
