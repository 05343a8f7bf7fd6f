"""The two ends of a move: a ledger that is given away, and the place where it comes to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from ladder_graph.errors import LedgerError
from ladder_graph.ledger.database.dialects import table_of
from ladder_graph.ledger.database.marks import Mark
from ladder_graph.ledger.database.migrations import TABLES
from ladder_graph.ledger.moves.lines import Form
from ladder_graph.ledger.proof.chain import Verification
from ladder_graph.ledger.proof.checkpoints_alone import Head

FORMS = tuple(Form(table_of(model)) for model in TABLES)
"""Every table of the ledger, in the order in which it is copied."""
NAMES = tuple(form.table.name for form in FORMS)
"""Their names."""


class End(Protocol):
    """One end, which no other move has in hand; closed by whoever opened it."""

    name: str
    """The file, or the address without the password."""

    def version(self) -> int:
        """The version of its schema; 0 where nothing is there, or not yet.

        Raises:
            LedgerError: Something else is there, or a later release wrote it.
        """

    def marks(self) -> list[Mark]:
        """What it says of its moves."""

    def holders(self) -> list[str]:
        """Who works with it right now, in words; empty where nobody was found."""

    def close(self) -> None:
        """Let go of it."""

    # --- as what is given away -------------------------------------------------------------------------------

    def shut(self, mark: Mark) -> None:
        """Let nobody write to it or open it from now on, with the reason, or with another one than before.

        Raises:
            LedgerError: Somebody has it open.
        """

    def reopen(self, mark: Mark) -> None:
        """Let everybody write to it again, and forget that mark."""

    def verify(self) -> Verification:
        """Check every chain."""

    def heads(self) -> list[Head]:
        """Where its chains end."""

    def lines(self, form: Form) -> Iterator[bytes]:
        """The rows of a table, in any order."""

    # --- as where it comes to be -----------------------------------------------------------------------------

    def vacant(self, mark: Mark) -> None:
        """Nothing is here, but what that move has left.

        Raises:
            LedgerError: Something else is there.
        """

    def reserve(self, mark: Mark) -> None:
        """Say that a ledger is coming here, once what an earlier attempt left is gone. Nobody can open it till then.

        Raises:
            LedgerError: Something is there.
        """

    def filling(self) -> AbstractContextManager[None]:
        """Everything that is filled in here comes to be as a whole, with what the tables need around them."""

    def fill(self, form: Form, lines: Iterable[bytes]) -> None:
        """Write the rows of a table."""

    def filled(self) -> bool:
        """Whether everything was filled in."""

    def accept(self, mark: Mark) -> None:
        """From now on it is the ledger."""

    def release(self, mark: Mark) -> None:
        """Take away what was reserved or filled in, and not accepted."""


def in_hand(name: str) -> str:
    """What is said where another move has an end in hand."""
    return f"{name} is being moved by another process right now; wait for it"


def in_use(name: str, holders: list[str]) -> LedgerError:
    """The error for a ledger that somebody works with."""
    return LedgerError(
        f"{name} is in use by {', '.join(holders)}. End what works with it (agents, consoles, watchers) and try again. "
        "It goes on as before."
    )
