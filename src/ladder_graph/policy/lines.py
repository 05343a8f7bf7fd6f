"""Where in a TOML text each key stands: `tomllib` reads values and forgets the lines.

The text has been read by `tomllib` before, so this walks over valid TOML only and may be short.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Iterator

Keys = tuple[str | int, ...]
"""Keys and list positions from the top, as in `("tools", "send", "bounds", 0)`."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
# The long ones first; up to two quotes may stand before the three that end one.
_TEXT = re.compile(
    r"""(?s)"{3}(?:[^\\]|\\.)*?"{3,5}|"(?:[^"\\\n]|\\.)*"|"""
    r"""'{3}.*?'{3,5}|'[^'\n]*'"""
)
_PLAIN = re.compile(r"[^,\]}#\n]*")


def lines_of(text: str) -> dict[Keys, int]:
    r"""The line on which each key, table and list entry of a valid TOML text begins, counted from 1.

    Example:
        >>> lines = lines_of('agent = "ops"\n[tools.send]\nbounds = [\n  { kind = "volume" },\n]')
        >>> lines["tools", "send", "bounds", 0]
        4
    """
    reader = _Reader(text)
    # A line that isn't found costs a number in a message; it must never hide the message.
    with contextlib.suppress(IndexError, RecursionError):
        reader.document()
    return reader.lines


def nearest_line(lines: dict[Keys, int], path: Keys) -> int:
    """The line of a path, or of the nearest thing around it that stands in the text."""
    return next((lines[path[:size]] for size in range(len(path), 0, -1) if path[:size] in lines), 1)


class _Reader:
    """Walks over a text once and notes where what begins."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Keys, int] = {}
        self._text = text
        self._at = 0
        self._line = 1
        self._entries: dict[Keys, int] = {}

    def document(self) -> None:
        table: Keys = ()
        seen = -1
        while self._blank() and self._at > seen:
            seen = self._at
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Keys:
        many = self._text.startswith("[[", self._at)
        self._skip(2 if many else 1)
        table: Keys = ()
        *before, last = self._keys()
        for key in before:
            table = self._current((*table, key))
        table = (*table, last)
        if many:
            self._note(table)
            self._entries[table] = self._entries.get(table, -1) + 1
        table = self._current(table)
        self.lines[table] = self._line
        self._skip(2 if many else 1)
        return table

    def _current(self, path: Keys) -> Keys:
        """The path of a table, with the position of the newest entry where it is a list of tables."""
        self._note(path)
        return (*path, self._entries[path]) if path in self._entries else path

    def _pair(self, table: Keys) -> None:
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path)
        self._take(re.compile(r"[ \t]*=[ \t]*"))
        self._value(path)

    def _keys(self) -> list[str]:
        self._blank()
        keys = [self._key()]
        while self._take(_DOT):
            keys.append(self._key())
        self._take(re.compile(r"[ \t]*"))
        return keys

    def _key(self) -> str:
        written = self._take(_KEY)
        return tomllib.loads(f"key = {written}")["key"] if written[0] in "\"'" else written

    def _value(self, path: Keys) -> None:
        match self._text[self._at]:
            case "[":
                for place, _ in enumerate(self._items("]")):
                    self._note((*path, place))
                    self._value((*path, place))
            case "{":
                for _ in self._items("}"):
                    self._pair(path)
            case '"' | "'":
                self._take(_TEXT)
            case _:
                self._take(_PLAIN)

    def _items(self, end: str) -> Iterator[None]:
        """Stops at each item between brackets; who asks reads the item."""
        self._skip(1)
        seen = self._at - 1
        while self._blank() and self._text[self._at] != end and self._at > seen:
            seen = self._at
            yield
            self._blank()
            if self._text[self._at] == ",":
                self._skip(1)
        self._skip(1)

    def _note(self, path: Keys) -> None:
        self.lines.setdefault(path, self._line)

    def _blank(self) -> bool:
        """Skip spaces, line ends and comments; say whether anything is left."""
        self._take(_BLANK)
        return self._at < len(self._text)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        self._skip(len(found[0]) if found else 0)
        return found[0] if found else ""

    def _skip(self, count: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count
