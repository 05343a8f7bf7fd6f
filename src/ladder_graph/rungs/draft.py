"""Rung 1: the artifact itself is made and put into the drafts workspace. Nothing is sent or applied."""

from __future__ import annotations

from ladder_graph.calls import Call
from ladder_graph.facts import Known, Person, Reply, Route
from ladder_graph.rungs.acting import Life, Plan, claim, not_claimed, run
from ladder_graph.rungs.parting import FindOut
from ladder_graph.states import State
from ladder_graph.steps import Compose, NotClaimed, Record, Settle, Undrawn


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


def take_up_again(
    call: Call, route: Route, plan: Plan, known: Known, person: Person, moved: str, find_out: FindOut
) -> Life:  # fmt: skip
    """What is done about an accepted draft whose process is gone: it runs only where it certainly had no effect.

    Args:
        call: The call.
        route: Its route.
        plan: Its plan.
        known: Where it stands.
        person: Who accepted it.
        moved: What has changed of what the draft starts from; empty where nothing has. Then it doesn't run.
        find_out: Finds out what became of it.
    """
    if known.state is not State.PAUSED:
        found = yield from find_out(plan, known)
        if isinstance(found, Reply):
            return found
        yield Record(call, found.fence, State.PAUSED, text="it had not taken effect when its process died")
    if not moved:
        return (yield from take_up(call, route, plan, person))
    claimed = yield claim(call, route, plan, actor=person)
    if isinstance(claimed, NotClaimed):
        return (yield from not_claimed(call, claimed))
    text = f"NOT RUN: its process died before it took effect, and what the draft starts from has changed ({moved})."
    yield Record(call, claimed.fence, State.FAILED, text=text)
    return Reply(State.FAILED, text)
