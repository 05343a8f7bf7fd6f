"""Tools whose undo keeps its promises, and some whose undo doesn't."""

from __future__ import annotations

from pathlib import Path

from ladder_graph.tools import reversible


def before(arguments):
    """The old text."""
    path = Path(arguments["path"])
    return {"path": str(path), "text": path.read_text()}


def put_back(kept):
    """Write the old text."""
    Path(kept["path"]).write_text(kept["text"])


def now(kept):
    """The present text."""
    return Path(kept["path"]).read_text()


def blind(kept):
    """See nothing."""
    return "always the same"


def append(kept):
    """Undo by adding something."""
    with Path(kept["path"]).open("a") as file:
        file.write("undone")


def overwriting(kept, after):
    """Compare nothing."""
    put_back(kept)
    return True


def touching(arguments):
    """Change what should only be read."""
    kept = before(arguments)
    append(kept)
    return kept


@reversible(prepare=before, undo=put_back, fingerprint=now)
def write(path: str, text: str) -> None:
    """Write a file."""
    Path(path).write_text(text)


def changed(**said):
    """The same tool with another undo."""

    @reversible(**{"prepare": before, "undo": put_back, "fingerprint": now, **said})
    def write(path: str, text: str) -> None:
        Path(path).write_text(text)

    return write
