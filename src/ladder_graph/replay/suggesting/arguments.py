"""What the arguments of right calls looked like. What is kept grows neither with the calls nor with the values."""

from __future__ import annotations

import math
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args
from urllib.parse import urlsplit

from ladder_graph.policy.bounds.words import Type, spelt
from ladder_graph.replay.traces import Run, TracedCall

MOST_VALUES = 64
"""Different values of one argument that are kept, the first ones."""
MOST_ARGUMENTS = 40
"""Arguments of one tool that are looked at, the first ones."""
MOST_DAYS = 4000
"""Days on which calls are counted."""
_DEEPEST = 3
"""Tables inside tables whose arguments are looked at."""
_LONGEST_VALUE = 80
"""Characters of a text that may be a value of a list, or have a shape."""
_LARGEST = 10**15
"""Numbers beyond this are left alone: a float no longer tells them apart."""
_PIECES = re.compile(r"[0-9]+|[A-Z]+|[a-z]+|[^0-9A-Za-z]")
_MOST_PIECES = 12
TYPES: tuple[Type, ...] = get_args(Type)


@dataclass(slots=True)
class Recurring:
    """Values, and which of them came back in another task: those alone may come back once more."""

    first: dict[Any, int] = field(default_factory=dict)
    """Each value to the task that it was first seen in."""
    again: dict[Any, None] = field(default_factory=dict)
    """Those that were seen in another one."""

    def add(self, value: Any, task: int) -> None:
        """Take note of a value."""
        if value in self.first:
            if self.first[value] != task:
                self.again[value] = None
        elif len(self.first) < MOST_VALUES:
            self.first[value] = task


Piece = tuple[str, int, int]
"""A class of characters, or one character, and how many of them there are at least and at most."""


@dataclass(slots=True)
class Argument:
    """What one argument of a tool looked like."""

    calls: int = 0
    """Calls that have it."""
    task: int | None = None
    """The first task with it."""
    several: bool = False
    """Whether there is another one."""
    values: Recurring = field(default_factory=Recurring)
    """Its plain values, each with its type."""
    domains: Recurring = field(default_factory=Recurring)
    """Of addresses."""
    hosts: Recurring = field(default_factory=Recurring)
    """Of URLs: scheme and authority."""
    addresses: int = 0
    """Calls in which it is an address, or a list of them."""
    urls: int = 0
    """Calls in which it is a URL with a host."""
    numbers: list[float] = field(default_factory=list)
    """The smallest and the largest number."""
    numeric: int = 0
    """Calls in which it is a number."""
    texts: int = 0
    """Calls in which it is a text."""
    longest: int = 0
    """Characters of the longest text."""
    lists: int = 0
    """Calls in which it is a list."""
    entries: list[int] = field(default_factory=list)
    """Entries of the shortest and of the longest list."""
    folder: str | None = None
    """The directory that all paths lie below; empty where there is none."""
    shape: tuple[Piece, ...] | None = None
    """What all texts have in common; empty where they have nothing."""
    typed: Counter[Type] = field(default_factory=Counter)
    """Calls in which it is, whole, a value of each type."""

    def add(self, value: object, task: int) -> None:
        """Take note of a value.

        Args:
            value: The argument's value.
            task: A number for the task of the run.
        """
        self.calls += 1
        self.several = self.several or self.task not in {None, task}
        self.task = task if self.task is None else self.task
        entries = value if isinstance(value, list) and value else [value]
        self.typed.update(kind for kind in TYPES if all(spelt(one, kind) is not None for one in entries))
        match value:
            case bool():
                self.values.add((bool, value), task)
            case int() | float() if math.isfinite(value) and abs(value) <= _LARGEST:
                self._number(value, task)
            case str():
                self._text(value, task)
            case list():
                self.lists += 1
                self.entries = _stretched(self.entries, len(value))
                self._addresses(value, task)
            case _:
                pass

    def _number(self, value: float, task: int) -> None:
        self.numeric += 1
        self.numbers = _stretched(self.numbers, value)
        self.values.add((type(value), value), task)

    def _text(self, text: str, task: int) -> None:
        self.texts += 1
        self.longest = max(self.longest, len(text))
        if len(text) <= _LONGEST_VALUE and text.isprintable():
            self.values.add((str, text), task)
        self._addresses([text], task)
        if (place := _host(text)) is not None:
            self.urls += 1
            self.hosts.add(place, task)
        self.folder = _above(text) if self.folder is None else _common(self.folder, _above(text))
        pieces = _pieces(text)
        self.shape = pieces if self.shape is None else _merged(self.shape, pieces)

    def _addresses(self, values: list[Any], task: int) -> None:
        domains = [one.rpartition("@")[2].lower() for one in values if spelt(one, "email") is not None]
        if values and len(domains) == len(values):
            self.addresses += 1
            for domain in domains:
                self.domains.add(domain, task)


def _stretched(span: list[Any], value: Any) -> list[Any]:
    return [min(span[0], value), max(span[1], value)] if span else [value, value]


def _host(text: str) -> tuple[str, str] | None:
    """The scheme and the authority of a URL; None where it is none, or names a user."""
    try:
        url = urlsplit(text)
    except ValueError:
        return None
    return (url.scheme, url.netloc.lower()) if url.scheme and url.netloc and "@" not in url.netloc else None


def _above(text: str) -> str:
    """The directory that an absolute path lies in; empty where it is none, or isn't plain."""
    plain = text.startswith("/") and text.isprintable() and ".." not in text.split("/")
    above = posixpath.dirname(text) if plain else ""
    return "" if above == "/" else above


def _common(one: str, other: str) -> str:
    if not one or not other:
        return ""
    above = posixpath.commonpath([one, other])
    return "" if above == "/" else above


def _pieces(text: str) -> tuple[Piece, ...]:
    """A text as a row of classes of characters; nothing where it is too long for a shape."""
    if not text or len(text) > _LONGEST_VALUE or not (text.isascii() and text.isprintable()):
        return ()
    pieces = _PIECES.findall(text)
    return tuple((_class(one), len(one), len(one)) for one in pieces) if len(pieces) <= _MOST_PIECES else ()


def _class(piece: str) -> str:
    if piece.isdigit():
        return "[0-9]"
    return "[A-Z]" if piece.isupper() else "[a-z]" if piece.islower() else piece


def _merged(one: tuple[Piece, ...], other: tuple[Piece, ...]) -> tuple[Piece, ...]:
    if [piece[0] for piece in one] != [piece[0] for piece in other]:
        return ()
    both = zip(one, other, strict=True)
    return tuple((kind, min(low, less), max(high, more)) for (kind, low, high), (_, less, more) in both)


@dataclass(slots=True)
class Shape:
    """What the right calls of one tool looked like."""

    calls: int = 0
    """Right calls."""
    arguments: dict[str, Argument] = field(default_factory=dict)
    """By their names; dots lead into nested ones."""
    in_a_run: int = 0
    """The most right calls in one run."""
    days: Counter[int] = field(default_factory=Counter)
    """Right calls by day since the epoch, in UTC, where their times are known."""
    timed: int = 0
    """Right calls whose time is known."""

    def add(self, calls: list[TracedCall], task: int) -> None:
        """Take note of the right calls of one run.

        Args:
            calls: All of this tool.
            task: A number for the task of the run.
        """
        self.in_a_run = max(self.in_a_run, len(calls))
        for call in calls:
            self.calls += 1
            day = day_of(call)
            if day is not None and (day in self.days or len(self.days) < MOST_DAYS):
                self.timed += 1
                self.days[day] += 1
            for name, value in _leaves(call.arguments or {}):
                if name in self.arguments or len(self.arguments) < MOST_ARGUMENTS:
                    self.arguments.setdefault(name, Argument()).add(value, task)


def _leaves(table: Mapping[str, Any], above: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        # Dots lead into nested arguments, so such a name means another one in a policy.
        if not name or "." in name or not name.isprintable() or name != name.strip():
            continue
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _leaves(value, f"{above}{name}.", depth + 1)
        else:
            yield f"{above}{name}", value


def day_of(call: TracedCall) -> int | None:
    """The day of a call since the epoch, in UTC; None where its time isn't known.

    Args:
        call: The call.
    """
    return None if call.at is None else int(call.at.timestamp() // 86400)


def by_tool(run: Run) -> dict[str, list[int]]:
    """The places of the calls of a run, by tool.

    Args:
        run: The run.
    """
    places: dict[str, list[int]] = {}
    for place, call in enumerate(run.calls):
        places.setdefault(call.tool, []).append(place)
    return places
