"""What an undo has to put back, part by part: only what the action changed and nobody has changed since."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ladder_graph.errors import UndoConflict

Parts = Mapping[str, str]
"""The parts of a resource (paths, rows) by name, each with a digest of its content. What is absent isn't in it."""


def spell(parts: Parts) -> str:
    """Parts as a fingerprint."""
    return json.dumps(dict(parts), sort_keys=True, separators=(",", ":"))


def read(fingerprint: str) -> dict[str, str]:
    """The parts in a fingerprint."""
    return {str(name): str(digest) for name, digest in json.loads(fingerprint).items()}


def to_restore(before: Parts, after: Parts | None, now: Parts) -> list[str]:
    """The parts that must be put back, sorted.

    Of a part that the action left alone, somebody else's change stays. One that is already as before needs nothing.

    Args:
        before: Right before the action.
        after: Right after it. None where that is unknown: then whatever changed is taken for the action's.
        now: At this moment.

    Raises:
        UndoConflict: Somebody changed a part that the action had changed too.

    Example:
        >>> to_restore({"a": "1", "b": "1"}, {"a": "2", "b": "1"}, {"a": "2", "b": "3"})
        ['a']
    """
    names = sorted({*before, *now} if after is None else {*before, *after, *now})
    changed = [name for name in names if now.get(name) != before.get(name)]
    if after is None:
        return changed
    mine = [name for name in changed if before.get(name) != after.get(name)]
    refuse(name for name in mine if now.get(name) != after.get(name))
    return mine


def refuse(foreign: Iterable[str]) -> None:
    """Raise where there is anything that somebody else changed."""
    if names := sorted(foreign):
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""  # noqa: PLR2004  # as many as a person reads
        raise UndoConflict(f"changed by somebody else after the action: {', '.join(names[:3])}{more}")
