"""The life of one call, written once: a generator that yields what it needs and returns what the model reads.

    tool call in -> seen before? -> route -> rung -> claim -> execute -> record -> reply

Two drivers perform the steps, one sync and one async (`ladder_graph.ladder`); nothing else is written twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import weigh
from ladder_graph.routing import Footing, decide, effective, lowered
from ladder_graph.rungs.acting import Life, Plan, not_claimed
from ladder_graph.rungs.bounded import bounded
from ladder_graph.rungs.confirm import confirm, declined, expired
from ladder_graph.rungs.draft import draft
from ladder_graph.rungs.report import report
from ladder_graph.rungs.rollback import resume, rollback, undo
from ladder_graph.rungs.suggest import suggest
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import (
    Known, Look, NotClaimed, Probe, Reason, Record, Reply, Route, Seen, Settle, Step, TakeOver, Wait,
)
from ladder_graph.trust.standing import Standing

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
    standing: Standing
    footing: Footing
    now: dt.datetime
    at_most: Rung = Rung.REPORT
    """The rung that the graph already sent the call to; it may only fall from there."""


def routed(call: Call, gate: Gate) -> Generator[Step, Any, tuple[Route, Plan, Seen]]:
    """Find the rung for a call; nothing is written and nothing runs."""
    breaches, charges = weigh(gate.rule.bounds, call, gate.now)
    seen: Seen = yield Look(call, tuple(charges))
    standing = gate.standing
    if seen.standing is not None and seen.standing < standing.rung:
        standing = Standing(seen.standing, (Reason("demoted", seen.standing_reason), *standing.reasons))
    route = decide(effective(gate.rule, standing, gate.footing, seen.overdue), breaches, seen.left)
    if seen.known is not None and seen.known.state in {State.ASKED, State.APPROVED}:
        route = lowered(route, Rung.CONFIRM)
    return lowered(route, gate.at_most), Plan(gate.rule, tuple(charges)), seen


def life(call: Call, gate: Gate) -> Life:
    """The whole life of one call, from the gate to the reply."""
    route, plan, seen = yield from routed(call, gate)
    earlier = yield from again(call, route, plan, seen)
    if earlier is not None:
        return earlier
    return (yield from RUNGS[route.rung](call, route, plan))


def again(call: Call, route: Route, plan: Plan, seen: Seen) -> Generator[Step, Any, Reply | None]:
    """What to answer to a call that was seen before; None where it should go on as if it were new."""
    known = seen.known
    if known is None:
        return (yield from _like_an_earlier_one(call, route, plan, seen))
    if known.state is State.STARTED and known.owner_alive:
        seen = yield Wait(call)
        if seen.known is None or seen.known.state is State.STARTED:
            return Reply(State.REFUSED, f"{call.tool} is still running elsewhere; wait for its outcome, don't repeat it.")
        return (yield from again(call, route, plan, seen))
    unasked_read = plan.rule.read_only and route.rung >= Rung.BOUNDED
    match known.state:
        case State.ASKED | State.APPROVED:
            return None
        case State.DONE | State.FAILED | State.STARTED if unasked_read:
            return None
        case State.PAUSED:
            return (yield from resume(call, route, plan, known.artifact))
        case State.STARTED:
            return (yield from _recover(call, route, plan, known))
        case State.EXPIRED:
            return Reply(State.EXPIRED, expired(call))
        case State.DECLINED if seen.declined is not None:
            return Reply(State.DECLINED, declined(call, seen.declined.by.name, seen.declined.reason))
        case _:
            return Reply(known.state, known.text or f"{call.tool} ran before.", recorded=known.reply)


def _like_an_earlier_one(call: Call, route: Route, plan: Plan, seen: Seen) -> Generator[Step, Any, Reply | None]:
    """The same action under another id: not asked again after a no, not run again while one is in doubt."""
    if plan.rule.read_only:
        return None
    if seen.twin is not None:
        text = (
            f"NOT RUN: the very same call of {call.tool} was started before (action {seen.twin.call.short}) and nobody "
            f"knows whether it took effect. A person must find out first; do not repeat it."
        )
        yield Settle(call, State.REFUSED, route, text)
        return Reply(State.REFUSED, text)
    if seen.declined is not None:
        text = declined(call, seen.declined.by.name, seen.declined.reason)
        yield Settle(call, State.DECLINED, route, text)
        return Reply(State.DECLINED, text)
    return None


def _recover(call: Call, route: Route, plan: Plan, known: Known) -> Life:
    """It was started by a process that is gone: find out, undo, or say that nobody knows. Never run it blindly."""
    taken = yield TakeOver(call, known.fence)
    if isinstance(taken, NotClaimed):
        return (yield from not_claimed(call, taken))
    if known.artifact is not None:
        trouble = "the process that ran it died, and nobody knows how far it came"
        return (yield from undo(call, taken.fence, known.artifact, trouble))
    found = yield Probe(call)
    if found == "absent":
        yield Record(call, taken.fence, State.PAUSED, text="it had not taken effect when its process died")
        return (yield from resume(call, route, plan, None))
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
