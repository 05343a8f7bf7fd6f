"""Bounds on the tables of a database that a call may touch."""

from __future__ import annotations

import functools
import logging
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.shape import Breach, look_up, shorten
from ladder_graph.policy.bounds.sql import INSTALL, Dialect, Unclear, Verb, folded, installed, touched
from ladder_graph.policy.fields import Argument, Some, Strict

log = logging.getLogger("ladder_graph")
_PART = r'[A-Za-z_][A-Za-z0-9_]*|"[^"\n]+"'
_TABLE = re.compile(rf"(?:{_PART})(?:\.(?:{_PART})){{0,2}}")


def _table(text: str) -> str:
    if not _TABLE.fullmatch(text):
        raise ValueError(
            f'{text!r} is no table\'s name; write "orders" or "public.orders", with double quotes where SQL needs them'
        )
    return text


TableName = Annotated[str, AfterValidator(_table)]
"""A table's name as SQL has it, with its schema where the calls write that too."""


class Table(Strict):
    """The call may touch these tables of a database, and no others.

    A name counts as it is written: `orders` and `public.orders` are two, since which schema is meant without one is
    the connection's affair. Names in an SQL text are compared by the dialect's rules of letter case. The whole
    statement is read, with every subquery; what isn't certain to be harmless asks: other functions than the usual ones
    of their arguments alone, several statements, other verbs, `SELECT … INTO`, locks, a change without a WHERE. What a
    view or a trigger touches in its turn, no bound sees, nor a function that somebody put in the place of a usual one.

    Example:
        >>> bound = Table(sql="query", tables=["orders"])
        >>> bound.check(Call("ops", "t1", "c1", "ask", {"query": "SELECT * FROM orders"})) is None
        True
        >>> bound.check(Call("ops", "t1", "c1", "ask", {"query": "SELECT * FROM salaries"})).text
        'query touches salaries, and the bound allows orders'
    """

    kind: Literal["table"] = "table"
    tables: Some[TableName]
    """The tables, as `"orders"` or `"public.orders"`."""
    argument: Argument | None = None
    """The argument that holds a table's name. It must be one of those in `tables`, letter for letter."""
    sql: Argument | None = None
    """Or the argument that holds an SQL text. It is read by sqlglot, which `ladder-graph[sql]` installs."""
    statements: Some[Verb] = ("select",)
    """What the SQL text may do: `select`, `insert`, `update`, `delete`. Reading inside a change is a `select` too."""
    dialect: Dialect = "postgres"
    """Whose SQL it is."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.argument is None) == (self.sql is None):
            raise ValueError('say where the table stands: either argument = "table" or sql = "query", and not both')
        if self.argument is not None and (self.statements, self.dialect) != (("select",), "postgres"):
            raise ValueError('statements and dialect are of an SQL text; name its argument, as in sql = "query"')
        if self.sql is not None and not installed():
            _say_once(f"a table bound reads SQL, and asks about every call until sqlglot is there: {INSTALL}")
        return self

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not."""
        name = self.sql or self.argument or ""
        value = look_up(call, name)
        if not isinstance(value, str):
            return Breach(self.kind, f"{name} is {shorten(value)}, and the bound allows {self._allowed}")
        if self.sql is None:
            return None if value in self.tables else self._touches(name, shorten(value))
        try:
            found = touched(value, self.dialect)
        except Unclear as why:
            return Breach(self.kind, f"what {name} touches can't be told: {why}")
        if others := sorted(".".join(table) for table in found.tables - self._listed()):
            return self._touches(name, ", ".join(others)[:200])
        if more := sorted(found.verbs.difference(self.statements)):
            return Breach(
                self.kind, f"{name} is of the kind {more[0]}, and the bound allows {', '.join(self.statements)}"
            )
        return None

    def _touches(self, name: str, what: str) -> Breach:
        return Breach(self.kind, f"{name} touches {what}, and the bound allows {self._allowed}")

    @property
    def _allowed(self) -> str:
        return ", ".join(self.tables)

    def _listed(self) -> set[tuple[str, ...]]:
        """The tables in the dialect's spelling."""
        return {
            tuple(
                folded(part.strip('"'), self.dialect, quoted=part.startswith('"')) for part in re.findall(_PART, table)
            )
            for table in self.tables
        }


@functools.cache
def _say_once(text: str) -> None:
    log.warning("%s", text)
