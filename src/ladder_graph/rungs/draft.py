"""Rung 1: the artifact itself is made and put into the drafts workspace. Nothing is sent or applied."""

from __future__ import annotations

from ladder_graph.calls import Call
from ladder_graph.facts import Person, Reply, Route
from ladder_graph.rungs.acting import Life, Plan, claim, not_claimed, run
from ladder_graph.states import State
from ladder_graph.steps import Compose, NotClaimed, Settle, Undrawn


def draft(call: Call, route: Route, plan: Plan) -> Life:
    """Make the artifact and leave it for a person to accept or reject."""
    del plan
    artifact = yield Compose(call)
    if isinstance(artifact, Undrawn):
        text = (
            f"REFUSED: no draft of {call.tool} can be made: {artifact.text}. Nothing ran; call it with other arguments."
        )
        yield Settle(call, State.REFUSED, route, text)
        return Reply(State.REFUSED, text)
    text = (
        f"DRAFTED, NOT RUN: the draft of {call.tool} waits in the drafts workspace for a person to accept or reject "
        f"(action {call.short}), since {route.why}. Do not call it again for this; tell the user that a draft waits. "
        f"You will read what became of it in this conversation."
    )
    yield Settle(call, State.DRAFTED, route, text, draft=artifact)
    return Reply(State.DRAFTED, text)


def take_up(call: Call, route: Route, plan: Plan, person: Person) -> Life:
    """Run an accepted draft or an approved suggestion once, as the act of the person who took it up."""
    claimed = yield claim(call, route, plan, actor=person)
    if isinstance(claimed, NotClaimed):
        return (yield from not_claimed(call, claimed))
    return (yield from run(call, claimed, plan))
