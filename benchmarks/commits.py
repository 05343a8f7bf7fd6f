"""What the ledger costs on a disk: flushes a call, its time against one durable commit, many threads, many processes.

Everything runs on the disk of the working directory, under `build/`; a file system in memory would flush nothing.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from benchmarks.calls import direct, ladder_of
from benchmarks.figures import Figure, interleaved, p50

FEW, MANY = 20, 60
"""Calls of two runs under strace; what the longer one flushes more, its calls flush. Too few to fill the WAL."""
PAIRS = 300
"""Gated calls, and commits of one row between them."""
THREADS = 32
EACH = 20
"""Calls of each thread and of each process."""
PROCESSES = 8
FLUSH = 4
"""Milliseconds that a flush takes more on the slow disk."""


def measure() -> list[Figure]:
    """Every figure of the ledger on a disk."""
    logging.getLogger("ladder_graph").setLevel(logging.ERROR)  # Each ledger's first environment is news.
    build = Path("build")
    build.mkdir(exist_ok=True)
    figures = []
    for group in (_flushes, _against_one_commit, _threads, _processes, _on_a_slow_disk, _on_postgres):
        with tempfile.TemporaryDirectory(dir=build) as directory:
            figures += group(Path(directory))
    return figures


# --- a disk that takes its time -----------------------------------------------------------------------------------


def _on_a_slow_disk(directory: Path) -> list[Figure]:
    """The same as on the disk that is there, where each flush takes a few milliseconds more, as on most servers."""
    missing = _no_strace()
    if missing:
        names = ("write.p50_to_one_commit", f"write.{THREADS}_threads")
        return [Figure(f"sqlite.slow_disk.{name}", None, "ratio", 0, note=missing) for name in names]
    delay = f"inject=fsync,fdatasync:delay_exit={FLUSH * 1000}"
    strace = ["strace", "-f", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-e", delay, "-o", "/dev/null"]
    told = subprocess.run(
        [*strace, sys.executable, "-m", "benchmarks.commits", str(directory)],
        check=True,
        capture_output=True,
        text=True,
    )
    return [Figure(**found) for found in json.loads(told.stdout)]


def _slowly(directory: Path) -> None:
    """What runs under strace; its figures go to standard output."""
    figures = [figure for group in (_against_one_commit, _threads) for figure in group(directory)]
    told = [{**asdict(one), "name": one.name.replace("sqlite.", "sqlite.slow_disk.")} for one in figures]
    print(json.dumps(told))


# --- PostgreSQL ---------------------------------------------------------------------------------------------------


def _on_postgres(directory: Path) -> list[Figure]:
    """A gated call against one durable row, inserted as the driver does it by default: BEGIN, INSERT, COMMIT."""
    del directory
    name, goal = "postgres.write.p50_to_one_commit", 2.0
    try:
        from tests.postgres import drop, new_ledger, server
    except ImportError as missing:
        return [Figure(name, None, "ratio", goal, note=f"no server: {missing}")]
    import psycopg

    url = new_ledger()
    with psycopg.connect(server().get_uri()) as connection, closing(ladder_of("write", url)) as ladder:
        connection.execute("CREATE TABLE IF NOT EXISTS one (n serial PRIMARY KEY, text text)")
        connection.commit()

        def commit() -> None:
            connection.execute("INSERT INTO one (text) VALUES ('a row like any other')")
            connection.commit()

        costs = interleaved({"floor": commit, "gated": direct(ladder)}, PAIRS, warm_up=30)
    drop(url)
    floor, gated = p50(costs["floor"]), p50(costs["gated"])
    note = f"p50 of a commit {floor * 1e6:.0f} us, of a gated call {gated * 1e6:.0f} us"
    return [Figure(name, gated / floor, "ratio", goal, note=note)]


# --- flushes -----------------------------------------------------------------------------------------------------


def _flushes(directory: Path) -> list[Figure]:
    """Flushes of a gated call, counted by the kernel's own calls."""
    missing = _no_strace()
    figures = []
    for kind, goal in (("run.write", 1), ("run.read", 0), ("wrap.write", 1), ("wrap.read", 0)):
        value = None
        if not missing:
            few, many = (_flushed(kind, directory / f"{kind}.{count}.db", count) for count in (FEW, MANY))
            value = (many - few) / (MANY - FEW)
        figures.append(Figure(f"fsync.{kind}", value, "count", goal, note=missing))
    return figures


@functools.cache
def _no_strace() -> str:
    """Why strace can't be used here; empty where it can."""
    if shutil.which("strace") is None:
        return "there is no strace; install it with the system's package manager"
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"strace can't trace here: {tried.stderr.strip()[:80]}"


def _flushed(kind: str, ledger: Path, count: int) -> int:
    """How many flushes a process asks for that makes so many calls."""
    told = ledger.with_suffix(".strace")
    strace = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", str(told)]
    subprocess.run([*strace, *_calls(kind, ledger, count)], check=True, stderr=subprocess.DEVNULL)
    # % time, seconds, usecs/call, calls, perhaps errors, syscall.
    rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) .*?(?:fsync|fdatasync)$", told.read_text(), re.MULTILINE)
    return sum(map(int, rows))


def _calls(kind: str, ledger: Path, count: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.calls", kind, str(ledger), str(count)]


# --- against one commit ------------------------------------------------------------------------------------------


def _one_row(file: Path) -> tuple[sqlite3.Connection, Callable[[], object]]:
    """The floor: one row in a database of its own, with one durable commit."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE one (n INTEGER PRIMARY KEY, text TEXT)")

    def commit() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO one (text) VALUES ('a row like any other')")
        connection.execute("COMMIT")

    return connection, commit


def _against_one_commit(directory: Path) -> list[Figure]:
    connection, commit = _one_row(directory / "floor.db")
    with closing(connection), closing(ladder_of("write", directory / "ladder.db")) as ladder:
        costs = interleaved({"floor": commit, "gated": direct(ladder)}, PAIRS, warm_up=30)
    floor, gated = p50(costs["floor"]), p50(costs["gated"])
    note = f"p50 of a commit {floor * 1e6:.0f} us, of a gated call {gated * 1e6:.0f} us"
    return [Figure("sqlite.write.p50_to_one_commit", gated / floor, "ratio", 1.5, note=note)]


# --- many at once ------------------------------------------------------------------------------------------------


def _threads(directory: Path) -> list[Figure]:
    """The throughput of many threads over that of one, on one file."""
    with closing(ladder_of("write", directory / "ladder.db")) as ladder, ThreadPoolExecutor(THREADS) as pool:
        one = direct(ladder)

        def alone() -> None:
            for _ in range(4 * EACH):
                one()

        def together() -> None:
            for done in [pool.submit(lambda: [one() for _ in range(EACH)]) for _ in range(THREADS)]:
                done.result()

        costs = interleaved({"one": alone, "many": together}, rounds=5, warm_up=1)
    slow, quick = p50(costs["one"]) / (4 * EACH), p50(costs["many"]) / (THREADS * EACH)
    note = f"{1 / slow:.0f} calls a second alone, {1 / quick:.0f} together"
    return [Figure(f"sqlite.write.{THREADS}_threads", slow / quick, "ratio", 8, more_is_better=True, note=note)]


def _processes(directory: Path) -> list[Figure]:
    """The longest that any call of several processes waits on one file, over the floor."""
    connection, commit = _one_row(directory / "floor.db")
    with closing(connection):
        floor = p50(interleaved({"floor": commit}, 100, warm_up=10)["floor"])
    waits = _race(directory / "ladder.db")
    note = (
        f"p50 {statistics.median(waits) * 1e3:.1f} ms, longest {max(waits) * 1e3:.1f} ms, floor {floor * 1e3:.2f} ms, "
        f"{os.cpu_count()} processors"
    )
    return [Figure(f"sqlite.write.{PROCESSES}_processes.longest_to_floor", max(waits) / floor, "ratio", 60, note=note)]


def _race(ledger: Path) -> list[float]:
    """Let several processes that are ready begin at once, and return how long each of their calls took, in seconds."""
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen(_calls("race.write", ledger, 5 * EACH), stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        for _ in range(PROCESSES)
    ]
    for process in running:
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018, S101  # both are pipes
        process.stdout.readline()
    for process in running:
        assert process.stdin is not None  # noqa: S101  # as above
        process.stdin.write("go\n")
        process.stdin.flush()
    waits = [float(line) for process in running for line in process.communicate()[0].splitlines()]
    if len(waits) != PROCESSES * 5 * EACH or any(process.returncode for process in running):
        raise RuntimeError(f"{PROCESSES} processes that should have made {5 * EACH} calls each made {len(waits)}")
    return waits


if __name__ == "__main__":
    _slowly(Path(sys.argv[1]))
