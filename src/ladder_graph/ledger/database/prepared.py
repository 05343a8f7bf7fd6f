"""Statements as a server knows them: what their parameters are written as, and how their rows are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from psycopg import pq
from sqlalchemy import LargeBinary
from sqlmodel import SQLModel

from ladder_graph.ledger.database.dialects import without_nul

_NAMED = re.compile(r"%(?:\((\w+)\)s|%)")
"""A parameter, or a percent sign that stands for itself."""

_BYTES = frozenset(
    column.name
    for table in SQLModel.metadata.tables.values()
    for column in table.columns
    if isinstance(column.type, LargeBinary)
)
"""The names of parameters that may be bytes: those of the columns that hold some."""

_READERS: dict[int, Callable[[bytes], Any]] = {
    16: lambda raw: raw == b"t",
    17: lambda raw: bytes.fromhex(raw[2:].decode()),
    20: int, 21: int, 23: int, 1700: int, 700: float, 701: float,
}  # fmt: skip
"""How a value in text form is read, by the number of its type: booleans, bytes and numbers; else it is text."""


class Row:
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


class Prepared:
    """A statement as the server knows it, by a name.

    Args:
        statement: In PostgreSQL's words, with its parameters named.
        number: What makes its name another one than those of the session's other statements.
    """

    __slots__ = ("binary", "columns", "name", "names", "parameters", "statement", "text", "values")

    def __init__(self, statement: str, number: int) -> None:
        self.statement = statement
        self.name = f"ladder_{number}".encode()
        self.parameters: list[str] = []
        self.text = _NAMED.sub(self._numbered, statement).encode()
        self.binary = [at for at, name in enumerate(self.parameters) if name in _BYTES]
        self.values = _getter(self.parameters)
        self.columns: list[Callable[[bytes], Any]] | None = None
        self.names: dict[str, int] = {}

    def _numbered(self, found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "%"
        if name not in self.parameters:
            self.parameters.append(name)
        return f"${self.parameters.index(name) + 1}"

    def formats(self, values: Sequence[Any]) -> list[int] | None:
        """How the values of its parameters are written: bytes as they are, everything else as text."""
        if not self.binary:
            return None
        formats = [0] * len(values)
        for at in self.binary:
            if type(values[at]) is bytes:
                formats[at] = 1
        return formats

    def rows(self, result: pq.abc.PGresult) -> list[Row]:
        """The rows of a result."""
        if self.columns is None:
            width = range(result.nfields)
            self.columns = [_READERS.get(result.ftype(at), bytes.decode) for at in width]
            self.names = {(result.fname(at) or b"").decode(): at for at in width}
        return [
            Row([_read(result.get_value(row, at), reader) for at, reader in enumerate(self.columns)], self.names)
            for row in range(result.ntuples)
        ]


def _getter(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """What takes the values of these out of all parameters."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda parameters: [parameters[name] for name in names]


def _read(raw: bytes | None, reader: Callable[[bytes], Any]) -> Any:
    return None if raw is None else reader(bytes(raw))


def written(values: Iterable[Any]) -> list[bytes | None]:
    """Parameters in text form; bytes go as they are."""
    return [value.encode() if type(value) is str and "\0" not in value else _written(value) for value in values]


def _written(value: Any) -> bytes | None:
    """One of them. The commonest come first."""
    kind = type(value)
    if kind is int:
        return b"%d" % value
    if kind is str:
        return without_nul(value).encode()
    if value is None or kind is bytes:
        return value  # type: ignore[no-any-return]  # as it is
    if kind is bool:
        return b"t" if value else b"f"
    return str(value).encode()
