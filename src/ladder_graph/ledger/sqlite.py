"""SQLite connections for the ledger: opened with the right pragmas, and errors said in our own words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ladder_graph.errors import LedgerError, LedgerUnwritable, NotALedger

MEMORY = ":memory:"
"""A ledger that lives and dies with its process; for tests and notebooks."""

BUSY_MS = 30_000
"""How long SQLite waits for another writer, in milliseconds. Our own queue comes first, so it seldom does."""


@contextmanager
def own_words(source: str) -> Iterator[None]:
    """Turn the driver's errors into ours.

    Raises:
        NotALedger: The file is no SQLite database.
        LedgerUnwritable: Disk or rights refuse a write; nothing was written.
        LedgerError: Anything else the database refuses.
    """
    try:
        yield
    except sqlite3.DatabaseError as wrong:
        text = str(wrong)
        if "not a database" in text:
            raise NotALedger(f"{source} is no ledger: {text}. Name another file; it was not touched.") from wrong
        if any(sign in text for sign in ("readonly", "read-only", "full", "I/O", "unable to open")):
            raise LedgerUnwritable(
                f"{source} can't be written: {text}. Nothing was recorded and nothing ran; free the disk, fix the "
                f"rights of the file and its directory, or name another ledger."
            ) from wrong
        raise LedgerError(f"{source}: {text}") from wrong


def connect(source: str) -> sqlite3.Connection:
    """Open one connection in autocommit mode, so that BEGIN and COMMIT are ours.

    Args:
        source: A file, or `:memory:`.

    Raises:
        NotALedger: The file is no SQLite database.
        LedgerUnwritable: Its directory is missing, or disk or rights refuse.
    """
    if source != MEMORY:
        _check(Path(source))
    with own_words(source):
        connection = sqlite3.connect(
            source, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=BUSY_MS / 1000
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
    return connection


def _check(path: Path) -> None:
    """Say what is wrong with the file in words that help; SQLite's own are poor, and it would create it."""
    if path.is_dir():
        raise NotALedger(f"{path} is a directory; name a file for the ledger.")
    if not path.parent.is_dir():
        raise LedgerUnwritable(f"{path.parent} doesn't exist, so no ledger can be kept there. Make it first.")
    for place in (path, path.parent):
        if place.exists() and not os.access(place, os.W_OK):
            raise LedgerUnwritable(f"{place} can't be written, so nothing could be recorded and nothing may run.")
