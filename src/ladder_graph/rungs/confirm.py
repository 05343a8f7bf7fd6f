"""Rung 2: frozen, described, asked; runs once after an answer by a named person, bound to exactly this action.

The ledger is the authority: asking, answering and running are rows in it. The interrupt only rings.
"""

from __future__ import annotations

from ladder_graph.calls import Call
from ladder_graph.rungs.acting import Life, Plan, claim, not_claimed
from ladder_graph.rungs.undoing import carry_out
from ladder_graph.states import State
from ladder_graph.steps import Heard, NotClaimed, Pose, Prepare, Question, Reply, Ring, Route, Unprepared


def confirm(call: Call, route: Route, plan: Plan) -> Life:
    """Ask until the ledger holds a decision for this digest, then run once or not at all.

    On resume it starts over: the open question is found again, and an answer that came in by another way (the
    command line, another process) is found with it.
    """
    question: Question | NotClaimed = yield Pose(call, route)
    if isinstance(question, NotClaimed):
        return (yield from not_claimed(call, question))
    complaint = ""
    while question.decision is None and not question.expired:
        answer = yield Ring(question, complaint)
        heard = yield Heard(question, answer)
        if isinstance(heard, Question):
            question = heard
        else:
            complaint = heard
    if question.decision is None:
        return Reply(State.EXPIRED, expired(call))
    if question.decision.verdict == "decline":
        return Reply(State.DECLINED, declined(call, question.decision.by.name, question.decision.reason))
    # An undo that can't be made holds nobody up here: a person has decided.
    prepared = (yield Prepare(call)) if plan.undoable else None
    artifact = None if isinstance(prepared, Unprepared) else prepared
    claimed = yield claim(call, route, plan, question=question, artifact=artifact)
    if isinstance(claimed, NotClaimed):
        return (yield from not_claimed(call, claimed))
    return (yield from carry_out(call, claimed, plan, artifact))


def declined(call: Call, by: str, reason: str) -> str:
    """What the model reads after a no."""
    why = f": {reason}" if reason else ", without a reason"
    return f"DECLINED by {by}{why}. {call.tool} did not run. Do not ask for the same again; do something else."


def expired(call: Call) -> str:
    """What the model reads when nobody answered in time."""
    return f"NOT RUN: nobody said in time that {call.tool} may run, which counts as no. Do not ask again now."
