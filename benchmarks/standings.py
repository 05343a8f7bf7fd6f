"""What trust costs at size: a thousand agents with twenty tools each, and a million judged actions.

The gate's look at a standing reads one row. A recompute reads every entry, works out each standing and each certificate
anew, and holds them against the rows; agents are independent, so two processes share them.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.figures import Figure, interleaved, least_cpu
from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.ledger import Journal
from ladder_graph.ledger.database import statements as sql
from ladder_graph.policy.reading import policy_of
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.held import Event, Held

AGENTS, TOOLS, ACTIONS = 1000, 20, 1_000_000
"""Agents, tools of each, and judged actions of all of them."""
PROCESSES = 2
LOOKS = 1000
ROUNDS = 7
ENV = "e" * 64
BEGUN = 1_767_225_600_000_000
"""Midnight of 1 January 2026, UTC, in microseconds."""
APART = 7_776_000_000_000 // (ACTIONS // AGENTS)
"""Microseconds between two actions of an agent, which fill ninety days."""


def _ladder(file: Path) -> Ladder:
    rule = {
        "rung": "bounded", "mistake": "$20", "bounds": [{"kind": "volume", "limit": 50}],
        "trust": {"mistakes": ["wrong_order"], "single_pattern": True},
    }  # fmt: skip
    tools = {f"tool_{n}": rule for n in range(TOOLS)}
    return Ladder(policy=policy_of({"agent": "agent_0", "ledger": str(file), "tools": tools}, "the benchmark"))


def fill(file: Path) -> None:
    """Write what a million actions leave in the ledger that trust reads; the chain itself isn't hashed."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany("INSERT INTO payload (hash, salt, body) VALUES (?, x'00', ?)", _payloads())
        connection.executemany(
            "INSERT INTO entry (stream, n, at_us, kind, action, payload, prev, hash) VALUES (?, ?, ?, ?, ?, ?, '', '')",
            _entries(),
        )
        connection.executemany(
            "INSERT INTO head (stream, n, hash) VALUES (?, ?, '')",
            ((f"agent_{agent}", 2 * ACTIONS // AGENTS + TOOLS) for agent in range(AGENTS)),
        )
        connection.executemany(
            "INSERT INTO standing (agent, tool, scope, env, held, at_us) VALUES (?, ?, '', ?, ?, ?)", _standings()
        )
        connection.commit()


def _demotion(agent: int, tool: int) -> Event:
    cell = CellKey(f"agent_{agent}", f"tool_{tool}", "", ENV)
    return Event(BEGUN, "demoted", cell, Rung.CONFIRM, "a mistake", "D1", "keep", 14)


def _standings() -> Iterator[tuple[object, ...]]:
    for agent in range(AGENTS):
        for tool in range(TOOLS):
            event = _demotion(agent, tool)
            yield event.cell.agent, event.cell.tool, ENV, Held().after(event).text, BEGUN


def _payloads() -> Iterator[tuple[str, str]]:
    yield "done", '{"policy":"p"}'
    for tool in range(TOOLS):
        yield f"down{tool}", json.dumps({"policy": "p", **_demotion(0, tool).body})
    for n in range(ACTIONS):
        yield f"{n:064x}", json.dumps({
            "policy": "p", "tool": f"tool_{n % TOOLS}", "arguments": {"order": f"o-{n}", "amount": n % 97},
            "digest": ENV, "thread": f"t{n}", "call": f"c{n}", "env": ENV, "scope": "", "rung": 3, "reasons": [],
        })  # fmt: skip


def _entries() -> Iterator[tuple[object, ...]]:
    each = ACTIONS // AGENTS
    for agent in range(AGENTS):
        stream = f"agent_{agent}"
        for tool in range(TOOLS):
            yield stream, tool + 1, BEGUN, "demoted", "", f"down{tool}"
        for n in range(each):
            at, key = BEGUN + n * APART, f"{agent * each + n:064x}"
            yield stream, TOOLS + 2 * n + 1, at, "started", key, key
            yield stream, TOOLS + 2 * n + 2, at + 1000, "done", key, "done"


def recompute(file: Path, share: int) -> None:
    """Work one process's share of the agents out anew, and print the CPU time that it took, in seconds."""
    import time

    with closing(_ladder(file)) as ladder:
        for agent in range(share, AGENTS, PROCESSES):
            found = ladder.findings(f"agent_{agent}")
            if wrong := ladder.disagreements(found):
                raise RuntimeError(wrong[0])
            if sum(found.certificate(cell) is not None for cell in found.cells) != TOOLS:
                raise RuntimeError(f"agent_{agent} has other cells than its {TOOLS} tools")
    print(time.process_time())


def _recomputed(file: Path) -> float:
    """The CPU time of all processes, in seconds."""
    command = [sys.executable, "-m", "benchmarks.standings", str(file)]
    running = [
        subprocess.Popen([*command, str(share)], stdout=subprocess.PIPE, text=True) for share in range(PROCESSES)
    ]
    told = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError("a recompute failed")
    return sum(map(float, told))


def _looks(ladder: Ladder) -> float:
    """CPU time of a look at a call whose cell has a standing, in microseconds."""
    journal = Journal(ladder.store.owner, ladder.policy.revision, ladder.clock())
    calls = [Call(f"agent_{n % AGENTS}", "1", f"new_{n}", f"tool_{n % TOOLS}", {"n": n}, ENV) for n in range(LOOKS)]

    def work() -> None:
        for call in calls:
            seen = ladder.store.glance(lambda cursor, call=call: journal.look(cursor, call, ()))
            if seen.standing is not Rung.CONFIRM:
                raise RuntimeError(f"{call.agent} was put down, and the gate reads {seen.standing}")

    return least_cpu(interleaved({"look": work}, ROUNDS)["look"], LOOKS)


def _plan(file: Path) -> int:
    """How many tables the look at a standing searches without an index."""
    agent = hashlib.sha256(b"agent").hexdigest()
    bound = {"agent": agent, "tool": "t", "scope": "", "env": ENV, "now": 0, "thread": "", "digest": "", "quota": None,
             "window": 0, "reach": 0}  # fmt: skip
    with closing(sqlite3.connect(file)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {sql.LOOK}", bound).fetchall()
    return sum(step[3].startswith("SCAN standing") for step in plan)


def measure() -> list[Figure]:
    """The figures of a large ledger's trust."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "trust.db"
        with closing(_ladder(file)) as ladder:
            fill(file)
            look = _looks(ladder)
        spent = _recomputed(file)
        note = f"{AGENTS} agents, {TOOLS} tools, {ACTIONS} judged actions, {PROCESSES} processes of 60 s each"
        return [
            Figure("trust.look.cpu", look, "us_cpu", 50, note=f"at {AGENTS * TOOLS} standings"),
            Figure("trust.look.scans", _plan(file), "count", 0, note="tables without an index"),
            Figure("trust.recompute.cpu", spent, "s_cpu", 60.0 * PROCESSES, note=note),
        ]


if __name__ == "__main__":
    recompute(Path(sys.argv[1]), int(sys.argv[2]))
