"""Recorded runs on the command line: how they are named, how far the reading is, and what can't be used of them."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ladder_graph.replay.sources import Progress

MOST = 20
"""Lines about what can't be used that are printed; of more, only the number is said."""

Traces = Annotated[list[str], typer.Argument(metavar="TRACES...", help="Files, folders, databases of recorded runs.")]
At = Annotated[
    str | None,
    typer.Option(metavar="MOMENT", help="When calls without a time come: 2026-11-23T10:00Z.", show_default=False),
]
Form = Annotated[
    str, typer.Option("--format", metavar="NAME", help="The format, instead of recognising it.", show_default=False)
]


def moment_of(text: str | None) -> dt.datetime | None:
    """The moment that `--at` names; None where it wasn't given.

    Raises:
        LadderError: It is none.
    """
    from ladder_graph.policy.units import moment

    try:
        return None if text is None else moment(text)
    except ValueError as wrong:
        raise LadderError(f"--at {text}: {wrong}") from None


def once(traces: list[str]) -> list[str]:
    """The traces, if none of them is named twice.

    Raises:
        LadderError: One is another one, or lies in it, so that its runs would count twice.
    """
    from ladder_graph.replay.paths import shown

    places = [None if one == "-" or "://" in one else Path(one).resolve() for one in traces]
    for (one, place), (other, around) in permutations(zip(traces, places, strict=True), 2):
        if one == other or (place is not None and around is not None and place.is_relative_to(around)):
            raise LadderError(f"{shown(one)}: is named twice, alone or by its folder, and its runs would count twice")
    return traces


def without_runs(traces: list[str]) -> LadderError:
    """What is wrong where nothing was found in traces."""
    from ladder_graph.replay.paths import ENDINGS, shown

    folder = any(Path(one).is_dir() for one in traces)
    hint = f"; in a folder, files are read that end in {', '.join(ENDINGS)}" if folder else ""
    return LadderError(f"no recorded run was found in {', '.join(map(shown, traces))}{hint}")


class Troubles:
    """Prints what can't be used, a line each, and no more lines than somebody reads.

    Args:
        say: Prints a line.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self.count = 0
        self._say = say

    def __call__(self, line: str) -> None:
        """Take note of one thing."""
        self.count += 1
        if self.count <= MOST:
            self._say(line)

    def sum_up(self) -> None:
        """Say how many there were that weren't printed."""
        if self.count > MOST:
            sys.stderr.write(f"and {self.count - MOST:,} more\n")


@contextmanager
def watching() -> Iterator[tuple[Troubles, Progress | None]]:
    """Where somebody looks on, a bar that shows how far the reading has come; lines are printed above it."""
    if not sys.stderr.isatty():
        yield Troubles(lambda line: sys.stderr.write(f"{line}\n")), None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    with Progress(BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield (
            Troubles(lambda line: console.print(line, soft_wrap=True)),
            lambda done, whole: bar.update(task, completed=done, total=whole or None),
        )
