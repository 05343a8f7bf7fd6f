"""Tables and lists of plain text, as wide as a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from textwrap import wrap

from ladder_graph.replay.board import Row
from ladder_graph.wording import inert


def chunked(
    title: str, rows: Sequence[Row], columns: Sequence[tuple[str, Callable[[Row], str]]], width: int
) -> Iterator[str]:
    """A table of the policies, continued below as often as the screen is too narrow for it.

    Args:
        title: What stands above the policies.
        rows: One for each policy.
        columns: What stands above each column, and what is written in it for a row.
        width: Columns of the screen.
    """
    names = (title, *(inert(row.policy) for row in rows))
    yield from continued(names, [(head, *(cell(row) for row in rows)) for head, cell in columns], width)


def continued(names: Sequence[str], columns: Sequence[tuple[str, ...]], width: int) -> Iterator[str]:
    """A table with its first column again and again, as often as the screen is too narrow for the others.

    Args:
        names: The first column, from what stands above it on.
        columns: The others, as long as it.
        width: Columns of the screen.
    """
    first = max(map(len, names))
    for chunk in _fitting(columns, width - first):
        yield from aligned(list(zip(names, *chunk, strict=True)), first)


def _fitting(columns: Sequence[tuple[str, ...]], width: int) -> Iterator[list[tuple[str, ...]]]:
    chunk: list[tuple[str, ...]] = []
    taken = 0
    for column in columns:
        needed = max(map(len, column)) + 2
        if chunk and taken + needed > width:
            yield chunk
            chunk, taken = [], 0
        chunk.append(column)
        taken += needed
    if chunk:
        yield chunk


def aligned(rows: Sequence[Sequence[str]], least: int = 0) -> list[str]:
    """Rows of cells in columns, the first one to the left and the others to the right.

    Args:
        rows: All of the same length.
        least: Columns of the screen that the first cell takes at least.

    Example:
        >>> aligned([("ours", "1"), ("nobody's", "20")])
        ['ours       1', "nobody's  20"]
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([
            row[0].ljust(max(widths[0], least)),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]).rstrip()
        for row in rows
    ]  # fmt: skip


def listed(sentences: Iterable[str], width: int) -> list[str]:
    """Sentences as a list, each wrapped under its own beginning, with nothing in them hidden.

    Args:
        sentences: What is said.
        width: Columns of the screen.
    """
    return [
        line
        for sentence in sentences
        for line in wrap(inert(sentence), width, initial_indent="  - ", subsequent_indent="    ")
    ]
