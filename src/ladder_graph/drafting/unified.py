"""Unified diffs: read as a model wrote them, applied to what is there, and written anew. Pure.

A diff that doesn't fit exactly is refused: a place that is guessed is another change than the one that was shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ladder_graph.drafting.aligning import differing
from ladder_graph.drafting.drawn import Piece
from ladder_graph.errors import DraftRefused

NOWHERE = "/dev/null"
"""The name of a file that isn't there."""
CONTEXT = 3
"""Lines around a hunk."""
_HUNK = re.compile(r"@@ -(\d{1,7})(?:,(\d{1,7}))? \+(\d{1,7})(?:,(\d{1,7}))? @@.*")
_BINARY = ("GIT binary patch", "Binary files ", "rename from ", "rename to ", "copy from ", "copy to ", "new mode ",
           "old mode ", "similarity index ")  # fmt: skip


@dataclass(slots=True)
class Hunk:
    """One hunk: where it begins in the old text, and its lines with their sign."""

    at: int
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class FileDiff:
    """What a diff does to one file."""

    old: str
    """Its name before; `/dev/null` where it is new."""
    new: str
    """Its name after; `/dev/null` where it goes."""
    hunks: list[Hunk] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The file's name, without the letter that git puts before it."""
        return self.new if self.old == NOWHERE else self.old


def parsed(text: str) -> list[FileDiff]:
    """The files of a unified diff.

    Raises:
        DraftRefused: It is none, or holds what a draft can't show: binary files, renames, modes.
    """
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    found: list[FileDiff] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith(_BINARY) or (line.startswith("new file mode ") and not line.startswith("new file mode 100")):
            raise DraftRefused(f"line {at + 1} of the diff ({line[:60]!r}) does what a draft can't show")
        if line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ "):
            found.append(_file(line, lines[at + 1]))
            at = _hunks(found[-1], lines, at + 2)
            continue
        if line.startswith(("@@", "+", "-")):
            raise DraftRefused(f"line {at + 1} of the diff ({line[:60]!r}) belongs to no file")
        at += 1
    if not found:
        raise DraftRefused("it is no unified diff: no file begins with --- and +++")
    return found


def _file(old: str, new: str) -> FileDiff:
    names = [_name(line[4:]) for line in (old, new)]
    if all(one == NOWHERE or one[:2] in {"a/", "b/"} for one in names):
        names = [one if one == NOWHERE else one[2:] for one in names]
    if names[0] != names[1] and NOWHERE not in names:
        raise DraftRefused(f"the diff renames {names[0]!r} to {names[1]!r}, which a draft can't show")
    return FileDiff(names[0], names[1])


def _name(said: str) -> str:
    name = said.split("\t", 1)[0].removesuffix("\r")
    if name.startswith('"'):
        raise DraftRefused(f"the diff quotes the name {name[:60]}; write it plainly")
    return name


def _hunks(into: FileDiff, lines: Sequence[str], at: int) -> int:
    """Take the hunks of one file; where they end."""
    while at < len(lines) and (head := _HUNK.fullmatch(lines[at].removesuffix("\r"))) is not None:
        old, new = (1 if head[n] is None else int(head[n]) for n in (2, 4))
        hunk = Hunk(int(head[1]))
        at += 1
        while at < len(lines) and (old > 0 or new > 0):
            sign = lines[at][:1] or " "
            if sign not in {" ", "+", "-", "\\"}:
                break
            if sign != "\\":
                old, new = old - (sign != "+"), new - (sign != "-")
            _take(hunk, sign, lines[at])
            at += 1
        if old or new:
            raise DraftRefused(f"a hunk of {into.name!r} has other lines than its head says (near line {at + 1})")
        if at < len(lines) and lines[at].startswith("\\"):
            _take(hunk, "\\", lines[at])
            at += 1
        into.hunks.append(hunk)
    if not into.hunks and NOWHERE not in {into.old, into.new}:
        raise DraftRefused(f"the diff changes nothing in {into.name!r}")
    return at


def _take(hunk: Hunk, sign: str, line: str) -> None:
    if sign != "\\":
        hunk.lines.append(f"{sign}{line[1:]}\n")
    elif hunk.lines:  # "\ No newline at end of file"
        hunk.lines[-1] = hunk.lines[-1].removesuffix("\n")


def patched(diff: FileDiff, base: str | None) -> str | None:
    """What a file becomes; None where it goes.

    Raises:
        DraftRefused: The diff doesn't fit what is there.
    """
    if (diff.old == NOWHERE) != (base is None):
        raise DraftRefused(f"{diff.name!r} {'is there already' if base is not None else 'is not there'}")
    before = _lines(base or "")
    after: list[str] = []
    place = 0
    for hunk in diff.hunks:
        old = [line[1:] for line in hunk.lines if line[0] != "+"]
        start = hunk.at - 1 if old else hunk.at
        if start < place or before[start : start + len(old)] != old:
            raise DraftRefused(f"the diff doesn't fit {diff.name!r} at line {hunk.at}: something else stands there")
        after += [*before[place:start], *(line[1:] for line in hunk.lines if line[0] != "-")]
        place = start + len(old)
    after += before[place:]
    if any(not line.endswith("\n") for line in after[:-1]):
        raise DraftRefused(f"the diff leaves {diff.name!r} without a line end in its midst")
    if diff.new == NOWHERE:
        if after:
            raise DraftRefused(f"the diff removes {diff.name!r}, and not all of its lines")
        return None
    return "".join(after)


def _lines(text: str) -> list[str]:
    found = text.split("\n")
    ended = [f"{line}\n" for line in found[:-1]]
    return [*ended, found[-1]] if found[-1] else ended


def diff(pieces: Iterable[Piece]) -> str:
    """A unified diff of every piece that changes, as `patch -p1` and `git apply` take it."""
    return "".join(line for piece in pieces if piece.base != piece.text for line in _written(piece))


def _written(piece: Piece) -> Iterator[str]:
    old = NOWHERE if piece.base is None else f"a/{piece.name}"
    new = NOWHERE if piece.text is None else f"b/{piece.name}"
    yield f"--- {old}\n+++ {new}\n"
    before, after = _lines(piece.base or ""), _lines(piece.text or "")
    for blocks in _together(differing(before, after)):
        first, last = blocks[0], blocks[-1]
        lead = min(CONTEXT, first[0])
        i, i_end = first[0] - lead, min(len(before), last[1] + CONTEXT)
        j, j_end = first[2] - lead, last[3] + (i_end - last[1])
        # A side without lines is said to begin before them.
        yield f"@@ -{i + (i_end > i)},{i_end - i} +{j + (j_end > j)},{j_end - j} @@\n"
        place = i
        for b, b_end, a, a_end in blocks:
            yield from (_signed(" ", line) for line in before[place:b])
            yield from (_signed("-", line) for line in before[b:b_end])
            yield from (_signed("+", line) for line in after[a:a_end])
            place = b_end
        yield from (_signed(" ", line) for line in before[place:i_end])


def _together(blocks: Iterable[tuple[int, int, int, int]]) -> Iterator[list[tuple[int, int, int, int]]]:
    """Blocks whose context would touch, together."""
    group: list[tuple[int, int, int, int]] = []
    for block in blocks:
        if group and block[0] - group[-1][1] > 2 * CONTEXT:
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def _signed(sign: str, line: str) -> str:
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"
