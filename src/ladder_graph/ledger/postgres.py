"""A ledger in PostgreSQL: one connection that writes, one that reads, and one whose lock shows that we live.

Writers of one lane (one agent) wait for each other in an advisory lock, so that each transaction sees the ones before
it; those of other lanes go on beside them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from typing import Any

import psycopg
from psycopg import errors
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ladder_graph.errors import LedgerError, LedgerUnwritable
from ladder_graph.ledger import postgres_schema
from ladder_graph.ledger import statements as sql
from ladder_graph.ledger.cursor import Cursor
from ladder_graph.ledger.database import Conflict
from ladder_graph.ledger.dialects import Sql
from ladder_graph.ledger.liveness import Owner
from ladder_graph.ledger.sessions import Address, SessionOwner, key_of, let_go
from ladder_graph.ledger.wire import Wire, WireCursor

AGAIN = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure)
"""Another writer came in between: one of another lane, or the very first of a chain."""

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
            self.reader = self._connect()
            opened.pop_all()
        self._writing, self._reading = Wire(self.writer), Wire(self.reader)
        self.owner: Owner = SessionOwner(self._address)
        self.shared_connection = False
        self._pool: Engine | None = None

    def _connect(self) -> psycopg.Connection[Any]:
        # A process that is stopped in the middle of a transaction must not stop all the others. And every statement
        # reads a row or a few by their keys, so that planning it anew for each value is wasted.
        return self._address.connect(
            idle_in_transaction_session_timeout="30s", plan_cache_mode="force_generic_plan", jit="off"
        )

    def _ready(self) -> None:
        try:
            postgres_schema.ready(self.writer, self._address)
        except psycopg.Error as wrong:
            raise self.said(wrong) from wrong

    # --- transactions ----------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[Cursor]:
        """A transaction that no other writer of the lane is in."""
        if self.writer.closed:
            self.writer = self._again()
            self._writing = Wire(self.writer)
        cursor = WireCursor(self._writing)
        committing = False
        try:
            with self._writing:
                cursor.execute("BEGIN")
                cursor.execute(_ENTER, {"lane": self._lane, "level": "on" if durable else "off"})
                yield cursor
                committing = True
                cursor.execute("COMMIT").sync()
        except psycopg.Error as wrong:
            if not self.writer.closed:
                self._roll_back()
                if isinstance(wrong, AGAIN):
                    raise Conflict(str(wrong)) from wrong
                raise
            # What was sent before the connection was lost may have held, if the end of it was sent.
            if not (committing and self._held(cursor.witness)):
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

    def _held(self, witness: Mapping[str, Any] | None) -> bool:
        """Whether a transaction holds whose end nobody told us, by the last entry that it wrote.

        Its lane is locked until it is over, so whoever has the lock sees how it ended.

        Raises:
            LedgerUnwritable: The server doesn't come back, so nobody can tell.
        """
        if witness is None:
            return False
        try:
            with closing(self._again()) as connection, connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [self._lane])
                found = connection.execute(sql.ENTRY_HASH.postgres, witness).fetchone()
        except psycopg.Error as wrong:
            raise LedgerUnwritable(
                f"{self.name}: the connection was lost while something was written, and nobody can tell whether it "
                f"holds: {wrong}. Nothing ran on the strength of it."
            ) from wrong
        return found is not None and found[0] == witness["hash"]

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
        cursor.execute("SAVEPOINT job")
        try:
            yield
            cursor.sync()
        except Exception as wrong:
            if not self.writer.closed:
                with suppress(psycopg.Error):
                    cursor.sync()
                cursor.execute("ROLLBACK TO SAVEPOINT job")
                cursor.execute("RELEASE SAVEPOINT job")
            if isinstance(wrong, AGAIN):
                raise Conflict(str(wrong)) from wrong
            raise
        cursor.execute("RELEASE SAVEPOINT job")

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
                "postgresql+psycopg://", creator=self._again, isolation_level="REPEATABLE READ", pool_size=2,
                pool_pre_ping=True,
            )  # fmt: skip
        with Session(self._pool, expire_on_commit=False) as session:
            try:
                yield session
            except DBAPIError as wrong:
                if wrong.connection_invalidated:
                    raise Conflict(f"{self.name}: the connection was lost: {wrong.orig}") from wrong
                raise

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
        if isinstance(wrong, Conflict):
            return LedgerError(f"{self.name}: others kept coming in between, and nothing was written: {wrong}")
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


_ENTER = "SELECT pg_advisory_xact_lock(%(lane)s), set_config('synchronous_commit', %(level)s, true)"
"""Wait for the lane, and say how durable the end of this transaction is."""


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
