"""Which lines of two texts are the same: patience first, then difflib where little is left. Pure.

Lines that occur once in both texts are anchors; what lies between two anchors is looked at in the same way. It stays
near linear where a plain diff of long texts would not.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

SMALL = 250_000
"""Pairs of lines up to which difflib looks at what has no anchor; a larger rest counts as replaced whole."""

Block = tuple[int, int, int, int]
"""A stretch that differs: from where to where in the first, and in the second."""


def differing(a: Sequence[str], b: Sequence[str]) -> list[Block]:
    """The stretches in which two sequences of lines differ, in their order.

    Example:
        >>> differing(["a", "b", "c"], ["a", "x", "c", "d"])
        [(1, 2, 1, 2), (3, 3, 3, 4)]
    """
    blocks, i, j = [], 0, 0
    for at, to in [*sorted(_matches(a, b)), (len(a), len(b))]:
        if i < at or j < to:
            blocks.append((i, at, j, to))
        i, j = at + 1, to + 1
    return blocks


def _matches(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[int, int]]:
    waiting = [(0, len(a), 0, len(b))]
    while waiting:
        i, i_end, j, j_end = waiting.pop()
        while i < i_end and j < j_end and a[i] == b[j]:
            yield i, j
            i, j = i + 1, j + 1
        while i < i_end and j < j_end and a[i_end - 1] == b[j_end - 1]:
            i_end, j_end = i_end - 1, j_end - 1
            yield i_end, j_end
        if i == i_end or j == j_end:
            continue
        anchors = _anchors(a, b, (i, i_end, j, j_end))
        if anchors:
            for at, to in [*anchors, (i_end, j_end)]:
                waiting.append((i, at, j, to))
                i, j = at + 1, to + 1
            yield from anchors
        elif (i_end - i) * (j_end - j) <= SMALL:
            found = difflib.SequenceMatcher(None, a[i:i_end], b[j:j_end], autojunk=False)
            for at, to, size in found.get_matching_blocks():
                yield from ((i + at + n, j + to + n) for n in range(size))


def _anchors(a: Sequence[str], b: Sequence[str], where: Block) -> list[tuple[int, int]]:
    """Lines that occur once on both sides, as many as stand in the same order."""
    i, i_end, j, j_end = where
    once = {line for line, n in Counter(a[i:i_end]).items() if n == 1}
    once &= {line for line, n in Counter(b[j:j_end]).items() if n == 1}
    places = {b[to]: to for to in range(j, j_end) if b[to] in once}
    return _rising([(at, places[a[at]]) for at in range(i, i_end) if a[at] in once])


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of the pairs in which both sides rise."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for n, (_, to) in enumerate(pairs):
        at = bisect_left(ends, to)
        before.append(last[at - 1] if at else -1)
        if at == len(ends):
            ends.append(to)
            last.append(n)
        else:
            ends[at], last[at] = to, n
    found, n = [], last[-1] if last else -1
    while n >= 0:
        found.append(pairs[n])
        n = before[n]
    return found[::-1]
