"""One statement in the words of both databases, made from the tables' definitions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

from sqlalchemy import ClauseElement, Dialect, Table, Update, bindparam, literal_column, select
from sqlalchemy.dialects import sqlite

# Both databases speak `ON CONFLICT` alike, so what is built with PostgreSQL's insert compiles for SQLite too.
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.dialects.postgresql import psycopg as postgres


class Sql(str):
    """One statement: SQLite's text, and beside it PostgreSQL's, which is made when it is first asked for."""

    __slots__ = ("_made", "postgres")

    _made: tuple[ClauseElement, str]
    postgres: str

    @classmethod
    def of(cls, statement: ClauseElement, more: str = "", *, there: ClauseElement | None = None) -> Self:
        """Compile a statement.

        Args:
            statement: What to compile.
            more: What neither needs SQLAlchemy for, put behind it.
            there: What PostgreSQL runs in its place.
        """
        sql = cls(_compiled(statement, _SQLITE) + more)
        sql._made = (statement if there is None else there, more)
        return sql

    @classmethod
    def on_a_server(cls, statement: ClauseElement) -> Self:
        """A statement that PostgreSQL alone understands; SQLite refuses what stands in its place."""
        sql = cls("a statement for PostgreSQL alone")
        sql._made = (statement, "")
        return sql

    @classmethod
    def of_one(cls, statement: Update) -> Self:
        """Compile a statement that changes one row; where it doesn't, a server ends the transaction: `change_one`."""
        changed = statement.returning(literal_column("1").label("one")).cte("changed")
        # Nothing is one divided by: whoever waits for the end of the transaction is told.
        return cls.of(statement, there=select(literal_column("1 / count(*)")).select_from(changed))

    def __getattr__(self, name: str) -> Any:
        """Make what isn't there yet: whoever has only files never needs it, and most of the time goes into it."""
        if name != "postgres":
            raise AttributeError(name)
        statement, more = self._made
        self.postgres = _compiled(statement, _POSTGRES) + more
        return self.postgres


_SQLITE = sqlite.dialect(paramstyle="named")
_POSTGRES: Dialect = postgres.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]  # SQLAlchemy's


def _compiled(statement: ClauseElement, dialect: Dialect) -> str:
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    sql = str(compiled)
    for name, value in compiled.params.items():
        if isinstance(value, int):  # A limit: written out, so that callers bind only what they name.
            sql = re.sub(rf":{name}\b|%\({name}\)s(::\w+)?", str(value), sql)
    return sql


def table_of(model: Any) -> Table:
    """The table behind a model."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101  # narrows the type
    return table


def insert_into(model: Any, more: str = "") -> Sql:
    """The statement that inserts a whole row, each column by its name.

    Args:
        model: Whose table.
        more: What stands behind it.
    """
    table = table_of(model)
    return Sql.of(insert(table).values({column.name: bindparam(column.name) for column in table.columns}), more)


class Trigger:
    """A statement of SQLite's that does several things or none: a row put into a view whose trigger does them.

    View and trigger are temporary, and belong to the connection that makes them.

    Args:
        name: What the view is called.
        columns: The names of the parameters, which the trigger has as `NEW.name`.
        when: What must be so; otherwise nothing is done.
        does: Statements, in their order.
    """

    __slots__ = ("columns", "making", "name", "text")

    def __init__(self, name: str, columns: Sequence[str], when: Sequence[str], does: Sequence[str]) -> None:
        self.name, self.columns = name, columns
        quoted = ", ".join(f'"{column}"' for column in columns)
        nothing = ", ".join(["NULL"] * len(columns))
        doing = f"WHEN {' AND '.join(when)} BEGIN {' '.join(f'{one};' for one in does)} END"
        self.making = (
            f"CREATE TEMP VIEW IF NOT EXISTS {name} ({quoted}) AS SELECT {nothing}",
            f"CREATE TEMP TRIGGER IF NOT EXISTS {name}_does INSTEAD OF INSERT ON {name} {doing}",
        )
        values = ", ".join(f":{column}" for column in columns)
        self.text = f"INSERT INTO {name} ({quoted}) VALUES ({values})"  # noqa: S608  # every value is bound


class AtOnce(NamedTuple):
    """A statement that does a whole transaction or nothing, in the words of both databases."""

    postgres: str
    sqlite: Trigger


def without_nul(text: str) -> str:
    """A text as PostgreSQL can keep it: a NUL character, at which it would end, is written as an escape.

    A thread's name may hold one, and two threads must not become one.
    """
    return text.replace("\0", "\\x00") if "\0" in text else text
