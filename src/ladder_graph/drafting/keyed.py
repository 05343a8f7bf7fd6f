r"""Nested values as lines of `key = value`, and back; two such texts held against each other by key. Pure.

A key is a path of names with dots between them; a name beyond letters, digits, `_` and `-` stands in quotes, in which
an equals sign is written `\u003d`. A value is JSON on one line. Lists are values, since their entries have no names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ladder_graph.calls import normalise, restore
from ladder_graph.errors import DraftRefused

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_NAME = re.compile(r'([A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*")(\.|$)')
DEEPEST = 32
"""Names that a path may have."""
_FIRST = ("From", "To", "Cc", "Bcc", "Reply-To", "Subject")
"""The order of headers; others follow by name."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What changes together: one key, or all that lie below a key that is a value on the other side."""

    name: str
    gone: tuple[str, ...]
    new: tuple[str, ...]


def flat(value: Mapping[str, Any]) -> str:
    """A nested mapping as lines.

    Raises:
        DraftRefused: It nests too deep, or holds what JSON has no form for.

    Example:
        >>> print(flat({"server": {"port": 80, "hosts": ["a", "b"]}, "x.y": {}}), end="")
        server.hosts = ["a", "b"]
        server.port = 80
        "x.y" = {}
    """
    found: list[tuple[Path, str]] = []
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, one = waiting.pop()
        if len(path) > DEEPEST:
            raise DraftRefused(f"{spelled(path[:3])}… nests deeper than {DEEPEST} levels")
        if isinstance(one, Mapping) and (one or not path):
            waiting += [((*path, _text(name, path)), inner) for name, inner in one.items()]
        else:
            found.append((path, json.dumps(normalise(one), ensure_ascii=False, sort_keys=True)))
    return "".join(f"{spelled(path)} = {_one_line(said)}\n" for path, said in sorted(found))


def _text(name: object, path: Path) -> str:
    if not isinstance(name, str):
        raise DraftRefused(f"{spelled(path) or 'it'} has the key {name!r}, and keys must be text")
    return name


def _one_line(said: str) -> str:
    # Separators that other readers take for a line's end.
    return said.replace("\x85", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def nested(lines: str) -> dict[str, Any]:
    r"""The mapping that lines stand for.

    Raises:
        DraftRefused: A line is none, or two of them can't both be.

    Example:
        >>> nested('server.port = 80\n"x.y" = {}\n')
        {'server': {'port': 80}, 'x.y': {}}
    """
    found: dict[str, Any] = {}
    for number, line in enumerate(lines.split("\n"), start=1):
        if not line.strip():
            continue
        name, apart, said = line.partition(" = ")
        try:
            path, value = _path(name.strip()), restore(json.loads(said))
        except ValueError as wrong:
            raise DraftRefused(f"line {number} is no `key = value` with a JSON value: {wrong}") from wrong
        if not apart or not _put(found, path, value):
            raise DraftRefused(f"line {number} says again, or otherwise, what another line says of {name.strip()}")
    return _plain(found)


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    """The same with plain mappings in it."""
    return {name: _plain(one) if isinstance(one, _Made) else one for name, one in found.items()}


def _put(into: dict[str, Any], path: Path, value: Any) -> bool:
    for name in path[:-1]:
        inner = into.setdefault(name, _Made())
        if not isinstance(inner, _Made):
            return False
        into = inner
    if path[-1] in into:
        return False
    into[path[-1]] = value
    return True


class _Made(dict[str, Any]):
    """A mapping that lines made, and no value of a line."""


def spelled(path: Path) -> str:
    """A path as it is written."""
    return ".".join(name if _BARE.fullmatch(name) else _quoted(name) for name in path)


def _quoted(name: str) -> str:
    return _one_line(json.dumps(name, ensure_ascii=False)).replace("=", "\\u003d")


def _path(said: str) -> Path:
    """A path from how it is written; ValueError where it is none."""
    names, at = [], 0
    while (found := _NAME.match(said, at)) is not None:
        names.append(json.loads(found[1]) if found[1][0] == '"' else found[1])
        at = found.end()
        if not found[2]:
            return tuple(names)
    raise ValueError(f"{said!r} is no key")


def grouped(before: str, after: str, *, headers: bool) -> list[Group]:
    """Two texts of lines held against each other, key by key, in the order of the keys.

    Args:
        before: What is there.
        after: What it would become.
        headers: They are `Name: value`, and not `key = value`.
    """
    old, new = _by_path(before, headers=headers), _by_path(after, headers=headers)
    order = sorted(old.keys() | new.keys(), key=_header_order if headers else None)
    groups: list[tuple[Path, list[str], list[str]]] = []
    for path in order:
        gone, come = old.get(path, []), new.get(path, [])
        # A value that becomes a mapping, or the other way, and everything below it are one change.
        below = groups and not headers and _opposed(groups[-1][0], path, old, new)
        if below:
            groups[-1][1].extend(gone)
            groups[-1][2].extend(come)
        else:
            groups.append((path, [*gone], [*come]))
    return [Group(_named(path, headers=headers), tuple(gone), tuple(come)) for path, gone, come in groups]


def _opposed(root: Path, path: Path, old: Mapping[Path, Any], new: Mapping[Path, Any]) -> bool:
    below = len(path) > len(root) and path[: len(root)] == root
    return below and (root in old) != (root in new)


def _named(path: Path, *, headers: bool) -> str:
    return path[0] if headers else spelled(path)


def _header_order(path: Path) -> tuple[int, str]:
    name = path[0]
    return (_FIRST.index(name), name) if name in _FIRST else (len(_FIRST), name)


def _by_path(text: str, *, headers: bool) -> dict[Path, list[str]]:
    found: dict[Path, list[str]] = {}
    for line in text.split("\n"):
        if not line:
            continue
        if headers:
            path: Path = (line.partition(":")[0],)
        else:
            try:
                path = _path(line.partition(" = ")[0])
            except ValueError:
                path = (line,)
        found.setdefault(path, []).append(f"{line}\n")
    return found
