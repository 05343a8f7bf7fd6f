"""The rows of a ledger as lines, in the text form of PostgreSQL's COPY: what is sent from one database to another.

Both databases write the same row as the same line, so that a table can be held against its copy line by line, in any
order: its tally is the number of its lines, and the sum of their SHA-256.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Float, Integer, LargeBinary, String, Table

from ladder_graph.errors import LedgerError
from ladder_graph.ledger.database.dialects import without_nul

_ESCAPES = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\"}
_ESCAPED = re.compile(r"\\(.)")
_MEANT = {escape[1]: sign for sign, escape in _ESCAPES.items()}
_TABLE = str.maketrans(_ESCAPES)
NULL = "\\N"


@dataclass(slots=True)
class Tally:
    """What a table holds, whatever the order of its rows."""

    rows: int = 0
    """How many."""
    sum: int = 0
    """The sum of the SHA-256 of all lines, modulo 2 to the 256th."""

    def count(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Pass lines on, and count them."""
        for line in lines:
            self.rows += 1
            self.sum = (self.sum + int.from_bytes(hashlib.sha256(line).digest())) % _MODULUS
            yield line

    @classmethod
    def of(cls, lines: Iterable[bytes]) -> Tally:
        """The tally of all these lines."""
        tally = cls()
        for _ in tally.count(lines):
            pass
        return tally


_MODULUS = 1 << 256


class Form:
    """How the rows of one table are written as lines, and read.

    Args:
        table: The table.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = ", ".join(f'"{column.name}"' for column in table.columns)
        pairs = [_PAIRS[_kind(column.type)] for column in table.columns]
        self._writers = [write for write, _ in pairs]
        self._readers = [read for _, read in pairs]
        self._exact = not any(isinstance(column.type, Float) for column in table.columns)

    def written(self, row: Sequence[Any]) -> bytes:
        """A row as a line.

        Raises:
            LedgerError: It holds what PostgreSQL can't.
        """
        try:
            fields = [NULL if value is None else write(value) for write, value in zip(self._writers, row, strict=True)]
        except ValueError as wrong:
            raise LedgerError(f"a row of the table {self.table.name} can't be written: {wrong}: {row[:2]!r}") from wrong
        return ("\t".join(fields) + "\n").encode()

    def read(self, line: bytes) -> list[Any]:
        """The row of a line."""
        fields = line.decode().removesuffix("\n").split("\t")
        return [None if field == NULL else read(field) for read, field in zip(self._readers, fields, strict=True)]

    def ours(self, line: bytes) -> bytes:
        """A line that PostgreSQL wrote, as we write it: it has its own way with fractions."""
        return line if self._exact else self.written(self.read(line))


def _text(value: str) -> str:
    # Nearly all text is, and both looks are quicker than any pattern.
    if value.isprintable() and "\\" not in value:
        return value
    return without_nul(value).translate(_TABLE)


def _plain(field: str) -> str:
    return _ESCAPED.sub(lambda found: _MEANT[found[1]], field) if "\\" in field else field


def _whole(value: int) -> str:
    if not isinstance(value, int):
        raise ValueError(f"{value!r} is no whole number")  # noqa: TRY004  # one sort of error for what doesn't fit
    return str(value)


_PAIRS: dict[type, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    Boolean: (lambda value: "t" if value else "f", lambda field: field == "t"),
    LargeBinary: (lambda value: f"\\\\x{value.hex()}", lambda field: bytes.fromhex(field[3:])),
    Float: (lambda value: repr(float(value)), float),
    Integer: (_whole, int),
    String: (_text, _plain),
}
"""How a value of each type is written and read. SQLite keeps booleans as whole numbers."""


def _kind(column: Any) -> type:
    """Which of the known types a column's is.

    Raises:
        LedgerError: A type that nobody has said how to write.
    """
    for kind in _PAIRS:
        if isinstance(getattr(column, "impl_instance", column), kind):
            return kind
    raise LedgerError(f"a column of type {column} can't be moved to another database")
