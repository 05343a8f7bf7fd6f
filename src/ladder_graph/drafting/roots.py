"""Files below a declared root, read without ever leaving it: no `..`, no symlink, nothing but regular files."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path, PurePosixPath

from ladder_graph.errors import DraftRefused

LARGEST = 2_000_000
"""Bytes of a file that a draft may start from."""
LONGEST = 1_000
"""Characters of a path."""
_ODD = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\\\\]")
_DRIVE = re.compile(r"[A-Za-z]:")


def inside(root: str | os.PathLike[str], name: object) -> str:
    """A path that a model wrote, as one below the root.

    Args:
        root: The declared root.
        name: Relative to it, or absolute and below it.

    Raises:
        DraftRefused: It leads out of the root, into a `.git`, or is no path.

    Example:
        >>> inside("/srv/site", "/srv/site/./conf/a.toml")
        'conf/a.toml'
    """
    if not isinstance(name, str) or not name or len(name) > LONGEST or _ODD.search(name) or _DRIVE.match(name):
        raise DraftRefused(f"{str(name)[:80]!r} is no path below {root}")
    path = PurePosixPath(name)
    if ".." in path.parts:
        raise DraftRefused(f"{name[:80]!r} leads out of {root}")
    if path.is_absolute():
        tops = [PurePosixPath(os.path.realpath(root)), PurePosixPath(Path(root).absolute())]
        top = next((one for one in tops if path.is_relative_to(one)), None)
        if top is None:
            raise DraftRefused(f"{name[:80]!r} does not lie below {root}")
        path = path.relative_to(top)
    if not path.parts or any(part.casefold() == ".git" for part in path.parts):
        raise DraftRefused(f"{name[:80]!r} is no file below {root} that a draft may touch")
    return str(path)


def read(root: str | os.PathLike[str], name: str) -> str | None:
    """The text of a file below the root; None where there is none.

    Each directory on the way is opened by itself, so that none of them can turn into a link between a look and the
    reading.

    Args:
        root: The declared root. It may be a link itself: its author named it.
        name: As `inside` gave it.

    Raises:
        DraftRefused: A link or something else than a regular file is in the way, or it is no text of a fit size.
    """
    *way, last = PurePosixPath(name).parts
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in way:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = inner
        file = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    except FileNotFoundError:
        return None
    except OSError as wrong:
        raise DraftRefused(f"{name!r} can't be read below {root}: {wrong.strerror}, or a link is on the way") from wrong
    finally:
        os.close(at)
    try:
        return _text_of(file, name)
    finally:
        os.close(file)


def _text_of(file: int, name: str) -> str:
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise DraftRefused(f"{name!r} is no regular file")
    data = b""
    while len(data) <= LARGEST and (more := os.read(file, LARGEST + 1 - len(data))):
        data += more
    return text_of(data, name)


def text_of(data: bytes, name: str) -> str:
    """The bytes of a file as text.

    Raises:
        DraftRefused: They are too many, or no text.
    """
    if len(data) > LARGEST:
        raise DraftRefused(f"{name!r} has more than {LARGEST} bytes")
    try:
        found = data.decode()
    except UnicodeDecodeError as wrong:
        raise DraftRefused(f"{name!r} is no UTF-8 text") from wrong
    if "\0" in found:
        raise DraftRefused(f"{name!r} holds NUL characters, and is no text")
    return found
