"""A whole, checked copy of a ledger in a file, taken while others write; and putting one back."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
from contextlib import closing
from pathlib import Path

from ladder_graph.errors import LedgerError, NotALedger
from ladder_graph.ledger.database import migrations
from ladder_graph.ledger.proof import verify_alone
from ladder_graph.ledger.proof.verify_alone import Verification


def copy(source: Path, target: Path) -> Verification:
    """Copy a ledger as it is at one moment, and check the copy. Writers go on meanwhile.

    Args:
        source: The ledger.
        target: Where the copy goes; it must not be there. It is readable by its owner alone.

    Returns:
        What the check found; a copy that isn't whole is kept, under its name, all the same.

    Raises:
        NotALedger: The source is something else.
        LedgerError: The target is there, or can't be written.
    """
    if source.is_dir():
        raise NotALedger(f"{source} is a directory; name a file for the ledger.")
    if target.exists():
        raise LedgerError(f"{target} is there already, and a copy is never written over; name another file")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)  # for its owner alone
        os.close(descriptor)
    except OSError as wrong:
        raise LedgerError(f"no copy can be kept in {target.parent}: {wrong.strerror}") from wrong
    aside = Path(name)
    try:
        _copied(source, aside)
        found, _ = verify_alone.check(aside.resolve(), ())
        flush(aside)
        os.link(aside, target)  # Whole or not at all, and never over another one.
    except (OSError, ValueError, sqlite3.Error) as wrong:
        raise LedgerError(f"{source} couldn't be copied to {target}: {wrong}") from wrong
    finally:
        aside.unlink()
    flush(target.parent)
    return found


def _copied(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as there,
        closing(sqlite3.connect(target)) as here,
    ):
        migrations.schema_of(there, str(source))
        there.backup(here)  # All pages in one step, so that it is of one moment.
        here.execute("PRAGMA journal_mode = DELETE")  # One file, and none beside it.


def check(source: Path) -> Verification:
    """Check a copy before it is put back.

    Raises:
        LedgerError: It is no ledger, or can't be read.
    """
    try:
        return verify_alone.check(source.resolve(), ())[0]
    except (OSError, ValueError, sqlite3.Error) as wrong:
        raise LedgerError(f"{source} is no copy that could be put back: {wrong}") from wrong


def put_back(source: Path, ledger: Path, aside: str) -> Path | None:
    """Put a copy in a ledger's place; what lay there is kept beside it.

    Args:
        source: The copy.
        ledger: The ledger's file; nobody may have it open.
        aside: What is put behind the name of what lay there.

    Returns:
        Where that is now; None where there was nothing.

    Raises:
        LedgerError: It can't be done, or somebody has the ledger open.
    """
    if ledger.is_symlink():  # It is left as it is: others may open the file by another one.
        ledger = ledger.resolve()
    kept, lies = ledger.with_name(f"{ledger.name}.{aside}"), ledger.exists()
    new = ledger.with_name(f".{ledger.name}.{aside}.new")
    try:
        if lies:
            _alone(ledger)
        new.touch(0o600, exist_ok=False)  # Before anything is in it.
        new.chmod(stat.S_IMODE((ledger if lies else source).stat().st_mode))
        _copied(source, new)
        flush(new)
        for end in ("", "-wal", "-shm", "-journal"):  # SQLite would take them for the copy's own.
            if (there := ledger.with_name(ledger.name + end)).exists():
                os.replace(there, kept.with_name(kept.name + end))  # noqa: PTH105  # it replaces nothing
        os.replace(new, ledger)  # noqa: PTH105  # there is nothing any more
        flush(ledger.parent)
    except (OSError, sqlite3.Error) as wrong:
        raise LedgerError(f"{source} couldn't be put back: {wrong}") from wrong
    finally:
        new.unlink(missing_ok=True)
    return kept if lies else None


def _alone(ledger: Path) -> None:
    """Refuse where another process has it open: it would go on with the old file, and nobody would see that.

    SQLite says so: only who is alone with a file gets it out of its write-ahead log.
    """
    with closing(sqlite3.connect(ledger, timeout=0)) as there:
        try:
            mode = there.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        except sqlite3.DatabaseError as wrong:
            if "locked" not in str(wrong):
                return  # It is damaged, which is why a copy is put back.
            mode = "wal"
    if mode == "wal":
        raise LedgerError(f"somebody has {ledger} open; stop the agents, the console and whoever watches first")


def flush(path: Path) -> None:
    """Wait until a file, or what a folder lists, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
