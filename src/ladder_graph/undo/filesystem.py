"""`files`: the undo of a tool that writes, moves or removes files and directories named by its arguments."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ladder_graph.errors import LadderError, UndoConflict
from ladder_graph.references import registered
from ladder_graph.telling import Change
from ladder_graph.tools import Arguments, Declaration
from ladder_graph.undo import merging, nodes, views

MOST_ENTRIES = 10_000
"""Files and directories that one before-image may hold."""
_SIZE = re.compile(r"([0-9]+)(B|KB|MB|GB)")
_BYTES = {"B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


def files(
    argument: str,
    *more: str,
    root: str | os.PathLike[str] | None = None,
    store: str | os.PathLike[str] | None = None,
    largest: int | str = "10MB",
    content: str | None = None,
) -> Declaration:
    """Undo for a tool whose arguments name the files or directories that it changes.

    The before-image holds content, mode and symlinks, and absence; of a directory, everything below it. The undo goes
    path by path: what the action left alone stays as it is, whoever changed it since; what it changed goes back to
    how it was; what somebody changed after it is a conflict, and then nothing is touched. Each file is replaced in one
    step, by a rename.

    Limits: owner, times, extended attributes and hard links don't come back, and directories that the tool made on its
    way to a file stay, empty. What the tool changes elsewhere, or through a symlink inside a directory, isn't seen. A
    change that leaves a file exactly as the action left it can't be told from the action's. Between the last look at a
    file and its replacement lies a moment. After a crash between the action and its fingerprint, every change since the
    before-image is taken for the action's. Both processes must see the same file system.

    Args:
        argument: The argument that holds a path, or a list of paths.
        more: Further ones.
        root: Paths must lie below it once symlinks are resolved; others aren't run unasked.
        store: Where contents go that are too large for the ledger; `ladder-graph/undo` in the user's state directory
            by default.
        largest: The most bytes of one before-image, as a number or `"10MB"`. Beyond it the call isn't run unasked.
        content: The argument that holds the text that the one file will have, where there is such a one: whoever is
            asked sees it beside the text of now.

    Example:
        >>> files("path", root="/srv/site").portable
        True
    """
    names, limit = (argument, *more), size(largest)
    inside = None if root is None else os.path.realpath(root)
    kept_in = Path(store if store is not None else _store()).absolute()

    def prepare(arguments: Arguments) -> dict[str, Any]:
        tops = sorted({place for name in names for place in _places(arguments.get(name), inside)})
        _check(tops, limit)
        keeper, parts = nodes.Store(kept_in), _parts(tops)
        was = {os.fspath(path): nodes.image(path, keeper) for top in tops for path in nodes.below(Path(top))}
        if _parts(tops) != parts:
            raise LadderError(f"{tops[0]} was changed while its before-image was made")
        return {"tops": tops, "root": inside, "store": os.fspath(kept_in), "was": was, "parts": parts}

    def foresee(arguments: Arguments) -> list[Change]:
        tops = sorted({place for name in names for place in _places(arguments.get(name), inside)})
        after = arguments.get(content) if content is not None and len(tops) == 1 else None
        text = after if isinstance(after, str) else None
        return [Change(top, views.seen(Path(top)), None if text is None else views.told(text)) for top in tops]

    return Declaration(
        prepare=prepare, undo=put_back, fingerprint=present, conditional=True, resource=_resource, foresee=foresee
    )  # fmt: skip


def size(largest: int | str) -> int:
    """Bytes from a number or such as `"10MB"`.

    Raises:
        ValueError: It is neither.

    Example:
        >>> size("10MB")
        10000000
    """
    if isinstance(largest, int):
        return largest
    found = _SIZE.fullmatch(largest.strip())
    if found is None:
        raise ValueError(f'{largest!r} is no size; write a number of bytes, or such as "10MB"')
    return int(found[1]) * _BYTES[found[2]]


def _store() -> str:
    home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")  # noqa: PTH111, PTH118
    return os.path.join(home, "ladder-graph", "undo")  # noqa: PTH118  # one text from two


def _parts(tops: Sequence[str]) -> dict[str, str]:
    return {name: found for top in tops for name, found in nodes.tokens(Path(top)).items()}


def _resource(state: Any) -> str:
    return f"file:{os.path.commonpath(state['tops'])}"


def _places(value: object, inside: str | None) -> list[str]:
    """The paths to watch for one argument: itself, and where it leads if it is a symlink."""
    if isinstance(value, list | tuple) and value:
        return [place for entry in value for place in _places(entry, inside)]
    if not isinstance(value, str) or not value or "\0" in value:
        raise LadderError(f"{value!r} is no path")
    path = Path(os.path.expanduser(value))  # noqa: PTH111  # as text, since "~x" may not exist
    places = [os.path.join(os.path.realpath(path.parent), path.name) if path.name != ".." else ""]  # noqa: PTH118
    if Path(places[0]).is_symlink() or not places[0]:
        places.append(os.path.realpath(path))
    for place in filter(None, places):
        if inside is not None and not Path(place).is_relative_to(inside):
            raise LadderError(f"{value} leads to {place}, which is not below {inside}")
    return [place for place in places if place]


def _check(tops: Sequence[str], limit: int) -> None:
    count = total = 0
    for top in tops:
        for path in nodes.below(Path(top)):
            count += 1
            with suppress(OSError):
                total += path.lstat().st_size if path.is_file() and not path.is_symlink() else 0
            if count > MOST_ENTRIES or total > limit:
                raise LadderError(f"{top} is too large for a before-image ({total} bytes in {count} entries)")


@registered("fingerprint")
def present(state: Any) -> str:
    """What stands at the touched paths at this moment."""
    return merging.spell(_parts(state["tops"]))


@registered("undo")
def put_back(state: Any, after: str | None) -> bool:
    """Put back what the action changed.

    Returns:
        Whether there was anything to put back.

    Raises:
        UndoConflict: Somebody changed the same paths after the action.
    """
    _still_there(state)
    now = merging.read(present(state))
    # What a killed undo left half-written is nobody's work.
    leftover = [name for name in now if Path(name).name.startswith(nodes.PART)]
    now = {name: found for name, found in now.items() if name not in leftover}
    paths = merging.to_restore(state["parts"], None if after is None else merging.read(after), now)
    was = state["was"]
    _fits(paths, was, now)
    store = nodes.Store(state["store"])
    for name in leftover:
        nodes.restore(Path(name), None, store)
    # Children go before their directory, and come after it.
    for name in reversed(paths):
        if was.get(name) is None:
            nodes.restore(Path(name), None, store)
    for name in paths:
        if was.get(name) is not None:
            nodes.restore(Path(name), was[name], store)
    return bool(paths)


def _still_there(state: Any) -> None:
    """The way to the paths leads where it led before: nobody put a symlink into it."""
    for top in state["tops"]:
        parent = os.path.dirname(top)  # noqa: PTH120  # compared as text
        if os.path.realpath(parent) != parent:
            raise UndoConflict(f"the directory {parent} is somewhere else now")


def _fits(paths: list[str], was: dict[str, Any], now: dict[str, str]) -> None:
    """Nothing that stays is in the way of what is put back: all or nothing."""
    restored = set(paths)
    stays = {name for name in now if name not in restored}
    for name in paths:
        gone = not (was.get(name) and "dir" in was[name])
        if gone:
            merging.refuse(other for other in stays if other.startswith(name + os.sep))
        parent = os.path.dirname(name)  # noqa: PTH120  # compared as text
        if was.get(name) is not None and (parent in was or parent in now) and parent not in restored:
            merging.refuse([parent] if not now.get(parent, "").startswith("dir ") else [])


def sweep(older_than: float, *, store: str | os.PathLike[str] | None = None) -> int:
    """Remove before-images that no undo needs any more.

    Args:
        older_than: Seconds since a before-image was last made; longer than any undo is possible.
        store: As in `files`.

    Returns:
        How many were removed.
    """
    directory, removed = Path(store if store is not None else _store()), 0
    for path in directory.iterdir() if directory.is_dir() else ():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - older_than:
                path.unlink()
                removed += 1
    return removed
