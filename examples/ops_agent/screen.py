"""How the story is printed: one layout of at most 100 columns, with colours where rich and a terminal are there."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Sequence
from itertools import zip_longest

LABEL = 9
"""Columns that a label takes."""
COLOURS = {"agrees": "green", "DIFFERS": "bold red", "ladder": "cyan", "asked": "yellow", "refused": "yellow"}
"""What stands out, by the word a line begins or ends with."""


class Screen:
    """Prints headings, labelled lines and tables."""

    def __init__(self) -> None:
        self.width = min(100, shutil.get_terminal_size((100, 24)).columns)
        self._print = _printer()

    def heading(self, title: str, text: str = "") -> None:
        """A title on a rule, and a sentence below it."""
        self._print("")
        self._print(f"── {title} ".ljust(self.width, "─"), "bold")
        for line in textwrap.wrap(text, self.width - 3):
            self._print(f"   {line}", "dim")
        self._print("")

    def space(self) -> None:
        """An empty line."""
        self._print("")

    def line(self, label: str, text: str) -> None:
        """A label, and text that is wrapped beside it."""
        lead = f"   {label:<{LABEL}}"
        for part in text.splitlines() or [""]:
            for piece in textwrap.wrap(part, self.width - len(lead), break_on_hyphens=False) or [""]:
                self._print(f"{lead}{piece}".rstrip(), COLOURS.get(label))
                lead = " " * len(lead)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int] = ()) -> None:
        """Columns under their heads; what doesn't fit is wrapped.

        Args:
            head: The heads.
            rows: The cells.
            widths: How wide the columns are; by default as wide as they must be.
        """
        widths = list(widths) or [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        while sum(widths) + 2 * len(widths) + 1 > self.width:
            widths[widths.index(max(widths))] -= 1
        self._row(head, widths, "bold")
        self._row(["─" * width for width in widths], widths, "dim")
        for row in rows:
            self._row(row, widths, COLOURS.get(row[-1]))

    def _row(self, cells: Sequence[str], widths: Sequence[int], style: str | None) -> None:
        wrapped = [textwrap.wrap(c, width, break_on_hyphens=False) for c, width in zip(cells, widths, strict=True)]
        for parts in zip_longest(*wrapped, fillvalue=""):
            columns = "  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True))
            self._print(f"   {columns}".rstrip(), style)


def _printer() -> Callable[..., None]:
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        return lambda text, _style=None: print(text, flush=True)
    console = Console(highlight=False)
    return lambda text, style=None: console.print(Text(text, style=style or ""), soft_wrap=True)
