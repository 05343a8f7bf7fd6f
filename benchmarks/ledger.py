"""What a large ledger costs: CPU time to check an entry of it, to look at it before a call, and to hold a quota."""

from __future__ import annotations

import itertools
import json
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.calls import ladder_of
from benchmarks.figures import Figure, interleaved, least_cpu
from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.facts import Outcome, Route
from ladder_graph.ledger import Journal
from ladder_graph.ledger.actions import quotas
from ladder_graph.ledger.actions.questions import Terms
from ladder_graph.ledger.proof.verify_alone import verify
from ladder_graph.policy.bounds import Charge
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Claim, Record

SMALL, MANY = 500, 1000
"""Calls in a small ledger, with two entries each, and how many times as many there are in a large one."""
CHECKED = 25_000
"""Calls in the ledger whose chain is checked."""
HOLDS = 1000
"""Quota checks in one measurement."""
ROUNDS = 7


def fill(ladder: Ladder, calls: int) -> None:
    """Write calls that were claimed and done, as the bounded rung does."""
    rule = ladder.policy.rule("act")
    journal = Journal(ladder.store.owner, ladder.policy.revision, ladder.clock())

    def work(cursor: Any) -> None:
        for n in range(calls):
            call = Call("bench", "1", f"call_{n}", "act", {"to": "ana@example.org", "text": f"Number {n}. " * 8})
            claimed = journal.claim(cursor, Claim(call, Route(Rung.BOUNDED)), Terms(rule), None)
            journal.record(cursor, Record(call, claimed.fence, State.DONE, Outcome("done")), b"a reply")

    ladder.store.write(work)


def multiply(ledger: Path, times: int) -> None:
    """Make a ledger that many times as large, with rows that differ in their keys; its chain doesn't hold any more.

    Beside each call there is a hold, a counter and a window that other calls draw on.
    """
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "CREATE TEMP TABLE times AS SELECT value AS n FROM json_each(?)", [json.dumps([*range(1, times)])]
        )
        for table, key in (("action", "key"), ("entry", "action")):
            # In the order of the keys, so that each row comes to stand behind the others.
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info ({table})")]
            new = {
                key: f"printf('%08x', times.n) || substr({key}, 9)",
                "digest": "printf('%08x', times.n) || substr(digest, 9)",
                "n": f"{table}.n + times.n * {2 * SMALL}",
            }
            chosen = ", ".join(new.get(name, f"{table}.{name}") for name in columns)
            connection.execute(
                f"INSERT INTO {table} SELECT {chosen} FROM times CROSS JOIN {table} ORDER BY times.n, {key}"  # noqa: S608  # names of our own
            )
        connection.execute("INSERT INTO hold SELECT key, 'bench/other/calls', 0, 1 FROM action ORDER BY key")
        connection.execute("INSERT INTO quota SELECT 'bench/act/each:' || key, 0, 1, 0, 9 FROM action ORDER BY key")
        connection.execute("INSERT INTO quota SELECT 'bench/act/calls', -n, 1, 0, 9 FROM times")
        connection.commit()


CHARGES = {
    "fixed": Charge("bench/act/calls", "2026-11-22", 1, 10**9, "calls", 7_000_000),
    "sliding": Charge("bench/act/calls/within:24h", "any 24h", 1, 10**9, "calls", 7_000_000, 8_000_000),
    "rate": Charge("bench/act/rate", "a burst", 1, 10**9, "calls", 7_000_000, interval=1_000_000),
}
"""What a call takes, by the kind of its window."""


def checking(ladder: Ladder, charge: Charge) -> Callable[[], object]:
    """Check and hold a quota `HOLDS` times, in one transaction that comes to nothing."""
    numbers = itertools.count()

    def work(cursor: Any) -> None:
        for _ in range(HOLDS):
            if quotas.hold(cursor, f"{next(numbers)}", [charge]) is not None:
                raise RuntimeError("a quota of a thousand millions is full")

    return lambda: ladder.store.write(work, durable=False)


def looking(ladder: Ladder) -> Callable[[], object]:
    """Look `HOLDS` times what the ledger knows of a call, and what is left of a quota."""
    journal = Journal(ladder.store.owner, ladder.policy.revision, ladder.clock())
    calls = [Call("bench", "1", f"new_{n}", "act", {"n": n}) for n in range(HOLDS)]

    def work() -> None:
        for call in calls:
            seen = ladder.store.glance(partial(journal.look, call=call, charges=[CHARGES["fixed"]]))
            if seen.known is not None:
                raise RuntimeError(f"nobody has made {call} yet, and the ledger knows it")

    return work


def measure() -> list[Figure]:
    """The figures of small and large ledgers."""
    with tempfile.TemporaryDirectory() as directory:
        yet = Path(directory)
        return [*_by_size(yet / "small.db", yet / "large.db"), _verified(yet / "checked.db")]


def _by_size(little: Path, much: Path) -> list[Figure]:
    """The same at a thousand entries and at a million."""
    figures = []
    for file in (little, much):
        with closing(ladder_of("write", file)) as ladder:
            fill(ladder, SMALL)
    multiply(much, MANY)
    with closing(ladder_of("write", little)) as small, closing(ladder_of("write", much)) as large:
        runs = {"look": (looking(small), looking(large))}
        runs |= {
            f"quota.{kind}": (checking(small, charge), checking(large, charge)) for kind, charge in CHARGES.items()
        }
        for name, (few, many) in runs.items():
            costs = interleaved({"few": few, "many": many}, ROUNDS)
            short, long = (least_cpu(cost, HOLDS) for cost in costs.values())
            goal = 50 if name == "look" else 10
            figures += [
                Figure(f"{name}.cpu_at_{2 * SMALL}_entries", short, "us_cpu", goal),
                Figure(f"{name}.cpu_at_{2 * SMALL * MANY}_entries", long, "us_cpu", goal),
                Figure(f"{name}.large_to_small", long / short, "ratio", 1.5),
            ]
    return figures


def _verified(file: Path) -> Figure:
    """The check of a whole chain."""
    with closing(ladder_of("write", file)) as ladder:
        fill(ladder, CHECKED)
    with closing(sqlite3.connect(file)) as connection:
        found = verify(connection)
        if not found.ok or found.entries != 2 * CHECKED:
            raise RuntimeError(f"a ledger of {2 * CHECKED} entries was found to be {found}")
        checked = interleaved({"verify": lambda: verify(connection)}, 3, warm_up=0)["verify"]
    # Ten microseconds are a hundred thousand entries a second.
    return Figure("verify.cpu_per_entry", least_cpu(checked, found.entries), "us_cpu", 10)
