"""Long values on a page: each can be read whole, and none of them makes the page long."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from ladder_graph.calls import canonical
from ladder_graph.errors import ArgumentsError
from ladder_graph.wording import inert, show

PLAIN = 300
"""Characters up to which a value stands on the page as it is."""
HEAD = 120
"""Characters of a longer one that stand on the page in any case."""
FOLDED = 20_000
"""Characters of a longer one that are folded away on the page itself; the rest is a page of its own."""
ROOM = 200_000
"""Characters of folded values on one page."""
PART = 50_000
"""Characters of one part of what is read on pages of its own."""
LINES = "\n\t"
"""What stays as it is where a text is shown line by line."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One value as a page shows it."""

    head: str
    """All of it where it is short, else its beginning."""
    body: str = ""
    """What is folded away under it; empty where nothing is."""
    length: int = 0
    """Characters of the whole."""
    hash: str = ""
    """The beginning of its SHA-256, over the canonical form of a value and the bytes of a text."""
    whole: bool = True
    """Everything of it is on the page."""
    lines: bool = False
    """The body is a text with its line breaks, and no JSON."""


class Room:
    """Makes passages as long as there is room on a page; after that only their beginnings.

    Args:
        left: Characters that may be folded away on the page.
    """

    def __init__(self, left: int = ROOM) -> None:
        self._left = left

    def value(self, value: Any) -> Passage:
        """A value as JSON; a text of several lines with these, too."""
        text = show(value)
        lines = isinstance(value, str) and "\n" in value
        if len(text) <= PLAIN and not lines:
            return Passage(text, length=len(text))
        return self._folded(text, value if lines else text, len(text), _hash_of(value), lines=lines)

    def text(self, text: str) -> Passage:
        """A text that somebody else wrote."""
        if len(text) <= PLAIN:
            return Passage(text, length=len(text))
        return self._folded(text, text, len(text), _hash_of_text(text))

    def json(self, text: str) -> Passage:
        """A document that is folded away whole."""
        return self._folded("", text, len(text), _hash_of_text(text), lines=True)

    def _folded(self, text: str, body: str, length: int, digest: str, *, lines: bool = False) -> Passage:
        kept = body[: min(FOLDED, max(0, self._left))]
        self._left -= len(kept)
        # Only what is shown is looked through: a megabyte of it would take a second.
        return Passage(text[:HEAD], inert(kept, LINES), length, digest, len(kept) == len(body), lines)


def _hash_of(value: Any) -> str:
    try:
        return hashlib.sha256(canonical(value)).hexdigest()[:16]
    except ArgumentsError:
        return _hash_of_text(show(value))


def _hash_of_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a long text."""

    text: str
    number: int
    """From 1."""
    count: int
    """How many there are."""


def part_of(text: str, number: int) -> Part:
    """One part of a text, in which nothing is hidden; the nearest one there is.

    Args:
        text: The whole.
        number: Which part, from 1.
    """
    pages = max(1, -(-len(text) // PART))
    at = min(max(1, number), pages)
    return Part(inert(text[(at - 1) * PART : at * PART], LINES), at, pages)


def short(text: object, most: int = 200) -> str:
    """A text cut where it gets long, for headings and lists, with the cut said.

    Example:
        >>> short("Run it?"), short("x" * 300, 3)
        ('Run it?', 'xxx… (300 characters)')
    """
    said = str(text)
    return said if len(said) <= most else f"{said[:most]}… ({len(said):,} characters)"


CUT = re.compile(r"… \([\d,]+ characters\)\Z")
"""What `short` has put behind the beginning of a text."""
