"""`config`: the draft of a tool that changes a file of settings, key by key, however the file is laid out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ladder_graph.drafting import keyed, roots, written
from ladder_graph.drafting.drawn import Drawn, Piece, argument
from ladder_graph.drafting.mapping import merged
from ladder_graph.errors import DraftRefused


@dataclass(frozen=True, slots=True)
class Config:
    """See `config`."""

    root: str
    path: str | None
    file: str | None
    text: str | None
    values: str | None
    merge: str | None
    format: str | None
    will: str
    labels: tuple[str, ...]

    def draw(self, arguments: Mapping[str, Any]) -> Drawn:
        """The settings as they are, and as they would be."""
        name = roots.inside(self.root, self.file if self.path is None else arguments.get(self.path))
        kind = self.format or written.FORMATS.get(PurePosixPath(name).suffix.lower())
        if kind is None:
            raise DraftRefused(f"{name!r} is neither TOML, YAML nor JSON by its name")
        file = roots.read(self.root, name)
        now = written.parsed(file or "", kind)
        become, notes = self._become(arguments, kind, file or "", now)
        base = None if file is None else keyed.flat(now)
        text = keyed.flat(become)
        if base == text:
            notes = (*notes, "No key changes.")
        return Drawn(
            "config", (Piece(name, base, text, "keys"),), written.settings(become, kind), f".{kind}",
            title=f"Settings in {name}", source=f"{name} as it is" if file is not None else "",
            notes=notes, target=f"{self.root}\n{name}", across=True, labels=self.labels, will=self.will,
            recipe=self._recipe(kind),
        )  # fmt: skip

    def _become(
        self, arguments: Mapping[str, Any], kind: str, file: str, now: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        if self.text is not None:
            said = argument(arguments, self.text)
            return written.parsed(said, kind), _notes(file, said, kind)
        given = arguments.get(self.values or self.merge or "")
        if not isinstance(given, Mapping):
            raise DraftRefused(f"the argument {self.values or self.merge} is no mapping of settings")
        return (given if self.values is not None else merged(now, given)), ()

    def _recipe(self, kind: str) -> dict[str, Any]:
        if self.text is not None:
            return {"form": "settings", "argument": self.text, "format": kind}
        return {"form": "settings" if self.values is not None else "merge", "argument": self.values or self.merge}


def config(
    path: str | None = None,
    *,
    root: str | os.PathLike[str],
    file: str | None = None,
    text: str | None = None,
    values: str | None = None,
    merge: str | None = None,
    format: str | None = None,  # noqa: A002  # the word for it
    will: str = "",
    labels: tuple[str, ...] = (),
) -> Config:
    """The draft of a tool that changes a file of settings: the keys that change, each by itself.

    Order, layout and comments are no changes. Where a person takes a part, the tool gets the settings written anew in
    one canonical form, in which comments are lost; the draft says so.

    Args:
        path: The argument that holds the file's path below the root.
        root: The directory that no path leads out of.
        file: Or the file, where it is always the same.
        text: The argument that holds the whole new text;
        values: or the one that holds all settings as a mapping;
        merge: or the one that holds what to change, with null for what goes (RFC 7396).
        format: `"toml"`, `"yaml"` or `"json"`; by the file's suffix, if it isn't said.
        will: What accepting does, in words.
        labels: Access labels of these drafts, beside those of the rule.

    Raises:
        ValueError: Not exactly one way to name the file and one to name the settings is given.
    """
    if (path is None) == (file is None):
        raise ValueError("give either the argument that holds the path, or file=")
    if sum(one is not None for one in (text, values, merge)) != 1:
        raise ValueError("name the argument with the settings: text=, values= or merge=")
    if format not in {None, *written.FORMATS.values()}:
        raise ValueError(f"{format!r} is none of toml, yaml and json")
    top = os.path.abspath(root)  # noqa: PTH100  # it may be a link
    return Config(top, path, file, text, values, merge, format, will, labels)


def _notes(before: str, after: str, kind: str) -> tuple[str, ...]:
    """What the keys don't show."""
    if kind == "json":
        return ()
    old, new = written.comments(before), written.comments(after)
    notes = [f"The file has {old} lines of comments, and the proposed text {new}."] if old != new else []
    if old or new:
        notes.append("Where only a part is taken, the file is written anew without comments.")
    return tuple(notes)
