"""The ledger's engine room: one writer, group commit, and a durability for each transaction.

Whoever gets the write lock commits for everybody who waits (leader and followers). A transaction is *durable* when
COMMIT has reached the disk, or *lazy* when a power cut may lose it; a process that dies loses neither.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from typing import Any, TypeVar

from sqlmodel import Session

from ladder_graph.errors import LedgerError
from ladder_graph.ledger.database.cursor import Conflict, Cursor
from ladder_graph.ledger.database.driver import Database
from ladder_graph.ledger.database.jobs import Job, Work, saw_through
from ladder_graph.ledger.database.liveness import Owner
from ladder_graph.ledger.database.sources import on_server
from ladder_graph.ledger.database.sqlite import SqliteDatabase
from ladder_graph.waiting import waits

T = TypeVar("T")
C = TypeVar("C")

ATTEMPTS = 5
"""How often work is tried while other writers come in between; each time one of them has got on."""


class Store:
    """One ledger database, shared by the threads and tasks of this process.

    It ends at a fork: in the child it is refused, and so is opening the same SQLite file again there. SQLite keeps its
    locks for each process and believes, in the child, that it has those of the parent; writes would be lost.

    Args:
        source: A file, `:memory:`, or the URL of a PostgreSQL database.
        lane: Whose entries are mostly written. Writers of one lane wait for each other; on PostgreSQL those of
            different lanes don't.

    Raises:
        LedgerError: The ledger can't be used; the message says why.
    """

    def __init__(self, source: str, lane: str = "") -> None:
        self._engine: _Engine | None = _Engine(_opened(source, lane))
        self.source = self._engine.database.name
        self._gone = "it was closed; open it anew."
        _STORES.add(self)

    @property
    def owner(self) -> Owner:
        """This process, as the owner of what it starts."""
        return self._here().database.owner

    @property
    def database(self) -> Database:
        """The database itself."""
        return self._here().database

    def read(self, work: Work[T]) -> T:
        """Run queries on one snapshot; nothing is written."""
        return self._waited().read(self.database.snapshot, work)

    def glance(self, work: Work[T]) -> T:
        """As `read`, for what holds whatever comes in between: each query may see another state."""
        return self._waited().read(self.database.glance, work)

    def query(self, work: Callable[[Session], T]) -> T:
        """As `read`, with SQLModel."""
        return self._waited().read(self.database.session, work)

    def scan(self, work: Callable[[Any], T]) -> T:
        """As `read`, on a connection that reads the whole ledger in flat memory."""
        return self._waited().read(self.database.streamed, work)

    def write(self, work: Work[T], *, durable: bool = True) -> T:
        """Run work in a transaction and commit it.

        Args:
            work: May be run together with the work of other threads in one commit, each in a savepoint of its own.
            durable: Whether to wait for the disk.

        Raises:
            LedgerUnwritable: Nothing was written.
        """
        job = Job(work, durable=durable)
        self._waited().settle(job, new=True)
        return job.result()

    async def awrite(self, work: Work[T], *, durable: bool = True, firm: bool = False) -> T:
        """As `write`, without blocking the event loop.

        Args:
            work: As there.
            durable: As there.
            firm: Whether it is done though its caller is cancelled before anybody took it in hand.

        Raises:
            asyncio.CancelledError: The caller was cancelled. Nothing was written, nor will be, unless `seen_through`
                says what the work came to.
        """
        engine, loop = self._here(), asyncio.get_running_loop()
        job = engine.enqueue(work, durable=durable)
        try:
            await loop.run_in_executor(engine.thread, engine.settle, job)
        except asyncio.CancelledError as cancelled:
            if not firm and job.withdraw():
                raise
            while not job.done:
                try:
                    await loop.run_in_executor(engine.thread, engine.settle, job)
                except asyncio.CancelledError:
                    continue
                except RuntimeError:  # It is being closed.
                    break
            if job.done and job.failure is None:
                saw_through(cancelled, job.result())
            raise
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
            self._gone = engine.database.abandon()
            _PARENTS.append(engine)

    def _waited(self) -> _Engine:
        waits()
        return self._here()

    def _here(self) -> _Engine:
        if self._engine is None:
            raise LedgerError(f"the ledger {self.source} can't be used: {self._gone}")
        return self._engine


def _opened(source: str, lane: str) -> Database:
    """The database of a source; the drivers of servers are only loaded for them."""
    if not on_server(source):
        return SqliteDatabase(source)
    from ladder_graph.ledger.database.postgres import PostgresDatabase

    return PostgresDatabase(source, lane)


class _Engine:
    """The queue of one process before one database. Nothing of it survives a fork."""

    def __init__(self, database: Database) -> None:
        self.database = database
        # One thread of our own for async callers, started at the first use.
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ladder-ledger")
        self._write_lock = threading.Lock()
        self._read_lock = self._write_lock if database.shared_connection else threading.Lock()
        self._waiting: deque[Job[Any]] = deque()

    def read(self, opened: Callable[[], AbstractContextManager[C]], work: Callable[[C], T]) -> T:
        try:
            with self._read_lock:
                return self._read(opened, work)
        finally:
            if self.database.shared_connection:
                self._pass_on()

    def _read(self, opened: Callable[[], AbstractContextManager[C]], work: Callable[[C], T]) -> T:
        left = ATTEMPTS
        while True:
            try:
                with opened() as reading:
                    return work(reading)
            except Exception as wrong:
                left -= 1
                if isinstance(wrong, Conflict) and left:
                    continue
                said = self._said(wrong)
                if said is wrong:
                    raise
                raise said  # noqa: B904  # its cause is set

    def enqueue(self, work: Work[T], *, durable: bool) -> Job[T]:
        job = Job(work, durable=durable)
        self._waiting.append(job)
        return job

    def settle(self, job: Job[Any], *, new: bool = False) -> None:
        """Commit everything that waits, unless somebody does it who leads already.

        Whoever is done goes on at once. Were it the lock that they wait for, they would wait for later leaders too.

        Args:
            job: What is waited for.
            new: Whether it isn't in the queue yet.
        """
        try:
            if new:  # In here, so that an interrupt leaves no work in the queue that nobody asks for.
                self._waiting.append(job)
            while not job.done:
                if self._write_lock.acquire(blocking=False):
                    try:
                        self._lead(job)
                    finally:
                        self._write_lock.release()
                        self._pass_on()
                else:
                    job.wait()
        except BaseException:
            # Whoever is interrupted leads nobody any more.
            with suppress(ValueError):
                self._waiting.remove(job)
            self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Let the first one that waits lead, if there is one; to be called by whoever lets go of the write lock."""
        if self._waiting:
            with suppress(IndexError):  # Somebody may have taken it meanwhile.
                self._waiting[0].wake()

    def _lead(self, job: Job[Any]) -> None:
        jobs: list[Job[Any]] = []
        try:
            while self._waiting:
                jobs.append(self._waiting.popleft())
            if not job.done and job not in jobs:
                # A leader that was interrupted has taken ours out of the queue and not come to it.
                jobs.append(job)
            if jobs:
                self._commit(jobs)
        finally:
            for one in jobs:
                one.wake()

    def _commit(self, jobs: list[Job[Any]]) -> None:
        left, attempts = [job for job in jobs if job.take()], ATTEMPTS
        try:
            while left:
                left = self._transact(left, hoping=attempts == ATTEMPTS, last=attempts == 1)
                attempts -= 1
        except Exception as wrong:  # noqa: BLE001  # it is handed to every caller whose work was lost with it
            _lost(left, self._said(wrong))
        except BaseException:
            # A keyboard interrupt belongs to the thread that it hit, and not to those whose work it carried.
            name = self.database.name
            _lost(left, LedgerError(f"{name}: the writing thread was interrupted; look before you repeat it."))
            raise
        finally:
            for job in jobs:
                job.done = True

    def _transact(self, jobs: list[Job[Any]], *, hoping: bool, last: bool) -> list[Job[Any]]:
        """Commit these jobs in one transaction, and return those that are to be tried anew.

        All of them are where others came in between; otherwise those that hoped for something in vain.
        """
        try:
            with self.database.transaction(durable=any(job.durable for job in jobs), hoping=hoping) as cursor:
                for job in jobs:
                    job.failure = None
                    self._run(cursor, job, alone=len(jobs) == 1, last=last)
        except Conflict:
            if last:
                raise
            for job in jobs:
                job.came_true(committed=False)
            return jobs
        return [job for job in jobs if not job.came_true(committed=True)]

    def _run(self, cursor: Cursor, job: Job[Any], *, alone: bool, last: bool) -> None:
        """Run one job; a refusal of its own undoes only its own writes."""
        if alone:
            job.value = job.work(cursor)
            return
        try:
            with self.database.savepoint(cursor):
                job.value = job.work(cursor)
        except Exception as wrong:
            # The database may have given up the whole transaction, as SQLite does on a full disk.
            if not self.database.in_transaction() or (isinstance(wrong, Conflict) and not last):
                raise
            job.failure = self._said(wrong)

    def _said(self, wrong: Exception) -> Exception:
        if isinstance(wrong, Conflict):
            name = self.database.name
            said: Exception = LedgerError(f"{name}: others kept coming in between, and nothing was written: {wrong}")
        else:
            said = self.database.said(wrong)
        if said is not wrong:
            said.__cause__ = wrong
        return said

    def close(self) -> None:
        self.thread.shutdown(wait=True)
        with self._write_lock:
            if self._read_lock is self._write_lock:
                self.database.close()
                return
            with self._read_lock:
                self.database.close()


def _lost(jobs: list[Job[Any]], wrong: Exception) -> None:
    """Nothing of these jobs was committed, not even a refusal among them."""
    for job in jobs:
        job.failure = wrong


_STORES: weakref.WeakSet[Store] = weakref.WeakSet()
_PARENTS: list[_Engine] = []
"""What a forked child must not close: connections belong to the process that opened them."""


def _in_the_child() -> None:
    for store in list(_STORES):
        store.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_the_child)
