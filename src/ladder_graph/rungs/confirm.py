"""Rung 2: frozen, described, asked; runs once after an answer by a named person, bound to exactly this action.

The ledger is the authority: asking, answering and running are rows in it. The interrupt only rings.
"""

from __future__ import annotations

import json

from ladder_graph.calls import Call, normalise
from ladder_graph.facts import Decision, Question, Reply, Route
from ladder_graph.rungs.acting import Life, Plan, Stale, claim_alone, not_claimed
from ladder_graph.rungs.parting import act
from ladder_graph.states import State
from ladder_graph.steps import Heard, NotClaimed, Pose, Ring


def confirm(call: Call, route: Route, plan: Plan) -> Life:
    """Ask until the ledger holds a decision for this digest, then run once or not at all.

    On resume it starts over: the open question is found again, and an answer that came in by another way (the
    command line, another process) is found with it.
    """
    question: Question | NotClaimed = yield Pose(
        call, route, part_first=plan.split is not None, new=plan.new, seen=plan.seen, asked=plan.asked
    )
    if isinstance(question, NotClaimed) and question.code == "stale":
        raise Stale
    if isinstance(question, NotClaimed):
        return (yield from not_claimed(call, question))
    complaint = ""
    while question.decision is None and not question.expired:
        answer = yield Ring(question, complaint)
        heard = yield Heard(question, answer)
        if isinstance(heard, Question):
            # A yes that isn't enough yet was taken; whoever is asked next sees how far it is.
            question, complaint = heard, ""
        else:
            complaint = heard
    if question.decision is None:
        return Reply(State.EXPIRED, expired(call))
    match question.decision.verdict:
        case "decline":
            return Reply(State.DECLINED, declined(call, question.decision.by.name, question.decision.reason))
        case "respond":
            return Reply(State.RESPONDED, responded(call, question.decision))
        case "edit":
            return Reply(State.EDITED)  # Another call goes on in its place; see `flow.life`.
    # An undo that can't be made holds nobody up here: a person has decided.
    artifact, claimed = yield from claim_alone(call, route, plan, question=question, anyhow=True)
    if isinstance(claimed, NotClaimed):
        return (yield from not_claimed(call, claimed))
    return (yield from act(call, route, claimed, plan, artifact))


def declined(call: Call, by: str, reason: str) -> str:
    """What the model reads after a no."""
    why = f": {reason}" if reason else ", without a reason"
    return f"DECLINED by {by}{why}. {call.tool} did not run. Do not ask for the same again; do something else."


def responded(call: Call, decision: Decision) -> str:
    """What the model reads where a person answered in the tool's place."""
    return f"ANSWERED by {decision.by.name}, and {call.tool} did not run: {decision.reason}"


def edited(call: Call, by: str) -> str:
    """What stands before the reply to a call whose arguments a person replaced."""
    arguments = json.dumps(normalise(call.arguments), ensure_ascii=False)
    return (
        f"EDITED by {by}: {call.tool} was called with these arguments instead of yours: {arguments} Do not repeat your "
        f"own call."
    )


def expired(call: Call) -> str:
    """What the model reads when nobody answered in time."""
    return f"NOT RUN: nobody said in time that {call.tool} may run, which counts as no. Do not ask again now."
