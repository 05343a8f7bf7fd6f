"""A ledger in an SQLite file or in memory: the right pragmas, a fair queue of writers, errors in our own words."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from sqlmodel import Session

from ladder_graph.errors import LedgerError, LedgerUnwritable, NotALedger
from ladder_graph.ledger.database import migrations
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.driver import Borrowed
from ladder_graph.ledger.database.file_cursor import Doing, FileCursor
from ladder_graph.ledger.database.liveness import FileOwner, Owner, Queue
from ladder_graph.ledger.database.log import Log

CHECKPOINT = 8000
"""Pages that the write-ahead log holds (16 MB) before they are copied into the database. A page that changes with
every call is copied once for all of them, so fewer copies and flushes are needed."""

MEMORY = ":memory:"
"""A ledger that lives and dies with its process; for tests and notebooks."""

SMALLEST = 512
"""Bytes of the smallest SQLite database that isn't empty."""

BUSY_MS = 30_000
"""How long SQLite waits for another writer, in milliseconds. Our own queue comes first, so it seldom does."""


FORKED = (
    "this process was forked from one that had it open, and SQLite can't cross a fork. Open it in each process after "
    'the fork, or start processes by "spawn" or "forkserver".'
)
"""Why a forked child is refused, and the way out."""


class SqliteDatabase:
    """A ledger in a file, or in memory; see `Database`.

    Args:
        source: A file, or `:memory:`.

    Raises:
        LedgerError: It can't be used; the message says why.
    """

    def __init__(self, source: str) -> None:
        self.name = source
        # Whatever link it is named by, all who open it must meet at the same locks, as SQLite's own do.
        path = None if source == MEMORY else Path(source).resolve()
        if _identity(source) in _INHERITED:
            raise LedgerError(f"the ledger {source} can't be opened: {FORKED}")
        with ExitStack() as opened:
            self.writer = opened.enter_context(closing(connect(source)))
            self.queue = opened.enter_context(closing(Queue(path and path.with_name(path.name + ".queue"))))
            self._migrate()
            self._doing = Doing(self.writer)
            self._log = Log.of(self.writer, source)
            self.reader = self.writer if path is None else connect(source)
            opened.pop_all()
        self.owner: Owner = FileOwner(path and path.with_name(path.name + ".owners"))
        self.shared_connection = path is None
        self._engine = create_engine("sqlite://", creator=lambda: Borrowed(self.reader), poolclass=NullPool)

    def _migrate(self) -> None:
        try:
            if migrations.recognise(self.writer, self.name) < len(migrations.MIGRATIONS):
                with self.queue:
                    migrations.migrate(self.writer, self.name)
        except sqlite3.Error as wrong:
            raise in_our_words(wrong, self.name) from wrong

    @contextmanager
    def transaction(self, *, durable: bool, hoping: bool = False) -> Iterator[Cursor]:
        """A transaction that no other writer is in; they queue for it in the order they come.

        Whoever comes next needn't wait until it is on the disk.
        """
        with self.queue:
            cursor = FileCursor(self.writer, self._doing, hoping=hoping)
            try:
                if durable and self._log is not None and self._log.lost:
                    self._log.begin_anew(self.writer)
                yield cursor
                cursor.end()
            except BaseException:
                # Not by the cursor: an interrupt may have come right after its BEGIN.
                if self.writer.in_transaction:
                    self.writer.execute("ROLLBACK")
                raise
        if durable and cursor.wrote and self._log is not None:
            self._flush(self._log)

    def _flush(self, log: Log) -> None:
        """Wait for the disk; where the log can't be brought there, the database itself is, and the log begins anew.

        Else what follows in the log would be on the disk, and cut off from it by what isn't.
        """
        if log.flush():
            return
        with self.queue:
            log.begin_anew(self.writer)

    @contextmanager
    def savepoint(self, cursor: Cursor) -> Iterator[None]:
        """A part of a transaction; an error may take the whole of it, as on a full disk."""
        cursor.execute("SAVEPOINT job")
        try:
            yield
        except Exception:
            if self.in_transaction():
                cursor.execute("ROLLBACK TO job")
                cursor.execute("RELEASE job")
            raise
        cursor.execute("RELEASE job")

    @contextmanager
    def overwriting(self) -> Iterator[None]:
        """Bytes of deleted rows are set to zero, and the log that still holds them is written out and cut.

        The log isn't cut while somebody reads an older state; it is overwritten in time.
        """
        with self.queue:
            self.writer.execute("PRAGMA secure_delete = ON")
        try:
            yield
        finally:
            with self.queue:
                self.writer.execute("PRAGMA secure_delete = OFF")
                self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def in_transaction(self) -> bool:
        """Whether SQLite has kept the transaction after an error in it."""
        return self.writer.in_transaction

    @contextmanager
    def snapshot(self) -> Iterator[Cursor]:
        """A transaction that only reads; in memory there is one connection for everything, and nobody else writes."""
        cursor = _cursor(self.reader)
        if self.shared_connection:
            yield cursor
            return
        cursor.execute("BEGIN")
        try:
            yield cursor
        finally:
            cursor.execute("COMMIT")

    def glance(self) -> AbstractContextManager[Cursor]:
        """Each query by itself; beginning and ending a transaction would cost as much as one of them."""
        return closing(_cursor(self.reader))

    @contextmanager
    def session(self) -> Iterator[Session]:
        """SQLModel on the reading connection, which is what makes `:memory:` work too."""
        with self.snapshot(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def streamed(self) -> Iterator[sqlite3.Connection]:
        """The driver's own connection, which reads row by row."""
        with self.snapshot():
            yield self.reader

    def said(self, wrong: Exception) -> Exception:
        """An error of SQLite's in our words."""
        return in_our_words(wrong, self.name) if isinstance(wrong, sqlite3.Error) else wrong

    def close(self) -> None:
        """Close both connections, and let go of the locks."""
        self.writer.close()
        self.reader.close()
        self._close_log()
        self.owner.release()
        self.queue.close()

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()

    def abandon(self) -> str:
        """Close our copies of the locks; the file itself must not be opened in this process again."""
        self.owner.abandon()
        self.queue.close()
        self._close_log()
        if (identity := _identity(self.name)) is not None:
            _INHERITED.add(identity)
        return FORKED


def _cursor(connection: sqlite3.Connection) -> sqlite3.Cursor:
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    return cursor


_INHERITED: set[tuple[int, int]] = set()
"""The files that a forked child's parent had open, by device and inode: whatever path they are opened by, SQLite shares
its locks among all connections of a process."""


def _identity(source: str) -> tuple[int, int] | None:
    try:
        found = None if source == MEMORY else Path(source).stat()
    except OSError:
        return None
    return found and (found.st_dev, found.st_ino)


def in_our_words(wrong: sqlite3.Error, source: str) -> LedgerError:
    """Turn the driver's error into ours.

    Returns:
        `NotALedger` where the file is no SQLite database, `LedgerUnwritable` where disk or rights refuse a write, a
        `LedgerError` for anything else. Nothing was written.
    """
    text = str(wrong)
    if "not a database" in text:
        return NotALedger(f"{source} is no ledger: {text}. Name another file; it was not touched.")
    if "unable to open" in text and _no_file_can_be_opened():
        return LedgerUnwritable(
            f"{source} can't be opened: this process has too many open files. Nothing was recorded by this; close what "
            "isn't used any more, such as ladders (one serves a whole process), or allow it more (ulimit -n)."
        )
    if any(sign in text for sign in ("readonly", "read-only", "full", "I/O", "unable to open")):
        return LedgerUnwritable(
            f"{source} can't be written: {text}. Nothing was recorded by this; free the disk, fix the rights of "
            f"the file and its directory, or name another ledger."
        )
    return LedgerError(f"{source}: {text}")


def _no_file_can_be_opened() -> bool:
    """Whether files can't be opened whatever they are, which SQLite tells in the words that it has for any of them."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as wrong:
        return wrong.errno in {errno.EMFILE, errno.ENFILE}
    return False


def connect(source: str) -> sqlite3.Connection:
    """Open one connection in autocommit mode, so that BEGIN and COMMIT are ours.

    Args:
        source: A file, or `:memory:`.

    Raises:
        NotALedger: The file is something else. It was not touched.
        LedgerNewer: A later release wrote it.
        LedgerUnwritable: Its directory is missing, or disk or rights refuse.
    """
    if source != MEMORY:
        check(Path(source))
    try:
        connection = sqlite3.connect(
            source, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=BUSY_MS / 1000
        )
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
            migrations.recognise(connection, source)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as wrong:
        raise in_our_words(wrong, source) from wrong
    return connection


def check(path: Path) -> None:
    """Say what is wrong with the file in words that help; SQLite's own are poor, and it would create it.

    Raises:
        NotALedger: It is something else.
        LedgerUnwritable: It can't be reached or written.
    """
    try:
        directory, housed = path.is_dir(), path.parent.is_dir()
        shut = [place for place in (path, path.parent) if place.exists() and not os.access(place, os.W_OK)]
        size = path.stat().st_size if path.exists() else 0
    except OSError as wrong:
        raise LedgerUnwritable(f"{path} can't be reached: {wrong.strerror}. Nothing ran.") from wrong
    if directory:
        raise NotALedger(f"{path} is a directory; name a file for the ledger.")
    if not housed:
        raise LedgerUnwritable(f"{path.parent} doesn't exist, so no ledger can be kept there. Make it first.")
    if shut:
        raise LedgerUnwritable(f"{shut[0]} can't be written, so nothing could be recorded and nothing may run.")
    # SQLite takes some short files for empty ones, and would write over them. The file itself must not be opened
    # here: closing it again would drop every lock that this process's connections have on it.
    if 0 < size < SMALLEST:
        raise NotALedger(f"{path} is no ledger, nor any SQLite database. Name another file; it was not touched.")
