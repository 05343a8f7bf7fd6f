"""The ledger's engine room: one writer, group commit, and a durability for each transaction.

Whoever gets the write lock commits for everybody who waits (leader and followers). A transaction is *durable* when
COMMIT has reached the disk, or *lazy* when a power cut may lose it; a process that dies loses neither.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Generic, TypeVar

from ladder_graph.ledger import migrations
from ladder_graph.ledger.liveness import Owner, Queue
from ladder_graph.ledger.sqlite import MEMORY, connect, own_words

T = TypeVar("T")
Work = Callable[[sqlite3.Cursor], T]
"""What one transaction does, on the driver's cursor."""


class _Job(Generic[T]):
    """One piece of work that waits for a commit."""

    __slots__ = ("durable", "future", "work")

    def __init__(self, work: Work[T], *, durable: bool) -> None:
        self.work = work
        self.durable = durable
        self.future: Future[T] = Future()


class Store:
    """One ledger database, shared by the threads and tasks of this process.

    Args:
        source: A file, or `:memory:`.

    Raises:
        LedgerError: The file can't be used; the message says why.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        path = None if source == MEMORY else Path(source)
        self._writer = connect(source)
        with own_words(source):
            migrations.migrate(self._writer, source)
        self._reader = self._writer if path is None else connect(source)
        self._synchronous = "FULL"
        self._write_lock = threading.Lock()
        # In memory both are one connection, so reading must wait for writing.
        self._read_lock = self._write_lock if path is None else threading.Lock()
        self._waiting: deque[_Job[Any]] = deque()
        self._queue = Queue(None if path is None else path.with_name(path.name + ".queue"))
        self.owner = Owner(None if path is None else path.with_name(path.name + ".owners"))
        # One thread of our own for async callers, started at the first use.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ladder-ledger")

    @property
    def reader(self) -> sqlite3.Connection:
        """The connection that queries run on; only inside `read`."""
        return self._reader

    def read(self, work: Work[T]) -> T:
        """Run queries on a snapshot; nothing is written."""
        with self._read_lock, own_words(self.source):
            return work(self._reader.cursor())

    def write(self, work: Work[T], *, durable: bool = True) -> T:
        """Run work in a transaction and commit it.

        Args:
            work: May be run together with the work of other threads in one commit, each in a savepoint of its own.
            durable: Whether to wait for the disk.

        Raises:
            LedgerUnwritable: Nothing was written.
        """
        job = self._enqueue(work, durable=durable)
        self._settle(job)
        return job.future.result()

    async def awrite(self, work: Work[T], *, durable: bool = True) -> T:
        """As `write`, without blocking the event loop."""
        job = self._enqueue(work, durable=durable)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._settle, job)
        return job.future.result()

    def close(self) -> None:
        """Close the database and let go of the owner's lock."""
        self._thread.shutdown(wait=True)
        with self._write_lock:
            self._writer.close()
        if self._reader is not self._writer:
            self._reader.close()
        self.owner.release()
        self._queue.close()

    def _enqueue(self, work: Work[T], *, durable: bool) -> _Job[T]:
        job = _Job(work, durable=durable)
        self._waiting.append(job)
        return job

    def _settle(self, job: _Job[Any]) -> None:
        """Commit everything that waits, unless somebody did it while we waited for the lock."""
        with self._write_lock:
            if not job.future.done():
                self._commit([self._waiting.popleft() for _ in range(len(self._waiting))])

    def _commit(self, jobs: list[_Job[Any]]) -> None:
        results: list[tuple[_Job[Any], Any, BaseException | None]] = []
        try:
            with own_words(self.source), self._queue:
                self._set_durability(durable=any(job.durable for job in jobs))
                cursor = self._writer.cursor()
                cursor.execute("BEGIN IMMEDIATE")
                try:
                    results = [self._run(cursor, job, alone=len(jobs) == 1) for job in jobs]
                    cursor.execute("COMMIT")
                except BaseException:
                    if self._writer.in_transaction:
                        cursor.execute("ROLLBACK")
                    raise
        except BaseException as wrong:  # noqa: BLE001  # it is handed to every caller whose work was lost with it
            results = [(job, None, wrong) for job in jobs]
        for job, value, failure in results:
            if failure is None:
                job.future.set_result(value)
            else:
                job.future.set_exception(failure)

    @staticmethod
    def _run(cursor: sqlite3.Cursor, job: _Job[T], *, alone: bool) -> tuple[_Job[T], T | None, BaseException | None]:
        """Run one job; a refusal of its own undoes only its own writes."""
        if alone:
            return job, job.work(cursor), None
        cursor.execute("SAVEPOINT job")
        try:
            return job, job.work(cursor), None
        except sqlite3.Error:
            raise
        except BaseException as refused:  # noqa: BLE001  # it goes to the caller whose work it is
            cursor.execute("ROLLBACK TO job")
            return job, None, refused
        finally:
            if cursor.connection.in_transaction:
                cursor.execute("RELEASE job")

    def _set_durability(self, *, durable: bool) -> None:
        level = "FULL" if durable else "NORMAL"
        if level != self._synchronous:
            self._writer.execute(f"PRAGMA synchronous = {level}")
            self._synchronous = level
