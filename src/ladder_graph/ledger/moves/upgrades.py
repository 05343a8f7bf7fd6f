"""Bringing a ledger to this release's schema on purpose, and saying beforehand what that would be."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Dialect
from sqlalchemy.dialects import sqlite

from ladder_graph.ledger.database import migrations
from ladder_graph.ledger.database.sources import on_server
from ladder_graph.ledger.database.sqlite import MEMORY, SqliteDatabase, connect
from ladder_graph.ledger.moves.ends import in_use


@dataclass(frozen=True, slots=True)
class Upgrade:
    """From one schema to the present one."""

    name: str
    """The ledger: its file, or its address without the password."""
    version: int
    """The version of its schema, before; 0 where there is no ledger yet."""
    newest: int
    """This release's."""
    statements: tuple[str, ...]
    """What leads from the one to the other; empty where nothing is to be done."""


def plan(source: str) -> Upgrade:
    """What would be done. Nothing is changed.

    Args:
        source: A file, or the URL of a PostgreSQL database.

    Raises:
        LedgerError: It is none, or a later release's, or it was moved.
    """
    if on_server(source):
        from ladder_graph.ledger.database import postgres_schema

        with postgres_schema.session(source) as (served, address):
            return _from(address.shown, postgres_schema.recognise(served, address), postgres_schema.DIALECT)
    if source == MEMORY or not Path(source).exists():
        return _from(source, 0, sqlite.dialect())
    with closing(connect(source)) as connection:
        return _from(source, migrations.recognise(connection, source), sqlite.dialect())


def upgrade(source: str, *, while_running: bool = False) -> Upgrade:
    """Do it; what was done. Where nobody has begun a ledger it is made.

    Args:
        source: As for `plan`.
        while_running: On a server, although processes work with it.

    Raises:
        LedgerError: As `plan`; or processes work with it. It is as it was.
    """
    if on_server(source):
        from ladder_graph.ledger.database import postgres_schema

        with postgres_schema.session(source) as (served, address):
            if not while_running and (holders := postgres_schema.at_work(served, address.schema)):
                raise in_use(address.shown, holders)
            return _from(address.shown, postgres_schema.bring_up(served, address), postgres_schema.DIALECT)
    before = plan(source)
    SqliteDatabase(source).close()
    return before


def _from(name: str, version: int, dialect: Dialect) -> Upgrade:
    return Upgrade(name, version, len(migrations.MIGRATIONS), tuple(migrations.statements(version, dialect)))
