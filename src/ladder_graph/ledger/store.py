"""The ledger's engine room: one writer, group commit, and a durability for each transaction.

Whoever gets the write lock commits for everybody who waits (leader and followers). A transaction is *durable* when
COMMIT has reached the disk, or *lazy* when a power cut may lose it; a process that dies loses neither.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from ladder_graph.errors import LedgerError
from ladder_graph.ledger import migrations
from ladder_graph.ledger.liveness import Owner, Queue
from ladder_graph.ledger.sqlite import MEMORY, connect, in_our_words

T = TypeVar("T")
Work = Callable[[sqlite3.Cursor], T]
"""What one transaction does, on the driver's cursor."""


class Store:
    """One ledger database, shared by the threads and tasks of this process.

    It ends at a fork: in the child it is refused, and so is opening the same file again there. SQLite keeps its locks
    for each process and believes, in the child, that it has those of the parent; writes would be lost.

    Args:
        source: A file, or `:memory:`.

    Raises:
        LedgerError: The file can't be used; the message says why.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._engine: _Engine | None = _Engine(source)
        self._gone = "it was closed; open it anew."
        _STORES.add(self)

    @property
    def owner(self) -> Owner:
        """This process, as the owner of what it starts."""
        return self._here().owner

    @property
    def reader(self) -> sqlite3.Connection:
        """The connection that queries run on; only inside `read`."""
        return self._here().reader

    def read(self, work: Work[T]) -> T:
        """Run queries on one snapshot; nothing is written."""
        return self._here().read(work)

    def write(self, work: Work[T], *, durable: bool = True) -> T:
        """Run work in a transaction and commit it.

        Args:
            work: May be run together with the work of other threads in one commit, each in a savepoint of its own.
            durable: Whether to wait for the disk.

        Raises:
            LedgerUnwritable: Nothing was written.
        """
        engine = self._here()
        job = engine.enqueue(work, durable=durable)
        engine.settle(job)
        return job.result()

    async def awrite(self, work: Work[T], *, durable: bool = True) -> T:
        """As `write`, without blocking the event loop."""
        engine = self._here()
        job = engine.enqueue(work, durable=durable)
        await asyncio.get_running_loop().run_in_executor(engine.thread, engine.settle, job)
        return job.result()

    def close(self) -> None:
        """Close the database and let go of the owner's lock. A second time is harmless."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def forked(self) -> None:
        """Leave everything to the parent: this runs in a child right after a fork."""
        engine, self._engine = self._engine, None
        if engine is not None:
            self._gone = FORKED
            engine.abandon()

    def _here(self) -> _Engine:
        if self._engine is None:
            raise LedgerError(f"the ledger {self.source} can't be used: {self._gone}")
        return self._engine


class _Job(Generic[T]):
    """One piece of work that waits for a commit. The write lock guards all of it."""

    __slots__ = ("done", "durable", "failure", "value", "work")

    def __init__(self, work: Work[T], *, durable: bool) -> None:
        self.work = work
        self.durable = durable
        self.done = False
        self.value: T | None = None
        self.failure: BaseException | None = None

    def result(self) -> T:
        if self.failure is not None:
            raise self.failure
        return cast("T", self.value)


class _Engine:
    """The connections, locks and owner of one process. Nothing of it survives a fork."""

    def __init__(self, source: str) -> None:
        self.source = source
        path = None if source == MEMORY else Path(source)
        if _identity(source) in _INHERITED:
            raise LedgerError(f"the ledger {source} can't be opened: {FORKED}")
        with ExitStack() as opened:
            self.writer = opened.enter_context(closing(connect(source)))
            self.queue = opened.enter_context(closing(Queue(path and path.with_name(path.name + ".queue"))))
            self._migrate()
            self.reader = self.writer if path is None else connect(source)
            opened.pop_all()
        self.owner = Owner(path and path.with_name(path.name + ".owners"))
        # One thread of our own for async callers, started at the first use.
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ladder-ledger")
        self._synchronous = "FULL"
        self._write_lock = threading.Lock()
        # In memory both are one connection, so reading must wait for writing.
        self._read_lock = self._write_lock if path is None else threading.Lock()
        self._waiting: deque[_Job[Any]] = deque()

    def _migrate(self) -> None:
        try:
            if migrations.recognise(self.writer, self.source) < len(migrations.MIGRATIONS):
                with self.queue:
                    migrations.migrate(self.writer, self.source)
        except sqlite3.Error as wrong:
            raise in_our_words(wrong, self.source) from wrong

    def read(self, work: Work[T]) -> T:
        with self._read_lock:
            try:
                cursor = _cursor(self.reader)
                if self.reader is self.writer:
                    return work(cursor)
                cursor.execute("BEGIN")
                try:
                    return work(cursor)
                finally:
                    cursor.execute("COMMIT")
            except sqlite3.Error as wrong:
                raise in_our_words(wrong, self.source) from wrong

    def enqueue(self, work: Work[T], *, durable: bool) -> _Job[T]:
        job = _Job(work, durable=durable)
        self._waiting.append(job)
        return job

    def settle(self, job: _Job[Any]) -> None:
        """Commit everything that waits, unless somebody did it while we waited for the lock."""
        with self._write_lock:
            if not job.done:
                jobs = [self._waiting.popleft() for _ in range(len(self._waiting))]
                # A leader that was interrupted may have taken ours out of the queue and not come to it.
                self._commit(jobs if job in jobs else [*jobs, job])

    def _commit(self, jobs: list[_Job[Any]]) -> None:
        try:
            with self.queue:
                self._transact(jobs)
        except Exception as wrong:  # noqa: BLE001  # it is handed to every caller whose work was lost with it
            _lost(jobs, in_our_words(wrong, self.source) if isinstance(wrong, sqlite3.Error) else wrong)
        except BaseException:
            # A keyboard interrupt belongs to the thread that it hit, and not to those whose work it carried.
            _lost(jobs, LedgerError(f"{self.source}: the writing thread was interrupted; look before you repeat it."))
            raise
        finally:
            for job in jobs:
                job.done = True

    def _transact(self, jobs: list[_Job[Any]]) -> None:
        self._set_durability(durable=any(job.durable for job in jobs))
        cursor = _cursor(self.writer)
        cursor.execute("BEGIN IMMEDIATE")
        try:
            for job in jobs:
                self._run(cursor, job, alone=len(jobs) == 1)
            cursor.execute("COMMIT")
        except BaseException:
            if self.writer.in_transaction:
                cursor.execute("ROLLBACK")
            raise

    def _run(self, cursor: sqlite3.Cursor, job: _Job[Any], *, alone: bool) -> None:
        """Run one job; a refusal of its own undoes only its own writes."""
        if alone:
            job.value = job.work(cursor)
            return
        cursor.execute("SAVEPOINT job")
        try:
            job.value = job.work(cursor)
        except Exception as wrong:
            if not self.writer.in_transaction:
                raise  # SQLite has given up the whole transaction, as it does on a full disk.
            cursor.execute("ROLLBACK TO job")
            job.failure = in_our_words(wrong, self.source) if isinstance(wrong, sqlite3.Error) else wrong
        cursor.execute("RELEASE job")

    def _set_durability(self, *, durable: bool) -> None:
        level = "FULL" if durable else "NORMAL"
        if level != self._synchronous:
            self.writer.execute(f"PRAGMA synchronous = {level}")
            self._synchronous = level

    def close(self) -> None:
        self.thread.shutdown(wait=True)
        with self._write_lock:
            self.writer.close()
            if self.reader is not self.writer:
                with self._read_lock:
                    self.reader.close()
            self.owner.release()
            self.queue.close()

    def abandon(self) -> None:
        """In a forked child: close our copies of the locks, and keep the rest from ever being closed here."""
        self.owner.abandon()
        self.queue.close()
        _PARENTS.append(self)
        if (identity := _identity(self.source)) is not None:
            _INHERITED.add(identity)


def _cursor(connection: sqlite3.Connection) -> sqlite3.Cursor:
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    return cursor


def _lost(jobs: list[_Job[Any]], wrong: Exception) -> None:
    """Nothing of these jobs was committed, not even a refusal among them."""
    for job in jobs:
        job.failure = wrong


FORKED = (
    "this process was forked from one that had it open, and SQLite can't cross a fork. Open it in each process after "
    'the fork, or start processes by "spawn" or "forkserver".'
)
"""Why a forked child is refused, and the way out."""

_STORES: weakref.WeakSet[Store] = weakref.WeakSet()
_PARENTS: list[_Engine] = []
"""What a forked child must not close: SQLite's connections belong to the process that opened them."""
_INHERITED: set[tuple[int, int]] = set()
"""The files of those connections, by device and inode: whatever path they are opened by, SQLite shares its locks."""


def _identity(source: str) -> tuple[int, int] | None:
    try:
        found = None if source == MEMORY else Path(source).stat()
    except OSError:
        return None
    return found and (found.st_dev, found.st_ino)


def _in_the_child() -> None:
    for store in list(_STORES):
        store.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_the_child)
