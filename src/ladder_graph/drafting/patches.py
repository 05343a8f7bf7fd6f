"""`patch`: the draft of a tool that changes files below a root, file by file against what is there now."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ladder_graph.drafting import roots, unified
from ladder_graph.drafting.drawn import Drawn, Piece, argument
from ladder_graph.errors import DraftRefused

MOST_FILES = 200
"""Files of one draft."""
Reader = Callable[[str], str | None]
"""What there is under a name now; None where nothing is."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a tool's arguments say what becomes of files: one of three ways."""

    diff: str | None = None
    """The argument that holds a unified diff."""
    files: str | None = None
    """The argument that maps paths to texts; null removes a file."""
    path: str | None = None
    """The argument that holds a path, beside `text`."""
    text: str | None = None
    """The argument that holds the whole text."""

    def __post_init__(self) -> None:
        pair = self.path is not None and self.text is not None
        if (self.diff is not None) + (self.files is not None) + pair != 1 or (self.path is None) != (self.text is None):
            raise ValueError("name either the argument with the diff, or files=, or both path= and text=")

    @property
    def recipe(self) -> dict[str, Any]:
        """How texts go back into the arguments."""
        if self.diff is not None:
            return {"form": "diff", "argument": self.diff}
        return {"form": "files", "argument": self.files} if self.files else {"form": "file", "argument": self.text}

    def pieces(self, arguments: Mapping[str, Any], root: str | os.PathLike[str], now: Reader) -> tuple[Piece, ...]:
        """The files, each as it is now and as it would become.

        Args:
            arguments: The call's.
            root: What no path leads out of.
            now: Reads a file.

        Raises:
            DraftRefused: A path leads out of the root, a file is no text, or a diff doesn't fit.
        """
        found: dict[str, Piece] = {}
        for given, become in self._given(arguments):
            name = roots.inside(root, given)
            if name in found:
                raise DraftRefused(f"{name!r} is changed twice")
            if len(found) == MOST_FILES:
                raise DraftRefused(f"more than {MOST_FILES} files are changed, which is more than a draft shows")
            base = now(name)
            found[name] = Piece(name, base, become(base), "code")
        if self.files is not None and any(
            given != name for given, name in zip(self._names(arguments), found, strict=True)
        ):
            # The arguments keep the names that the agent gave, or a part would be taken under another name.
            raise DraftRefused(f"write each path as it is below {root}, without ./ and not as an absolute one")
        return tuple(found.values())

    def _names(self, arguments: Mapping[str, Any]) -> list[str]:
        return [given for given, _ in self._given(arguments)]

    def _given(self, arguments: Mapping[str, Any]) -> list[tuple[str, Callable[[str | None], str | None]]]:
        if self.diff is not None:
            return [(one.name, _patched(one)) for one in unified.parsed(argument(arguments, self.diff))]
        if self.files is not None:
            files = arguments.get(self.files)
            if not isinstance(files, Mapping) or not all(isinstance(text, str | None) for text in files.values()):
                raise DraftRefused(f"the argument {self.files} is no mapping of paths to texts")
            return [(str(path), _becomes(text)) for path, text in files.items()]
        return [(argument(arguments, self.path or ""), _becomes(argument(arguments, self.text or "")))]


def _patched(one: unified.FileDiff) -> Callable[[str | None], str | None]:
    return lambda base: unified.patched(one, base)


def _becomes(text: str | None) -> Callable[[str | None], str | None]:
    return lambda _: text


@dataclass(frozen=True, slots=True)
class Patch:
    """See `patch`."""

    root: str
    shape: Shape
    will: str
    labels: tuple[str, ...]

    def draw(self, arguments: Mapping[str, Any]) -> Drawn:
        """The files, held against those that are there."""
        pieces = self.shape.pieces(arguments, self.root, lambda name: roots.read(self.root, name))
        names = [one.name for one in pieces]
        return Drawn(
            "patch", pieces, unified.diff(pieces), ".patch", title=titled(names), source=f"the files below {self.root}",
            target=f"{self.root}\n{chr(10).join(sorted(names))}", across=True, labels=self.labels, will=self.will,
            recipe=self.shape.recipe,
        )  # fmt: skip


def patch(
    diff: str | None = None,
    *,
    root: str | os.PathLike[str],
    files: str | None = None,
    path: str | None = None,
    text: str | None = None,
    will: str = "",
    labels: tuple[str, ...] = (),
) -> Patch:
    """The draft of a tool that changes files: each file as it is now, and as it would be.

    A path that leads out of the root, by `..`, by a link, or into a `.git`, is refused, and so is a diff that doesn't
    fit what is there line by line. Nothing is written.

    Args:
        diff: The argument that holds a unified diff.
        root: The directory that the paths are relative to.
        files: Or the argument that maps paths to whole texts; null removes a file.
        path: Or the argument that holds one path,
        text: with the one that holds its whole text.
        will: What accepting does, in words.
        labels: Access labels of these drafts, beside those of the rule.

    Raises:
        ValueError: Not exactly one of the three is given.
    """
    return Patch(os.path.abspath(root), Shape(diff, files, path, text), will, labels)  # noqa: PTH100  # it may be a link


def titled(names: list[str]) -> str:
    """What a draft of files is, in a line."""
    shown = ", ".join(names[:3])
    return f"Changes in {shown}" if len(names) <= len(names[:3]) else f"Changes in {shown} and {len(names) - 3} more"
