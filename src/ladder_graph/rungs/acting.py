"""Claim, execute, record: the part of a call's life that every acting rung shares."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.facts import Outcome, Question, Reply, Route, Seen
from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import Charge
from ladder_graph.splitting import Split
from ladder_graph.states import State
from ladder_graph.steps import (
    Claim,
    Claimed,
    Execute,
    NotClaimed,
    Prepare,
    Record,
    StandBy,
    Step,
    Unprepared,
    Wait,
)

Life = Generator[Step, Any, Reply]
"""A call on its way: yields what it needs, returns what the model reads."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the gate settled about a call before its rung takes over."""

    rule: Rule
    charges: tuple[Charge, ...] = ()
    """What it takes from quotas if it runs unasked."""
    undoable: bool = False
    """The tool declares an undo, and its rule has a health check that would call for it."""
    seen: Seen | None = None
    """What the route was found by, where nobody has looked again since."""
    split: Split | None = None
    """What runs in place of the call, where a part of it goes first."""
    new: bool = False
    """Nothing was known of the call."""
    asked: Question | None = None
    """The question about it that is there already."""

    def first(self, call: Call) -> Call:
        """What of a call runs first."""
        return call if self.split is None else self.split.part


FIRST = 1
"""The fence of a call's first start."""
ANEW = "made_anew"
"""Says in an undo artifact that it was made when its call started over: what that did before is not in it."""


class Stale(Exception):
    """Carries a call whose route must be found anew out of its rung. It is no error, and nobody sees it."""


def claim(call: Call, route: Route, plan: Plan, *, artifact: Any = None, **particulars: Any) -> Claim:
    """The claim of this call; a call that only reads needs no durable commit.

    Where a part goes first, `artifact` is that one's undo, and stands with its own claim: this one holds everything
    that the call was allowed by, and its part and its rest.
    """
    split = plan.split if artifact is not None else None
    return Claim(
        call, route, durable=not plan.rule.read_only, artifact=None if split else artifact, split=split, **particulars
    )


def claim_alone(
    call: Call, route: Route, plan: Plan, *, artifact: Any = None, anyhow: bool = False, afresh: bool = False,
    **particulars: Any,
) -> Generator[Step, Any, tuple[Any, Claimed | NotClaimed]]:  # fmt: skip
    """Make the undo, and claim, while no other call of the agent is at what the undo puts back.

    What the other one does meanwhile would go into what is put back later, and its own undo into what this one did. So
    it is waited for, and the undo is made for what is there by then. A turn's patience ends: it may be this very call's
    own tool that leads to the other one.

    Args:
        call: The call.
        route: Its route.
        plan: Its plan.
        artifact: The undo that was made for it before, which holds as long as nobody else was at the same thing.
        anyhow: Whether it may run where its undo can't be made; else it is `unprepared`.
        afresh: Whether the route must be found anew once another call was waited for.
        particulars: As of `claim`.

    Returns:
        The undo artifact, if there is one, and what came of the claim.

    Raises:
        Stale: The route must be found anew.
    """
    resumed, prepares = artifact is not None, plan.undoable and artifact is None
    while True:
        if prepares:
            artifact = yield Prepare(plan.first(call))
            if resumed and not isinstance(artifact, Unprepared):
                artifact = {**artifact, ANEW: True}
        if isinstance(artifact, Unprepared):
            if not anyhow:
                return None, NotClaimed("unprepared", f"its undo could not be made: {artifact.text}")
            artifact = None
        claimed = yield claim(call, route, plan, artifact=artifact, alone=True, **particulars)
        if not (isinstance(claimed, NotClaimed) and claimed.code == "occupied"):
            return artifact, claimed
        yield StandBy(claimed.other)
        if afresh:
            raise Stale
        prepares = True


def execute(call: Call, fence: int, *, again: bool) -> Generator[Step, Any, Outcome]:
    """Run the tool. What something in between answers for it now says nothing of an earlier start of the call."""
    outcome: Outcome = yield Execute(call, again)
    return replace(outcome, untouched=False) if outcome.untouched and fence > FIRST else outcome


def run(call: Call, claimed: Claimed, plan: Plan, *, again: bool = False) -> Life:
    """Execute what was claimed, record what came of it, and say so."""
    outcome = yield from execute(call, claimed.fence, again=again)
    state = settled(outcome, plan.rule)
    text = words(call, state, outcome)
    yield Record(call, claimed.fence, state, outcome, text)
    return Reply(state, text, outcome)


def settled(outcome: Outcome, rule: Rule) -> State:
    """The state that an outcome puts a call in. A failed read had no effect, whatever it says."""
    if outcome.kind == "unknown" and rule.read_only:
        return State.FAILED
    return State(outcome.kind)


def words(call: Call, state: State, outcome: Outcome) -> str:
    """What the model reads where the tool's own reply doesn't stand."""
    match state:
        case State.FAILED if outcome.reply is not None:
            return ""  # The tool's own error stands: nothing happened, and there is nothing to add.
        case State.FAILED:
            return f"{call.tool} failed and changed nothing: {outcome.text} You may try again differently."
        case State.UNKNOWN:
            return (
                f"{call.tool} was started and failed: {outcome.text} Nobody knows whether it took effect. Do not "
                f"call it again for this; a person will find out (action {call.short})."
            )
        case _:
            return ""


def not_claimed(call: Call, refusal: NotClaimed) -> Life:
    """Answer for a call that may not run: with its outcome where another task just ran it, else with the refusal."""
    if refusal.code == "busy":
        seen: Seen = yield Wait(call)
        known = seen.known
        if known is not None and known.state is State.EDITED:
            return Reply(State.EDITED)
        if known is not None and (known.reply is not None or known.text):
            return Reply(known.state, known.text, recorded=known.reply)
    return Reply(State.REFUSED, f"{call.tool} did not run: {refusal.text} Do not repeat it; carry on without it.")
