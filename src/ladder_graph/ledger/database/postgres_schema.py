"""The schema of a ledger on PostgreSQL: what it is, and bringing it up.

Opening makes a ledger where there is nothing, and leaves an older one alone: while workers are replaced one by one,
those of the earlier release still write, and the first one of the new release must not change the tables under them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql

from ladder_graph.errors import LedgerError, NotALedger
from ladder_graph.ledger.database import marks, migrations
from ladder_graph.ledger.database.sessions import Address, key_of, lock_of

DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's

PATIENCE = "10s"
"""How long a migration waits for who uses a table. While it waits, everybody else waits behind it."""


def ready(connection: psycopg.Connection[Any], address: Address) -> None:
    """See to it that there is a ledger of the present schema, before it is opened.

    Raises:
        NotALedger: The schema holds something else.
        LedgerNewer: A later release wrote it.
        LedgerOlder: An earlier release did, and nobody has said that it may be brought up.
    """
    version = recognise(connection, address)
    if version == 0:
        bring_up(connection, address)
    elif version < len(migrations.MIGRATIONS):
        raise migrations.older(address.shown, version)


@contextmanager
def session(url: str) -> Iterator[tuple[psycopg.Connection[Any], Address]]:
    """A session past any pooler, for what is done to a ledger as a whole; errors of the driver's in our words."""
    address = Address.of(url)
    with closing(address.connect(direct=True)) as connection:
        try:
            yield connection, address
        except psycopg.Error as wrong:
            raise address.said(wrong) from wrong


def recognise(connection: psycopg.Connection[Any], address: Address) -> int:
    """The version of the schema; 0 where there is nothing in it yet.

    Raises:
        NotALedger: It holds something else.
        LedgerNewer: A later release wrote it.
        LedgerMoved: It is being moved, or has gone elsewhere.
    """
    version = schema_of(connection, address)
    marks.refuse(marks_of(connection, address), address.shown)
    return version


def schema_of(connection: psycopg.Connection[Any], address: Address) -> int:
    """As `recognise`, wherever it has gone: its table `ladder_ledger` says it.

    Raises:
        NotALedger: It holds something else.
        LedgerNewer: A later release wrote it.
    """
    tables = tables_in(connection, address.schema)
    if "ladder_ledger" not in tables:
        if tables and marks.TABLE not in tables:
            raise NotALedger(
                f"{address.shown} has a schema {address.schema} with other tables in it. Name another one by ?schema=; "
                "it was not touched."
            )
        return 0
    _may_look(connection, address)
    found = connection.execute("SELECT version FROM ladder_ledger").fetchone()
    version = 0 if found is None else int(found[0])
    if version > len(migrations.MIGRATIONS):
        raise migrations.newer(address.shown, version)
    return version


def _may_look(connection: psycopg.Connection[Any], address: Address) -> None:
    # Without this right the server says that the tables aren't there.
    row = connection.execute("SELECT has_schema_privilege(%s, 'USAGE')", [address.schema]).fetchone()
    if row != (True,):
        raise LedgerError(
            f"{address.shown}: this role may not use the schema {address.schema}; let its owner GRANT what "
            "docs/postgres.md lists"
        )


def marks_of(connection: psycopg.Connection[Any], address: Address) -> list[marks.Mark]:
    """What a ledger says of its moves."""
    moved = marks.TABLE in tables_in(connection, address.schema)
    return marks.of(connection.execute(marks.SELECT).fetchall()) if moved else []


def tables_in(connection: psycopg.Connection[Any], schema: str) -> set[str]:
    """The names of the tables in a schema."""
    found = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relkind = 'r'",
        [schema],
    )
    return {name for (name,) in found}


def bring_up(connection: psycopg.Connection[Any], address: Address) -> int:
    """Bring a ledger to the present schema, from nothing or from an earlier one, in one transaction.

    Whoever does so at the same time waits, and finds it done.

    Args:
        connection: In autocommit mode.
        address: Where it is.

    Returns:
        The version that it had.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [key_of("schema", address.schema)])
        version = recognise(connection, address)
        connection.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
        write(connection, address.schema, version)
    return version


def write(connection: psycopg.Connection[Any], schema: str, version: int) -> None:
    """From a version to the present one, in the transaction that is open."""
    make_schema(connection, schema)
    for statement in migrations.statements(version, DIALECT):
        connection.execute(statement)
    name(connection)


def name(connection: psycopg.Connection[Any]) -> None:
    """Say that the schema in sight is a ledger of the present version, in the transaction that is open."""
    connection.execute("CREATE TABLE IF NOT EXISTS ladder_ledger (version integer NOT NULL)")
    connection.execute("DELETE FROM ladder_ledger")
    connection.execute("INSERT INTO ladder_ledger VALUES (%s)", [len(migrations.MIGRATIONS)])


def make_schema(connection: psycopg.Connection[Any], schema: str) -> None:
    """Make a schema, unless it is there: who may only use one that was made for them may not make any."""
    ((there,),) = connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", [schema]).fetchall()
    if not there:
        connection.execute(f'CREATE SCHEMA "{schema}"')


_OWNERS = "SELECT table_name FROM information_schema.columns WHERE table_schema = %s AND column_name = 'owner'"
_SESSIONS = """SELECT (l.classid::bigint << 32) | l.objid::bigint, l.pid, coalesce(host(a.client_addr), 'this machine')
    FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def at_work(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    """Who works with a ledger: the sessions that hold the lock of an owner whom one of its rows names."""
    named: set[int] = set()
    for (table,) in connection.execute(_OWNERS, [schema]).fetchall():
        for (owner,) in connection.execute(f'SELECT DISTINCT owner FROM "{table}"').fetchall():  # noqa: S608  # ours
            with suppress(ValueError, OverflowError):
                named.add(lock_of(owner))
    held = connection.execute(_SESSIONS).fetchall()
    return [f"session {pid} from {host}" for key, pid, host in held if key in named]
