"""The cursor of a transaction in a file, which may be one statement that begins and commits it as well."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from typing import Any

from ladder_graph.ledger.database.cursor import Hoped
from ladder_graph.ledger.database.dialects import AtOnce, Trigger

_INTERRUPTED = "user-defined function raised exception"
"""What SQLite says where one of the functions below was interrupted; nothing else can stop them."""


def mark_of(held: str | None, pinned: str | None) -> str:
    """What a cell holds and which environment is pinned, in one word; a server makes the same one."""
    return hashlib.sha256(f"{held or ''}\x1f{pinned or ''}".encode()).hexdigest()


class Chained:
    """The entry that such a statement writes. It knows no connection, since one holds it where no collector looks."""

    __slots__ = ("n",)

    def __init__(self) -> None:
        self.n: int | None = None
        """The number of the last one; None once it was asked for."""

    def hash(self, prev: str, n: int, middle: str, ending: str) -> str:
        """The hash of an entry, see `ladder_graph.ledger.proof.chain.entry_hash`."""
        self.n = n
        return hashlib.sha256(f'["lg1","{prev}{middle}{n}{ending}'.encode()).hexdigest()


class Doing:
    """What a connection knows of the statements that do several things.

    Args:
        connection: The one that writes.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: set[str] = set()
        self._chained = Chained()
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.create_function("ladder_chained", 4, self._chained.hash)
        connection.create_function("ladder_mark", 2, mark_of, deterministic=True)

    def entered(self) -> int | None:
        """The number of the entry that such a statement has written since this was last asked, if there is one."""
        n, self._chained.n = self._chained.n, None
        return n

    def know(self, statement: Trigger) -> None:
        """Make a statement's trigger, outside any transaction, as it would be gone with one that is rolled back."""
        if statement.name not in self._known:
            for making in statement.making:
                self._connection.execute(making)
            self._known.add(statement.name)


class FileCursor(sqlite3.Cursor):
    """A cursor on the connection that writes. Its transaction begins with its first statement.

    Args:
        connection: In autocommit mode.
        doing: What is known there.
        hoping: Whether work may be hoped for, see `Hopeful`.
    """

    def __init__(self, connection: sqlite3.Connection, doing: Doing, *, hoping: bool) -> None:
        super().__init__(connection)
        self.row_factory = sqlite3.Row
        self._doing, self._may_hope, self._begun = doing, hoping, False
        self._hoped: tuple[Trigger, Mapping[str, Any], Hoped[Any]] | None = None

    @property
    def hoping(self) -> bool:
        """As of every hopeful cursor: what other work is done beside is done step by step."""
        return self._may_hope and not self._begun and self._hoped is None

    def execute(self, sql: str, parameters: Any = (), /) -> FileCursor:
        """Run a statement of the transaction.

        Raises:
            RuntimeError: It was to be one statement, which is an error of ours.
        """
        if not self._begun:
            if self._hoped is not None:
                raise RuntimeError("what is hoped for is all of its transaction")
            super().execute("BEGIN IMMEDIATE")
            self._begun = True
        super().execute(sql, parameters)
        return self

    def hope(self, statement: AtOnce, parameters: Mapping[str, Any], hoped: Hoped[Any]) -> None:
        """As every hopeful cursor does: it is run when the transaction ends, and is all of it."""
        self._doing.know(statement.sqlite)
        self._hoped = statement.sqlite, parameters, hoped

    def _do(self, statement: Trigger, parameters: Mapping[str, Any], hoped: Hoped[Any]) -> None:
        self._doing.entered()  # One that was undone since may have left a number.
        try:
            super().execute(statement.text, parameters)
        except sqlite3.OperationalError as said:
            if _INTERRUPTED in str(said):
                raise KeyboardInterrupt from said
            raise
        if (n := self._doing.entered()) is not None:
            hoped.heard(1, [(n,)])

    def end(self) -> None:
        """Commit; where nothing but one statement was hoped for, that commits itself."""
        if self._begun:
            super().execute("COMMIT")
        elif self._hoped is not None:
            self._do(*self._hoped)

    @property
    def wrote(self) -> bool:
        """Whether anything may have been committed."""
        return self._begun or (self._hoped is not None and self._hoped[2].held)
