"""Acting with an undo at hand: execute, measure, and undo at once on a bad signal.

Rung 4 requires it. A tool that declares an undo and whose rule has health checks gets it on rungs 2 and 3 as well: a
demotion takes away the right to act unasked, never the safety net.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.facts import Outcome, Reply, Route
from ladder_graph.rungs.acting import ANEW, Life, Plan, claim_alone, execute, not_claimed, run, words
from ladder_graph.states import State
from ladder_graph.steps import NOTHING_TO_UNDO, Claimed, Measure, NotClaimed, Record, Undo, UndoOutcome


def resume(call: Call, route: Route, plan: Plan, artifact: Any, *, again: bool = False) -> Life:
    """Start over a call that was claimed, and of which it is certain that it had no effect yet.

    It was allowed once, and what it held of quotas it still holds, so nobody is asked again. `again` says that it
    stopped at an interrupt of its own.
    """
    artifact, claimed = yield from claim_alone(call, route, plan, artifact=artifact)
    if isinstance(claimed, NotClaimed):
        return (yield from not_claimed(call, claimed))
    return (yield from carry_out(call, claimed, plan, artifact, again=again))


def carry_out(call: Call, claimed: Claimed, plan: Plan, artifact: Any, *, again: bool = False) -> Life:
    """Run what was claimed: under watch where an undo was made for it, simply otherwise."""
    if artifact is None:
        return (yield from run(call, claimed, plan, again=again))
    return (yield from watched(call, claimed.fence, plan, artifact, again=again))


def watched(
    call: Call, fence: int, plan: Plan, artifact: Any, *, again: bool = False, spent: int | None = 0
) -> Life:  # fmt: skip
    """Execute, then measure; until the checks have spoken the call stays `started`, since silence is never health.

    `spent` is what went before it in the same call, in micro-dollars; None where nobody said what that cost.
    """
    outcome = yield from execute(call, fence, again=again)
    if spent != 0 and outcome.cost is not None:
        outcome = replace(outcome, cost=None if spent is None else outcome.cost + spent)
    if outcome.kind in {"failed", "paused"}:
        state = State(outcome.kind)
        text = words(call, state, outcome)
        yield Record(call, fence, state, outcome, text)
        return Reply(state, text, outcome)
    if outcome.kind == "unknown":
        trouble = f"the tool failed: {outcome.text}"
        return (yield from undo(call, fence, artifact, trouble, outcome.signal, cost=outcome.cost))
    if outcome.untouched:  # Nothing that its checks could speak of.
        yield Record(call, fence, State.DONE, outcome)
        return Reply(State.DONE, "", outcome)
    # Without a check it is a person who keeps it, before its window ends.
    found: str | None = (yield Measure(call, plan.rule.checks)) if plan.rule.checks else None
    if found is not None:
        return (yield from undo(call, fence, artifact, found, cost=outcome.cost))
    yield Record(call, fence, State.DONE, outcome)
    return Reply(State.DONE, "", outcome)


def undo(
    call: Call, fence: int, artifact: Any, trouble: str, signal: BaseException | None = None, *, begun: bool = False,
    cost: int | None = None,
) -> Life:  # fmt: skip
    """Undo an action that went wrong, or of which nobody knows whether it happened, and say what came of it.

    `begun` says that an undo was under way when its process died; undoing twice is harmless. `cost` is what the action
    says that it cost, in micro-dollars: it is settled before the undo, which gives no money back.
    """
    if not begun:
        spent = None if cost is None else Outcome("done", cost=cost)
        yield Record(call, fence, State.UNDOING, spent, trouble)
    came: UndoOutcome = yield Undo(call, artifact)
    text = _words(call, came, trouble, anew=bool(artifact.get(ANEW)))
    # On record stands what came of it, and beside it what the model was told.
    yield Record(call, fence, came.state, Outcome("done", text=came.text) if came.text else None, text)
    return Reply(came.state, text, Outcome("unknown", signal=signal) if signal else None)


def _words(call: Call, came: UndoOutcome, trouble: str, *, anew: bool) -> str:
    trouble = trouble.rstrip(".")
    if came.state is State.UNDONE:
        now = "Things are as they were before"
        if came.text == NOTHING_TO_UNDO:
            now = "There was nothing to put back: what its undo looks at is as it was before"
        if anew:
            now += " it went on after its question; what it may have done before that is NOT put back"
        return (
            f"ROLLED BACK: {call.tool} ran and was undone, because {trouble}. {now}. "
            f"Do not repeat the same call; find out what was wrong first."
        )
    problem = "somebody changed the same thing meanwhile" if came.state is State.UNDO_CONFLICT else "the undo failed"
    return (
        f"NOT UNDONE: {call.tool} ran and went wrong, because {trouble}; {problem} ({came.text}). A person must look "
        f"at it (action {call.short}). Do nothing more about it."
    )
