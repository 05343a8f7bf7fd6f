"""Databases that runs were recorded in, opened to be read and for nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ladder_graph.errors import LadderError
from ladder_graph.replay.sources import Source


def tables(source: Source) -> frozenset[str]:
    """The names of a database's tables; none where the source is no database.

    Args:
        source: A SQLite file, the URL of a PostgreSQL database, or something else.

    Raises:
        LadderError: The database can't be read.
    """
    if source.path.startswith(("postgresql://", "postgres://")):
        return _of_postgres(source.path)
    return _of_sqlite(source.path) if not source.is_url and source.is_sqlite else frozenset()


def connected(path: str) -> sqlite3.Connection:
    """A SQLite database, which can't be written to through this connection.

    Args:
        path: The file.

    Raises:
        LadderError: It can't be opened.
    """
    try:
        return sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as wrong:
        raise LadderError(f"{path}: {wrong}") from wrong


def _of_sqlite(path: str) -> frozenset[str]:
    try:
        with closing(connected(path)) as database:
            return frozenset(
                name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            )
    except sqlite3.Error as wrong:
        raise LadderError(f"{path}: {wrong}") from wrong


def _of_postgres(url: str) -> frozenset[str]:
    try:
        import psycopg
    except ImportError:
        raise LadderError("PostgreSQL is read with psycopg: pip install 'ladder-graph[postgres]'") from None
    try:
        with psycopg.connect(url) as database:
            found = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = ANY (current_schemas(false))")
            return frozenset(name for (name,) in found)
    except psycopg.Error as wrong:
        raise LadderError(f"the database can't be read: {wrong}") from wrong
