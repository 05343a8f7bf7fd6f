"""Rung 0: nothing runs. The suggestion and its context are logged, and a person may act on it."""

from __future__ import annotations

from ladder_graph.calls import Call
from ladder_graph.facts import Reply, Route
from ladder_graph.rungs.acting import Life, Plan
from ladder_graph.states import State
from ladder_graph.steps import Settle


def suggest(call: Call, route: Route, plan: Plan) -> Life:
    """Log the suggestion; nothing runs."""
    del plan
    text = (
        f"SUGGESTED, NOT RUN: {call.tool} was written down as a suggestion for a person (action {call.short}), since "
        f"{route.why}. Do not call it again for this; tell the user what you suggest and why."
    )
    yield Settle(call, State.SUGGESTED, route, text)
    return Reply(State.SUGGESTED, text)
