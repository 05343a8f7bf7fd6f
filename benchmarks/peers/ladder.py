"""This project's own gate: the router alone, a whole gated call in memory, and a whole gated call on a disk.

The router is asked as `ladder replay` asks it: the rule is looked up, the bounds are held against the arguments, and
the effective rung is found anew for every call. Its `digest` way also makes the call's digest, which only what is
recorded needs. A whole call is claimed, runs nothing and is settled, with two entries in the hash chain.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.calls import NoHost
from benchmarks.peers.answering import answer
from benchmarks.peers.policy import ASKING, MOST, MOVING, READING, RECIPIENTS, REFUSED, TOOLS, Verdict
from ladder_graph import Ladder
from ladder_graph.calls import Call, WeighedCall
from ladder_graph.facts import Seen
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.flow import Gate, routed
from ladder_graph.policy import Policy
from ladder_graph.policy.scene import Scene
from ladder_graph.routing import Footing
from ladder_graph.scale import Rung
from ladder_graph.tools import NOTHING

INSIDE = [
    {"kind": "range", "argument": "amount", "most": MOST},
    {"kind": "one_of", "argument": "to", "values": list(RECIPIENTS)},
]
RUNGS: dict[str, Any] = {
    **{tool: {"rung": "report", "read_only": True} for tool in READING},
    **{tool: {"rung": "bounded", "bounds": INSIDE} for tool in MOVING},
    **dict.fromkeys(ASKING, "confirm"),
    **dict.fromkeys(REFUSED, "suggest"),
}
COUNTED = {tool: {"rung": "bounded", "bounds": [*INSIDE, {"kind": "volume", "limit": 10**9}]} for tool in MOVING}
"""The rules of what leaves a record: the same, and a limit on how often that is drawn from a counter."""
_HASHES = dict.fromkeys(TOOLS, "0" * 64)
MODEL = Environment("scripted", "m-1", "m-1-2026-01-01", "none", "{}", toolset_component(_HASHES), _HASHES)


def _verdict(rung: Rung) -> Verdict:
    if rung is Rung.CONFIRM:
        return "ask"
    return "allow" if rung > Rung.CONFIRM else "refuse"


def deciding(kind: type[Call]) -> Callable[[str, dict[str, Any]], Verdict]:
    """The router, on calls of one class."""
    policy, footing = Policy.from_rungs("bench", RUNGS), Footing(can_ask=True, reversible=False, reader="ana")
    scene, seen = Scene(dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)), Seen()

    def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        call = kind("bench", "1", "call_1", tool, arguments)
        steps = routed(call, Gate(policy.rule(tool), MODEL, MODEL, footing, scene))
        next(steps)
        try:
            steps.send(seen)
        except StopIteration as found:
            return _verdict(found.value[0].rung)
        raise RuntimeError("a decision wanted to look twice")

    return decide


def counting(ledger: str | Path) -> Ladder:
    """A ladder whose tools that move something have a limit."""
    ladder = Ladder(agent="bench", rungs=COUNTED, ledger=ledger)
    for tool in MOVING:
        ladder.seat(tool, NOTHING, agent="bench", can_ask=True)
    return ladder


def whole(ladder: Ladder) -> Callable[[str, dict[str, Any]], Verdict]:
    """A call's whole life."""
    host, numbers = NoHost(), itertools.count()

    def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        n = next(numbers)
        reply = ladder.run(Call("bench", str(n), f"call_{n}", tool, arguments), MODEL, host)
        return "allow" if reply.state == "done" else "ask"

    return decide


if __name__ == "__main__":
    answer(
        {
            "decision": lambda _: deciding(WeighedCall),
            "digest": lambda _: deciding(Call),
            "audit": lambda _: whole(counting(":memory:")),
            "durable": lambda directory: whole(counting(directory / "ladder.db")),
        },
        of="ladder-graph",
    )
