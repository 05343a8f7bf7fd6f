"""What a call costs as its ledger grows from a thousand entries to ten million, on SQLite and on PostgreSQL.

The ledgers are made in bulk, past the gate: rows that differ in their keys, in chains that don't hold any more. Those
on SQLite are kept in `build/` between runs. The calls are made on all of them in turn, so that the machine's noise is
the same for each. `LADDER_BENCH_ENTRIES` says how many entries the largest has; ten million take some eight gigabytes.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.calls import direct, ladder_of
from benchmarks.figures import Figure
from benchmarks.ledger import SMALL, fill
from ladder_graph import Ladder

LARGEST = int(os.environ.get("LADDER_BENCH_ENTRIES", "10000000"))
SIZES = tuple(10**n for n in range(3, 8) if 10**n <= LARGEST)
"""Entries, two for each call."""
ROUNDS, EACH = 40, 40
"""Rounds, and calls on each ledger in one: so many that SQLite's checkpoints count alike."""
FLAT = 1.1
"""The most that a call may cost on a larger ledger, as a part of what it costs on the smallest."""
WHERE = Path("build/growth")

_COPIES = {
    "payload": {"hash": "{new} || substr(hash, 9)"},
    "entry": {"n": f"one.n + copy.n * {2 * SMALL}", "action": "{new} || substr(action, 9)"},
    "action": {"key": "{new} || substr(key, 9)", "digest": "{new} || substr(digest, 9)"},
}
"""By table, what differs from copy to copy."""


def measure() -> list[Figure]:
    """Every figure of a growing ledger."""
    logging.getLogger("ladder_graph").setLevel(logging.ERROR)
    figures = []
    with ExitStack() as opened:
        figures += _figures("sqlite", {size: opened.enter_context(closing(_file(size))) for size in SIZES})
    try:
        from tests.postgres import drop, new_ledger
    except ImportError as missing:
        return [*figures, Figure("growth.postgres.cpu", None, "ratio", FLAT, note=f"no server: {missing}")]
    with ExitStack() as opened:
        ladders = {}
        for size in SIZES:
            url = new_ledger()
            opened.callback(drop, url)
            ladders[size] = opened.enter_context(closing(_schema(url, size)))
        figures += _figures("postgres", ladders)
    return figures


# --- the ledgers -------------------------------------------------------------------------------------------------


def _file(size: int) -> Ladder:
    """A ledger of so many entries in a file, which is made where it isn't there."""
    WHERE.mkdir(parents=True, exist_ok=True)
    file = WHERE / f"{size}.db"
    if not file.exists():
        draft = WHERE / f"{size}.part"
        draft.unlink(missing_ok=True)
        with closing(ladder_of("write", draft)) as ladder:
            fill(ladder, SMALL)
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA cache_size = -400000")
            for statement in _copying(size, "printf('%08x', copy.n)", _counting(size)):
                connection.execute(statement)
            connection.commit()
            connection.execute("ANALYZE")
        draft.rename(file)
        shutil.rmtree(f"{draft}.owners", ignore_errors=True)
    return ladder_of("write", file)


def _schema(url: str, size: int) -> Ladder:
    """The same in a schema on the server."""
    with closing(ladder_of("write", url)) as ladder:
        fill(ladder, SMALL)
    with psycopg.connect(url.partition("&schema=")[0], autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", [url.rpartition("=")[2]])
        series = f"generate_series(1, {size // (2 * SMALL) - 1}) AS copy (n)"
        for statement in _copying(size, "lpad(to_hex(copy.n), 8, '0')", series):
            connection.execute(statement)  # type: ignore[call-overload]  # of our own names
        connection.execute("VACUUM ANALYZE")
    return ladder_of("write", url)


def _counting(size: int) -> str:
    last = size // (2 * SMALL) - 1
    numbers = f"WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {last})"  # noqa: S608  # ours
    return f"({numbers} SELECT n FROM number) AS copy"  # noqa: S608  # ours


def _copying(size: int, new: str, series: str) -> Iterator[str]:
    """Statements that make a ledger of a thousand entries as large as that."""
    if size == 2 * SMALL:
        return
    for table, changed in _COPIES.items():
        columns = _columns(table)
        chosen = ", ".join(changed.get(name, f'one."{name}"').format(new=new) for name in columns)
        names = ", ".join(f'"{name}"' for name in columns)
        yield f"INSERT INTO {table} ({names}) SELECT {chosen} FROM {series} CROSS JOIN {table} AS one"  # noqa: S608  # names of our own
    yield f"UPDATE head SET n = {size}"  # noqa: S608  # ours


def _columns(table: str) -> list[str]:
    from sqlmodel import SQLModel

    return [column.name for column in SQLModel.metadata.tables[table].columns]


# --- the calls ---------------------------------------------------------------------------------------------------


@dataclass
class _Costs:
    """What the calls on one ledger cost so far, in seconds."""

    call: Callable[[], None]
    sessions: tuple[int, ...]
    cpu: float = 0.0
    walls: list[float] = field(default_factory=list)

    def round(self) -> None:
        """Make some calls."""
        cpu, wall = self._cpu(), time.perf_counter()
        for _ in range(EACH):
            self.call()
        self.walls.append(time.perf_counter() - wall)
        self.cpu += self._cpu() - cpu

    def _cpu(self) -> float:
        """CPU time of this process, and of the server's that work for it."""
        return time.process_time() + sum(map(_cpu_of, self.sessions))


def _cpu_of(process: int) -> float:
    """The CPU time of a process of this machine; nothing where there is none, as with a server elsewhere."""
    try:
        told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _figures(name: str, ladders: dict[int, Ladder]) -> list[Figure]:
    costs = {}
    for size, ladder in ladders.items():
        database = ladder.store.database
        mine = [getattr(database, one) for one in ("writer", "reader")] if name == "postgres" else []
        costs[size] = _Costs(direct(ladder), tuple(one.info.backend_pid for one in mine))
    for cost in costs.values():
        cost.round()
        cost.cpu, cost.walls = 0.0, []
    for number in range(ROUNDS):
        # Forth and back, so that none always comes behind the same other one.
        for cost in list(costs.values())[:: -1 if number % 2 else 1]:
            cost.round()
    least = costs[SIZES[0]]
    figures = []
    for size in SIZES[1:]:
        cpu = costs[size].cpu / least.cpu
        wall = statistics.median(more / few for more, few in zip(costs[size].walls, least.walls, strict=True))
        large, small = (one.cpu / ROUNDS / EACH * 1e6 for one in (costs[size], least))
        note = f"{large:.0f} us of CPU at {size}, {small:.0f} at {SIZES[0]}"
        figures += [
            Figure(f"growth.{name}.cpu_at_{size}_entries", cpu, "ratio", FLAT, note=note),
            Figure(f"growth.{name}.wall_at_{size}_entries", wall, "ratio", FLAT),
        ]
    return figures
