"""The store: each transaction whole or not at all, many in one commit, and no use of it where it doesn't belong."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shutil
import sqlite3
import sys
import threading
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from ladder_graph.errors import LedgerError, LedgerUnwritable
from ladder_graph.ledger import Store
from ladder_graph.ledger.database import log
from ladder_graph.ledger.database.log import Log


@pytest.fixture(params=["file", ":memory:", "postgres"])
def store(request, tmp_path):
    """A store in a file, in memory, or on a server."""
    source = request.getfixturevalue("postgres") if request.param == "postgres" else request.param
    with closing(Store(str(tmp_path / "ladder.db") if source == "file" else source)) as opened:
        yield opened


def put(name):
    """Work that leaves one row."""

    def work(cursor):
        cursor.execute(f"INSERT INTO quota VALUES ('{name}', 0, 0, 0, 1)")  # noqa: S608  # a name of these tests
        return name

    return work


def names(store):
    """What was left."""
    return sorted(row[0] for row in store.read(lambda cursor: cursor.execute("SELECT quota FROM quota").fetchall()))


def refuse(_):
    """Work that thinks better of it."""
    raise ArithmeticError("no")


class Gathered:
    """Many pieces of work that end up in one commit: the first one waits inside its transaction for the others."""

    def __init__(self, store, works):
        self.store, self.works = store, works
        self.inside, self.go_on = threading.Event(), threading.Event()

    def results(self):
        """What each came to, the first one left out."""
        with ThreadPoolExecutor(len(self.works) + 1) as threads:
            first = threads.submit(self.store.write, self._hold_up)
            self.inside.wait()
            futures = [threads.submit(self._outcome, work) for work in self.works]
            while len(self.store._engine._waiting) < len(self.works):
                pass
            self.go_on.set()
            first.result()
            return [future.result() for future in futures]

    def _hold_up(self, cursor):
        self.inside.set()
        self.go_on.wait()

    def _outcome(self, work):
        try:
            return self.store.write(work)
        except (LedgerError, ArithmeticError) as wrong:
            return wrong


def commits(store):
    """Counts the transactions from now on."""
    seen, transaction = [], store.database.transaction

    def counted(**options):
        seen.append(options)
        return transaction(**options)

    store.database.transaction = counted
    return seen


def test_work_that_raises_leaves_nothing(store):
    """A transaction is whole or not there, and its error reaches the caller as it is."""

    def half(cursor):
        put("half")(cursor)
        refuse(cursor)

    with pytest.raises(ArithmeticError):
        store.write(half)
    assert store.write(put("whole")) == "whole"
    assert names(store) == ["whole"]


def test_who_waits_shares_one_commit(store):
    """Whoever gets the lock commits for everybody who waits."""
    gathered = Gathered(store, [put(n) for n in range(8)])
    seen = commits(store)
    assert sorted(gathered.results()) == list(range(8))
    assert len(seen) == 2  # the one that held the others up, and theirs
    assert names(store) == [str(n) for n in range(8)]


def test_a_refusal_in_a_shared_commit_is_its_own(store):
    """One that thinks better of it, or breaks a constraint, takes nobody with it."""

    def twice(cursor):
        put("twice")(cursor)
        put("twice")(cursor)

    one, refused, broken, other = Gathered(store, [put("one"), refuse, twice, put("other")]).results()
    assert (one, other) == ("one", "other")
    assert isinstance(refused, ArithmeticError)
    assert isinstance(broken, LedgerError)
    assert names(store) == ["one", "other"]


def test_a_commit_that_fails_fails_for_everybody(tmp_path):
    """On a full disk nobody in the commit is told that it is written."""
    with closing(Store(str(tmp_path / "ladder.db"))) as store:
        pages = store.database.writer.execute("PRAGMA page_count").fetchone()[0]
        store.database.writer.execute(f"PRAGMA max_page_count = {pages}")
        many = [put(str(n) * 5000) for n in range(4)]
        assert {type(found) for found in Gathered(store, many).results()} == {LedgerUnwritable}
        assert names(store) == []
        store.database.writer.execute("PRAGMA max_page_count = 1000000")
        assert store.write(put("room again")) == "room again"


def test_a_keyboard_interrupt_hits_the_thread_it_belongs_to(store):
    """Others whose work was in the same commit are told that it is lost, and nobody waits for ever."""

    def interrupted(_):
        raise KeyboardInterrupt

    other = store._engine.enqueue(put("other"), durable=True)
    with pytest.raises(KeyboardInterrupt):
        store.write(interrupted)
    with pytest.raises(LedgerError, match="the writing thread was interrupted"):
        other.result()
    assert names(store) == []
    assert store.write(put("on")) == "on"


def test_work_that_an_interrupted_leader_took_is_done_by_its_own_thread(store):
    """Out of the queue and not in a commit: its own thread finds it undone, and does it."""
    engine = store._engine
    job = engine.enqueue(put("mine"), durable=True)
    engine._waiting.clear()
    engine.settle(job)
    assert (job.result(), names(store)) == ("mine", ["mine"])


def test_nobody_waits_for_one_who_never_comes(store):
    """The first in the queue was interrupted before it could lead: the others get on without it, and do its work."""
    engine = store._engine
    engine._write_lock.acquire()
    lost = engine.enqueue(put("lost"), durable=True)
    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(store.write, put("other"))
        while len(engine._waiting) < 2:
            pass
        engine._write_lock.release()
        engine._pass_on()
        assert other.result(timeout=10) == "other"
    assert (lost.result(), names(store)) == ("lost", ["lost", "other"])


def test_32_threads(store):
    """Every one of many concurrent writes is there, once."""
    with ThreadPoolExecutor(32) as threads:
        done = list(threads.map(lambda n: store.write(put(f"{n:03}"), durable=n % 2 == 0), range(320)))
    assert len(done) == 320
    assert names(store) == sorted(done)


def test_reading_while_others_write(store):
    """A read sees a state between two commits, never the middle of one."""

    def pair(n):
        def work(cursor):
            put(f"a{n}")(cursor)
            put(f"b{n}")(cursor)

        return work

    def look(_):
        found = names(store)
        return sum(name[0] == "a" for name in found) == sum(name[0] == "b" for name in found)

    with ThreadPoolExecutor(8) as threads:
        writes = [threads.submit(store.write, pair(n), durable=False) for n in range(100)]
        assert all(threads.map(look, range(100)))
        for write in writes:
            write.result()


def test_a_read_is_one_snapshot(tmp_path):
    """What is committed in the middle of a read isn't seen by it."""
    with closing(Store(str(tmp_path / "ladder.db"))) as store:

        def look(cursor):
            before = cursor.execute("SELECT count(*) FROM quota").fetchone()[0]
            store.write(put("meanwhile"))
            return before, cursor.execute("SELECT count(*) FROM quota").fetchone()[0]

        assert store.read(look) == (0, 0)
        assert names(store) == ["meanwhile"]


async def test_async_writes_share_commits_too(store):
    """Tasks of an event loop write without blocking it, and get their own results and errors."""
    results = await asyncio.gather(
        *(store.awrite(put(n)) for n in range(20)), store.awrite(refuse), return_exceptions=True
    )
    assert results[:20] == list(range(20))
    assert isinstance(results[20], ArithmeticError)


async def test_a_cancelled_task_doesn_t_hold_the_others_up(store):
    """Who was cancelled while waiting leaves a commit that others get through."""
    tasks = [asyncio.ensure_future(store.awrite(put(n))) for n in range(5)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [results[n] for n in (0, 1, 3, 4)] == [0, 1, 3, 4]
    assert await store.awrite(put("on")) == "on"


def test_durability_is_each_transactions_own(tmp_path, monkeypatch):
    """A durable transaction is flushed once it is committed and others may write; a lazy one isn't."""
    path, flush, flushed = str(tmp_path / "ladder.db"), Log.flush, []

    def flushing(self):
        with closing(Store(path)) as other:
            flushed.append(
                other.write(lambda cursor: cursor.execute("SELECT max(n) FROM t").fetchone()[0], durable=False)
            )
        flush(self)

    def put_and_commit(n, *, durable):
        before = len(flushed)
        store.write(lambda cursor: cursor.execute("INSERT INTO t VALUES (:n)", {"n": n}), durable=durable)
        return flushed[before:]

    with closing(Store(path)) as store:
        writer = store.database.writer
        assert [writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")] == [
            "wal",
            1,
        ]
        writer.execute("CREATE TABLE t (n)")
        monkeypatch.setattr(Log, "flush", flushing)
        assert [put_and_commit(n, durable=durable) for n, durable in enumerate((True, False, False, True))] == [
            [0], [], [], [3],
        ]  # fmt: skip


def quotas_of(path):
    """What the database itself holds, without its log."""
    copied = path.with_name("copied.db")
    shutil.copy(path, copied)
    with closing(sqlite3.connect(copied)) as connection:
        return [row[0] for row in connection.execute("SELECT quota FROM quota ORDER BY 1")]


@pytest.fixture
def broken_disk(monkeypatch):
    """A disk that fails once to take what was written, and then takes it for written, as systems do."""
    left, flush = [1], log._flush

    def breaking(file):
        if left:
            left.pop()
            raise OSError(errno.EIO, "Input/output error")
        flush(file)

    monkeypatch.setattr(log, "_flush", breaking)
    return left


def test_what_the_log_cant_be_flushed_of_comes_to_the_disk_otherwise(tmp_path, broken_disk):
    """What follows in the log would be cut off from it: all of it is copied, and the log begins anew."""
    path = tmp_path / "ladder.db"
    with closing(Store(str(path))) as store:
        assert store.write(put(1)) == 1
        assert path.with_name("ladder.db-wal").stat().st_size == 0
        assert quotas_of(path) == ["1"]
        assert store.write(put(2)) == 2
        assert path.with_name("ladder.db-wal").stat().st_size > 0


def test_until_it_does_nothing_more_is_written_on_the_strength_of_it(tmp_path, broken_disk, monkeypatch):
    """Somebody who reads an older state keeps the log from beginning anew."""
    path = tmp_path / "ladder.db"
    with closing(Store(str(path))) as store, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        store.database.writer.execute("PRAGMA busy_timeout = 10")
        broken_disk.clear()
        store.write(put(0))
        broken_disk.append(1)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM quota").fetchall()
        for n in (1, 2):
            with pytest.raises(LedgerUnwritable, match="Input/output error; nor can the log begin anew"):
                store.write(put(n))
        assert names(store) == ["0", "1"]
        assert store.write(put(3), durable=False) == 3
        reader.execute("COMMIT")
        assert store.write(put(4)) == 4
        assert quotas_of(path) == ["0", "1", "3"]


def test_an_interrupt_leaves_no_work_behind_that_nobody_asks_for(store, monkeypatch):
    """It would be committed by the next one who comes."""

    class Interrupted(deque):
        def append(self, job):
            super().append(job)
            raise KeyboardInterrupt

    monkeypatch.setattr(store._here(), "_waiting", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        store.write(put(1))
    monkeypatch.undo()
    assert store.write(put(2)) == 2
    assert names(store) == ["2"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_may_be_no_text(tmp_path):
    """As an older system's may be."""
    with closing(Store(str(tmp_path / os.fsdecode(b"l\xffdger.db")))) as store:
        assert store.write(put(1)) == 1


def test_a_link_leads_to_the_log_beside_the_file(tmp_path, monkeypatch):
    """Which is the one that is flushed."""
    (tmp_path / "there").mkdir()
    (tmp_path / "ladder.db").symlink_to(tmp_path / "there" / "ladder.db")
    Store(str(tmp_path / "there" / "ladder.db")).close()
    flushed, flush = [], log._flush
    monkeypatch.setattr(
        log, "_flush", lambda file: (flushed.append(Path(f"/proc/self/fd/{file}").readlink()), flush(file))
    )
    with closing(Store(str(tmp_path / "ladder.db"))) as store:
        store.write(put(1))
    assert flushed == [tmp_path / "there" / "ladder.db-wal"]


def test_a_file_without_a_log_is_flushed_by_sqlite(tmp_path):
    """As where somebody has turned the log off: each commit waits for the disk then."""
    path = tmp_path / "ladder.db"
    Store(str(path)).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    with closing(Store(str(path))) as store:
        assert store.database.writer.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert store.write(put(1)) == 1


def test_what_is_closed_is_closed(store):
    """Closing twice is harmless; using it afterwards is an error of ours."""
    store.close()
    store.close()
    for use in (lambda: store.write(put(1)), lambda: store.read(lambda _: None), lambda: store.owner):
        with pytest.raises(LedgerError, match="it was closed"):
            use()


def test_a_driver_error_comes_in_our_words(store):
    """Whatever the driver says is said with the ledger's name."""
    with pytest.raises(LedgerError, match=re.escape(store.source) + ".*nowhere") as wrong:
        store.write(lambda cursor: cursor.execute("SELECT * FROM nowhere"))
    assert isinstance(wrong.value.__cause__, (sqlite3.Error, psycopg.Error))


def test_a_forked_child_has_no_use_of_it(tmp_path):
    """It is refused there, and goes on in the parent."""
    with closing(Store(str(tmp_path / "ladder.db"))) as store:
        store.write(put("a"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Threads of the suite's own are no reason not to fork.
            child = os.fork()
        if child == 0:
            try:
                with pytest.raises(LedgerError, match="fork"):
                    names(store)
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        store.write(put("b"))
        assert names(store) == ["a", "b"]
