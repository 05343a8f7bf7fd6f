"""What a waiting question costs: memory of the process that asked, and bytes in the ledger, for each of many."""

from __future__ import annotations

import gc
import itertools
import logging
import tempfile
import tracemalloc
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from benchmarks.calls import MODEL, NoHost, ladder_of
from benchmarks.figures import Figure
from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.errors import LadderError

QUESTIONS = 10_000
"""Calls that wait for a person."""


def measure() -> list[Figure]:
    """The memory and the bytes of each."""
    logging.getLogger("ladder_graph").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "ladder.db"
        with closing(ladder_of("asked", file)) as ladder:
            numbers = itertools.count()
            _ask(ladder, numbers, 200)  # What is only made once.
            before = _bytes(ladder, file)
            gc.collect()
            tracemalloc.start()
            held, _ = tracemalloc.get_traced_memory()
            _ask(ladder, numbers, QUESTIONS)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            kept = _bytes(ladder, file) - before
    return [
        Figure("waiting.memory_of_a_question", (after - held) / QUESTIONS / 1024, "kb", 0.1),
        Figure("waiting.ledger_of_a_question", kept / QUESTIONS / 1024, "kb", 8),
    ]


def _ask(ladder: Ladder, numbers: itertools.count[int], count: int) -> None:
    """Propose so many calls that ask, and that nobody answers."""
    host = NoHost()
    for n in itertools.islice(numbers, count):
        with suppress(LadderError):  # The host has nobody to ask; the question waits in the ledger.
            ladder.run(Call("bench", f"t{n}", f"call_{n}", "act", {"n": n}), MODEL, host)


def _bytes(ladder: Ladder, file: Path) -> int:
    """How large the file is, with all that was written in it."""
    writer: Any = getattr(ladder.store.database, "writer")  # noqa: B009  # SQLite's, which the type doesn't say
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return file.stat().st_size
