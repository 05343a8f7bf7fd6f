"""The life of one call, written once: a generator that yields what it needs and returns what the model reads.

    tool call in -> seen before? -> route -> rung -> claim -> execute -> record -> reply

Two drivers perform the steps, one sync and one async (`ladder_graph.turns.driving`); nothing else is written twice.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ladder_graph.altering import altered
from ladder_graph.calls import Call
from ladder_graph.facts import Known, Reason, Reply, Route, Seen
from ladder_graph.fingerprint import Environment
from ladder_graph.policy import HANDOVER, Rule
from ladder_graph.policy.bounds import Breach, Charge, weigh
from ladder_graph.policy.scene import Scene
from ladder_graph.routing import WATCHED, Footing, Watching, decide, effective, goes_by_a_part, lowered, too_dear
from ladder_graph.rungs import parting
from ladder_graph.rungs.acting import Life, Plan, Stale, not_claimed
from ladder_graph.rungs.bounded import bounded
from ladder_graph.rungs.confirm import confirm, declined, edited, expired
from ladder_graph.rungs.dividing import divide
from ladder_graph.rungs.draft import draft
from ladder_graph.rungs.report import report
from ladder_graph.rungs.rollback import rollback
from ladder_graph.rungs.suggest import suggest
from ladder_graph.rungs.undoing import resume, undo
from ladder_graph.scale import Rung
from ladder_graph.splitting import Split
from ladder_graph.states import State
from ladder_graph.steps import (
    Claimed,
    Fit,
    GoneOn,
    Look,
    Measure,
    NotClaimed,
    Probe,
    Recall,
    Record,
    Settle,
    Step,
    TakeOver,
    Traced,
    Wait,
    Weigh,
)
from ladder_graph.trust.standing import Standing, reached, standing
from ladder_graph.trust.suspicion import sampled

RUNGS: dict[Rung, Callable[[Call, Route, Plan], Life]] = {
    Rung.SUGGEST: suggest,
    Rung.DRAFT: draft,
    Rung.CONFIRM: confirm,
    Rung.BOUNDED: bounded,
    Rung.ROLLBACK: rollback,
    Rung.REPORT: report,
}
"""What each rung does with a call."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Everything that decides about a call, except what the ledger knows."""

    rule: Rule
    environment: Environment | None
    """What proposed the call; None where that isn't known."""
    locked: Environment | None
    """The environment in `ladder.lock`, which wins over the one that the ledger has pinned."""
    footing: Footing
    scene: Scene
    """What its bounds may know besides the call."""
    at_most: Rung = Rung.REPORT
    """The rung that the graph already sent the call to; it may only fall from there."""
    caution: Reason | None = None
    """Why it asks whatever it has earned, as after a copy of the ledger was put back; `at_most` is `confirm` then."""


SAMPLED = Reason("sampled", "its agent seems to have changed, so one of five calls asks")
"""Why a call asks that would have run."""

Routed = tuple[Route, Plan, Seen]
"""Where a call goes, what was settled about it, and what that was found by."""


_SAID = frozenset({State.DECLINED, State.RESPONDED, State.EXPIRED, State.EDITED})
"""What was said of a call other than yes; it may be news to the thread."""


def routed(call: Call, gate: Gate, *, recall: bool = False) -> Generator[Step, Any, Routed]:
    """Find the rung for a call; nothing is written and nothing runs.

    Args:
        call: The call.
        gate: What decides about it.
        recall: Whether it may be found by what was seen of earlier calls, where it then claims at once.
    """
    if gate.rule.takes_time:  # As `_weighed`, but without a generator for each call.
        breaches, charges = yield Weigh(call, gate.rule.bounds, gate.scene)
    else:
        breaches, charges = weigh(gate.rule.bounds, call, gate.scene)
    split, unsplit = None, None
    if goes_by_a_part(gate.rule, gate.footing):
        divided = yield from divide(call, functools.partial(_weighed, gate), breaches, charges)
        split, unsplit, breaches, charges = divided.split, divided.trouble, divided.breaches, divided.charges
    breaches += too_dear(gate.rule, charges)
    weighed = _Weighed(breaches, tuple(charges), split, unsplit)
    found = _found(call, gate, weighed, (yield Look(call, weighed.charges, recall)))
    if found[2].recalled and not _straight(gate, found):
        found = _found(call, gate, weighed, (yield Look(call, weighed.charges)))
    return found


class _Weighed(NamedTuple):
    """What bounds say of a call, and of its part where one goes first."""

    breaches: list[Breach]
    charges: tuple[Charge, ...]
    split: Split | None
    unsplit: Reason | None


def _found(call: Call, gate: Gate, weighed: _Weighed, seen: Seen) -> Routed:
    """The rung of a call, by what its bounds say and what the ledger knows."""
    split, unsplit = weighed.split, weighed.unsplit
    granted = standing(gate.rule.rung, gate.locked or seen.pinned, gate.environment, call.tool)
    earned = reached(
        granted, seen.earned, seen.standing, seen.standing_reason, current=gate.environment, tool=call.tool,
        undeclared=gate.rule.undeclared(call),
    )  # fmt: skip
    if gate.rule is HANDOVER:  # It is granted to no model, since nothing is done by it, and nothing is earned.
        earned = Standing(HANDOVER.rung)
    watched = seen.watched and seen.rehearsed and not seen.firing and not seen.mute
    watching = WATCHED if watched else Watching(seen.watched, seen.rehearsed, seen.firing, seen.mute)
    # What was seen before has been counted; a read that is repeated after a crash isn't counted twice.
    counted = seen.known is not None
    route = decide(
        effective(gate.rule, earned, gate.footing, seen.overdue, watching),
        weighed.breaches,
        () if counted else seen.left,
    )
    if seen.known is not None and seen.known.state in {State.ASKED, State.APPROVED}:
        route = lowered(route, Rung.CONFIRM)
    if seen.sampled and gate.footing.can_ask and not gate.rule.read_only and sampled(call.key):
        route = lowered(route, Rung.CONFIRM, SAMPLED) if route.rung > Rung.CONFIRM else route
    if seen.pivot and route.rung >= Rung.CONFIRM:
        route = lowered(route, Rung.CONFIRM, Reason("pivot", seen.pivot))
    if unsplit is not None and route.rung >= Rung.BOUNDED:
        route = lowered(route, Rung.CONFIRM, unsplit)
    if gate.caution is not None and route.rung >= Rung.CONFIRM:
        route = lowered(route, Rung.CONFIRM, gate.caution)
    if seen.known is not None and seen.known.fence:
        split = seen.known.split  # What was claimed stands, whatever the tool's author says by now.
    # In a scope an undo is called for by what comes after the call, too, and not by its own checks alone.
    called_for = gate.rule.noticed or seen.scoped
    undoable = gate.footing.reversible and called_for and not gate.rule.read_only
    plan = Plan(gate.rule, () if counted else weighed.charges, undoable, split=split, new=not counted, asked=seen.asked)
    return lowered(route, gate.at_most), plan, seen


def _weighed(gate: Gate, call: Call) -> Generator[Step, Any, tuple[list[Breach], list[Charge]]]:
    weighing = Weigh(call, gate.rule.bounds, gate.scene)
    breaches, charges = (yield weighing) if gate.rule.takes_time else weighing.done()
    return breaches, charges


def life(call: Call, gate: Gate, found: Routed | None = None) -> Life:
    """The whole life of one call, from the gate to the reply; of the one in its place, where a person edited it.

    Args:
        call: The call.
        gate: What decides about it.
        found: Its route, if that was found a moment ago. A call that nothing was known of goes straight to its rung,
            where the claim looks whether all is as it was; otherwise, and for any other call, the route is found anew.
    """
    reply = yield from _life(call, gate, found)
    while reply.state is State.EDITED:
        seen: Seen = yield Look(call)
        if seen.known is None or seen.known.successor is None:
            return Reply(State.REFUSED, f"{call.tool} did not run: somebody edited it. Do not repeat it.")
        call = seen.known.successor
        reply = yield from _in_its_place(call, replace(gate, at_most=min(gate.at_most, Rung.CONFIRM)))
        by = seen.editor.name if seen.editor else "a person"
        reply = replace(reply, note=reply.note or edited(call, by))
    return reply


def _life(call: Call, gate: Gate, found: Routed | None = None) -> Life:
    if found is None:
        found = yield from routed(call, gate, recall=True)
        if not found[2].recalled:
            return (yield from _looked_at(call, gate, found))
    if _straight(gate, found):
        route, plan, seen = found
        with suppress(Stale):
            return (yield from RUNGS[route.rung](call, route, altered(plan, seen=seen)))
    return (yield from _looked_at(call, gate, (yield from routed(call, gate))))


def _looked_at(call: Call, gate: Gate, found: Routed) -> Life:
    """The life of a call that somebody has looked at just now, and looks at again after each wait for another call."""
    while True:  # The turn's patience ends it.
        with suppress(Stale):
            return (yield from _gone(call, found))
        found = yield from routed(call, gate)


def _gone(call: Call, found: Routed) -> Life:
    route, plan, seen = found
    earlier = yield from again(call, route, plan, seen)
    if earlier is not None:
        return earlier
    if seen.known is None and seen.before is not None and not plan.rule.read_only:
        route = yield from _recalled(call, route, seen.before)
    return (yield from RUNGS[route.rung](call, route, plan))


def _straight(gate: Gate, found: Routed) -> bool:
    """Whether a call may go straight to its rung: one that claims or asks at once, under the rule that still stands.

    What is only remembered is looked at again by a claim, and by nothing else.
    """
    route, plan, seen = found
    lowest = Rung.BOUNDED if seen.recalled else Rung.CONFIRM
    known = any(one is not None for one in (seen.known, seen.twin, seen.before, seen.declined))
    return lowest <= route.rung <= gate.at_most and plan.rule is gate.rule and not known


def _in_its_place(call: Call, gate: Gate) -> Life:
    """The life of a call that a person put in another's place: through the gate of now, and never above a question."""
    route, plan, seen = yield from routed(call, gate)
    if seen.known is not None and seen.known.state in {State.ASKED, State.APPROVED}:
        # Who edited it where the tool isn't known, as on the command line, could not be told that it doesn't fit.
        trouble = yield Fit(call)
        if trouble is None and seen.twin is not None:
            trouble = (yield from _of_a_twin(plan, seen.twin)) or None
        if trouble is not None:
            yield Settle(call, State.REFUSED, route, trouble)
            return Reply(State.REFUSED, trouble)
    return (yield from _life(call, gate))


def _recalled(call: Call, route: Route, before: Known) -> Generator[Step, Any, Route]:
    """The same call is done under another id. Where the conversation has lost it in a crash, a person is asked."""
    if route.rung < Rung.CONFIRM or (yield Recall(call, before)):
        return route
    lost = Reason(
        "forgotten",
        f"the very same call ran before in this thread (action {before.call.short}), and the conversation that asked "
        "for it is lost",
    )
    return Route(Rung.CONFIRM, (lost, *route.reasons))


def again(call: Call, route: Route, plan: Plan, seen: Seen) -> Generator[Step, Any, Reply | None]:
    """What to answer to a call that was seen before; None where it should go on as if it were new."""
    known = seen.known
    if known is None:
        return (yield from _like_an_earlier_one(call, route, plan, seen))
    if plan.rule.read_only and route.rung >= Rung.BOUNDED and known.state in {State.STARTED, State.DONE}:
        return None  # A read that runs unasked simply reads again: there is no effect to protect.
    if known.owner_alive:
        seen = yield Wait(call)
        if seen.known is None or seen.known.owner_alive:
            return Reply(
                State.REFUSED, f"{call.tool} is still running elsewhere; wait for its outcome, don't repeat it."
            )
        return (yield from again(call, route, plan, seen))
    if known.state in _SAID:
        yield GoneOn(call)
    match known.state:
        case State.ASKED | State.APPROVED:
            return None
        case State.EDITED:
            return Reply(State.EDITED)
        case State.PAUSED | State.STARTED | State.UNDOING:
            return (yield from _recover(call, route, plan, known))
        case State.DECLINED if seen.declined is not None:
            return Reply(State.DECLINED, declined(call, seen.declined.by.name, seen.declined.reason))
        case _:
            return Reply(known.state, known.text or _became(known), recorded=known.reply)


def _judge(call: Call, fence: int, plan: Plan, artifact: Any) -> Life:
    """It has changed something, wholly or in part, and can be undone: its health checks decide what becomes of it."""
    trouble = yield Measure(call, plan.rule.checks)
    if trouble is not None:
        return (yield from undo(call, fence, artifact, f"the process that ran it died, and {trouble}"))
    text = (
        f"{call.tool} took effect before a crash, and its health checks are good; its own answer is lost. Do not "
        f"repeat it."
    )
    yield Record(call, fence, State.DONE, text=text)
    return Reply(State.DONE, text)


def _became(known: Known) -> str:
    """What the model reads of an earlier call of which neither an answer nor a sentence was kept."""
    if known.state is State.EXPIRED:
        return expired(known.call)
    if known.state is State.DONE:
        return f"{known.call.tool} ran before, and its answer was not kept."
    return f"{known.call.tool} was proposed before, and nothing more happens to it: it is {known.state}."


def _like_an_earlier_one(call: Call, route: Route, plan: Plan, seen: Seen) -> Generator[Step, Any, Reply | None]:
    """The same action under another id: not asked again after a no, not run again while one is in doubt."""
    if plan.rule.read_only:
        return None
    if seen.twin is not None:
        doubt = yield from _of_a_twin(plan, seen.twin)
        if doubt:
            yield Settle(call, State.REFUSED, route, doubt)
            return Reply(State.REFUSED, doubt)
        seen = yield Look(call)
        return (yield from _like_an_earlier_one(call, route, plan, seen))
    if seen.declined is not None:
        text = declined(call, seen.declined.by.name, seen.declined.reason)
        yield Settle(call, State.DECLINED, route, text)
        return Reply(State.DECLINED, text)
    return None


def _of_a_twin(plan: Plan, twin: Known) -> Generator[Step, Any, str]:
    """Find out what became of the same call under another id; empty where it certainly had no effect."""
    before = f"NOT RUN: the very same call of {twin.call.tool} was started before (action {twin.call.short})"
    state = twin.state
    if state is not State.UNKNOWN:
        found = yield from (parting.called_off(plan, twin, find_out) if twin.parted else find_out(plan, twin))
        if isinstance(found, Claimed):
            yield Record(twin.call, found.fence, State.FAILED, text="It had not taken effect when its process died.")
            return ""
        state = found.state
    if state is State.UNDONE:
        return ""
    if state is State.DONE:
        return f"{before} and did take effect; its answer is lost. Do not repeat it."
    return f"{before} and nobody knows whether it took effect. A person must find out first; do not repeat it."


def _recover(call: Call, route: Route, plan: Plan, known: Known) -> Life:
    """It stopped, or its process is gone: find out, undo, or say that nobody knows. Never run it blindly."""
    if known.parted and known.state is not State.UNDOING:
        return (yield from parting.resumed(call, route, plan, known, find_out))
    if known.state is State.PAUSED:
        return (yield from resume(call, route, plan, known.artifact, again=True))
    found = yield from find_out(plan, known)
    if isinstance(found, Reply):
        return found
    yield Record(call, found.fence, State.PAUSED, text="it had not taken effect when its process died")
    return (yield from resume(call, route, plan, known.artifact))


def left_behind(plan: Plan, known: Known) -> Generator[Step, Any, None]:
    """What a watcher does about an action whose process is gone: as its own thread would, but nothing runs again."""
    found = yield from find_out(plan, known)
    if isinstance(found, Claimed):
        yield Record(known.call, found.fence, State.PAUSED, text="it had not taken effect when its process died")


def find_out(plan: Plan, known: Known) -> Generator[Step, Any, Reply | Claimed]:
    """Become the owner of an action whose own is gone, and find out what became of it.

    Returns:
        What the model reads; or the claim on an action that had no effect.
    """
    call = known.call
    taken: Claimed | NotClaimed = yield TakeOver(call, known.fence)
    if isinstance(taken, NotClaimed):
        return (yield from not_claimed(call, taken))
    if known.state is State.UNDOING:
        return (yield from undo(call, taken.fence, known.artifact, known.text, begun=True))
    found: Traced = "absent" if plan.rule.read_only else (yield Probe(call, known.artifact))
    if found == "absent":
        return taken
    if found == "changed" and plan.rule.checks:
        return (yield from _judge(call, taken.fence, plan, known.artifact))
    if found != "happened" and known.artifact is not None:  # Without a check nobody can say that it is whole.
        trouble = "the process that ran it died, and nobody knows how far it came"
        return (yield from undo(call, taken.fence, known.artifact, trouble))
    if found == "happened":
        text = f"{call.tool} did take effect, as was found out after a crash; its own answer is lost. Do not repeat it."
        yield Record(call, taken.fence, State.DONE, text=text)
        return Reply(State.DONE, text)
    text = (
        f"{call.tool} was started before a crash, and nobody knows whether it took effect. Do not call it again for "
        f"this; a person will find out (action {call.short})."
    )
    yield Record(call, taken.fence, State.UNKNOWN, text=text)
    return Reply(State.UNKNOWN, text)
