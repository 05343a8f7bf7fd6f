"""Entries of a policy for many tools: `github_*`. Only `*` is special, and stands for any characters, or none."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from itertools import combinations

STAR = "*"


def fits(glob: str, name: str) -> bool:
    """Whether a glob is for a name, whole and with its case.

    Example:
        >>> fits("github_*", "github_close"), fits("github_*", "my_github_close"), fits("github", "github_close")
        (True, False, False)
    """
    if STAR not in glob:
        return glob == name
    first, *middle, last = glob.split(STAR)
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return False
    at, end = len(first), len(name) - len(last)
    for part in middle:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def weight(glob: str) -> int:
    """How specific a glob is: its characters beside the stars."""
    return len(glob) - glob.count(STAR)


@functools.lru_cache(maxsize=4096)  # The names may be the model's: no more of them are kept.
def nearest(entries: tuple[str, ...], name: str) -> str | None:
    """The entry for a name: the name itself, or else the most specific glob that fits; None where there is none.

    Args:
        entries: Names and globs without ties.
        name: The tool's exact name.
    """
    found = [entry for entry in entries if entry == name or (STAR in entry and fits(entry, name))]
    return max(found, key=lambda entry: (entry == name, weight(entry)), default=None)


def ties(entries: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of globs that are equally specific, and that one name could fit."""
    globs = [entry for entry in entries if STAR in entry]
    for one, other in combinations(globs, 2):
        if weight(one) == weight(other) and overlap(one, other):
            yield one, other


def overlap(one: str, other: str) -> bool:
    """Whether some name fits both globs.

    Example:
        >>> overlap("a*", "*b"), overlap("a*", "b*")
        (True, False)
    """
    # Row by row from the ends: whether what is left of the one and what is left of the other can be one text.
    below = [False] * (len(other) + 1)
    for i in range(len(one), -1, -1):
        row = [False] * (len(other) + 1)
        for j in range(len(other), -1, -1):
            mine, theirs = one[i : i + 1], other[j : j + 1]
            row[j] = (
                (not mine and not theirs)
                or (mine == STAR and (below[j] or (bool(theirs) and row[j + 1])))
                or (theirs == STAR and (row[j + 1] or (bool(mine) and below[j])))
                or (bool(mine) and mine == theirs and below[j + 1])
            )
        below = row
    return below[0]
