"""How the command line prints: plain columns, few colours, and nothing of what others wrote is interpreted."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ladder_graph.wording import inert

if TYPE_CHECKING:
    import datetime as dt

WIDEST = 110
"""Columns beyond which lines are hard to read."""
LABEL = 10
"""Columns of a label."""
QUIET = "dim"
"""The style of what is there to be found, not to be read."""

Cell = str | Text | Group


class Paper(Console):
    """Rich's console, which doesn't end the process where its reader has stopped, with the code of a failed check."""

    def on_broken_pipe(self) -> None:
        """Let it be seen.

        Raises:
            BrokenPipeError: Always.
        """
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Screen:
    """Prints to a terminal, a pipe or a file. Every plain string is escaped; only a `Text` of ours has a style.

    Args:
        stderr: Print to standard error.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        self._console = Paper(stderr=stderr, markup=False, emoji=False, highlight=False)
        seen = any(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
        self._console.width = min(self._console.width, WIDEST) if seen or "COLUMNS" in os.environ else WIDEST
        self.glyphs = Glyphs(plain="utf" not in self._console.encoding.lower())

    @property
    def width(self) -> int:
        """Columns."""
        return self._console.width

    def gap(self) -> None:
        """An empty line."""
        self._console.print()

    def heading(self, title: str, beside: str = "") -> None:
        """A title, with something quieter beside it, and air around."""
        self.gap()
        self.line(
            Text.assemble((inert(title), "bold"), "  ", (inert(beside), QUIET)) if beside else styled(title, "bold")
        )
        self.gap()

    def line(self, text: Cell, indent: int = 2) -> None:
        """A paragraph, wrapped under its own beginning."""
        self._put(_cell(text), indent)

    def block(self, text: str, indent: int = 4) -> None:
        """Somebody else's text with its own line breaks."""
        for line in text.splitlines():
            self.line(inert(line, keep="\t").expandtabs(4), indent)

    def fields(self, pairs: Iterable[tuple[str, Cell]], indent: int = 2) -> None:
        """Quiet labels, with values wrapped beside them."""
        rows = list(pairs)
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style=QUIET, min_width=LABEL, max_width=24, overflow="fold")
        grid.add_column(overflow="fold")
        for label, value in rows:
            grid.add_row(_cell(label), _cell(value))
        if rows:
            self._put(grid, indent)

    def columns(
        self, rows: Sequence[Sequence[Cell]], head: Sequence[str] = (), *, between: int = 3, crop: bool = False
    ) -> None:
        """Rows in columns; the last one is wrapped, or cut where `crop` says so and there is a terminal.

        Args:
            rows: All of the same length.
            head: What stands above the columns.
            between: Spaces between two columns.
            crop: Keep each row on one line of a terminal.
        """
        grid = Table.grid(padding=(0, between, 0, 0))
        if not rows:
            return
        crop = crop and self._console.is_terminal
        last = len(rows[0]) - 1
        for place in range(last + 1):
            grid.add_column(
                no_wrap=place < last or crop, overflow="ellipsis" if place == last and crop else "fold",
            )  # fmt: skip
        if head:
            grid.add_row(*(styled(word, QUIET) for word in head))
        for row in rows:
            grid.add_row(*map(_cell, row))
        self._put(grid, 2)

    def _put(self, content: Table | Text | Group, indent: int) -> None:
        with self._console.capture() as captured:
            self._console.print(Padding(content, (0, 0, 0, indent)))
        # Columns are filled up with spaces, which a narrower screen would wrap and a copy would take along.
        lines = (line.rstrip(" ") for line in captured.get().splitlines())
        self._console.file.write("\n".join(lines) + "\n")

    def note(self, text: str) -> None:
        """A quiet remark."""
        self.line(styled(text, QUIET))

    def error(self, text: str) -> None:
        """What went wrong, on the first line, and all there is to say about it on the next ones."""
        first, *others = text.splitlines() or [""]
        self._console.print(Text.assemble(("error: ", "bold red"), inert(first)), soft_wrap=True)
        for line in others:
            self._console.print(Text(f"  {inert(line)}"), soft_wrap=True)


class Glyphs:
    """The few signs, with stand-ins for terminals that can't print them.

    Args:
        plain: Whether only ASCII can be printed.
    """

    def __init__(self, *, plain: bool) -> None:
        self.reached, self.missed, self.free = ("#", "o", ".") if plain else ("●", "○", "·")
        self.good, self.bad, self.odd, self.so = ("ok", "!!", "--", "->") if plain else ("✓", "✗", "•", "→")


def styled(text: str, style: str) -> Text:
    """Somebody's text in a style of ours."""
    return Text(inert(text), style=style)


def stacked(*parts: Cell) -> Group:
    """One cell of several paragraphs."""
    return Group(*map(_cell, parts))


def beside(sign: Text, text: Text) -> Group:
    """A sign, with a text that wraps beside it."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(sign, text)
    return Group(grid)


def _cell(text: Cell) -> Text | Group:
    return Text(inert(text)) if isinstance(text, str) else text


def shortened(text: str, most: int = 200) -> str:
    """A text cut where it gets long, with the cut said."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def document(value: Any) -> None:
    """Print one JSON document, and nothing else, to standard output. ASCII only, so that nothing in it acts."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def clock(moment: dt.datetime) -> str:
    """A moment in this machine's own time."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def span(seconds: float) -> str:
    """A duration in words, in the largest unit that fits.

    Example:
        >>> span(90), span(7200), span(200_000), span(0.3)
        ('90 s', '2 h', '2 days', '0 s')
    """
    for size, unit in ((172_800, "days"), (7200, "h"), (120, "min")):
        if seconds >= size:
            return f"{int(seconds / {'days': 86400, 'h': 3600, 'min': 60}[unit])} {unit}"
    return f"{int(seconds)} s"
