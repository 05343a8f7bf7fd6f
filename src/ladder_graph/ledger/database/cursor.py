"""What the ledger's transactions ask of a database driver, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar, cast

T_co = TypeVar("T_co", covariant=True)


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
    """What one statement was sent for whose result comes with the end of the transaction, in the same round trip.

    The statement does everything or nothing. Where it did nothing, the work is done again the long way, which says why.

    Args:
        value: What the work comes to where it did.
        proof: The action and the payload of the entry that it writes, by which a lost answer can be made up for.
        forget: What this process remembered for it, and must forget where it did nothing.
    """

    __slots__ = ("_forget", "held", "proof", "value")

    def __init__(self, value: T_co, proof: Mapping[str, str], forget: Callable[[], None] | None = None) -> None:
        self.value, self.proof, self._forget = value, proof, forget
        self.held = False

    def forget(self) -> None:
        """Forget what was remembered for it; a second time is harmless."""
        forget, self._forget = self._forget, None
        if forget is not None:
            forget()


class Hopeful(Protocol):
    """A cursor to a server, where each result that is waited for is a round trip."""

    hoping: bool
    """Whether work may be hoped for: the first time that it is tried."""

    def hope(self, statement: str, parameters: Mapping[str, Any], hoped: Hoped[Any], /) -> None:
        """Send a statement that writes one entry and changes one row, or does nothing at all."""


def hopeful(cursor: Cursor) -> Hopeful | None:
    """The same cursor, where it is one to a server."""
    return cast("Hopeful", cursor) if hasattr(cursor, "hoping") else None
