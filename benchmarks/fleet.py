"""What a fleet gets through one ledger: durable gated calls a second by workers, threads and agents, on PostgreSQL.

Each figure stands beside bare commits: durable transactions of one row each by as many processes or threads, in turn
with the calls, so that a noisy disk is noisy for both. `LADDER_BENCH_POSTGRES` names another server than the one that
is started here. `python -m benchmarks.fleet URL CALLS` is one worker: it says when it is ready, makes its calls
whenever it is sent a line, and says when it has; `-` for the calls commits bare rows.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import psycopg

from benchmarks.calls import MODEL, NoHost, direct, ladder_of
from benchmarks.figures import Figure
from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.tools import NOTHING

WORKERS = (1, 2, 4, 8)
"""Worker processes of one agent."""
THREADS = (1, 8, 32)
"""Threads of one process."""
AGENTS = (1, 10, 100, 1000)
"""Agents that one process serves, whose calls come in turn."""
EACH = 150
"""Calls of each worker in a round."""
ROUNDS = 5
GOAL = 1500
"""Durable gated calls a second, of eight workers."""
FLOOR = 0.4
"""The least of a fleet's calls to bare commits: a call commits twice, and only one of the two waits for the disk."""


def measure() -> list[Figure]:
    """Every figure of a fleet."""
    logging.getLogger("ladder_graph").setLevel(logging.ERROR)
    try:
        with _server() as (url, plain):
            return [*_by_workers(url, plain), *_by_threads(url, plain), *_by_agents(url)]
    except ImportError as missing:
        return [Figure("fleet.postgres.8_workers.calls", None, "per_s", GOAL, note=f"no server: {missing}")]


@contextmanager
def _server() -> Iterator[tuple[str, str]]:
    """The URL of a new ledger, and that of its server."""
    named = os.environ.get("LADDER_BENCH_POSTGRES")
    if named:
        schema = f"bench{os.getpid()}"
        url = f"{named}{'&' if '?' in named else '?'}schema={schema}"
        yield url, named
        with psycopg.connect(named, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")  # type: ignore[arg-type]  # a name of ours
        return
    from tests.postgres import drop, new_ledger, server

    url = new_ledger()
    yield url, server().get_uri()
    drop(url)


def _bare(plain: str) -> tuple[psycopg.Connection[tuple[object, ...]], Callable[[], None]]:
    """One row in a durable transaction of its own, prepared."""
    connection = psycopg.connect(plain, autocommit=True)
    connection.execute("CREATE TABLE IF NOT EXISTS ladder_bench_one (n bigserial PRIMARY KEY, text text)")

    def commit() -> None:
        connection.execute("INSERT INTO ladder_bench_one (text) VALUES ('a row like any other')", prepare=True)

    return connection, commit


# --- workers -----------------------------------------------------------------------------------------------------


class _Workers:
    """Processes that make calls, or bare commits, whenever they are told to."""

    def __init__(self, url: str, count: int, *, bare: bool) -> None:
        command = [sys.executable, "-m", "benchmarks.fleet", url, "-" if bare else str(EACH)]
        pipe = subprocess.PIPE
        self.running = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(count)]
        self._hear()

    def _hear(self) -> None:
        for process in self.running:
            if process.stdout is None or not process.stdout.readline():
                raise RuntimeError("a worker ended before its time")

    def rate(self) -> float:
        """One round: what all of them did in a second."""
        began = time.perf_counter()
        for process in self.running:
            if process.stdin is not None:
                process.stdin.write("go\n")
                process.stdin.flush()
        self._hear()
        return len(self.running) * EACH / (time.perf_counter() - began)

    def close(self) -> None:
        for process in self.running:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()


def _by_workers(url: str, plain: str) -> list[Figure]:
    figures = []
    for count in WORKERS:
        with closing(_Workers(plain, count, bare=True)) as floor, closing(_Workers(url, count, bare=False)) as gated:
            rounds = [(floor.rate(), gated.rate()) for _ in range(ROUNDS + 1)][1:]
        figures += _told(f"{count}_workers", rounds, GOAL if count == max(WORKERS) else 0)
    return figures


def _told(name: str, rounds: list[tuple[float, float]], goal: float = 0) -> list[Figure]:
    """The rate of calls, the disk's own limit beside it, and the ratio of each round's pair."""
    bare, calls = (statistics.median(rates) for rates in zip(*rounds, strict=True))
    to_bare = statistics.median(gated / floor for floor, gated in rounds)
    note = f"{bare:.0f} bare commits a second"
    return [
        Figure(f"fleet.postgres.{name}.calls", calls, "per_s", goal, more_is_better=True, note=note),
        Figure(f"fleet.postgres.{name}.calls_to_bare_commits", to_bare, "ratio", FLOOR, more_is_better=True, note=note),
    ]


# --- threads and agents ------------------------------------------------------------------------------------------


def _by_threads(url: str, plain: str) -> list[Figure]:
    figures = []
    for count in THREADS:
        with ExitStack() as opened:
            pool = opened.enter_context(ThreadPoolExecutor(count))
            gated = [direct(opened.enter_context(closing(ladder_of("write", url))))] * count
            bare = []
            for _ in range(count):
                connection, commit = _bare(plain)
                opened.enter_context(closing(connection))
                bare.append(commit)
            rounds = [(_rate(pool, bare), _rate(pool, gated)) for _ in range(ROUNDS + 1)][1:]
        figures += _told(f"{count}_threads", rounds)
    return figures


def _rate(pool: ThreadPoolExecutor, work: list[Callable[[], None]]) -> float:
    """Each of these by a thread of its own, `EACH` times in all or twice by each; how many a second."""
    times = max(2, EACH // len(work))
    began = time.perf_counter()
    for done in [pool.submit(lambda one=one: [one() for _ in range(times)]) for one in work]:
        done.result()
    return len(work) * times / (time.perf_counter() - began)


def _by_agents(url: str) -> list[Figure]:
    """A call's CPU time in the process where it serves so many agents, each with a chain and counters of its own."""
    with closing(Ladder(agent="fleet", rungs={"act": {"rung": "bounded", "bounds": [_DAY]}}, ledger=url)) as ladder:
        turns = {count: _in_turn(ladder, count) for count in AGENTS}
        for count, one in turns.items():  # Each agent's first call opens its chain and its window.
            for _ in range(count + EACH):
                one()
        cpu: dict[int, list[float]] = {count: [] for count in AGENTS}
        for _ in range(ROUNDS):
            for count, one in turns.items():
                began = time.process_time()
                for _ in range(EACH):
                    one()
                cpu[count].append((time.process_time() - began) / EACH * 1e6)
    least = {count: min(costs) for count, costs in cpu.items()}
    fewest = least[min(AGENTS)]
    return [
        Figure(f"fleet.postgres.{count}_agents.cpu_to_one_agent", cost / fewest, "ratio", 1.1, note=f"{cost:.0f} us")
        for count, cost in least.items()
    ]


_DAY = {"kind": "volume", "limit": 10**9}


def _in_turn(ladder: Ladder, count: int) -> Callable[[], None]:
    """One new call of the next of so many agents."""
    names = itertools.cycle([f"fleet/{count}-{n}" for n in range(count)])
    numbers, host = itertools.count(), NoHost()
    for _, name in zip(range(count), names, strict=False):
        ladder.seat("act", NOTHING, agent=name, can_ask=True)

    def one() -> None:
        name, n = next(names), next(numbers)
        reply = ladder.run(Call(name, f"{name}/{n // 20}", f"call_{n}", "act", {"n": n}), MODEL, host)
        if reply.state != "done":
            raise RuntimeError(f"a call came to {reply.state}: {reply.text}")

    return one


def _work(url: str, calls: str) -> None:
    """One worker."""
    logging.getLogger("ladder_graph").setLevel(logging.ERROR)
    with ExitStack() as opened:
        if calls == "-":
            connection, one = _bare(url)
            opened.enter_context(closing(connection))
        else:
            one = direct(opened.enter_context(closing(ladder_of("write", url))))
        one()
        print("ready", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            for _ in sys.stdin:
                for _ in range(EACH):
                    one()
                print("done", flush=True)


if __name__ == "__main__":
    _work(sys.argv[1], sys.argv[2])
