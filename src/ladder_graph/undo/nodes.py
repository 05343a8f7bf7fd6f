"""What stands at a path: read for a before-image, and put back whole or not at all."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ladder_graph.errors import LadderError, UndoConflict

INLINE = 32_768
"""Compressed bytes of one file that are kept in the artifact itself."""
INLINE_ALL = 262_144
"""The same of all files of one artifact; the rest goes into the store, too."""


class Store:
    """Before-images that are too large for an artifact, as files named after their SHA-256, for their owner only.

    Args:
        directory: Made at the first file.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        self.room = INLINE_ALL
        """What is left of that for the artifact that is being made."""

    def put(self, data: bytes) -> str:
        """Keep some bytes.

        Returns:
            The SHA-256 of the bytes in hex, by which `get` finds them.
        """
        name = hashlib.sha256(data).hexdigest()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.directory / name
        if path.exists():
            os.utime(path)  # its time begins anew
        else:
            write(path, zlib.compress(data), 0o600)
        return name

    def get(self, name: str) -> bytes:
        """The bytes that were kept.

        Raises:
            LadderError: They are gone, or not what was kept.
        """
        try:
            data = zlib.decompress((self.directory / name).read_bytes())
        except (OSError, zlib.error) as wrong:
            raise LadderError(f"the before-image {name[:12]} in {self.directory} can't be read: {wrong}") from wrong
        if hashlib.sha256(data).hexdigest() != name:
            raise LadderError(f"the before-image {name[:12]} in {self.directory} is not what was kept")
        return data


def token(path: Path) -> str | None:
    """What stands at a path, in short: its type, mode and a digest of its content. None where there is nothing."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        return f"link {_short(os.fsencode(path.readlink()))}"
    if stat.S_ISDIR(found.st_mode):
        return f"dir {mode:o}"
    if stat.S_ISREG(found.st_mode):
        return f"file {mode:o} {_short(path.read_bytes())}"
    return f"other {found.st_mode:o} {found.st_rdev}"


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def tokens(path: Path) -> dict[str, str]:
    """What stands at a path and, where that is a directory, everywhere below it. Symlinks aren't followed."""
    return {os.fspath(place): found for place in below(path) if (found := token(place)) is not None}


def below(path: Path) -> Iterator[Path]:
    """A path, and everything below it, parents first."""
    yield path
    if path.is_dir() and not path.is_symlink():
        for entry in sorted(path.iterdir()):
            yield from below(entry)


def image(path: Path, store: Store) -> dict[str, Any] | None:
    """What stands at a path, in a form that JSON keeps and `restore` puts back. None where there is nothing.

    Raises:
        LadderError: It is no file, directory or symlink.
    """
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        return {"link": os.fspath(path.readlink())}
    if stat.S_ISDIR(found.st_mode):
        return {"dir": mode}
    if not stat.S_ISREG(found.st_mode):
        raise LadderError(f"{path} is no file, directory or symlink, so it can't be put back")
    data = path.read_bytes()
    packed = zlib.compress(data)
    if len(packed) > min(INLINE, store.room):
        return {"file": mode, "kept": store.put(data)}
    store.room -= len(packed)
    return {"file": mode, "data": base64.b64encode(packed).decode()}


def restore(path: Path, was: dict[str, Any] | None, store: Store) -> None:
    """Put back what stood at a path. A directory must be empty for something else to take its place.

    Raises:
        UndoConflict: It isn't empty.
        LadderError: The before-image is gone.
    """
    if was is None:
        _clear(path)
    elif "dir" in was:
        _restore_directory(path, was["dir"])
    elif "link" in was:
        link(path, was["link"])
    else:
        data = store.get(was["kept"]) if "kept" in was else _unpacked(was["data"])
        write(path, data, was["file"])
    flush(path.parent)


def _restore_directory(path: Path, mode: int) -> None:
    if path.is_dir() and not path.is_symlink():
        return path.chmod(mode)
    path.unlink(missing_ok=True)
    beside = _beside(path)
    beside.mkdir(mode=0o700)
    beside.chmod(mode)
    beside.replace(path)
    return None


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


def _clear(path: Path) -> None:
    _clear_directory(path)
    path.unlink(missing_ok=True)


def _clear_directory(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        try:
            path.rmdir()
        except OSError as full:
            raise UndoConflict(f"somebody put something into {path} after the action") from full


def write(path: Path, data: bytes, mode: int) -> None:
    """Write a file so that whoever reads it, even after a power cut, finds the old one or the new one.

    Raises:
        UndoConflict: There is a directory, and something in it.
    """
    _clear_directory(path)
    beside = _beside(path)
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    flush(path.parent)


def link(path: Path, target: str) -> None:
    """Make a symlink, as `write` makes a file."""
    _clear_directory(path)
    beside = _beside(path)
    beside.symlink_to(target)
    beside.replace(path)
    flush(path.parent)


PART = ".ladder-part-"
"""How the name of a file begins that a killed undo left half-written."""


def _beside(path: Path) -> Path:
    return path.with_name(f"{PART}{secrets.token_hex(8)}")


def flush(directory: Path) -> None:
    """Make what was renamed in a directory outlast a power cut."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        entry = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(entry)
        finally:
            os.close(entry)
