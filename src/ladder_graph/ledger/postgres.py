"""A ledger in PostgreSQL: one connection that writes, one that reads, and one whose lock shows that we live.

Writers of one lane (one agent) wait for each other in an advisory lock, so that each transaction sees the ones before
it; those of other lanes go on beside them. Statements are sent in a pipeline: only those whose result is looked at cost
a round trip.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

from ladder_graph.errors import LedgerError, LedgerUnwritable, NotALedger
from ladder_graph.ledger import migrations
from ladder_graph.ledger import statements as sql
from ladder_graph.ledger.cursor import Cursor
from ladder_graph.ledger.database import Conflict
from ladder_graph.ledger.liveness import Owner
from ladder_graph.ledger.sessions import Address, SessionOwner, key_of, let_go

try:
    import psycopg
    from psycopg import errors
except ImportError as missing:  # pragma: no cover  # the tests have it
    raise LedgerError("a ledger in PostgreSQL needs its driver: pip install 'ladder-graph[postgres]'") from missing

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
            self._migrate()
            self.reader = self._connect()
            opened.pop_all()
        self.owner: Owner = SessionOwner(self._address)
        self.shared_connection = False
        self._pool: Engine | None = None

    def _connect(self) -> psycopg.Connection[Any]:
        connection = self._address.connect()
        # A process that is stopped in the middle of a transaction must not stop all the others.
        connection.execute("SET idle_in_transaction_session_timeout = '30s'")
        return connection

    def _migrate(self) -> None:
        try:
            if self._recognise() < len(migrations.MIGRATIONS):
                with self.writer.transaction():
                    self.writer.execute("SELECT pg_advisory_xact_lock(%s)", [key_of("schema", self._address.schema)])
                    # Another process may have migrated it while this one waited for the lock.
                    self._bring_up(self._recognise())
        except psycopg.Error as wrong:
            raise self.said(wrong) from wrong

    def _recognise(self) -> int:
        """The version of the schema, as its table `ladder_ledger` says; 0 where there is nothing in it yet.

        Raises:
            NotALedger: It holds something else.
            LedgerNewer: A later release wrote it.
        """
        schema = self._address.schema
        tables = self.writer.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relkind = 'r'",
            [schema],
        ).fetchall()
        if ("ladder_ledger",) not in tables:
            if tables:
                raise NotALedger(
                    f"{self.name} has a schema {schema} with other tables in it. Name another one by ?schema=; it was "
                    "not touched."
                )
            return 0
        found = self.writer.execute("SELECT version FROM ladder_ledger").fetchone()
        version = 0 if found is None else int(found[0])
        if version > len(migrations.MIGRATIONS):
            raise migrations.newer(self.name, version)
        return version

    def _bring_up(self, version: int) -> None:
        """From a version to the present one, in the transaction that is open."""
        self.writer.execute(f'CREATE SCHEMA IF NOT EXISTS "{self._address.schema}"')
        self.writer.execute("CREATE TABLE IF NOT EXISTS ladder_ledger (version integer NOT NULL)")
        for step in migrations.MIGRATIONS[version:]:
            for statement in step(postgresql.dialect()):  # type: ignore[no-untyped-call]  # SQLAlchemy's
                self.writer.execute(statement)
        self.writer.execute("DELETE FROM ladder_ledger")
        self.writer.execute("INSERT INTO ladder_ledger VALUES (%s)", [len(migrations.MIGRATIONS)])

    # --- transactions ----------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[Cursor]:
        """A transaction that no other writer of the lane is in."""
        self.writer = self._alive(self.writer)
        cursor = _Cursor(self.writer)
        committing = False
        try:
            with self.writer.pipeline() as cursor.pipeline:
                cursor.execute("BEGIN")
                cursor.execute(_ENTER, {"lane": self._lane, "level": "on" if durable else "off"})
                yield cursor
                committing = True
                cursor.execute("COMMIT")
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
        with suppress(psycopg.Error):
            if self.in_transaction():
                self.writer.execute("ROLLBACK")

    def _held(self, witness: Mapping[str, Any] | None) -> bool:
        """Whether a transaction holds whose end nobody told us, by the last entry that it wrote.

        Its lane is locked until it is over, so whoever has the lock sees how it ended.

        Raises:
            LedgerUnwritable: The server doesn't come back, so nobody can tell.
        """
        if witness is None:
            return False
        try:
            self.writer = self._alive(self.writer)
            with self.writer.transaction():
                self.writer.execute("SELECT pg_advisory_xact_lock(%s)", [self._lane])
                found = self.writer.execute(sql.ENTRY_HASH.postgres, witness).fetchone()
        except psycopg.Error as wrong:
            raise LedgerUnwritable(
                f"{self.name}: the connection was lost while something was written, and nobody can tell whether it "
                f"holds: {wrong}. Nothing ran on the strength of it."
            ) from wrong
        return found is not None and found[0] == witness["hash"]

    def _alive(self, connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
        """The connection, or a new one where it was lost; a server that is being restarted is waited for."""
        if not connection.closed:
            return connection
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
        assert isinstance(cursor, _Cursor)  # noqa: S101  # narrows the type
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
        self.reader = self._alive(self.reader)
        cursor = _Cursor(self.reader)
        try:
            with self.reader.pipeline() as cursor.pipeline:
                cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield cursor
                cursor.execute("COMMIT")
        except BaseException:
            with suppress(psycopg.Error):
                self.reader.rollback()
            raise

    @contextmanager
    def session(self) -> Iterator[Session]:
        """SQLModel on a pool of connections of its own."""
        if self._pool is None:
            self._pool = create_engine(
                "postgresql+psycopg://", creator=self._connect, isolation_level="REPEATABLE READ", pool_size=2,
                pool_pre_ping=True,
            )  # fmt: skip
        with Session(self._pool, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def streamed(self) -> Iterator[Any]:
        """A connection of its own, which reads what is large through a cursor on the server."""
        with closing(self._connect()) as connection, ExitStack() as opened:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield _Streamed(connection, opened)

    def said(self, wrong: Exception) -> Exception:
        """An error of the driver's in our words."""
        if isinstance(wrong, Conflict):
            return LedgerError(f"{self.name}: others kept coming in between, and nothing was written: {wrong}")
        return self._address.said(wrong) if isinstance(wrong, psycopg.Error) else wrong

    def close(self) -> None:
        """Close every connection; the owner's lock goes with its own."""
        self.writer.close()
        self.reader.close()
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


class _Row:
    """A row that can be read by place and by name."""

    __slots__ = ("_names", "_values")

    def __init__(self, values: Sequence[Any], names: Mapping[str, int]) -> None:
        self._values, self._names = values, names

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __getitem__(self, at: int | str) -> Any:
        return self._values[self._names[at] if isinstance(at, str) else at]

    def keys(self) -> Iterable[str]:
        """The names of the columns, which make it a mapping for `dict`."""
        return self._names.keys()


def _rows(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], _Row]:
    names = {column.name: place for place, column in enumerate(cursor.description or ())}
    return lambda values: _Row(values, names)


class _Cursor:
    """One statement after the other in a pipeline, each on a cursor of the driver's; who looks at a result waits."""

    pipeline: psycopg.Pipeline

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._last: psycopg.Cursor[Any] = connection.cursor(row_factory=_rows)
        self.witness: Mapping[str, Any] | None = None
        """The last entry that was written, by which it can be told later whether it held."""

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> _Cursor:
        """Send a statement."""
        if statement is sql.INSERT_ENTRY:
            self.witness = parameters
        text = statement.postgres if isinstance(statement, sql.Sql) else statement
        self._last = self._connection.cursor(row_factory=_rows)
        self._last.execute(text, parameters, prepare=True)
        return self

    def sync(self) -> None:
        """Wait for everything that was sent."""
        self.pipeline.sync()

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        self.sync()
        return self._last.rowcount

    def fetchone(self) -> Any:
        """The next row, or None."""
        return self._last.fetchone()

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        return self._last.fetchall()


class _Streamed:
    """What `chain.verify` asks of a connection."""

    def __init__(self, connection: psycopg.Connection[Any], opened: ExitStack) -> None:
        self._connection, self._opened = connection, opened
        self._count = 0

    def execute(self, query: str, parameters: tuple[Any, ...] = ()) -> Any:
        """Run a query; its rows come in portions."""
        self._count += 1
        cursor = self._opened.enter_context(self._connection.cursor(name=f"verify_{self._count}"))
        cursor.itersize = 5000
        return cursor.execute(query.replace("?", "%s"), parameters)
