"""JSON texts taken apart without being read as a whole: lines, documents over several lines, and entries of arrays.

Each part is read by itself, so that one that is broken costs itself alone, and by one strict reader: other readers of
streams replace what they can't decode, and run out of memory where brackets nest deeply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

LONGEST = 1 << 28
"""Bytes of one part that is read; a longer one is left out."""
ITEM = "item"
"""In a path: each entry of an array."""

_DEEP = re.compile(rb'["\[\]{}]')
_SHALLOW = re.compile(rb'["\[\]{},:]')
_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


def parsed(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: It is no JSON, or has NaN or half a surrogate pair, which JSON has no form for.
    """
    return from_json(text, allow_inf_nan=False, cache_strings="keys")


def whole(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, Any]]:
    """The values of lines, each a value by itself, or a part of an object that is written over several lines.

    An object over several lines begins at a line that begins with its bracket; where the next one begins, it ends.

    Args:
        lines: The lines, each with its number.

    Returns:
        Each value, with the number of its first line; the `ValueError` in place of one that can't be read.

    Example:
        >>> [value for _, value in whole(enumerate(['{"a": 1}', "{", ' "a": 2', "}", '{"a": 3}'], 1))]
        [{'a': 1}, {'a': 2}, {'a': 3}]
    """
    held: list[str] = []
    start = size = 0
    for number, line in lines:
        if held and (line.startswith("{") or size > LONGEST):
            yield start, value_of("\n".join(held))
            held, size = [], 0
        if not held:
            value = value_of(line)
            if not isinstance(value, ValueError) or not line.startswith("{") or line.rstrip().endswith("}"):
                yield number, value
                continue
            start = number
        held.append(line)
        size += len(line)
        if line.rstrip() == "}" and not isinstance(value := value_of("\n".join(held)), ValueError):
            yield start, value
            held, size = [], 0
    if held:
        yield start, value_of("\n".join(held))


def value_of(text: str | bytes) -> Any:
    """The value of a JSON text, or the `ValueError` that says why there is none.

    Args:
        text: The text.
    """
    try:
        return parsed(text)
    except ValueError as wrong:
        return wrong


@dataclass
class Cutter:
    """Cuts the entries out of one JSON document, or of several, by its brackets alone.

    Args:
        path: Where the entries stand: the keys on the way to them, with `ITEM` for each array; `ITEM` is the last one.

    Example:
        >>> cutter = Cutter(("data", ITEM))
        >>> list(cutter.feed(b'{"n": [1], "data": [{"a": "]"}, 2, '))
        [b'{"a": "]"}', b'2']
        >>> list(cutter.feed(b"[3]]}"))
        [b'[3]']
        >>> cutter.open
        False
    """

    path: Sequence[str]
    stray: bool = False
    """Whether something stands beside the document where only another one may begin."""
    _stack: list[bytes] = field(default_factory=list)
    _depth: int = 0
    """How many brackets are open; those on the way to the entries stand in the stack too."""
    _string: bool = False
    _key: bytes = b""
    _last: bytes = b""
    """The last string on the way to the entries, which may turn out to be a key."""
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0
    _carried: bytes = b""
    """A backslash at the end of a chunk."""

    @property
    def open(self) -> bool:
        """Whether the document isn't at its end."""
        return self._depth > 0 or self._string

    @property
    def _at(self) -> bool:
        """Whether what stands here is an entry, or its end."""
        return len(self._stack) == len(self.path) == self._depth

    def feed(self, chunk: bytes) -> Iterator[bytes | None]:
        """Read on.

        Args:
            chunk: What comes next.

        Returns:
            The text of each entry that ends in it; None for one that is longer than `LONGEST` bytes.
        """
        chunk, self._carried = self._carried + chunk, b""
        place = begin = 0
        while place < len(chunk):
            if self._string:
                place = self._through_string(chunk, place)
                continue
            inside = len(self._stack) == len(self.path) < self._depth
            found = (_DEEP if inside else _SHALLOW).search(chunk, place)
            if found is None:
                break
            place = found.end()
            sign = found.group()
            if self._at and sign in b",]":
                self._keep(chunk[begin : found.start()])
                yield from self._taken()
                begin = place
            entered = self._step(sign)
            if entered:
                begin = place
        end = len(chunk) - len(self._carried)
        if len(self._stack) == len(self.path):
            self._keep(chunk[begin:end])

    def _through_string(self, chunk: bytes, place: int) -> int:
        found = _STRING.match(chunk, place)
        end = found.end() if found else place
        if len(self._stack) < len(self.path):
            self._last = (self._last + chunk[place:end])[:1000]
        if end < len(chunk) and chunk[end : end + 1] == b'"':
            self._string = False
            return end + 1
        self._carried = chunk[end:]
        return len(chunk)

    def _step(self, sign: bytes) -> bool:
        """Take a sign; whether an array of entries begins with it."""
        match sign:
            case b'"':
                self._string, self._last = True, b""
            case b":":
                self._key = self._last
            case b"[" | b"{":
                return self._into(sign)
            case b"]" | b"}" if not self._at or sign == b"]":  # Else it is a part of a broken entry.
                self._depth = max(self._depth - 1, 0)
                del self._stack[self._depth :]
        return False

    def _into(self, sign: bytes) -> bool:
        level = len(self._stack)
        if level == self._depth and level < len(self.path):
            wanted = self.path[level]
            on_the_way = level == 0 or self._leads(level)
            if on_the_way and (sign == b"[") == (wanted == ITEM):
                self._stack.append(sign)
                self._depth += 1
                self._key = b""
                return len(self._stack) == len(self.path)
        self.stray = self.stray or self._depth == 0
        self._depth += 1
        return False

    def _leads(self, level: int) -> bool:
        """Whether what begins here stands under the key that leads to the entries."""
        before = self.path[level - 1]
        return before == ITEM or self._key == before.encode()

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= LONGEST:
            self._parts.append(piece)

    def _taken(self) -> Iterator[bytes | None]:
        text, size = b"".join(self._parts).strip(), self._size
        self._parts, self._size = [], 0
        if size > LONGEST:
            yield None
        elif text:
            yield text
