"""Whether the process that started an action still lives: by an OS lock, which dies with its holder, not by a time-out.

A process that is merely slow, or stopped, keeps its lock; a time-out would call it dead and let its action run twice.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import IO

if os.name == "nt":  # pragma: no cover  # the suite runs on POSIX
    import msvcrt

    def _lock(file: IO[bytes], *, wait: bool) -> bool:
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

    def _lock(file: IO[bytes], *, wait: bool) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


class Owner:
    """This process, as the owner of the actions it starts.

    Args:
        directory: Where the owners of one ledger keep their lock files; None for a ledger in memory, which no
            other process can see.
    """

    def __init__(self, directory: Path | None) -> None:
        self.id = secrets.token_hex(8)
        self._directory = directory
        self._file: IO[bytes] | None = None

    def hold(self) -> str:
        """Take the lock before the first action, and keep it until the process ends.

        Returns:
            The owner's id, as it is written into the action's row.
        """
        if self._file is None and self._directory is not None:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            self._file = (self._directory / self.id).open("wb")
            _lock(self._file, wait=True)
        return self.id

    def alive(self, owner: str) -> bool:
        """Whether that owner's process still holds its lock."""
        if owner == self.id:
            return True
        if self._directory is None or not owner.isalnum():
            return False
        path = self._directory / owner
        try:
            file = path.open("rb+")
        except FileNotFoundError:
            return False
        with file:
            if not _lock(file, wait=False):
                return True
            path.unlink(missing_ok=True)
            return False

    def release(self) -> None:
        """Let go; whatever this owner left `started` is in doubt from now on."""
        if self._file is not None:
            self._file.close()
            (self._directory or Path()).joinpath(self.id).unlink(missing_ok=True)
            self._file = None


class Queue:
    """A fair queue of processes before one SQLite file: the kernel wakes who waits, SQLite's own handler only sleeps.

    Args:
        path: The lock file; None for a ledger in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("ab") if path is not None else None

    def __enter__(self) -> None:
        if self._file is not None:
            _lock(self._file, wait=True)

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            _unlock(self._file)

    def close(self) -> None:
        """Close the lock file."""
        if self._file is not None:
            self._file.close()
