"""`sql`: the draft of a tool that changes rows: the statement, and the rows before and after it in a dry run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from ladder_graph.calls import normalise
from ladder_graph.drafting import keyed
from ladder_graph.drafting.drawn import Drawn, Piece, argument
from ladder_graph.errors import ArgumentsError, DraftRefused
from ladder_graph.policy.bounds.sql import Dialect, Unclear, touched

Rows = str | Callable[[Mapping[str, Any]], str]
"""A SELECT, or a function of the arguments that gives one."""


@dataclass(frozen=True, slots=True)
class Statement:
    """See `sql`."""

    argument: str
    connect: Callable[[], Any]
    rows: Rows
    key: tuple[str, ...]
    dialect: Dialect
    tables: frozenset[str]
    most: int
    will: str
    labels: tuple[str, ...]

    def draw(self, arguments: Mapping[str, Any]) -> Drawn:
        """The statement, with the rows that it would change."""
        statement = argument(arguments, self.argument).strip()
        names, verbs = self._checked(statement)
        select = self._selected(self.rows(arguments) if callable(self.rows) else self.rows)
        before, after, count, cut = self._tried(statement, select)
        notes = [f"{count} rows are touched, as the database counts them in the dry run."] if count >= 0 else []
        if cut:
            notes.append(f"Only the first {self.most} rows are shown.")
        return Drawn(
            "sql", (Piece("statement", None, f"{statement}\n", "code"), Piece("rows", before, after, "keys")),
            f"{statement}\n", ".sql", title=f"{', '.join(sorted(verbs))} in {', '.join(names)}".capitalize(),
            source="the rows as they are", facts=(("rows", select),), notes=tuple(notes),
            target=statement, labels=self.labels, will=self.will, whole=True,
            recipe={"form": "text", "argument": self.argument, "piece": "statement"},
        )  # fmt: skip

    def _checked(self, statement: str) -> tuple[list[str], set[str]]:
        """One statement that only changes rows, so that a rollback takes all of it back."""
        try:
            found = touched(statement.removesuffix(";"), self.dialect)
        except Unclear as wrong:
            raise DraftRefused(f"the statement can't be tried out: {wrong}") from wrong
        names = sorted({".".join(parts) for parts in found.tables})
        if self.tables and (beyond := [name for name in names if name.casefold() not in self.tables]):
            raise DraftRefused(f"the statement touches {beyond[0]}, and may touch {', '.join(sorted(self.tables))}")
        return names, {str(verb) for verb in found.verbs}

    def _selected(self, select: str) -> str:
        """The query for the rows, which may hold what a model wrote."""
        try:
            verbs = touched(select, self.dialect).verbs
        except Unclear as wrong:
            raise DraftRefused(f"the rows can't be looked at: {wrong}") from wrong
        if verbs != {"select"}:
            raise DraftRefused("what shows the rows must be a SELECT")
        return select

    def _tried(self, statement: str, select: str) -> tuple[str, str, int, bool]:
        """Rows before and after it in a transaction that is rolled back, how many it touched, whether some are cut."""
        with closing(self.connect()) as connection:
            try:
                with closing(connection.cursor()) as cursor:
                    _begin(connection, cursor)
                    before, cut = self._read(cursor, select)
                    cursor.execute(statement)
                    count = cursor.rowcount
                    after, cut_after = self._read(cursor, select)
            finally:
                connection.rollback()
        return keyed.flat(before), keyed.flat(after), count, cut or cut_after

    def _read(self, cursor: Any, select: str) -> tuple[dict[str, Any], bool]:
        cursor.execute(select)
        names = [column[0] for column in cursor.description]
        found = cursor.fetchmany(self.most + 1)
        rows = [dict(zip(names, row, strict=True)) for row in found[: self.most]]
        return {self._name(row, nth): _plain(row) for nth, row in enumerate(rows)}, len(found) > self.most

    def _name(self, row: Mapping[str, Any], nth: int) -> str:
        if not self.key:
            return f"row {nth + 1}"
        if missing := [name for name in self.key if name not in row]:
            raise DraftRefused(f"the rows have no column {missing[0]}, which is their key")
        return ", ".join(f"{name} {row[name]}" for name in self.key)


def sql(
    argument: str,
    *,
    connect: Callable[[], Any],
    rows: Rows,
    key: str | Sequence[str] = (),
    dialect: Dialect = "postgres",
    tables: Sequence[str] = (),
    most: int = 100,
    will: str = "",
    labels: tuple[str, ...] = (),
) -> Statement:
    """The draft of a tool that changes rows of a database. Needs `ladder-graph[sql]`.

    The statement runs in a transaction that is rolled back, so give it a connection of its own, with no more rights
    than it needs: locks are held meanwhile, sequences don't go back, and what a function or a trigger does outside the
    database stays. Several statements in one text, and any that isn't certain to change rows only, are refused before
    they run. It is taken whole, or with another statement in its place.

    Args:
        argument: The argument that holds the statement.
        connect: Returns a new DB-API connection, such as a function around `sqlite3.connect` or `psycopg.connect`.
        rows: The SELECT that shows the rows before and after, or a function of the arguments that gives one.
        key: The columns that name a row; without them rows go by their number.
        dialect: Whose SQL it is.
        tables: The tables that statements may touch; any, if none is named.
        most: How many rows are shown.
        will: What accepting does, in words.
        labels: Access labels of these drafts, beside those of the rule.
    """
    columns = (key,) if isinstance(key, str) else tuple(key)
    named = frozenset(table.casefold() for table in tables)
    return Statement(argument, connect, rows, columns, dialect, named, most, will, labels)


def _begin(connection: Any, cursor: Any) -> None:
    """Make sure that there is a transaction: a connection that commits each statement would not take it back."""
    if getattr(connection, "isolation_level", "") is None and hasattr(connection, "in_transaction"):
        if not connection.in_transaction:
            cursor.execute("BEGIN")  # SQLite, in autocommit.
        return
    if getattr(connection, "autocommit", None) is True:
        with suppress(Exception):  # Whatever the driver says; it is looked at below.
            connection.autocommit = False
        if connection.autocommit is True:
            raise DraftRefused("the connection commits each statement by itself, so nothing can be tried out on it")


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON; what JSON has no form for stands as its text."""
    found = {}
    for name, value in row.items():
        try:
            found[name] = normalise(value)
        except ArgumentsError:
            found[name] = str(value)
    return found
