"""Statements over libpq's pipeline: sent as they come, and waited for when a result is looked at.

Through the driver's own cursors a statement costs some sixty microseconds of CPU, more than the server takes for it;
straight on `psycopg.pq` it costs a few. Only the ledger's hot path runs here.
"""

from __future__ import annotations

import itertools
import re
import selectors
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import psycopg
from psycopg import errors, pq
from sqlalchemy import LargeBinary
from sqlmodel import SQLModel

from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Hoped, Read
from ladder_graph.ledger.database.dialects import AtOnce, Sql, without_nul

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


_TUPLES = pq.ExecStatus.TUPLES_OK
_FINE = (_TUPLES, pq.ExecStatus.COMMAND_OK)


Heard = Callable[[int, "list[Row]"], None]
"""Takes a statement's result: how many rows it changed, and those that it gave back."""


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


class _Prepared:
    """A statement as the server knows it."""

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


def _written(value: Any) -> bytes | None:
    """A parameter in text form; bytes go as they are. The commonest come first."""
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


class Wire:
    """A connection's pipeline, and the statements that the server knows there.

    Args:
        connection: In autocommit mode, and used by nobody else inside `with wire:`.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._pgconn = connection.pgconn
        self._prepared: dict[str, _Prepared] = {}
        self._numbers = itertools.count()
        self._sent: deque[tuple[_Prepared, bool, Heard | None]] = deque()
        """What no result has come of yet: whether it is the statement, or its preparation; and who is told of it."""
        self._waiter = selectors.DefaultSelector()
        self._waiter.register(self._pgconn.socket, selectors.EVENT_READ)
        self.rows: list[Row] = []
        """Of the last statement that was waited for, and that nobody else hears of."""
        self.changed = 0
        """How many rows that statement changed."""
        self.committed = False
        """Whether the last transaction came to its COMMIT."""

    def __enter__(self) -> None:
        self._pgconn.enter_pipeline_mode()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for everything, and let others use the connection again."""
        if kind is not None and not issubclass(kind, Exception):
            # Interrupted wherever it stood, nobody knows which results are still on their way.
            self._pgconn.finish()
            return
        try:
            self.sync()
        except psycopg.Error:
            if kind is None:
                raise
        finally:
            if self._pgconn.status == pq.ConnStatus.OK:
                self._pgconn.exit_pipeline_mode()

    def send(self, statement: str, parameters: Mapping[str, Any], heard: Heard | None = None) -> None:
        """Send a statement.

        Args:
            statement: In PostgreSQL's words.
            parameters: By their names.
            heard: Is told how many rows it changed, and which it gave back, unless it went wrong.

        Raises:
            psycopg.Error: The connection is lost.
        """
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = _Prepared(statement, next(self._numbers))
            self._pgconn.send_prepare(prepared.name, prepared.text)
            self._sent.append((prepared, True, None))
        values = prepared.values(parameters)
        written = [value.encode() if type(value) is str and "\0" not in value else _written(value) for value in values]
        self._pgconn.send_query_prepared(prepared.name, written, prepared.formats(values))
        self._sent.append((prepared, False, heard))

    def sync(self) -> None:
        """Wait for everything that was sent, and keep the last result.

        Raises:
            psycopg.Error: The first thing that went wrong. What was sent after it didn't run.
        """
        if not self._sent:
            return
        self._pgconn.pipeline_sync()
        wrong: psycopg.Error | None = None
        while True:
            result = self._next()
            if result is None:
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                break
            wrong = self._kept(result) or wrong
        if wrong is not None:
            raise wrong

    def _kept(self, result: pq.abc.PGresult) -> psycopg.Error | None:
        """Keep a result; or say what went wrong."""
        prepared, preparing, heard = self._sent.popleft()
        status = result.status
        if status in _FINE:
            if not preparing:
                changed, rows = result.command_tuples or 0, prepared.rows(result) if status == _TUPLES else []
                self.committed = prepared.statement == "COMMIT" or (self.committed and prepared.statement != "BEGIN")
                if heard is None:
                    self.changed, self.rows = changed, rows
                else:
                    heard(changed, rows)
            return None
        if preparing:
            del self._prepared[prepared.statement]
        return None if status == pq.ExecStatus.PIPELINE_ABORTED else _error(result)

    def _next(self) -> pq.abc.PGresult | None:
        """The next result, waited for without holding the interpreter up."""
        while self._pgconn.flush():
            self._waiter.select(0.01)
            self._pgconn.consume_input()
        while self._pgconn.is_busy():
            self._waiter.select()
            self._pgconn.consume_input()
        if self._pgconn.status != pq.ConnStatus.OK:
            raise psycopg.OperationalError(self._pgconn.get_error_message())
        return self._pgconn.get_result()

    def close(self) -> None:
        """Free what waits for the socket."""
        self._waiter.close()


def _error(result: pq.abc.PGresult) -> psycopg.Error:
    state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    try:
        kind = errors.lookup(state)
    except KeyError:
        kind = psycopg.OperationalError if not state else psycopg.DatabaseError
    return kind(result.get_error_message())


class WireCursor:
    """A cursor on a wire.

    Args:
        wire: The connection's.
        hoping: Whether work may be hoped for on it, see `Hopeful`.
    """

    def __init__(self, wire: Wire, *, hoping: bool = False) -> None:
        self._wire = wire
        self._rows: Iterator[Row] | None = None
        self._ahead: dict[object, _Ahead] = {}
        """What was asked ahead of those who will look at it."""
        self._found: _Ahead | None = None
        """Where the rows of the last statement come, where it was asked ahead."""
        self._ends: dict[str, Row] = {}
        """The ends of the chains that this transaction has written to itself."""
        self.hoping = hoping
        self.witness: Mapping[str, Any] | None = None
        """The last entry that was certainly written, by which it can be told later whether it held."""
        self.hopes: list[Hoped[Any]] = []
        """What is hoped for in this transaction."""
        self._apart, self._unsure = False, False

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> WireCursor:
        """Send a statement; who looks at its result waits."""
        if self._apart:
            self._part()
        parameters = parameters or {}
        self._rows = self._found = None
        if statement is sql.APPEND:
            self.witness = parameters
            self._ends[parameters["stream"]] = Row((parameters["n"], parameters["hash"]), _END)
        elif statement is sql.HEAD and (end := self._ends.get(parameters["stream"])) is not None:
            self._rows = iter([end])
            return self
        if self._ahead and self._was_asked(statement, parameters):
            return self
        self._wire.send(statement.postgres if isinstance(statement, Sql) else statement, parameters)
        return self

    def ahead(self, reads: Iterable[Read]) -> None:
        """As every hopeful cursor does."""
        if self._apart:
            self._part()
        for statement, parameters in reads:
            asking = _asking(statement, parameters)
            if asking not in self._ahead:
                found = self._ahead[asking] = _Ahead()
                self._wire.send(statement.postgres, parameters, found.heard)

    def _was_asked(self, statement: str, parameters: Mapping[str, Any]) -> bool:
        """Whether a statement was asked ahead; what was is void as soon as anything else than a query is sent."""
        if not statement.startswith("SELECT"):
            self._ahead.clear()
            return False
        self._found = self._ahead.get(_asking(statement, parameters))
        return self._found is not None

    def hope(self, statement: AtOnce, parameters: Mapping[str, Any], hoped: Hoped[Any]) -> None:
        """As every hopeful cursor does: whether it did anything is known when the transaction is over."""
        self._rows, self._found, self._unsure = None, None, True
        self._ahead.clear()
        self._ends.clear()  # The server makes the next one.
        self._wire.send(statement.postgres, parameters, hoped.heard)
        self.hopes.append(hoped)

    def divide(self) -> None:
        """Begin a part of the transaction, which has a savepoint as soon as it runs more than what it hopes for."""
        self._apart = True
        self._ahead.clear()
        self._ends.clear()  # The part before this one may have been undone.

    def join(self) -> bool:
        """Let the part be over; whether it had a savepoint."""
        apart, self._apart = not self._apart, False
        return apart

    def _part(self) -> None:
        if self._unsure:
            self.sync()  # What went wrong before is not this part's fault.
        self._apart = False
        self.execute("SAVEPOINT job")

    def sync(self) -> None:
        """Wait for everything that was sent."""
        self._wire.sync()
        self._unsure = False

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        self.sync()
        return self._wire.changed

    def fetchone(self) -> Any:
        """The next row, or None."""
        return next(self._result(), None)

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        return list(self._result())

    def _result(self) -> Iterator[Row]:
        if self._rows is None:
            if self._found is None or self._found.rows is None:
                self.sync()
            self._rows = iter(self._wire.rows if self._found is None else self._found.kept())
        return self._rows


_END = {"n": 0, "hash": 1}


class _Ahead:
    """The rows of a query that was asked ahead; None until they have come."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: list[Row] | None = None

    def heard(self, changed: int, rows: list[Row]) -> None:
        """Take them."""
        del changed
        self.rows = rows

    def kept(self) -> list[Row]:
        """The rows.

        Raises:
            psycopg.Error: None have come, as the transaction went wrong before.
        """
        if self.rows is None:
            raise psycopg.OperationalError("what was asked ahead was not answered")
        return self.rows


def _asking(statement: str, parameters: Mapping[str, Any]) -> object:
    """What tells one query with its parameters from every other."""
    return statement, frozenset(parameters.items())
