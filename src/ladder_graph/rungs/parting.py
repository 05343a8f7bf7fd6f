"""Acting on a part of a call first: its part, the measurements of that, and only then the rest.

The call itself is claimed whole: with its approval, its quotas and its report. What has an effect are two actions with
claims, undos and watches of their own, so that whatever may become of an action may become of each of them. Where one
of the two ends otherwise than well, the ledger brings the whole call to the same end in the same commit
(`ladder_graph.ledger.gate.following`); what is done here is what a live process does at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.facts import Known, Outcome, Reply, Route, Seen
from ladder_graph.rungs.acting import Life, Plan, claim, not_claimed
from ladder_graph.rungs.undoing import carry_out, undo, watched
from ladder_graph.splitting import Await, Join, Split
from ladder_graph.states import AT_WORK, State
from ladder_graph.steps import (
    Claim,
    Claimed,
    Look,
    Measure,
    NotClaimed,
    Prepare,
    Record,
    StandBy,
    Step,
    TakeOver,
    Unprepared,
    Wait,
)

FindOut = Callable[[Plan, Known], Generator[Step, Any, Reply | Claimed]]
"""Finds out what became of an action in doubt (`ladder_graph.flow.find_out`)."""

_NO_EFFECT = frozenset({State.PAUSED, State.FAILED})
"""Where an action is that was claimed and had no effect so far."""


def act(call: Call, route: Route, claimed: Claimed, plan: Plan, artifact: Any) -> Life:
    """Carry a claimed call out: by a part first, where it was claimed so, and at once otherwise.

    Args:
        call: The call.
        route: Its route.
        claimed: The claim.
        plan: What was settled about it.
        artifact: The undo of what runs first; None where none was made.
    """
    if plan.split is None or artifact is None:
        return (yield from carry_out(call, claimed, plan, artifact))
    return (yield from _go_on(call, route, claimed.fence, plan, plan.split, artifact))


def resumed(call: Call, route: Route, plan: Plan, known: Known, find_out: FindOut) -> Life:
    """Go on with a call that was claimed to go by a part first, from wherever it is.

    Args:
        call: The call.
        route: Its route of now.
        plan: What was settled about it.
        known: Where it is: paused, or left by a process that is gone.
        find_out: Finds out about its part and its rest.
    """
    paused = known.state is State.PAUSED
    claimed: Claimed | NotClaimed = yield (claim(call, route, plan) if paused else TakeOver(call, known.fence))
    if isinstance(claimed, NotClaimed):
        return (yield from not_claimed(call, claimed))
    if known.split is None:
        return (yield from _lost(call, claimed.fence))
    yield from _settled(plan, known.split, find_out)
    return (yield from _go_on(call, route, claimed.fence, plan, known.split))


def called_off(plan: Plan, known: Known, find_out: FindOut) -> Generator[Step, Any, Reply | Claimed]:
    """End a call that was left by a process that is gone, where the same one was proposed under another id.

    Returns:
        What became of it: what it had done of itself is undone. Or the claim on it, where it had done nothing.
    """
    call = known.call
    claimed: Claimed | NotClaimed = yield TakeOver(call, known.fence)
    if isinstance(claimed, NotClaimed):
        return (yield from not_claimed(call, claimed))
    if known.split is None:
        return (yield from _lost(call, claimed.fence))
    part, rest = yield from _settled(plan, known.split, find_out)
    if (part is None or part.state in _NO_EFFECT) and rest is None:
        return claimed
    if rest is not None and rest.state is State.DONE:
        return (yield from _came_to(call, claimed.fence, rest))
    return (yield from _undone(call, known.split, "the process that ran it died before it had run whole"))


def _go_on(call: Call, route: Route, fence: int, plan: Plan, split: Split, artifact: Any = None) -> Life:
    """The part, its measurements, the rest, each from wherever it is. Neither may be in doubt."""
    part: Reply = yield from _acted(split.part, call, route, plan, artifact)
    if part.state is not State.DONE:
        return (yield from _came_to(call, fence, part))
    if trouble := (yield from _measured(split.part, plan, fresh=part.outcome is not None)):
        return (yield from _undone(call, split, trouble))
    cost = None if part.outcome is None else part.outcome.cost
    rest: Reply = yield from _acted(split.rest, call, route, plan, spent=cost)
    match rest.state:
        case State.DONE if rest.outcome is not None or rest.recorded is not None:
            return (yield from _joined(call, fence, split, part, rest))
        case State.REFUSED | State.FAILED | State.UNDONE:
            why = "the rest of the call " + ("could not run" if rest.state is State.REFUSED else "went wrong")
            text = rest.text or (rest.outcome.text if rest.outcome is not None else "")
            return _raising((yield from _undone(call, split, f"{why}: {text}" if text else why)), rest)
        case _:
            return (yield from _came_to(call, fence, rest))


def _acted(
    one: Call, whole: Call, route: Route, plan: Plan, artifact: Any = None, *, spent: int | None = 0
) -> Life:  # fmt: skip
    """Run the part, or the rest, if it hasn't run yet; under its own claim, with its own undo made before."""
    known = (yield Look(one)).known
    if known is not None and known.state is not State.PAUSED:
        return Reply(known.state, known.text, recorded=known.reply)
    if artifact is None:
        artifact = known.artifact if known is not None else (yield Prepare(one))
    while True:
        if isinstance(artifact, Unprepared):
            return Reply(State.REFUSED, f"its undo could not be made: {artifact.text}.")
        claimed = yield Claim(one, route, artifact=artifact, whole=whole, alone=True)
        if not (isinstance(claimed, NotClaimed) and claimed.code == "occupied"):
            break
        yield StandBy(claimed.other)
        artifact = yield Prepare(one)
    if isinstance(claimed, NotClaimed):
        return Reply(State.REFUSED, claimed.text)
    return (yield from watched(one, claimed.fence, plan, artifact, again=known is not None, spent=spent))


def _measured(part: Call, plan: Plan, *, fresh: bool) -> Generator[Step, Any, str]:
    """Why the rest may not run; empty where the part is good. What ran before a crash is measured anew."""
    if plan.rule.watch.canary and (trouble := (yield Await(part))):
        return str(trouble)
    return "" if fresh else (yield Measure(part, plan.rule.checks)) or ""


def _joined(call: Call, fence: int, split: Split, part: Reply, rest: Reply) -> Life:
    """Both have run, and the model gets one reply."""
    reply = yield Join(split, _given(part), _given(rest))
    last = rest.outcome or Outcome("done")
    outcome = Outcome("done", reply, signal=last.signal, cost=last.cost)
    if last.untouched and part.outcome is not None and part.outcome.untouched:
        outcome = replace(outcome, text=last.text, untouched=True)
    yield Record(call, fence, State.DONE, outcome)
    return Reply(State.DONE, "", outcome)


def _given(reply: Reply) -> Any:
    return reply.recorded if reply.outcome is None else reply.outcome.reply


def _came_to(call: Call, fence: int, one: Reply | Known) -> Life:
    """The whole call ends as its part or its rest did, where the ledger hasn't brought it there already."""
    outcome = one.outcome if isinstance(one, Reply) else None
    if one.state is State.PAUSED:
        yield Record(call, fence, State.PAUSED, outcome, one.text)
        return Reply(State.PAUSED, one.text, outcome)
    if one.state is State.REFUSED:
        text = f"{call.tool} did not run: {one.text} You may try again differently."
        yield Record(call, fence, State.FAILED, text=text)
        return Reply(State.FAILED, text)
    if one.state is State.FAILED and outcome is not None and outcome.reply is not None:
        return Reply(State.FAILED, one.text, outcome)  # The tool's own error stands.
    if one.state is State.DONE:
        yield from _whole(call, fence)
    reply: Reply = yield from _told(call)
    return _raising(reply, one) if isinstance(one, Reply) else reply


def _whole(call: Call, fence: int) -> Generator[Step, Any, None]:
    """The rest is done, and its answer is lost; the ledger has said so of the call already, if it was found out."""
    known = (yield Look(call)).known
    if known is not None and known.state is State.STARTED:
        text = f"{call.tool} did take effect, by a part and then the rest; its own answer is lost. Do not repeat it."
        yield Record(call, fence, State.DONE, text=text)


def _raising(reply: Reply, one: Reply) -> Reply:
    """With the signal that the part or the rest ended with, which goes on up now that it is recorded."""
    signal = one.outcome.signal if one.outcome is not None else None
    return reply if signal is None else replace(reply, outcome=Outcome("unknown", signal=signal))


def _undone(call: Call, split: Split, trouble: str) -> Life:
    """Undo the part, after whatever the rest had done was undone. Nobody undoes it twice."""
    part = (yield Look(split.part)).known
    if part is not None and part.state is State.DONE:
        taken = yield TakeOver(split.part, part.fence, trouble)
        if isinstance(taken, Claimed):
            yield from undo(split.part, taken.fence, part.artifact, trouble, begun=True)
            return (yield from _told(call))
    yield Wait(split.part)
    return (yield from _told(call))


def _told(call: Call) -> Life:
    """What the ledger has brought the whole call to."""
    known = (yield Look(call)).known
    if known is None or known.state is State.STARTED:
        text = (
            f"A part of {call.tool} ran first, and what becomes of it isn't known yet. Do nothing more about it; a "
            f"person can look (action {call.short})."
        )
        return Reply(State.UNKNOWN, text)
    return Reply(known.state, known.text, recorded=known.reply)


def _lost(call: Call, fence: int) -> Life:
    """What was to run can't be read any more, so nobody can tell how far it came."""
    text = (
        f"{call.tool} was started before a crash, and how it was split can't be read any more. Do not call it again "
        f"for this; a person will find out (action {call.short})."
    )
    yield Record(call, fence, State.UNKNOWN, text=text)
    return Reply(State.UNKNOWN, text)


def _settled(plan: Plan, split: Split, find_out: FindOut) -> Generator[Step, Any, tuple[Known | None, Known | None]]:
    """Find out about both, so that neither is in doubt; where they are then."""
    for one in (split.part, split.rest):
        known = (yield Look(one)).known
        if known is None or known.state not in AT_WORK:
            continue
        found = yield from find_out(plan, known)
        if isinstance(found, Claimed):
            yield Record(one, found.fence, State.PAUSED, text="it had not taken effect when its process died")
    part: Seen = yield Look(split.part)
    rest: Seen = yield Look(split.rest)
    return part.known, rest.known


def told_of_the_part(state: State, text: str, rest: str | None) -> str:
    """What the model reads of the whole call once its part has come to an end that isn't good.

    Args:
        state: Where the part is.
        text: What it came to, in words.
        rest: What the rest came to, in words; None where it never ran.
    """
    if rest is None:
        return f"{text} It was a part of your call that went first; the rest of it did not run."
    if state is State.UNDONE:
        return f"{rest} The part of it that had gone first was undone as well."
    return f"{rest} The part of it that had gone first was not: {text}"


def told_of_the_rest(state: State, text: str) -> str:
    """What the model reads of the whole call once its rest has come to an end of which nobody told it before.

    Args:
        state: Where the rest is.
        text: What it came to, in words.
    """
    if state is State.DONE:
        return f"{text} A part of it had gone first, and was good."
    return f"{text} That was the rest of your call; the part of it that had gone first stands until that is undone."
