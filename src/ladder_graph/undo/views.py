"""What stands somewhere now, in words for whoever is asked: short texts whole, everything else by what it is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MOST = 1_500
"""Characters of a text that is shown itself."""


def seen(path: Path) -> str:
    """What stands at a path at this moment."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return "nothing"
    if stat.S_ISLNK(found.st_mode):
        return f"a link to {os.fspath(path.readlink())}"
    if stat.S_ISDIR(found.st_mode):
        count = sum(1 for _ in path.iterdir())
        return f"a directory with {count} {'entry' if count == 1 else 'entries'}"
    if not stat.S_ISREG(found.st_mode):
        return "no plain file"
    if found.st_size > 4 * MOST:
        return f"a file of {found.st_size} bytes"
    try:
        return told(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, OSError):
        return f"a file of {found.st_size} bytes"


def told(text: str) -> str:
    """A text itself where it is short, else how long it is."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if not text:
        return "an empty file"
    return text if len(text) <= MOST else f"a file of {size} bytes"
