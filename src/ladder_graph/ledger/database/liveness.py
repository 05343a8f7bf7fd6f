"""Whether the process that started an action still lives: by an OS lock, which dies with its holder, not by a time-out.

A process that is merely slow, or stopped, keeps its lock; a time-out would call it dead and let its action run twice.
"""

from __future__ import annotations

import secrets
import sys
import weakref
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO

from ladder_graph.errors import LedgerUnwritable

if sys.platform == "win32":  # pragma: no cover  # the suite runs on POSIX
    import msvcrt

    def _lock(file: IO[bytes], *, wait: bool, shared: bool = False) -> bool:
        del shared  # Windows knows no shared lock; two who ask at once may each take the other for the owner.
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes], *, wait: bool, shared: bool = False) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


class Owner(ABC):
    """This process, as the owner of the actions it starts: it lives as long as it holds a lock of the system."""

    grace_us = 0
    """Microseconds in which a process that lost its lock may say that it lives all the same, under another one."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self._running: set[tuple[str, int]] = set()

    @abstractmethod
    def hold(self) -> str:
        """Take the lock before the first action, and keep it until the process ends.

        Returns:
            The owner's id, as it is written into the action's row.

        Raises:
            LedgerUnwritable: The lock can't be had.
        """

    @abstractmethod
    def held(self) -> bool:
        """Whether the lock is still held. What was claimed under one that is lost may not run."""

    @abstractmethod
    def lives(self, owner: str) -> bool:
        """Whether another owner may still hold its lock; who can't be called dead with certainty lives."""

    @abstractmethod
    def release(self) -> None:
        """Let go; whatever this owner left `started` is in doubt from now on."""

    @abstractmethod
    def abandon(self) -> None:
        """Let go without a word, as a forked child must, for whom its parent's lock would outlive it."""

    def begin(self, action: str, fence: int) -> None:
        """A task of this process runs that action under that fence from now on."""
        self._running.add((action, fence))

    def end(self, action: str, fence: int) -> None:
        """The task is over, whether or not what came of it could be recorded."""
        self._running.discard((action, fence))

    def runs(self, action: str, fence: int) -> bool:
        """Whether a task of this process runs that action under that fence."""
        return (action, fence) in self._running

    def alive(self, owner: str, action: str, fence: int) -> bool:
        """Whether somebody may still be running that action.

        Here that is known for each task; of another process it is only known whether it still holds its lock.
        """
        if (action, fence) in self._running:
            return True
        return owner != self.id and owner.isalnum() and self.lives(owner)


class FileOwner(Owner):
    """An owner whose lock is one on a file.

    Args:
        directory: Where the owners of one ledger keep their lock files; None for a ledger in memory, which no
            other process can see.
    """

    def __init__(self, directory: Path | None) -> None:
        super().__init__()
        self._directory = directory
        self._file: IO[bytes] | None = None
        self._dropped: weakref.finalize[..., FileOwner] | None = None

    def hold(self) -> str:
        """As every owner does."""
        if self._file is None and self._directory is not None:
            path = self._directory / self.id
            try:
                self._directory.mkdir(mode=0o700, exist_ok=True)
                self._file = path.open("wb")
            except OSError as wrong:
                raise LedgerUnwritable(
                    f"{self._directory} can't hold this process's lock: {wrong.strerror}. Nothing ran."
                ) from wrong
            _lock(self._file, wait=True)
            self._dropped = weakref.finalize(self, _clear_away, self._file, path)
            # At the end of the process a thread may still be at an action; the system lets go once that is gone too.
            self._dropped.atexit = False
        return self.id

    def held(self) -> bool:
        """The system takes a lock on a file from nobody who lives."""
        return True

    def lives(self, owner: str) -> bool:
        """As every owner does; the file of a dead one is cleared away."""
        if self._directory is None:
            return False
        path = self._directory / owner
        try:
            file = path.open("rb+")
        except FileNotFoundError:
            return False
        except OSError:
            return True
        with file:
            if not _lock(file, wait=False, shared=True):
                return True
        path.unlink(missing_ok=True)
        return False

    def release(self) -> None:
        """As every owner does."""
        if self._dropped is not None:
            self._dropped()
            self._file = self._dropped = None

    def abandon(self) -> None:
        """As every owner does: close our copy of the lock file."""
        if self._dropped is not None:
            self._dropped.detach()
        if self._file is not None:
            self._file.close()
        self._file = self._dropped = None


def _clear_away(file: IO[bytes], path: Path) -> None:
    """Let go of an owner's lock, also where nobody knows the owner any more."""
    file.close()
    path.unlink(missing_ok=True)


class Flag:
    """A lock on a file that is had at once, or not at all. The file stays.

    Args:
        path: The lock file.

    Raises:
        LedgerUnwritable: It can't be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("ab")
        except OSError as wrong:
            raise LedgerUnwritable(f"{path} can't be written: {wrong.strerror}. Nothing was done.") from wrong
        self.raised = _lock(self._file, wait=False)

    def close(self) -> None:
        """Let go of it."""
        self._file.close()


class Queue:
    """A fair queue of processes before one SQLite file: the kernel wakes who waits, SQLite's own handler only sleeps.

    It is a lock behind a turnstile. Whoever waits for the lock holds the turnstile, so a process that has just had the
    lock can't take it again before those who were woken for it have come to run.

    Args:
        path: The lock file; None for a ledger in memory.

    Raises:
        LedgerUnwritable: The lock file can't be made.
    """

    def __init__(self, path: Path | None) -> None:
        self._files: list[IO[bytes]] = []
        try:
            if path is not None:
                self._files = [path.with_name(path.name + end).open("ab") for end in (".turnstile", "")]
        except OSError as wrong:
            raise LedgerUnwritable(f"{path} can't be written: {wrong.strerror}. Nothing ran.") from wrong

    def __enter__(self) -> None:
        if self._files:
            turnstile, lock = self._files
            _lock(turnstile, wait=True)
            try:
                _lock(lock, wait=True)
            finally:
                _unlock(turnstile)

    def __exit__(self, *_: object) -> None:
        if self._files:
            _unlock(self._files[1])

    def close(self) -> None:
        """Close the lock files."""
        for file in self._files:
            file.close()
