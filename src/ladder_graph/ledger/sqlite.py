"""SQLite connections for the ledger: opened with the right pragmas, and errors said in our own words."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from ladder_graph.errors import LedgerError, LedgerUnwritable, NotALedger
from ladder_graph.ledger import migrations

CHECKPOINT = 4000
"""Pages that the write-ahead log holds (16 MB) before they are copied into the database. A page that changes with
every call is copied once for all of them, so fewer copies and flushes are needed."""

MEMORY = ":memory:"
"""A ledger that lives and dies with its process; for tests and notebooks."""

SMALLEST = 512
"""Bytes of the smallest SQLite database that isn't empty."""

BUSY_MS = 30_000
"""How long SQLite waits for another writer, in milliseconds. Our own queue comes first, so it seldom does."""


def in_our_words(wrong: sqlite3.Error, source: str) -> LedgerError:
    """Turn the driver's error into ours.

    Returns:
        `NotALedger` where the file is no SQLite database, `LedgerUnwritable` where disk or rights refuse a write, a
        `LedgerError` for anything else. Nothing was written.
    """
    text = str(wrong)
    if "not a database" in text:
        return NotALedger(f"{source} is no ledger: {text}. Name another file; it was not touched.")
    if any(sign in text for sign in ("readonly", "read-only", "full", "I/O", "unable to open")):
        return LedgerUnwritable(
            f"{source} can't be written: {text}. Nothing was recorded and nothing ran; free the disk, fix the "
            f"rights of the file and its directory, or name another ledger."
        )
    return LedgerError(f"{source}: {text}")


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
        _check(Path(source))
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


def _check(path: Path) -> None:
    """Say what is wrong with the file in words that help; SQLite's own are poor, and it would create it."""
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
