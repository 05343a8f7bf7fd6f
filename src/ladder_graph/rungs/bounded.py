"""Rung 3: runs without asking inside its bounds, and falls back to asking when a quota is full."""

from __future__ import annotations

from ladder_graph.calls import Call
from ladder_graph.facts import Reason, Route
from ladder_graph.routing import lowered
from ladder_graph.rungs.acting import Life, Plan, Stale, claim_alone, not_claimed
from ladder_graph.rungs.confirm import confirm
from ladder_graph.rungs.parting import act
from ladder_graph.scale import Rung
from ladder_graph.steps import NotClaimed


def bounded(call: Call, route: Route, plan: Plan, *, report: bool = False) -> Life:
    """Claim with the quotas held, execute, record. A quota that filled up meanwhile makes it a question.

    Where the tool can be undone, the undo is made first; if that fails, a person is asked.
    """
    artifact, claimed = yield from claim_alone(
        call, route, plan, afresh=True, charges=plan.charges, report=report, seen=plan.seen
    )
    if isinstance(claimed, NotClaimed):
        return (yield from _fall_back(call, route, plan, claimed))
    return (yield from act(call, route, claimed, plan, artifact))


def _fall_back(call: Call, route: Route, plan: Plan, refusal: NotClaimed) -> Life:
    """Ask where a bound is in the way, or no undo is at hand; else say that it didn't run, or find the route anew."""
    if refusal.code == "unprepared":
        return (yield from confirm(call, lowered(route, Rung.CONFIRM, Reason("undo_not_ready", refusal.text)), plan))
    if refusal.code == "stale" or (plan.seen is not None and plan.seen.recalled):
        raise Stale
    if refusal.code not in {"quota", "pivot"}:
        return (yield from not_claimed(call, refusal))
    reason = Reason("pivot" if refusal.code == "pivot" else "outside_volume", refusal.text)
    return (yield from confirm(call, lowered(route, Rung.CONFIRM, reason), plan))
