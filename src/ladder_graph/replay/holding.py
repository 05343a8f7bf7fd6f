"""Policies held against recorded runs, one run after the other, as they are read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence

from ladder_graph.replay.board import Board
from ladder_graph.replay.candidates import Candidate
from ladder_graph.replay.coverage import Part
from ladder_graph.replay.decider import Judged
from ladder_graph.replay.differences import SHOWN
from ladder_graph.replay.formats import read
from ladder_graph.replay.paths import shown
from ladder_graph.replay.sources import Progress
from ladder_graph.replay.traces import Run, Trouble

Seen = Callable[[Run, Mapping[str, Sequence[Judged]]], None]
"""Is told of each run what each policy makes of its calls."""


def held(
    traces: Iterable[str],
    candidates: Iterable[Candidate],
    *,
    trouble: Trouble,
    at: dt.datetime | None = None,
    form: str = "",
    examples: int = SHOWN,
    progress: Progress | None = None,
    seen: Seen | None = None,
) -> tuple[Board, list[Part]]:
    """Read recorded runs once, and hold each against every policy.

    Args:
        traces: Files, folders and databases, as `read` takes them.
        candidates: The policies; the others are compared with the first.
        trouble: Is told what can't be used.
        at: The moment, aware, at which calls without a time are taken to come.
        form: The format's name, where it isn't to be recognised.
        examples: Calls that are kept of each way in which a policy decides otherwise than the first.
        progress: Is told how far the reading of a file has come.
        seen: Is told of each run.

    Returns:
        The board with everything counted, and what was read from each of the traces.

    Raises:
        LadderError: A file can't be opened, or is in no format that is known.
    """
    board = Board({one.name: one.suites for one in candidates}, trouble=trouble, at=at, examples=examples)
    parts: list[Part] = []
    for path in traces:
        part = Part(shown(path))
        parts.append(part)
        for run in read(path, trouble, form=form, progress=progress, opened=part.opened):
            part.coverage.add(run)
            judged = board.add(run)
            if seen is not None and judged:
                seen(run, judged)
    return board, parts
