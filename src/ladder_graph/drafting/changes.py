"""A draft cut into changes that a person takes or leaves, each by itself. Pure.

Taking all of them gives the artifact, taking none gives the base, and any other choice applies as cleanly.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ladder_graph.drafting import keyed
from ladder_graph.drafting.aligning import differing
from ladder_graph.drafting.drawn import Piece

CONTEXT = 3
"""Lines that are shown before and after a change."""
LONGEST = 2_000
"""Characters of a line up to which it is looked at what changed inside it."""
WORDS = 400
"""Words of a line up to which the same."""
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_HEADING = re.compile(r"#{1,6}\s+(.+)")
_OUTER = re.compile(r"[^\W\d]|[$@]")

Sign = Literal["same", "gone", "new"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a change, as it is shown."""

    sign: Sign
    """It stays, it goes, or it comes."""
    text: str
    """Without its end."""
    marks: tuple[tuple[int, int], ...] = ()
    """What changed inside it, where it stands for another line: from which character to which."""
    ended: bool = True
    """Whether a line end follows it; the last line of a file may lack one."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a draft."""

    number: int
    """From 1, over all pieces."""
    piece: str
    """The piece it is in."""
    heading: str
    """Where in it: a section, a key, a file."""
    lines: tuple[Line, ...]

    @property
    def gone(self) -> str:
        """The text that it takes away."""
        return _joined(self.lines, "gone")

    @property
    def new(self) -> str:
        """The text that it brings."""
        return _joined(self.lines, "new")


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A part of a piece: lines that stay, or lines that one change puts others in for."""

    gone: tuple[str, ...]
    new: tuple[str, ...]
    heading: str = ""
    same: bool = False


def changes_of(pieces: Iterable[Piece]) -> tuple[Change, ...]:
    r"""The changes of a draft, numbered.

    Example:
        >>> [(one.number, one.heading, one.new) for one in changes_of([Piece("body", "Hello,\n", "Hello Dana,\n")])]
        [(1, 'Text', 'Hello Dana,\n')]
    """
    found: list[Change] = []
    for piece in pieces:
        stretches = _stretches(piece)
        for at, one in enumerate(stretches):
            if not one.same:
                lines = tuple(_shown(stretches, at))
                found.append(Change(len(found) + 1, piece.name, one.heading, lines))
    return tuple(found)


def applied(pieces: Iterable[Piece], taken: Collection[int]) -> tuple[Piece, ...]:
    """The pieces with the taken changes in them, and no other one.

    Args:
        pieces: The draft's.
        taken: The numbers of the changes.
    """
    number, found = 0, []
    for piece in pieces:
        chosen: list[str] = []
        text = piece.base
        for one in _stretches(piece):
            number += not one.same
            took = not one.same and number in taken
            chosen += one.new if took else one.gone
            if took and None in {piece.base, piece.text}:
                text = piece.text
        if None not in {piece.base, piece.text}:
            text = "".join(chosen)
        found.append(replace(piece, text=text))
    return tuple(found)


def _stretches(piece: Piece) -> list[_Stretch]:
    if piece.base == piece.text:
        return [_Stretch(lines := _lines(piece.base), lines, same=True)]
    if piece.base is None or piece.text is None:
        return [_Stretch(_lines(piece.base), _lines(piece.text), _named(piece))]
    if piece.style in {"keys", "headers"}:
        grouped = keyed.grouped(piece.base, piece.text, headers=piece.style == "headers")
        return [_Stretch(one.gone, one.new, one.name, same=one.gone == one.new) for one in grouped]
    return list(_by_lines(piece, _lines(piece.base), _lines(piece.text)))


def _by_lines(piece: Piece, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[_Stretch]:
    place = 0
    heading = _Headings(piece, after)
    for i, i_end, j, j_end in differing(before, after):
        if place < i:
            yield _Stretch(before[place:i], before[place:i], same=True)
        yield _Stretch(before[i:i_end], after[j:j_end], heading.at(j))
        place = i_end
    if place < len(before):
        yield _Stretch(before[place:], before[place:], same=True)


def _lines(text: str | None) -> tuple[str, ...]:
    """Lines with their ends. Only a line feed ends one: a lone carriage return is shown where it stands."""
    found = (text or "").split("\n")
    ended = tuple(f"{line}\n" for line in found[:-1])
    return (*ended, found[-1]) if found[-1] else ended


def _named(piece: Piece) -> str:
    if piece.style != "code":
        return piece.name
    return f"{piece.name} (new)" if piece.base is None else f"{piece.name} (removed)"


class _Headings:
    """Where in a piece a line stands, in words."""

    def __init__(self, piece: Piece, lines: Sequence[str]) -> None:
        self._piece, self._prose = piece, piece.style == "prose"
        self._found: list[str] = []
        self._paragraph: list[int] = []
        last, paragraph, blank = "", 0, False
        for line in lines:
            bare = line.rstrip("\r\n")
            paragraph += blank and bool(bare.strip()) and bool(self._paragraph)
            blank = not bare.strip()
            found = _HEADING.fullmatch(bare) if self._prose else None
            if found or (not self._prose and _OUTER.match(bare)):
                last = found[1].strip() if found else bare.strip()[:80]
            self._found.append(last)
            self._paragraph.append(paragraph)

    def at(self, line: int) -> str:
        """For a change that begins at a line of the new text."""
        near = min(line, len(self._found) - 1)
        said = self._found[near] if near >= 0 else ""
        if not self._prose:
            return f"{self._piece.name}: {said}" if said else self._piece.name
        if said or near < 0:
            return said or self._piece.name
        last = self._paragraph[-1]
        if not last:
            return "Text"
        nth = self._paragraph[near]
        return "Opening" if nth == 0 else "Closing" if nth == last else f"Paragraph {nth + 1}"


# --- as it is shown ----------------------------------------------------------------------------------------------


def _shown(stretches: Sequence[_Stretch], at: int) -> Iterator[Line]:
    one = stretches[at]
    before = stretches[at - 1].gone[-CONTEXT:] if at and stretches[at - 1].same else ()
    after = stretches[at + 1].gone[:CONTEXT] if at + 1 < len(stretches) and stretches[at + 1].same else ()
    marks = [_marks(old, new) for old, new in zip(one.gone, one.new, strict=False)]
    yield from (_line("same", line) for line in before)
    for sign, lines in (("gone", one.gone), ("new", one.new)):
        for n, line in enumerate(lines):
            inside = marks[n][sign == "new"] if n < len(marks) else ()
            yield _line("gone" if sign == "gone" else "new", line, inside)
    yield from (_line("same", line) for line in after)


def _line(sign: Sign, line: str, marks: tuple[tuple[int, int], ...] = ()) -> Line:
    return Line(sign, line.removesuffix("\n"), marks, line.endswith("\n"))


Marks = tuple[tuple[int, int], ...]


def _marks(old: str, new: str) -> tuple[Marks, Marks]:
    """What differs inside two lines, word by word; nothing where they have next to nothing in common."""
    old, new = old.removesuffix("\n"), new.removesuffix("\n")
    if max(len(old), len(new)) > LONGEST:
        return (), ()
    a, b = _TOKEN.findall(old), _TOKEN.findall(new)
    if max(len(a), len(b)) > WORDS:
        return (), ()
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if sum(block.size for block in matcher.get_matching_blocks()) * 4 < max(len(a), len(b)):
        return (), ()
    codes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    return _spans(a, [(i, i_end) for _, i, i_end, _, _ in codes]), _spans(b, [(j, to) for *_, j, to in codes])


def _spans(tokens: Sequence[str], found: Iterable[tuple[int, int]]) -> Marks:
    """Stretches of words as stretches of characters; those that only a space parts are one."""
    starts, text = [0], "".join(tokens)
    for token in tokens:
        starts.append(starts[-1] + len(token))
    spans: list[tuple[int, int]] = []
    for begin, end in found:
        if begin == end:
            continue
        if spans and not text[spans[-1][1] : starts[begin]].strip():
            spans[-1] = spans[-1][0], starts[end]
        else:
            spans.append((starts[begin], starts[end]))
    return tuple(spans)


def _joined(lines: Iterable[Line], sign: Sign) -> str:
    return "".join(f"{one.text}\n" if one.ended else one.text for one in lines if one.sign == sign)
