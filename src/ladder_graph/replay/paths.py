"""How recorded runs are named: by a file, a folder of files, the URL of a database, or `-` for standard input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ENDINGS = (".json", ".jsonl", ".ndjson", ".gz", ".eval", ".db", ".sqlite", ".sqlite3")
"""Names of files in a folder that are taken for recorded runs."""


def shown(path: str) -> str:
    """A path or URL as it may be told: standard input by its name, a URL without a password.

    Args:
        path: The file, or the URL.

    Example:
        >>> shown("postgresql://ana:secret@db.example/agents")
        'postgresql://ana@db.example/agents'
    """
    if path == "-":
        return "standard input"
    scheme, apart, rest = path.partition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{at}{place}" if apart else path


def files(path: str) -> Iterator[str]:
    """The files that a path names: itself, or all of a folder that may hold runs, in the order of their names."""
    if path == "-" or "://" in path or not Path(path).is_dir():
        yield path
        return
    for one in sorted(Path(path).rglob("*")):
        if one.is_file() and one.name.endswith(ENDINGS) and not one.name.startswith("."):
            yield str(one)
