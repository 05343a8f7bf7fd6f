"""The write-ahead log of a ledger in a file, which we flush ourselves."""

from __future__ import annotations

import os
import sqlite3
from typing import Self

from ladder_graph.errors import LedgerUnwritable
from ladder_graph.ledger.database.driver import NOT_FLUSHED, NOTHING_RAN

_flush = getattr(os, "fdatasync", os.fsync)
"""Waits until what was written to a file is on the disk, and its new length."""


class Log:
    """Flushes the log once a transaction is committed and its lock is given back, as a server does.

    SQLite itself would flush it before, and every other writer would wait for that. What comes later in the log is
    never on the disk without what comes before, so who sees a commit that isn't there yet can do no harm by it.

    Args:
        name: The ledger's, for messages.
        path: The log. Closing it drops none of SQLite's locks, which are on two other files.
    """

    def __init__(self, name: str, path: str) -> None:
        self._name, self._path = name, path
        self._file: int | None = None

    @classmethod
    def of(cls, connection: sqlite3.Connection, name: str) -> Self | None:
        """The log of a connection, which needn't flush any more; None where there is none, as in memory."""
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            return None
        _, _, file = connection.execute("PRAGMA database_list").fetchone()
        connection.execute("PRAGMA synchronous = NORMAL")
        return cls(name, f"{file}-wal")

    def flush(self) -> None:
        """Wait until everything that was committed is on the disk.

        Raises:
            LedgerUnwritable: Nobody can tell whether it is.
        """
        try:
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR)
            _flush(self._file)
        except OSError as wrong:
            raise LedgerUnwritable(f"{self._name}: {NOT_FLUSHED}: {wrong.strerror}. {NOTHING_RAN}") from wrong

    def close(self) -> None:
        """Let go of it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
