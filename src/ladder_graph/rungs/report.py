"""Rung 5: as rung 4, and a report is filed that a named reader must acknowledge within its SLA."""

from __future__ import annotations

from ladder_graph.calls import Call
from ladder_graph.facts import Route
from ladder_graph.rungs.acting import Life, Plan
from ladder_graph.rungs.rollback import rollback


def report(call: Call, route: Route, plan: Plan) -> Life:
    """Act under bounds and undo; the report is filed with the claim, so no action goes unreported."""
    return (yield from rollback(call, route, plan, report=True))
