"""Rung 4: the undo is made and stored before the action, a health check follows it, a bad signal undoes it.

The acting itself is that of rung 3; what makes this rung is that `ladder_graph.routing` lets no call onto it without a
declared undo and a health check (`Plan.undoable`), and that a call whose undo can't be made asks first.
"""

from __future__ import annotations

from ladder_graph.calls import Call
from ladder_graph.facts import Route
from ladder_graph.rungs.acting import Life, Plan
from ladder_graph.rungs.bounded import bounded


def rollback(call: Call, route: Route, plan: Plan, *, report: bool = False) -> Life:
    """Prepare the undo, claim, execute, measure, and undo on a bad signal. A read needs no undo."""
    return (yield from bounded(call, route, plan, report=report))
