"""Liveness: who holds the lock lives, and a lock dies with its holder."""

from __future__ import annotations

import errno
import fcntl
import importlib.util
import os
import sys
import threading
import time
from contextlib import closing
from types import SimpleNamespace

import psycopg
import pytest

from ladder_graph.errors import LedgerUnwritable
from ladder_graph.ledger.database import liveness
from ladder_graph.ledger.database.liveness import FileOwner, Queue
from ladder_graph.ledger.database.postgres import PostgresDatabase


@pytest.fixture
def owners(tmp_path):
    """Where owners keep their locks."""
    return tmp_path / "ladder.db.owners"


def test_who_holds_its_lock_lives(owners):
    """As long as the lock is held, everybody else sees a live owner."""
    one, other = FileOwner(owners), FileOwner(owners)
    assert other.alive(one.hold(), "a", 1)
    one.release()
    assert not other.alive(one.id, "a", 1)
    assert list(owners.iterdir()) == []


def test_the_lock_is_taken_once(owners):
    """A second hold is the same one."""
    one = FileOwner(owners)
    assert one.hold() == one.hold() == one.id
    one.release()
    one.release()


def test_who_dies_leaves_a_file_and_no_lock(owners):
    """The file of a dead process says nothing, and is cleared away by whoever looks."""
    one, other = FileOwner(owners), FileOwner(owners)
    one.hold()
    one.abandon()
    assert [file.name for file in owners.iterdir()] == [one.id]
    assert not other.alive(one.id, "a", 1)
    assert list(owners.iterdir()) == []


def test_an_owner_that_nobody_knows_lets_go(owners):
    """Of its lock and of the file; one that has abandoned it leaves the file to whoever else has it open."""
    one, other = FileOwner(owners), FileOwner(owners)
    one.hold()
    other.hold()
    other.abandon()
    del one
    assert [file.name for file in owners.iterdir()] == [other.id]
    left = other.id
    del other
    assert [file.name for file in owners.iterdir()] == [left]


def test_of_oneself_each_task_is_known(owners):
    """In one's own process it counts whether the task is still at it."""
    one = FileOwner(owners)
    one.hold()
    one.begin("a", 1)
    assert one.alive(one.id, "a", 1)
    assert not one.alive(one.id, "a", 2)
    assert not one.alive(one.id, "b", 1)
    one.end("a", 1)
    one.end("a", 1)
    assert not one.alive(one.id, "a", 1)
    one.release()


@pytest.mark.parametrize("name", ["", "nobody", "../../etc/passwd", "a/b", "."])
def test_a_name_of_nobody_is_dead(owners, name):
    """A name without a file is nobody's, and no name leads out of the directory."""
    assert not FileOwner(owners).alive(name, "a", 1)


def test_what_cannot_be_told_is_alive(owners):
    """Where the file can't be opened nobody can call its owner dead."""
    owners.mkdir()
    (owners / "odd").mkdir()
    assert FileOwner(owners).alive("odd", "a", 1)


def test_two_who_look_at_once_don_t_mistake_each_other(owners):
    """Looking takes a lock that any number may share, so nobody is taken for alive because somebody looks."""
    one, other = FileOwner(owners), FileOwner(owners)
    one.hold()
    one.abandon()
    with (owners / one.id).open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert not other.alive(one.id, "a", 1)


def test_in_memory_there_is_nobody_else():
    """A ledger in memory has one owner and no files."""
    one = FileOwner(None)
    assert one.hold() == one.id
    assert not one.alive("somebody", "a", 1)
    one.release()


def test_a_lock_that_cannot_be_made_is_said(tmp_path):
    """Without its lock a process starts nothing."""
    (tmp_path / "owners").write_text("a file")
    with pytest.raises(LedgerUnwritable, match=r"can't hold this process's lock: .*Nothing ran"):
        FileOwner(tmp_path / "owners").hold()
    with pytest.raises(LedgerUnwritable, match="can't be written"):
        Queue(tmp_path / "missing" / "queue")


def test_the_queue_lets_one_in(tmp_path):
    """Whoever stands in the queue keeps the others out until they leave."""
    queue = Queue(tmp_path / "queue")
    with (tmp_path / "queue").open("ab") as other:
        with queue, pytest.raises(OSError) as busy:  # noqa: PT011  # the number says what it is
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert busy.value.errno == errno.EAGAIN
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    queue.close()


def test_who_just_had_it_waits_behind_who_waits(tmp_path):
    """A process that leaves the queue and comes back at once doesn't go before one that has waited for it."""
    mine, yours, order = Queue(tmp_path / "queue"), Queue(tmp_path / "queue"), []

    def wait():
        with yours:
            order.append("yours")

    for _ in range(20):
        with mine:
            waiting = threading.Thread(target=wait)
            waiting.start()
            while not held(tmp_path / "queue.turnstile"):
                time.sleep(0.001)
        with mine:
            order.append("mine")
        waiting.join()
    assert order == ["yours", "mine"] * 20
    mine.close()
    yours.close()


def held(path):
    """Whether somebody has a lock on a file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_on_windows_the_byte_that_was_locked_is_let_go(tmp_path, monkeypatch):
    """There a lock is one on a byte, at the place where the file stands."""
    done = []
    windows = SimpleNamespace(
        LK_LOCK="lock", LK_NBLCK="try", LK_UNLCK="unlock",
        locking=lambda file, how, bytes_: done.append((how, os.lseek(file, 0, os.SEEK_CUR), bytes_)),
    )  # fmt: skip
    spec = importlib.util.spec_from_file_location("liveness_there", liveness.__file__)
    there = importlib.util.module_from_spec(spec)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "msvcrt", windows)
        patched.setattr(sys, "platform", "win32")
        spec.loader.exec_module(there)
    queue = there.Queue(tmp_path / "ladder.db.queue")
    with queue:
        assert done == [("lock", 0, 1), ("lock", 0, 1), ("unlock", 0, 1)]
    queue.close()
    assert done[3:] == [("unlock", 0, 1)]


def test_an_owner_lives_where_the_server_ends_idle_sessions(postgres):
    """The session of its lock is exempt, however long its tool runs; the others are opened anew."""
    impatient = f"{postgres}&options=-cidle_session_timeout%3D200ms"
    with closing(PostgresDatabase(impatient, "ops")) as one, closing(PostgresDatabase(postgres, "ops")) as other:
        owner = one.owner.hold()
        time.sleep(1)
        with pytest.raises(psycopg.OperationalError):
            one.writer.execute("SELECT 1")
        assert one.owner.held()
        assert other.owner.lives(owner)
