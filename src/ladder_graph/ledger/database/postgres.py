"""A ledger in PostgreSQL: one connection that writes, one that reads, and one whose lock shows that we live.

Writers of one lane (one agent) wait for each other in an advisory lock, so that each transaction sees the ones before
it; those of other lanes go on beside them.

There is no pool of writers: the threads and tasks of a process that wait for its one writer are committed together by
whoever leads (`ladder_graph.ledger.database.store`), in one exchange with the server. So a process holds three
connections, whatever its number of threads, and one or two more for lists and pages once they are asked for. Async
callers wait in the store's own thread, and psycopg's pipeline is driven there without its async layer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from typing import Any

import psycopg
from psycopg import errors
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ladder_graph.errors import LedgerUnwritable
from ladder_graph.ledger.database import postgres_schema
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Conflict, Cursor
from ladder_graph.ledger.database.dialects import Sql
from ladder_graph.ledger.database.driver import NOT_FLUSHED, NOTHING_RUNS
from ladder_graph.ledger.database.liveness import Owner
from ladder_graph.ledger.database.sessions import Address, SessionOwner, key_of, let_go
from ladder_graph.ledger.database.wire import Wire, WireCursor

AGAIN = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure, errors.DivisionByZero)
"""Another writer came in between: one of another lane, or the very first of a chain. Our statements divide by nothing
where a row isn't as it was read, and by nothing else."""

PATIENCE = 10.0
"""Seconds to wait for a server that is being restarted."""


class PostgresDatabase:
    """A ledger in a schema of its own in a PostgreSQL database; see `Database`.

    Args:
        url: `postgresql://user@host/database`, with any of libpq's parameters, and `schema=` for another one than
            `ladder`.
        lane: Whose entries are mostly written.

    Raises:
        LedgerError: It can't be used; the message says why.
    """

    def __init__(self, url: str, lane: str) -> None:
        self._address = Address.of(url)
        self.name = self._address.shown
        self._lane = key_of("lane", self._address.schema, lane)
        with ExitStack() as opened:
            self.writer = opened.enter_context(closing(self._connect()))
            self._ready()
            self._flushes = self._may_flush()
            self.reader = self._connect()
            opened.pop_all()
        self._writing, self._reading = Wire(self.writer), Wire(self.reader)
        self.owner: Owner = SessionOwner(self._address)
        self.shared_connection = False
        self._pool: Engine | None = None

    def _connect(self) -> psycopg.Connection[Any]:
        # A process that is stopped in the middle of a transaction must not stop all the others. And every statement
        # reads a row or a few by their keys, so that planning it anew for each value is wasted.
        # Nor may a plan that was made while a table was small go through all of it once it is large.
        return self._address.connect(
            idle_in_transaction_session_timeout="30s", plan_cache_mode="force_generic_plan", jit="off",
            enable_seqscan="off",
        )  # fmt: skip

    def _may_flush(self) -> bool:
        """Whether this role may write a message of its own into the log; elsewhere each COMMIT waits for the disk."""
        # Its signature is another one from release to release.
        found = self.writer.execute(
            "SELECT bool_and(has_function_privilege(oid, 'EXECUTE')) FROM pg_proc WHERE proname = %s",
            ["pg_logical_emit_message"],
        ).fetchone()
        return found is not None and bool(found[0])

    def _ready(self) -> None:
        try:
            postgres_schema.ready(self.writer, self._address)
        except psycopg.Error as wrong:
            raise self.said(wrong) from wrong

    # --- transactions ----------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self, *, durable: bool, hoping: bool = False) -> Iterator[Cursor]:
        """A transaction that no other writer of the lane is in. Its lane is free again before it is on the disk.

        The COMMIT itself doesn't wait for the disk, and in the same round trip everything up to it is flushed: whoever
        comes next in the lane needn't wait for that, and one flush serves all who wait for one.
        """
        if self.writer.closed:
            self.writer = self._again()
            self._writing = Wire(self.writer)
        cursor, committing = WireCursor(self._writing, hoping=hoping), False
        try:
            with self._writing:
                cursor.execute("BEGIN")
                cursor.execute(_ENTER, {
                    "lane": self._lane, "level": "on" if durable and not self._flushes else "off",
                    "schema": self._address.schema,
                })  # fmt: skip
                yield cursor
                committing = True
                cursor.execute("COMMIT")
                if durable and self._flushes:
                    cursor.execute(FLUSH)
                cursor.sync()
        except psycopg.Error as wrong:
            if not self.writer.closed:
                self._roll_back()
                if committing and self._writing.committed:
                    raise LedgerUnwritable(f"{self.name}: {NOT_FLUSHED}: {wrong}. {NOTHING_RUNS}") from wrong
                if isinstance(wrong, AGAIN):
                    raise Conflict(str(wrong)) from wrong
                raise
            # What was sent before the connection was lost may have held, if the end of it was sent.
            if not (committing and self._held(cursor, durable=durable)):
                raise Conflict(f"{self.name}: the connection was lost: {wrong}") from wrong
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        # On the wire: the driver's own rollback would make the server forget the statements that it knows.
        with suppress(psycopg.Error):
            if self.in_transaction():
                with self._writing:
                    WireCursor(self._writing).execute("ROLLBACK")

    def _held(self, cursor: WireCursor, *, durable: bool) -> bool:
        """Whether a transaction holds whose end nobody told us, by the entries that it wrote.

        Its lane is locked until it is over, so whoever has the lock sees how it ended. What it only hoped for may have
        come to nothing though it held.

        Raises:
            LedgerUnwritable: The server doesn't come back, so nobody can tell.
        """
        witness, hopes = cursor.witness, cursor.hopes
        if witness is None and not hopes:
            return False
        try:
            with closing(self._again()) as connection, connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [self._lane])
                for hoped in hopes:
                    hoped.held = connection.execute(sql.SAYS.postgres, hoped.proof).fetchone() is not None
                held = any(hoped.held for hoped in hopes)
                if witness is not None:
                    found = connection.execute(sql.ENTRY_HASH.postgres, witness).fetchone()
                    held = found is not None and found[0] == witness["hash"]
                if held and durable and self._flushes:
                    connection.execute(FLUSH)
        except psycopg.Error as wrong:
            raise LedgerUnwritable(
                f"{self.name}: the connection was lost while something was written, and nobody can tell whether it "
                f"holds: {wrong}. {NOTHING_RUNS}"
            ) from wrong
        return held

    def _again(self) -> psycopg.Connection[Any]:
        """A new connection after one was lost; a server that is being restarted is waited for."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._connect()
            except LedgerUnwritable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    @contextmanager
    def savepoint(self, cursor: Cursor) -> Iterator[None]:
        """A part of a transaction; its errors come out at its end, since a pipeline may still hold them."""
        assert isinstance(cursor, WireCursor)  # noqa: S101  # narrows the type
        cursor.divide()
        written = cursor.witness
        try:
            yield
            if cursor.join():
                cursor.sync()
                cursor.execute("RELEASE SAVEPOINT job")
        except Exception as wrong:
            cursor.witness = written  # What this part wrote is no witness that the transaction held.
            if cursor.join() and not self.writer.closed:
                with suppress(psycopg.Error):
                    cursor.sync()
                cursor.execute("ROLLBACK TO SAVEPOINT job")
                cursor.execute("RELEASE SAVEPOINT job")
            if isinstance(wrong, AGAIN):
                raise Conflict(str(wrong)) from wrong
            raise

    def in_transaction(self) -> bool:
        """Whether the transaction is there, sound or not."""
        idle = psycopg.pq.TransactionStatus.IDLE
        return not self.writer.closed and self.writer.info.transaction_status != idle

    @contextmanager
    def snapshot(self) -> Iterator[Cursor]:
        """A transaction that only reads."""
        with self.glance() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield cursor
            finally:
                with suppress(psycopg.Error):
                    cursor.execute("ROLLBACK").fetchall()

    @contextmanager
    def glance(self) -> Iterator[Cursor]:
        """Queries that each see the present state; one round trip each."""
        if self.reader.closed:
            self.reader = self._again()
            self._reading = Wire(self.reader)
        try:
            with self._reading:
                yield WireCursor(self._reading)
        except psycopg.Error as wrong:
            if self.reader.closed:
                raise Conflict(f"{self.name}: the connection was lost: {wrong}") from wrong
            raise

    @contextmanager
    def session(self) -> Iterator[Session]:
        """SQLModel on a pool of connections of its own."""
        if self._pool is None:
            self._pool = create_engine(
                "postgresql+psycopg://", creator=self._again, isolation_level="REPEATABLE READ", pool_size=1,
                max_overflow=1, pool_pre_ping=True,
            )  # fmt: skip
        with Session(self._pool, expire_on_commit=False) as session:
            try:
                yield session
            except DBAPIError as wrong:
                if wrong.connection_invalidated:
                    raise Conflict(f"{self.name}: the connection was lost: {wrong.orig}") from wrong
                raise wrong.orig or wrong from wrong  # The driver's own, which is put in our words as any other.

    @contextmanager
    def streamed(self) -> Iterator[Any]:
        """A connection of its own, which reads what is large through a cursor on the server."""
        with closing(self._connect()) as connection, ExitStack() as opened:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield Streamed(connection, opened)

    def overwriting(self) -> AbstractContextManager[None]:
        """Nothing of the kind: the server's own vacuum overwrites dead rows, and only a superuser empties its log."""
        return nullcontext()

    def said(self, wrong: Exception) -> Exception:
        """An error of the driver's in our words."""
        return self._address.said(wrong) if isinstance(wrong, psycopg.Error) else wrong

    def close(self) -> None:
        """Close every connection; the owner's lock goes with its own."""
        for wire, connection in ((self._writing, self.writer), (self._reading, self.reader)):
            wire.close()
            connection.close()
        if self._pool is not None:
            self._pool.dispose()
        self.owner.release()

    def abandon(self) -> str:
        """Let go of our copies of the sockets, without a word to the server."""
        self.owner.abandon()
        for connection in (self.writer, self.reader):
            let_go(connection)
        if self._pool is not None:
            self._pool.dispose(close=False)
        return "this process was forked from one that had it open. Open it in each process, after the fork."


FLUSH = "SELECT set_config('synchronous_commit', 'on', true), pg_logical_emit_message(true, 'ladder', '')"
"""Write next to nothing in a transaction of its own, whose end is on the disk, and so is all that came before it."""

_ENTER = (
    "SELECT pg_advisory_xact_lock(%(lane)s), set_config('synchronous_commit', %(level)s, true), "
    "CASE WHEN current_setting('search_path') <> %(schema)s THEN current_setting('ladder.session_of_another') END"
)
"""Wait for the lane, and say how durable the end of this transaction is. Where a pooler has given us a session that was
told another schema, there is no such setting: nothing may be written into another ledger."""


class Streamed:
    """What `chain.verify` asks of a connection."""

    def __init__(self, connection: psycopg.Connection[Any], opened: ExitStack) -> None:
        self._connection, self._opened = connection, opened
        self._count = 0

    def execute(self, query: str, parameters: Any = ()) -> Any:
        """Run a query, ours or one of the stand-alone verifier; its rows come in portions."""
        self._count += 1
        cursor = self._opened.enter_context(self._connection.cursor(name=f"verify_{self._count}"))
        cursor.itersize = 5000
        ours = query.postgres if isinstance(query, Sql) else query.replace("?", "%s")
        return cursor.execute(ours, parameters)
