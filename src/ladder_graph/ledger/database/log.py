"""The write-ahead log of a ledger in a file, which we flush ourselves."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import IO, Self

from ladder_graph.errors import LedgerUnwritable
from ladder_graph.ledger.database.driver import NOT_FLUSHED, NOTHING_RUNS

_flush = getattr(os, "fdatasync", os.fsync)
"""Waits until what was written to a file is on the disk, and its new length."""


class Log:
    """Flushes the log once a transaction is committed and its lock is given back, as a server does.

    SQLite itself would flush it before, and every other writer would wait for that. What comes later in the log is
    never on the disk without what comes before, so who sees a commit that isn't there yet can do no harm by it. That
    ends where a flush fails: the system says so once, and then takes what didn't get there for written.

    Args:
        name: The ledger's, for messages.
        path: The log. Closing it drops none of SQLite's locks, which are on two other files.
    """

    def __init__(self, name: str, path: Path) -> None:
        self._name, self._path = name, path
        self._file: IO[bytes] | None = None
        self.lost = ""
        """Why a part of it may not be on the disk; empty where all that was flushed is."""

    @classmethod
    def of(cls, connection: sqlite3.Connection, source: str) -> Self | None:
        """The log of a connection, which needn't flush any more; None where there is none, as in memory."""
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            return None
        connection.execute("PRAGMA synchronous = NORMAL")
        file = Path(source).resolve()
        return cls(source, file.with_name(f"{file.name}-wal"))

    def flush(self) -> bool:
        """Wait until everything that was committed is on the disk; False where that failed."""
        try:
            if self._file is None:
                self._file = self._path.open("r+b", buffering=0)
            _flush(self._file.fileno())
        except OSError as wrong:
            self.lost = wrong.strerror or str(wrong)
        return not self.lost

    def begin_anew(self, writer: sqlite3.Connection) -> None:
        """Copy all of the log into the database, bring that to the disk, and empty the log; nobody may write meanwhile.

        Raises:
            LedgerUnwritable: It couldn't be done, so that nothing more may run on the strength of the log.
        """
        try:
            busy, _, _ = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            why = "somebody reads an older state of it" if busy else ""
        except sqlite3.Error as wrong:
            why = str(wrong)
        if why:
            said = f"{self._name}: {NOT_FLUSHED}: {self.lost}; nor can the log begin anew: {why}. {NOTHING_RUNS}"
            raise LedgerUnwritable(said)
        self.lost = ""

    def close(self) -> None:
        """Let go of it."""
        if self._file is not None:
            self._file.close()
            self._file = None
