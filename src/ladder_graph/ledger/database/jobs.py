"""Pieces of work that wait for a commit, and what becomes of one whose caller is cancelled meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar, cast

from ladder_graph.ledger.database.cursor import Cursor, Hoped

T = TypeVar("T")

Work = Callable[[Cursor], T]
"""What one transaction does, on the driver's cursor. It may be called again where another writer came in between.

It may come to something `Hoped` for: then that is what the caller gets where it came true, and otherwise the work is
done again.
"""

_SEEN = "ladder_seen_through"


def saw_through(cancelled: asyncio.CancelledError, came: object) -> None:
    """Put down what work came to; see `seen_through`."""
    setattr(cancelled, _SEEN, (came,))


def seen_through(cancelled: asyncio.CancelledError) -> tuple[Any] | None:
    """What work came to whose caller was cancelled while somebody had it in hand; None where nothing was written.

    It is told by the very exception: one of another class would escape those who look for cancellations.
    """
    found: tuple[Any] | None = getattr(cancelled, _SEEN, None)
    return found


class Job(Generic[T]):
    """One piece of work that waits for a commit. The write lock guards all of it."""

    __slots__ = ("_fate", "_taken", "_turn", "_withdrawn", "done", "durable", "failure", "value", "work")

    def __init__(self, work: Work[T], *, durable: bool) -> None:
        self.work = work
        self.durable = durable
        self.done = False
        self.value: Any = None
        self.failure: BaseException | None = None
        self._fate, self._taken, self._withdrawn = threading.Lock(), False, False
        self._turn = threading.Lock()
        self._turn.acquire()

    def take(self) -> bool:
        """Take it in hand, also after a leader that was interrupted before it began; False where it was withdrawn."""
        with self._fate:
            self._taken = not self._withdrawn
            return self._taken

    def withdraw(self) -> bool:
        """Leave it undone; False where somebody has it in hand, or had."""
        with self._fate:
            self._withdrawn = not self._taken
            return self._withdrawn

    def wait(self) -> None:
        """Wait to be woken; it comes back at once if that was done before.

        It comes back after a while too: whoever should lead may have been interrupted before it could.
        """
        self._turn.acquire(timeout=0.1)

    def wake(self) -> None:
        """Wake whoever waits: it is done, or it is their turn to lead."""
        if self._turn.locked():
            with suppress(RuntimeError):  # It was woken before, and didn't look yet.
                self._turn.release()

    def came_true(self, *, committed: bool) -> bool:
        """Whether it came to what it hoped for, if it hoped at all; otherwise that is forgotten."""
        hoped = self.value
        if isinstance(hoped, Hoped):
            if not (committed and hoped.held):
                hoped.forget()
                self.value = None
                return False
            self.value = hoped.value
        return True

    def result(self) -> T:
        """What it came to, or what went wrong with it, raised."""
        if self.failure is not None:
            raise self.failure
        return cast("T", self.value)
