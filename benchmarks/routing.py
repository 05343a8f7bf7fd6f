"""What a decision costs: a call against ten bounds under a policy of globs, with what the ledger says at hand.

The ledger's own part, one look that reads what is left of each quota, is measured beside it in `benchmarks.ledger`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from benchmarks.figures import Figure, interleaved, least_cpu
from ladder_graph.calls import Call
from ladder_graph.facts import Seen
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.flow import Gate, Routed, routed
from ladder_graph.policy import Policy
from ladder_graph.policy.scene import Scene
from ladder_graph.routing import Footing
from ladder_graph.scale import Rung
from ladder_graph.steps import Look

DECISIONS = 500
"""Decisions in one measurement."""
ROUNDS = 15
GLOBS = 50
TOOL = "shop_pay_invoice"
_TOOLS = {TOOL: "0" * 64}
MODEL = Environment("scripted", "m-1", "m-1-2026-01-01", "none", "{}", toolset_component(_TOOLS), _TOOLS)

BOUNDS: list[dict[str, Any]] = [
    {"kind": "domain", "argument": "to", "domains": ["shop.example", "partner.example"]},
    {"kind": "one_of", "argument": "currency", "values": ["EUR", "CHF", "USD"]},
    {"kind": "range", "argument": "amount", "least": 1, "most": 500},
    {"kind": "length", "argument": "text", "most": 2000},
    {"kind": "under", "argument": "file", "directory": "/srv/invoices"},
    {"kind": "matches", "argument": "order", "pattern": r"ORD-\d{6}"},
    {"kind": "count", "argument": "to", "most": 5},
    {"kind": "volume", "limit": 50, "timezone": "Europe/Zurich"},
    {"kind": "cost", "limit": "$500", "argument": "amount", "within": "24h"},
    {"kind": "time", "days": ["mon", "tue", "wed", "thu", "fri"], "start": "08:00", "end": "18:00"},
]
"""Ten bounds of ten kinds."""
ARGUMENTS = {
    "to": ["ana@shop.example", "bo@partner.example"], "currency": "CHF", "amount": 42.5, "text": "Thanks! " * 50,
    "file": "/srv/invoices/17.pdf", "order": "ORD-001742",
}  # fmt: skip
"""Arguments inside all of them."""


def policy() -> Policy:
    """A policy whose tools are named by many globs."""
    rules: dict[str, Any] = {f"server{n}_*": "confirm" for n in range(GLOBS - 1)}
    return Policy.from_rungs("bench", {**rules, "shop_pay_*": {"rung": "bounded", "bounds": BOUNDS}})


def deciding() -> Callable[[], object]:
    """Find the rung of `DECISIONS` calls, each with other arguments."""
    written, footing = policy(), Footing(can_ask=True, reversible=False, reader="ana")
    now = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    calls = [Call("bench", "1", f"call_{n}", TOOL, {**ARGUMENTS, "amount": n + 1}) for n in range(DECISIONS)]

    def work() -> None:
        for call in calls:
            gate = Gate(written.rule(call.tool), MODEL, MODEL, footing, Scene(now))
            if _route(call, gate)[0].rung is not Rung.BOUNDED:
                raise RuntimeError(f"a call inside its bounds was routed to {_route(call, gate)[0]}")

    return work


def _route(call: Call, gate: Gate) -> Routed:
    """The route, where nothing was drawn from any quota."""
    steps = routed(call, gate)
    look = next(steps)
    if not isinstance(look, Look):
        raise TypeError(f"a decision without slow bounds wanted {look}")
    try:
        steps.send(Seen(left=tuple((charge, charge.limit) for charge in look.charges)))
    except StopIteration as found:
        route: Routed = found.value
        return route
    raise RuntimeError("a decision wanted to look twice")


def measure() -> list[Figure]:
    """The CPU time of one decision."""
    costs = interleaved({"decide": deciding()}, ROUNDS)["decide"]
    note = f"{len(BOUNDS)} bounds, {GLOBS} globs; what the ledger is asked for isn't in it"
    return [Figure("routing.ten_bounds.cpu", least_cpu(costs, DECISIONS), "us_cpu", 100, note=note)]
