"""What the store asks of a database: transactions that hold, snapshots to read, and an owner whose life can be seen."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlmodel import Session

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.liveness import Owner

NOT_FLUSHED = "it was written, and nobody can tell whether it is on the disk"
NOTHING_RUNS = "Nothing runs on the strength of it."


class Database(Protocol):
    """One ledger database, as one process has it open."""

    name: str
    """How it is called in messages: its file, or its address without the password."""
    owner: Owner
    shared_connection: bool
    """Readers see what the writer is doing, so they must wait for each other."""

    def transaction(self, *, durable: bool, hoping: bool = False) -> AbstractContextManager[Cursor]:
        """A transaction that no other writer of this agent's entries is in: committed at the end, unless it raises.

        Args:
            durable: Whether a power cut after the commit may not lose it.
            hoping: Whether the work may send what it hopes for, see `Hopeful`; what came of it is known at the end.

        Raises:
            Conflict: Nothing of it holds, and it may be tried anew.
        """

    def savepoint(self, cursor: Cursor) -> AbstractContextManager[None]:
        """A part of a transaction that is undone by itself where it raises."""

    def in_transaction(self) -> bool:
        """Whether the transaction is still there after an error in it."""

    def snapshot(self) -> AbstractContextManager[Cursor]:
        """A transaction that only reads, and sees one state of the ledger."""

    def glance(self) -> AbstractContextManager[Cursor]:
        """As `snapshot`, but each query may see another state."""

    def session(self) -> AbstractContextManager[Session]:
        """A session for queries, which sees one state of the ledger."""

    def streamed(self) -> AbstractContextManager[Any]:
        """A connection for `chain.verify`, which reads one state of everything in flat memory."""

    def overwriting(self) -> AbstractContextManager[None]:
        """What is deleted in here is overwritten as well, as far as that is this process's to do."""

    def said(self, wrong: Exception) -> Exception:
        """A driver's error in our words; any other error as it is."""

    def close(self) -> None:
        """Close the database and let go of the owner's lock."""

    def abandon(self) -> str:
        """In a forked child: leave everything to the parent. Returns why the child is refused, and the way out."""


class Borrowed:
    """A driver's connection that somebody else closes, for SQLAlchemy."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def close(self) -> None:
        """Leave it open."""

    def rollback(self) -> None:
        """Leave whatever its owner has open alone; a reading session writes nothing."""
