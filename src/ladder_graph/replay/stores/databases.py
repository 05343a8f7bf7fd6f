"""Databases that runs were recorded in, opened to be read and for nothing else.

A URL without a schema means that of checkpointers, which is the server's default, and `ladder` for ledgers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ladder_graph.errors import LadderError
from ladder_graph.replay.sources import Source

if TYPE_CHECKING:
    import psycopg

_PORTION = 1000
"""Rows that are fetched from a server at a time."""


class Database(Protocol):
    """A database that can't be written to by whoever reads it."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[Any]:
        """All rows of a query, which can be read by name."""

    def stream(self, sql: str, /) -> Iterator[Any]:
        """The rows of a query, a portion at a time, while other queries go on beside it."""

    def close(self) -> None:
        """Let go of it."""


def is_postgres(path: str) -> bool:
    """Whether a path is the URL of a PostgreSQL database."""
    scheme, apart, _ = path.partition("://")
    return bool(apart) and scheme.partition("+")[0] in {"postgresql", "postgres"}


def opened(path: str, *, ledger: bool) -> Database:
    """A database, to be read.

    Args:
        path: A SQLite file, or the URL of a PostgreSQL database.
        ledger: Whether the ledger in it is meant, which has a schema of its own.

    Raises:
        LadderError: It can't be opened.
    """
    return _Postgres(path, ledger=ledger) if is_postgres(path) else _Sqlite(path)


def advance(source: Source, done: int, threads: int) -> None:
    """Tell how far the reading of a database has come.

    Args:
        source: The database.
        done: Threads that were read.
        threads: How many it had when the reading began; of a file, their share of its bytes is told.
    """
    whole = threads if source.is_url else Path(source.path).stat().st_size
    source.progress(whole * min(done, threads) // max(threads, 1), whole)


def tables(source: Source) -> frozenset[str]:
    """The names of a database's tables, those of a ledger among them; none where the source is no database.

    Args:
        source: A SQLite file, the URL of a PostgreSQL database, or something else.

    Raises:
        LadderError: The database can't be read.
    """
    if is_postgres(source.path):
        named = "schema=" in source.path.partition("?")[2]
        with closing(_Postgres(source.path, ledger=named)) as server:
            return frozenset(row["name"] for row in server.rows(_SERVED, {"schema": server.address.schema}))
    if source.is_url or not source.is_sqlite:
        return frozenset()
    with closing(_Sqlite(source.path)) as database:
        return frozenset(row["name"] for row in database.rows(_TABLES))


_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_SERVED = """SELECT tablename AS name FROM pg_tables
WHERE schemaname = ANY (current_schemas(false)) OR schemaname = %(schema)s"""


def connected(path: str) -> sqlite3.Connection:
    """A SQLite database, which can't be written to through this connection.

    Args:
        path: The file.

    Raises:
        LadderError: It can't be opened.
    """
    try:
        return sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    except sqlite3.Error as wrong:
        raise LadderError(f"{path}: {wrong}") from wrong


def served(url: str) -> psycopg.Connection[Any]:
    """A session with a server, which can't be written to.

    Args:
        url: The database's.

    Raises:
        LadderError: Its driver isn't installed, or it can't be reached.
    """
    try:
        import psycopg
        from psycopg.rows import dict_row

        from ladder_graph.ledger.database.sessions import Address
    except ImportError:
        raise LadderError("PostgreSQL is read with psycopg: pip install 'ladder-graph[postgres]'") from None
    address = Address.of(url)
    try:
        found = psycopg.connect(address.conninfo, autocommit=True, prepare_threshold=0, row_factory=dict_row)
        found.execute("SET default_transaction_read_only = on")
    except psycopg.Error as wrong:
        raise LadderError(f"{address.shown} can't be read: {' '.join(str(wrong).split())}") from wrong
    return found


class _Sqlite:
    """A SQLite file; see `Database`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.connection = connected(path)
        self.connection.row_factory = sqlite3.Row

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[Any]:
        return list(self._found(sql, parameters))

    def stream(self, sql: str, /) -> Iterator[Any]:
        return self._found(sql, None)

    def _found(self, sql: str, parameters: Mapping[str, Any] | None) -> Iterator[Any]:
        try:
            yield from self.connection.execute(sql, parameters or {})
        except sqlite3.Error as wrong:
            raise LadderError(f"{self._path}: {wrong}") from wrong

    def close(self) -> None:
        self.connection.close()


class _Postgres:
    """A database on a server; see `Database`."""

    def __init__(self, url: str, *, ledger: bool) -> None:
        self.connection = served(url)
        from psycopg import Error

        from ladder_graph.ledger.database.sessions import Address

        self.address, self._wrong = Address.of(url), Error
        if ledger:
            self.rows("SELECT set_config('search_path', %(schema)s, false)", {"schema": self.address.schema})

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[Any]:
        try:
            return self.connection.execute(_ours(sql), parameters).fetchall()
        except self._wrong as wrong:
            raise self._said(wrong) from wrong

    def stream(self, sql: str, /) -> Iterator[Any]:
        try:
            with self.connection.cursor(name="ladder_stream", withhold=True) as cursor:
                cursor.itersize = _PORTION
                yield from cursor.execute(_ours(sql))
        except self._wrong as wrong:
            raise self._said(wrong) from wrong

    def _said(self, wrong: Exception) -> LadderError:
        return LadderError(f"{self.address.shown} can't be read: {' '.join(str(wrong).split())}")

    def close(self) -> None:
        self.connection.close()


def _ours(sql: str) -> Any:
    """A statement in the server's words, where it has some of its own."""
    return getattr(sql, "postgres", sql)
