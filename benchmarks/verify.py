"""What it costs to check a ledger: CPU time an entry, over a ledger as the gate writes it."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks.figures import Figure, interleaved
from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.ledger import Journal
from ladder_graph.ledger.questions import Terms
from ladder_graph.ledger.verify_alone import verify
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Claim, Outcome, Record, Route

CALLS = 20_000
"""Calls in the ledger, with two entries each."""
ROUNDS = 5
"""Checks that are kept."""


def write(file: Path) -> None:
    """Write a ledger of calls that were claimed and done, as the bounded rung does."""
    with closing(Ladder(agent="bench", rungs={"send": "bounded"}, ledger=file)) as ladder:
        rule = ladder.policy.rule("send")
        journal = Journal(ladder.store.owner, ladder.policy.revision, ladder.clock())

        def work(cursor: sqlite3.Cursor) -> None:
            for n in range(CALLS):
                call = Call("bench", "1", f"call_{n}", "send", {"to": "ana@example.org", "text": f"Number {n}. " * 8})
                claimed = journal.claim(cursor, Claim(call, Route(Rung.BOUNDED)), Terms(rule), None)
                journal.record(cursor, Record(call, claimed.fence, State.DONE, Outcome("done")), b"a reply")

        ladder.store.write(work)


def measure() -> list[Figure]:
    """The figure of the verifier."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "ladder.db"
        write(file)
        with closing(sqlite3.connect(file)) as connection:
            found = verify(connection)
            if not found.ok or found.entries != 2 * CALLS:
                raise RuntimeError(f"a ledger of {2 * CALLS} entries was found to be {found}")
            costs = interleaved({"verify": lambda: verify(connection)}, ROUNDS)["verify"]
    cost = statistics.median(cost.cpu for cost in costs) / found.entries * 1e6
    # Ten microseconds are a hundred thousand entries a second.
    return [Figure("verify.cpu_per_entry", cost, "us_cpu", 10.0)]
