"""Rung 4: the undo is made and stored before the action, a health check follows it, a bad signal undoes it."""

from __future__ import annotations

from typing import Any

from ladder_graph.calls import Call
from ladder_graph.routing import lowered
from ladder_graph.rungs.acting import Life, Plan, claim, not_claimed, run, words
from ladder_graph.rungs.bounded import bounded, fall_back
from ladder_graph.rungs.confirm import confirm
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import (
    Execute, Measure, NotClaimed, Outcome, Prepare, Reason, Record, Reply, Route, Undo, UndoOutcome, Unprepared,
)


def rollback(call: Call, route: Route, plan: Plan, *, report: bool = False) -> Life:
    """Prepare the undo, claim, execute, measure, and undo on a bad signal. A read needs no undo."""
    if plan.rule.read_only:
        return (yield from bounded(call, route, plan, report=report))
    artifact = yield Prepare(call)
    if isinstance(artifact, Unprepared):
        reason = Reason("undo_not_ready", f"its undo could not be made: {artifact.text}")
        return (yield from confirm(call, lowered(route, Rung.CONFIRM, reason), plan))
    claimed = yield claim(call, route, plan, charges=plan.charges, artifact=artifact, report=report)
    if isinstance(claimed, NotClaimed):
        return (yield from fall_back(call, route, plan, claimed))
    return (yield from _watched(call, claimed.fence, plan, artifact))


def resume(call: Call, route: Route, plan: Plan, artifact: Any) -> Life:
    """Start over a call that was claimed, and of which it is certain that it had no effect yet.

    It was allowed once, and what it held of quotas it still holds, so nobody is asked again.
    """
    claimed = yield claim(call, route, plan)
    if isinstance(claimed, NotClaimed):
        return (yield from not_claimed(call, claimed))
    if artifact is None:
        return (yield from run(call, claimed, plan))
    return (yield from _watched(call, claimed.fence, plan, artifact))


def _watched(call: Call, fence: int, plan: Plan, artifact: Any) -> Life:
    """Execute, then measure; until the checks have spoken the call stays `started`, since silence is never health."""
    outcome: Outcome = yield Execute(call)
    if outcome.kind in {"failed", "paused"}:
        state = State(outcome.kind)
        text = words(call, state, outcome)
        yield Record(call, fence, state, outcome, text)
        return Reply(state, text, outcome)
    if outcome.kind == "unknown":
        return (yield from undo(call, fence, artifact, f"the tool failed: {outcome.text}", outcome.signal))
    trouble = yield Measure(call, plan.rule.checks)
    if trouble is not None:
        return (yield from undo(call, fence, artifact, trouble))
    yield Record(call, fence, State.DONE, outcome)
    return Reply(State.DONE, "", outcome)


def undo(call: Call, fence: int, artifact: Any, trouble: str, signal: BaseException | None = None) -> Life:
    """Undo an action that went wrong, or of which nobody knows whether it happened, and say what came of it."""
    yield Record(call, fence, State.UNDOING, text=trouble)
    came: UndoOutcome = yield Undo(call, artifact)
    text = _words(call, came, trouble)
    yield Record(call, fence, came.state, text=text)
    return Reply(came.state, text, Outcome("unknown", signal=signal) if signal else None)


def _words(call: Call, came: UndoOutcome, trouble: str) -> str:
    if came.state is State.UNDONE:
        return (
            f"ROLLED BACK: {call.tool} ran and was undone, because {trouble}. Things are as they were before. "
            f"Do not repeat the same call; find out what was wrong first."
        )
    problem = "somebody changed the same thing meanwhile" if came.state is State.UNDO_CONFLICT else "the undo failed"
    return (
        f"NOT UNDONE: {call.tool} ran and went wrong, because {trouble}; {problem} ({came.text}). A person must look "
        f"at it (action {call.short}). Do nothing more about it."
    )
