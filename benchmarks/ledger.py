"""What a large ledger costs: CPU time to check an entry of it, and a quota beside it."""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.calls import ladder_of
from benchmarks.figures import Figure, interleaved, least_cpu
from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.ledger import Journal, quotas
from ladder_graph.ledger.questions import Terms
from ladder_graph.ledger.verify_alone import verify
from ladder_graph.policy.bounds import Charge
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Claim, Outcome, Record, Route

SMALL, LARGE = 500, 50_000
"""Calls in two ledgers, with two entries each."""
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


def checking(ladder: Ladder) -> Callable[[], object]:
    """Check and hold a quota `HOLDS` times, in one transaction that comes to nothing."""
    charge, numbers = Charge("bench/act/calls", "2026-11-22", 1, 10**9, "calls"), itertools.count()

    def work(cursor: Any) -> None:
        for _ in range(HOLDS):
            if quotas.hold(cursor, f"{next(numbers)}", [charge]) is not None:
                raise RuntimeError("a quota of a thousand millions is full")

    return lambda: ladder.store.write(work, durable=False)


def measure() -> list[Figure]:
    """The figures of small and large ledgers."""
    with (
        tempfile.TemporaryDirectory() as directory,
        closing(ladder_of("write", Path(directory) / "small.db")) as small,
        closing(ladder_of("write", Path(directory) / "large.db")) as large,
    ):
        fill(small, SMALL)
        fill(large, LARGE)
        costs = interleaved({"small": checking(small), "large": checking(large)}, ROUNDS)
        little, much = (least_cpu(costs[name], HOLDS) for name in ("small", "large"))
        with closing(sqlite3.connect(large.store.source)) as connection:
            found = verify(connection)
            if not found.ok or found.entries != 2 * LARGE:
                raise RuntimeError(f"a ledger of {2 * LARGE} entries was found to be {found}")
            checked = interleaved({"verify": lambda: verify(connection)}, 3, warm_up=0)["verify"]
    return [
        Figure(f"quota.cpu_at_{2 * SMALL}_entries", little, "us_cpu", 10),
        Figure(f"quota.cpu_at_{2 * LARGE}_entries", much, "us_cpu", 10),
        Figure("quota.large_to_small", much / little, "ratio", 1.5),
        # Ten microseconds are a hundred thousand entries a second.
        Figure("verify.cpu_per_entry", least_cpu(checked, found.entries), "us_cpu", 10),
    ]
