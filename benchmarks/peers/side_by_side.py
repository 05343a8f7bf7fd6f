"""Runs every gate, each in its own environment, in turn: three tiers, kept apart.

`scripts/peers` makes the environments in `build/peers`; a gate whose environment isn't there is skipped, with the
reason. A figure of another's has no goal. What is held to a goal is the ratio of this project's own gate to it, the
median over rounds in which both ran one after the other.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Cost, Figure, ratio

WHERE = Path("build/peers")
"""The environments of the gates that aren't this project's or LangChain's."""
ROUNDS, WARM_UP = 15, 2
MISSING = "its environment isn't there; make it with scripts/peers"


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate in one tier."""

    name: str
    """Its name in the figures."""
    module: str
    """Its module beside this one."""
    way: str
    """How it is set up."""
    environment: str = ""
    """The folder of its environment; empty for this project's own."""
    note: str = ""
    """What one has to know of it to read its figure."""
    calls: int = 20
    """How many times a round takes every call."""


OWN_FUNCTION = "calls a function that its user writes"
DECISION = (
    Gate("ladder", "ladder", "decision", note="the router alone, as in the gate; a policy file decides"),
    Gate("ladder_digest", "ladder", "digest", note="the router, and the digest of the call, which a record needs"),
    Gate("cedar", "cedar", "decision", "cedar", "a policy in its language decides"),
    Gate("agt_mesh", "agt_mesh", "decision", "agt", "a policy in its language decides"),
    Gate("agt_os", "agt_os", "decision", "agt", "a policy in its language decides"),
    Gate("inspect_ai", "inspect_ai", "decision", "inspect_ai", OWN_FUNCTION),
    Gate("openai_agents", "openai_agents", "decision", "openai_agents", OWN_FUNCTION),
    Gate("langchain_batched", "langchain", "decision", "", OWN_FUNCTION),
    Gate("langchain_per_call", "langchain", "per_call", "", OWN_FUNCTION),
    Gate("pydantic_ai", "pydantic_ai", "decision", "pydantic_ai", OWN_FUNCTION),
    Gate("by_hand", "by_hand", "decision", "", "the function itself, without any gate", calls=200),
)
AUDIT = (
    Gate("ladder", "ladder", "audit", note="the whole gate on a ledger in memory: claim, limit, outcome, hash chain"),
    Gate("agt_mesh", "agt_mesh", "audit", "agt", "its AuditLog: one entry, hash chain, no limit, no outcome"),
    Gate("agt_os", "agt_os", "audit", "agt", "its logger in memory: one entry, no chain, no limit, no outcome"),
    Gate("inspect_ai", "inspect_ai", "audit", "inspect_ai", "an event in its transcript, no chain, no limit"),
    Gate("by_hand", "by_hand", "audit", "", "a list", calls=200),
)
DURABLE = (
    Gate("ladder", "ladder", "durable", note="the whole gate on a file: claim, limit, outcome, hash chain", calls=5),
    Gate("counted_by_hand", "by_hand", "durable", "", "a limit and one row, no outcome, no chain", calls=5),
    Gate("one_row_by_hand", "by_hand", "one_row", "", "one row, no limit, no outcome, no chain", calls=5),
)
HAS_NONE = {
    "agt_mesh": "has none: its limits are counted in memory, and its file sink doesn't flush",
    "agt_os": "has none: its budgets are counted in memory, and its file backend doesn't flush",
    "cedar": "has none: it decides and keeps nothing",
    "inspect_ai": "has none: approvals are in the log of the run, and nothing is counted",
    "langchain": "has none of its own: calls can be counted in the graph's state; see the whole loop",
    "openai_agents": "has none: what is approved is in the run's state, and nothing is counted",
    "pydantic_ai": "has none: deferred calls are in the run's messages, and nothing is counted",
}
"""Why a gate has no durable tier."""


class Running:
    """A gate in its process.

    Args:
        gate: Which.
        process: Where.
    """

    def __init__(self, gate: Gate, process: subprocess.Popen[str]) -> None:
        self.gate = gate
        self._process = process
        self.version: str = self._line()["version"]

    def run(self) -> Cost:
        """One round; what a call costs, in seconds."""
        assert self._process.stdin is not None  # noqa: S101  # it is a pipe
        self._process.stdin.write(f"{self.gate.calls}\n")
        self._process.stdin.flush()
        told = self._line()
        return Cost(told["cpu"] / told["calls"], told["wall"] / told["calls"])

    def _line(self) -> Any:
        assert self._process.stdout is not None  # noqa: S101  # it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.gate.name} ended: {self._process.communicate()[1][-2000:]}")
        return json.loads(line)


def _python(gate: Gate) -> Path:
    return WHERE / gate.environment / "bin" / "python" if gate.environment else Path(sys.executable)


def skipped(gate: Gate) -> str:
    """Why a gate can't be asked here; empty where it can."""
    if _python(gate).exists():
        return ""
    why = WHERE / f"{gate.environment}.skipped"
    return why.read_text().strip() if why.exists() else MISSING


@contextmanager
def started(gates: tuple[Gate, ...]) -> Iterator[list[Running]]:
    """Those gates that are there, each in a process that is ready. They keep what they keep under `build/`."""
    pipe = subprocess.PIPE
    with ExitStack() as stack:
        processes = []
        for gate in gates:
            directory = stack.enter_context(tempfile.TemporaryDirectory(dir="build"))
            ask = [str(_python(gate)), "-m", f"benchmarks.peers.{gate.module}", gate.way, directory]
            process = subprocess.Popen(ask, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            processes.append(process)
        yield [Running(gate, process) for gate, process in zip(gates, processes, strict=True)]


def rounds_of(gates: tuple[Gate, ...]) -> tuple[dict[str, list[Cost]], dict[str, str]]:
    """The costs of a call in each round, and the versions, by the gates' names."""
    with started(gates) as running:
        costs: dict[str, list[Cost]] = {one.gate.name: [] for one in running}
        for turn in range(ROUNDS + WARM_UP):
            for one in running:
                cost = one.run()
                if turn >= WARM_UP:
                    costs[one.gate.name].append(cost)
        return costs, {one.gate.name: one.version for one in running}


def tier(name: str, gates: tuple[Gate, ...], kind: str, goals: dict[str, float]) -> Iterator[Figure]:
    """The figures of a tier.

    Args:
        name: The tier's.
        gates: In it.
        kind: `cpu`, or `wall` where a disk is waited for.
        goals: What the ratio of the ladder to a gate is held to, by the gate's name.
    """
    why = {gate.name: skipped(gate) for gate in gates}
    costs, versions = rounds_of(tuple(gate for gate in gates if not why[gate.name]))
    for gate in gates:
        mine = costs.get(gate.name)
        note = why[gate.name] or "; ".join(filter(None, (versions[gate.name], gate.note)))
        cpu = min(cost.cpu for cost in mine) * 1e6 if mine else None
        yield Figure(f"peers.{name}.{gate.name}.cpu", cpu, "us_cpu", None, note=note)
        if kind == "wall":
            wall = statistics.median(cost.wall for cost in mine) * 1e6 if mine else None
            yield Figure(f"peers.{name}.{gate.name}.p50", wall, "us_wall", None, note=note)
        if gate.module != "ladder":
            found = ratio(costs["ladder"], mine, "wall" if kind == "wall" else "cpu") if mine else None
            yield Figure(f"peers.{name}.ladder_to_{gate.name}", found, "ratio", goals.get(gate.name), note=note)


FASTER = dict.fromkeys((gate.name for gate in DECISION if gate.module not in {"ladder", "by_hand"}), 1.0)
"""The decision alone is to be faster than that of every peer that decides on arguments."""


def measure() -> list[Figure]:
    """Every figure of the three tiers."""
    Path("build").mkdir(exist_ok=True)
    figures = [*tier("decision", DECISION, "cpu", FASTER), *tier("audit", AUDIT, "cpu", {})]
    figures += tier("durable", DURABLE, "wall", {"one_row_by_hand": 1.5})
    figures += [Figure(f"peers.durable.{name}.p50", None, "us_wall", None, note=why) for name, why in HAS_NONE.items()]
    return figures
