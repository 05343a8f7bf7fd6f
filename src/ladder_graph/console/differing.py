"""Two texts side by side, line by line, with what changed within a line marked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")

MOST = 2000
"""Lines that are compared; what lies behind them is only counted."""

ALIKE = 0.3
"""The share of two lines that must be the same for one to count as the other, changed."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a difference."""

    kind: Literal["kept", "del", "add"]
    pieces: tuple[tuple[str, bool], ...]
    """Its text in pieces, each with whether it changed within the line."""


def lines_of(before: str, after: str, around: int = 3) -> list[Line]:
    """What changed from one text to another, with a few lines around each change.

    Args:
        before: The earlier text.
        after: The later one.
        around: Lines that are shown before and after each change.

    Example:
        >>> [(line.kind, line.pieces) for line in lines_of("Never deploy.", "Always deploy.")]
        [('del', (('Never', True), (' deploy.', False))), ('add', (('Always', True), (' deploy.', False)))]
    """
    old, new = before.splitlines()[:MOST], after.splitlines()[:MOST]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    found: list[Line] = []
    for group in matcher.get_grouped_opcodes(around):
        if found:
            found.append(Line("kept", (("…", False),)))
        for tag, i, j, k, m in group:
            found += [_kept(line) for line in old[i:j]] if tag == "equal" else list(_changed(old[i:j], new[k:m]))
    return found


def _kept(line: str) -> Line:
    return Line("kept", ((line, False),))


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    """Lines that were replaced: those in the same place side by side, if they are alike."""
    for nth in range(max(len(old), len(new))):
        one = old[nth] if nth < len(old) else None
        other = new[nth] if nth < len(new) else None
        if one is not None and other is not None:
            yield from _pair(one, other)
        elif one is not None:
            yield Line("del", ((one, False),))
        elif other is not None:
            yield Line("add", ((other, False),))


LONGEST = 2000
"""Characters of a line in which changes are looked for."""


def _pair(one: str, other: str) -> Iterator[Line]:
    before, after = _WORDS.findall(one), _WORDS.findall(other)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    if max(len(one), len(other)) > LONGEST or matcher.ratio() < ALIKE:
        yield Line("del", ((one, False),))
        yield Line("add", ((other, False),))
        return
    codes = matcher.get_opcodes()
    yield Line("del", _pieces(before, [(tag, i, j) for tag, i, j, _, _ in codes]))
    yield Line("add", _pieces(after, [(tag, k, m) for tag, _, _, k, m in codes]))


def _pieces(words: Sequence[str], codes: Sequence[tuple[str, int, int]]) -> tuple[tuple[str, bool], ...]:
    return tuple(("".join(words[i:j]), tag != "equal") for tag, i, j in codes if j > i)
