"""What the ledger's transactions ask of a database driver, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from ladder_graph.ledger.database.dialects import AtOnce, Sql

T_co = TypeVar("T_co", covariant=True)

Read = tuple[Sql, Mapping[str, Any]]
"""A query with its parameters."""


class Conflict(Exception):
    """Another writer came in between, or the connection was lost before anything held: the same work may be tried anew.

    It stays inside the ledger.
    """


class Cursor(Protocol):
    """A driver's cursor inside a transaction, whose rows can be read by name and by place."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""

    def execute(self, sql: str, parameters: Mapping[str, Any] = ..., /) -> Any:
        """Run one statement."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""


class Hoped(Generic[T_co]):
    """What one statement stands for whose result comes with the end of the transaction.

    The statement does everything or nothing. Where it did nothing, the work is done again the long way, which says why.

    Args:
        value: What the work comes to where it did.
        proof: The action and the payload of the entry that it writes, by which a lost answer can be made up for.
        wrote: Is told the number of that entry in its chain, where the answer isn't lost.
        forget: What this process remembered for it, and must forget where it did nothing.
    """

    __slots__ = ("_forget", "_wrote", "held", "proof", "value")

    def __init__(
        self, value: T_co, proof: Mapping[str, str], wrote: Callable[[int], None],
        forget: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.value, self.proof, self._wrote, self._forget = value, proof, wrote, forget
        self.held = False

    def heard(self, changed: int, rows: Sequence[Any]) -> None:
        """Take the statement's result."""
        self.held = changed == 1
        if self.held:
            self._wrote(rows[0][0])

    def forget(self) -> None:
        """Forget what was remembered for it; a second time is harmless."""
        forget, self._forget = self._forget, None
        if forget is not None:
            forget()


class Hopeful(Protocol):
    """A cursor whose transaction may be one statement."""

    @property
    def hoping(self) -> bool:
        """Whether work may be hoped for: the first time that it is tried."""

    def hope(self, statement: AtOnce, parameters: Mapping[str, Any], hoped: Hoped[Any], /) -> None:
        """Send a statement that writes one entry and changes one row, or does nothing at all."""


class Remote(Protocol):
    """A cursor to a server, where each result that is waited for is a round trip."""

    def ahead(self, reads: Iterable[Read], /) -> None:
        """Send these queries now; whoever runs one of them later, before anything is written, finds its rows there."""


def hopeful(cursor: Cursor) -> Hopeful | None:
    """The same cursor, where work may be hoped for on it."""
    return cast("Hopeful", cursor) if getattr(cursor, "hoping", False) else None


def remote(cursor: Cursor) -> Remote | None:
    """The same cursor, where it is one to a server."""
    return cast("Remote", cursor) if hasattr(cursor, "ahead") else None


def ahead(cursor: Cursor, *reads: Read) -> None:
    """Say what will be read next, so that a server is asked for all of it in one round trip.

    Args:
        cursor: Of the ledger. A file is read when it is.
        reads: The queries, in the order in which their answers may not be older than each other.
    """
    server = remote(cursor)
    if server is not None:
        server.ahead(reads)


def change_one(cursor: Cursor, statement: Sql, parameters: Mapping[str, Any]) -> None:
    """Change the one row that must be there, by what was read in this transaction; nobody waits for it.

    Args:
        cursor: In a transaction.
        statement: Made by `Sql.of_one`.
        parameters: By their names.

    Raises:
        Conflict: It isn't there any more: others came in between. A server says so at the end of the transaction.
    """
    cursor.execute(statement, parameters)
    if remote(cursor) is None and cursor.rowcount != 1:
        raise Conflict("a row that was read just now isn't there any more")
