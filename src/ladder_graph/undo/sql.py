"""`sql_rows`: the undo of a tool that inserts, updates or deletes rows named by its arguments."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Column, Connection, Engine, MetaData, Table, Uuid, and_, create_engine, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.types import NullType

from ladder_graph.calls import canonical, normalise, restore
from ladder_graph.errors import LadderError, UndoConflict
from ladder_graph.references import register, registered, resolve, unportable
from ladder_graph.telling import Change
from ladder_graph.tools import Arguments, Declaration
from ladder_graph.undo import merging

MOST_SHOWN = 20
"""Rows that are shown to whoever is asked."""
MOST_ROWS = 1_000
"""Rows that one before-image may hold."""


def sql_rows(
    source: str | Callable[[], Engine | str],
    table: str,
    *,
    key: str | Mapping[str, str],
    schema: str | None = None,
    ignore: Sequence[str] = (),
) -> Declaration:
    """Undo for a tool that changes the rows of a table that its arguments name. The table needs a primary key.

    The before-image holds whole rows. The undo goes row by row, in one transaction that locks them: a row that the
    action left alone stays as it is; what it changed goes back, deleted rows are inserted and inserted ones deleted;
    a row that somebody changed after it is a conflict, and then nothing is changed. Before it commits, it looks
    whether the rows are as they were.

    Limits: only rows whose key columns have the arguments' values are seen, so a tool that changes the key itself
    needs an undo of its own; so does one that touches other tables, and what triggers and cascades did there stays.
    Sequences don't go back. Columns of types that JSON can't hold (intervals, network addresses) and JSON columns that
    are null get no undo; nor do deleted rows whose key is `GENERATED ALWAYS`. After a crash between the action and its
    fingerprint, every change of these rows since the before-image is taken for the action's. It is tested with SQLite
    and PostgreSQL. The rows stand in the ledger: name no table of secrets.

    Args:
        source: `"env:NAME"` for the environment variable that holds the URL, or a function at the top of a module that
            returns an engine or a URL. The artifact holds neither URL nor password.
        table: Its name.
        key: The column, if the argument has the same name; or columns with the arguments' names. An argument may be a
            list of values.
        schema: The table's schema, where it isn't the default one.
        ignore: Columns that the database sets by itself, such as `updated_at`: they are neither compared nor put back.

    Raises:
        LadderError: The source is neither.
    """
    columns = {key: key} if isinstance(key, str) else dict(key)
    place = {"source": _source(source), "table": table, "schema": schema, "ignore": list(ignore)}

    def prepare(arguments: Arguments) -> dict[str, Any]:
        where = {column: _values(arguments, name) for column, name in columns.items()}
        scope = {**place, "where": where}
        with _opened(scope) as connection:
            rows = _Rows(connection, scope).read()
        kept = {name: normalise(row) for name, row in rows.items()}
        return {**scope, "rows": kept, "parts": {name: _digest(row) for name, row in kept.items()}}

    def foresee(arguments: Arguments) -> list[Change]:
        where = {column: _values(arguments, name) for column, name in columns.items()}
        with _opened({**place, "where": where}) as connection:
            rows = _Rows(connection, {**place, "where": where}).read()
        named = f"{schema}.{table}" if schema else table
        found = [
            Change(f"{named} {name}", json.dumps(normalise(row), ensure_ascii=False))
            for name, row in list(rows.items())[:MOST_SHOWN]
        ]
        more = len(rows) - len(found)
        return [*found, *([Change(f"{more} more rows of {named}")] if more else [])] or [
            Change(f"rows of {named}", "none that the arguments name")
        ]

    return Declaration(
        prepare=prepare, undo=put_back, fingerprint=present, conditional=True, resource=_resource, foresee=foresee
    )  # fmt: skip


def _source(source: str | Callable[[], Engine | str]) -> str:
    if isinstance(source, str):
        if not source.startswith("env:"):
            raise LadderError("sql_rows: name the environment variable that holds the URL, as env:NAME")
        return source
    why = unportable(source)
    # While its own module is still being imported, a function can't be found there yet.
    if why and "can't be found" not in why:
        raise LadderError(f"sql_rows: {why}")
    return register("engine", source)


def _resource(state: Any) -> str:
    return f"table:{state['source']}:{state['schema'] or ''}.{state['table']}"


def _values(arguments: Arguments, name: str) -> list[Any]:
    value = arguments.get(name)
    values = list(value) if isinstance(value, list | tuple) else [value]
    if not values or any(entry is None for entry in values):
        raise LadderError(f"the argument {name} names no rows")
    return [normalise(entry) for entry in values]


@contextlib.contextmanager
def _opened(state: Any, *, lock: bool = False) -> Iterator[Connection]:
    """A transaction; one to write in on SQLite keeps everybody else from writing, since it can lock no rows."""
    found: Any = state["source"]
    if found.startswith("env:"):
        found = os.environ.get(found[4:])
        if not found:
            raise LadderError(f"the environment variable {state['source'][4:]} isn't set")
    else:
        found = resolve("engine", found)()
    engine = found if isinstance(found, Engine) else _engine(found)
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            with connection.begin():
                yield connection
        else:
            own = connection.execution_options(isolation_level="AUTOCOMMIT")
            with _begun(own, "BEGIN IMMEDIATE" if lock else "BEGIN"):
                yield own


@contextlib.contextmanager
def _begun(connection: Connection, statement: str) -> Iterator[None]:
    connection.exec_driver_sql(statement)
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


# It keeps no connection open, only what it has compiled, which costs more than all statements of an undo.
@functools.lru_cache(maxsize=16)
def _engine(address: str) -> Engine:
    url = make_url(address)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, poolclass=NullPool)


@dataclass
class _Rows:
    """The rows of one table that an action may touch."""

    connection: Connection
    state: Mapping[str, Any]

    def __post_init__(self) -> None:
        name, schema, looking = self.state["table"], self.state["schema"], inspect(self.connection)
        described = looking.get_columns(name, schema)
        self.key = list(looking.get_pk_constraint(name, schema)["constrained_columns"])
        ignored = {*self.state["ignore"]} - {*self.key}
        columns = [Column(c["name"], self._type(c["type"])) for c in described if c["name"] not in ignored]
        self.table = Table(name, MetaData(), *columns, schema=schema)
        self.writable = {c["name"] for c in described if "computed" not in c} - ignored
        if not self.key:
            raise LadderError(f"the table {name} has no primary key, so its rows can't be told apart")
        if unknown := [column for column in self.state["where"] if column not in self.table.c]:
            raise LadderError(f"the table {name} has no column {unknown[0]}")

    def _type(self, described: Any) -> Any:
        # What SQLite holds has a type of its own in each row, whatever the column says: it is kept as it is.
        if self.connection.dialect.name == "sqlite":
            return NullType()
        return Uuid(as_uuid=False) if isinstance(described, Uuid) else described

    def read(self, *, lock: bool = False) -> dict[str, dict[str, Any]]:
        """The rows by primary key, locked where that is asked for."""
        matching = [self.table.c[column].in_(restore(values)) for column, values in self.state["where"].items()]
        chosen = select(self.table).where(*matching).limit(MOST_ROWS + 1)
        found = self.connection.execute(chosen.with_for_update() if lock else chosen)
        rows = {self._name(row): dict(row) for row in found.mappings()}
        if len(rows) > MOST_ROWS:
            raise LadderError(f"more than {MOST_ROWS} rows of {self.table.name} are named")
        for row in rows.values():
            if any(row[c.name] is None and isinstance(c.type, JSON) for c in self.table.c):
                raise LadderError("a JSON column is null: which null can't be told")
        return rows

    def _name(self, row: Mapping[Any, Any]) -> str:
        return canonical([row[column] for column in self.key]).decode()

    def _is(self, row: Mapping[str, Any]) -> ColumnElement[bool]:
        return and_(*[self.table.c[column] == row[column] for column in self.key])

    def put(self, before: dict[str, Any], now: dict[str, dict[str, Any]], names: Sequence[str]) -> None:
        """Make rows what they were. Deletions come first, so that they are in nobody's way."""
        for name in names:
            if name not in before:
                self.connection.execute(self.table.delete().where(self._is(now[name])))
        for name in names:
            if name in before:
                row = {column: value for column, value in restore(before[name]).items() if column in self.writable}
                there = self.table.update().where(self._is(row)) if name in now else self.table.insert()
                self.connection.execute(there.values(row))


def _digest(row: Any) -> str:
    return hashlib.sha256(canonical(row)).hexdigest()[:32]


def _parts(rows: Mapping[str, Any]) -> dict[str, str]:
    return {name: _digest(normalise(row)) for name, row in rows.items()}


@registered("fingerprint")
def present(state: Any) -> str:
    """The rows at this moment."""
    with _opened(state) as connection:
        return merging.spell(_parts(_Rows(connection, state).read()))


@registered("undo")
def put_back(state: Any, after: str | None) -> bool:
    """Make the rows what they were.

    Returns:
        Whether any was different.

    Raises:
        UndoConflict: Somebody changed the same rows after the action, or the database won't have them back.
        LadderError: They don't become what they were; nothing was changed.
    """
    try:
        with _opened(state, lock=True) as connection:
            rows = _Rows(connection, state)
            now = rows.read(lock=True)
            left = None if after is None else merging.read(after)
            names = merging.to_restore(state["parts"], left, _parts(now))
            rows.put(state["rows"], now, names)
            found = _parts(rows.read()) if names else {}
            if wrong := [name for name in names if found.get(name) != state["parts"].get(name)]:
                raise LadderError(f"the row {wrong[0]} of {state['table']} doesn't become what it was")
    except IntegrityError as refused:
        raise UndoConflict(f"the database refuses the rows of before: {refused.orig}") from refused
    return bool(names)
