"""Ledger files: made from nothing, recognised, and never touched where they are something else."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ladder_graph.errors import LedgerError, LedgerNewer, LedgerUnwritable, NotALedger
from ladder_graph.ledger import Store
from ladder_graph.ledger.database import migrations
from tests.unit.ledger.desk import CALL, at, call, charge

NOBODY = 65534


def pragma(path, name):
    """What a database file says of itself."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f"PRAGMA {name}").fetchone()[0]


def database(path, *statements):
    """A database of somebody else's."""
    with closing(sqlite3.connect(path)) as made:
        for statement in statements:
            made.execute(statement)
        made.commit()


@contextmanager
def unprivileged():
    """Without the rights of root, who may write everything; whoever isn't root has none of them anyway."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


# --- from nothing --------------------------------------------------------------------------------------------


def test_it_is_made_from_nothing(path):
    """A new ledger knows what it is and which schema it has."""
    with at(path):
        pass
    assert pragma(path, "application_id") == migrations.APPLICATION
    assert pragma(path, "user_version") == len(migrations.MIGRATIONS)
    assert pragma(path, "journal_mode") == "wal"


def test_an_empty_file_is_filled(path):
    """A file without a byte in it, as `mktemp` leaves it, becomes a ledger."""
    path.touch()
    with at(path) as desk:
        desk.claim()


def test_it_is_opened_again(path):
    """What was written is there for the next one, and nothing is migrated twice."""
    with at(path) as desk:
        desk.claim(CALL, charge())
        desk.record("done")
    with at(path) as desk:
        assert (desk.state(), desk.quota(), desk.verify()) == ("done", (1, 0), ())


def test_a_migration_is_whole_or_not_there(path, monkeypatch):
    """A migration that fails half-way leaves the ledger as it was; the next one gets through."""
    with at(path) as desk:
        desk.claim()
    before = pragma(path, "schema_version")

    broken = ["CREATE TABLE half (a)", "CREATE TABLE half (a)"]
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, lambda _: broken))
    with pytest.raises(LedgerError, match="table half already exists"):
        Store(str(path))
    assert pragma(path, "schema_version") == before
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS[:1], lambda _: ["CREATE TABLE t (a)"]))
    with at(path) as desk:
        assert desk.rows("SELECT count(*) FROM t") == [(0,)]
        assert desk.state() == "started"
    assert pragma(path, "user_version") == 2


# --- what is no ledger ---------------------------------------------------------------------------------------


def everything_in(folder):
    """All names and bytes, to see that nothing was touched."""
    return {file.name: file.is_file() and file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text("agent = 'ops'\n" * 100),
        lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000),
        lambda path: path.write_bytes(b"\0"),
        lambda path: path.write_text("hi\n"),
        lambda path: database(path, "CREATE TABLE users (name)"),
        lambda path: database(path, "PRAGMA application_id = 7"),
        lambda path: database(path, "PRAGMA user_version = 3"),
        lambda path: database(path, "CREATE TABLE entry (a)", f"PRAGMA user_version = {len(migrations.MIGRATIONS)}"),
        lambda path: path.mkdir(),
    ],
    ids=[
        "text",
        "garbage",
        "one byte",
        "a word",
        "tables",
        "another application",
        "a version",
        "a namesake",
        "directory",
    ],
)
def test_something_else_is_not_touched(path, make):
    """A file that isn't a ledger is refused by name, and not a byte in its folder changes."""
    make(path)
    before = everything_in(path.parent)
    with pytest.raises((NotALedger, LedgerError), match=r"ladder.db"):
        Store(str(path))
    assert everything_in(path.parent) == before


def test_a_ledger_that_is_being_made_is_never_taken_for_something_else(path):
    """Another process makes it between two looks at it: what is seen is before that, or after, and not half of each."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other, \
            closing(sqlite3.connect(path, isolation_level=None)) as connection:  # fmt: skip
        other.execute("PRAGMA journal_mode = WAL")  # In which readers keep nobody from writing.
        made = []

        def between(statement):
            if statement == "PRAGMA user_version" and not made:
                made.append(migrations.migrate(other, str(path)))

        connection.set_trace_callback(between)
        assert migrations.recognise(connection, str(path)) == 0
        assert made == [None]
        assert migrations.recognise(connection, str(path)) == len(migrations.MIGRATIONS)


def test_a_later_release_is_told_apart(path):
    """A ledger of a later release is left alone, with the way out."""
    with at(path):
        pass
    database(path, "PRAGMA user_version = 99")
    before = everything_in(path.parent)
    with pytest.raises(LedgerNewer, match="has schema 99, and this release"):
        Store(str(path))
    assert everything_in(path.parent) == before


def test_a_missing_folder_is_said(tmp_path):
    """A ledger isn't put into a folder that isn't there."""
    with pytest.raises(LedgerUnwritable, match="missing doesn't exist"):
        Store(str(tmp_path / "missing" / "ladder.db"))


# --- what can't be written -----------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="this system can't give its rights up for a while")
def test_a_folder_without_rights(public):
    """Where this user may not write, nothing is opened."""
    with unprivileged(), pytest.raises(LedgerUnwritable, match="can't be written, so nothing could be recorded"):
        Store(str(public / "ladder.db"))


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="this system can't give its rights up for a while")
def test_a_folder_that_cannot_even_be_searched(public):
    """What can't be looked at is said to be out of reach."""
    (public / "private").mkdir(mode=0)
    with unprivileged(), pytest.raises(LedgerUnwritable, match="can't be reached: Permission denied"):
        Store(str(public / "private" / "ladder.db"))
    (public / "private").chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="this system can't give its rights up for a while")
def test_a_ledger_without_rights(public):
    """A ledger that this user may only read is refused before anything runs."""
    with at(public / "ladder.db") as desk:
        desk.claim()
    (public / "ladder.db").chmod(0o444)
    public.chmod(0o777)
    with unprivileged(), pytest.raises(LedgerUnwritable, match=r"ladder\.db can't be written"):
        Store(str(public / "ladder.db"))


@pytest.fixture
def public():
    """A folder that everybody may search; those of pytest are its owner's alone."""
    folder = Path(tempfile.mkdtemp(prefix="ladder-"))
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


@pytest.fixture
def disk(tmp_path):
    """A disk of a few pages."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=900k", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_read_only_disk(disk):
    """On a disk that was mounted read-only no call is claimed, and what is there stays."""
    with at(disk / "ladder.db") as desk:
        desk.claim()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(LedgerUnwritable, match="can't be written"):
        Store(str(disk / "ladder.db"))


def _claim_all(desk, calls):
    for one in calls:
        desk.claim(one, durable=True)


def test_a_full_disk(disk):
    """On a full disk a call isn't claimed, nothing half is left, and with room again it goes on."""
    with at(disk / "ladder.db") as desk:
        desk.claim(CALL, charge())
        with pytest.raises(OSError, match="No space"):
            (disk / "more").write_bytes(b"x" * 1_000_000)
        done = [call(number) for number in range(1000)]
        with pytest.raises(LedgerUnwritable, match="Nothing was recorded by this"):
            _claim_all(desk, done)
        lost = next(one for one in done if desk.state(one) is None)
        (disk / "more").unlink()
        assert desk.claim(lost).fence == 1
        assert desk.record("done")
        assert desk.verify() == ()


def test_a_ledger_that_is_full(path):
    """Without a disk to fill: SQLite's own limit on pages does the same, at any statement of a claim."""
    with at(path) as desk:
        writer = desk.store.database.writer
        writer.execute(f"PRAGMA max_page_count = {writer.execute('PRAGMA page_count').fetchone()[0]}")
        big = call(arguments={"to": "x" * 10_000})
        with pytest.raises(LedgerUnwritable, match="full"):
            desk.claim(big, charge())
        assert (desk.look(big).known, desk.quota(), desk.kinds()) == (None, (0, 0), "")
        writer.execute("PRAGMA max_page_count = 1000000")
        assert desk.claim(big, charge()).fence == 1


def test_too_many_open_files_are_no_full_disk(tmp_path):
    """Where nothing more can be opened it is said so, and nobody is sent to look for room on the disk."""
    program = """
import os, resource, sys
from ladder_graph.errors import LedgerUnwritable
from ladder_graph.ledger import Store
Store(sys.argv[1]).close()
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
try:
    while True:
        os.dup(0)
except OSError:
    pass
try:
    Store(sys.argv[1])
except LedgerUnwritable as said:
    print(said)
"""
    said = subprocess.run([sys.executable, "-c", program, tmp_path / "ladder.db"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=True).stdout  # fmt: skip
    assert "too many open files" in said
    assert "disk" not in said
