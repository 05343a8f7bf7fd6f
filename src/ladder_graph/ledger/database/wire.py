"""Statements over libpq's pipeline: sent as they come, and waited for when a result is looked at.

Through the driver's own cursors a statement costs some sixty microseconds of CPU, more than the server takes for it;
straight on `psycopg.pq` it costs a few. Only the ledger's hot path runs here.
"""

from __future__ import annotations

import itertools
import selectors
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import psycopg
from psycopg import errors, pq

from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Hoped, Read
from ladder_graph.ledger.database.dialects import AtOnce, Sql
from ladder_graph.ledger.database.prepared import Prepared, Row, written

_TUPLES = pq.ExecStatus.TUPLES_OK
_FINE = (_TUPLES, pq.ExecStatus.COMMAND_OK)


Heard = Callable[[int, "list[Row]"], None]
"""Takes a statement's result: how many rows it changed, and those that it gave back."""


class Wire:
    """A connection's pipeline, and the statements that the server knows there.

    Args:
        connection: In autocommit mode, and used by nobody else inside `with wire:`.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._pgconn = connection.pgconn
        self._prepared: dict[str, Prepared] = {}
        self._numbers = itertools.count()
        self._sent: deque[tuple[Prepared, bool, Heard | None]] = deque()
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
            prepared = self._prepared[statement] = Prepared(statement, next(self._numbers))
            self._pgconn.send_prepare(prepared.name, prepared.text)
            self._sent.append((prepared, True, None))
        values = prepared.values(parameters)
        self._pgconn.send_query_prepared(prepared.name, written(values), prepared.formats(values))
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
