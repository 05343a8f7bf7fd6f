"""The life of a call: what is asked for on every way through it, in which order, and what the model reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ladder_graph.facts import Reason, Seen
from ladder_graph.flow import life, routed
from ladder_graph.policy.bounds import Charge
from ladder_graph.routing import Footing
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import NotClaimed
from tests.unit.walking import (
    BUSY,
    CALL,
    CLAIMED,
    DONE,
    FULL,
    MODEL,
    NEW,
    TWIN,
    gate,
    known,
    names,
    rule,
    seen,
    walk,
)  # fmt: skip

ALIVE = seen("started", owner_alive=True)
DEAD = seen("started")
STALE = NotClaimed("stale", "it has changed.")
VOLUME = [{"kind": "volume", "limit": 3}]


def charge(amount=1):
    """What a call takes from a quota of 3."""
    return Charge("ops/send_email/calls", "2026-11-22", amount, 3, "calls")


# --- to its rung ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rung", "first"),
    [
        ("suggest", "Settle"),
        ("draft", "Compose"),
        ("confirm", "Pose"),
        ("bounded", "Claim"),
        ("rollback", "Prepare"),
        ("report", "Prepare"),
    ],
)
def test_each_rung_begins_its_own_way(rung, first):
    """A new call is looked up once, and then its rung takes over."""
    steps = life(CALL, gate(rung))
    assert names([next(steps), steps.send(NEW)]) == f"Look {first}"


def test_the_graph_may_have_sent_it_lower():
    """A call never runs above the rung that the graph sent it to."""
    steps = life(CALL, gate("report", at_most=Rung.CONFIRM))
    assert names([next(steps), steps.send(NEW)]) == "Look Pose"


def found(granted, known=NEW):
    """A route that was found a moment ago."""
    return walk(routed(CALL, granted), known)[1]


def test_a_fresh_route_goes_straight_to_its_rung():
    """Where nothing was known of a call, its claim looks whether that still is so, and nobody else does."""
    granted = gate("bounded")
    (claim, *rest), reply = walk(life(CALL, granted, found(granted)), CLAIMED, DONE, True)
    assert names([claim, *rest]) == "Claim Execute Record"
    assert claim.seen == NEW
    assert reply.state is State.DONE


def test_after_another_call_at_the_same_thing_the_route_is_found_anew():
    """As often as one was waited for; what became of it may have put the tool down."""
    occupied, down = NotClaimed("occupied", "another call is at it.", "k1"), Seen(standing=Rung.DRAFT)
    steps = life(CALL, gate("rollback"))
    went = [next(steps), *(steps.send(answer) for answer in 2 * (NEW, {"state": 1}, occupied, None)), steps.send(down)]
    assert names(went) == "Look Prepare Claim StandBy Look Prepare Claim StandBy Look Compose"


def test_a_route_that_is_stale_is_found_anew():
    """Where something has changed meanwhile, the claim doesn't hold, and the call starts over."""
    granted = gate("bounded")
    steps = life(CALL, granted, found(granted))
    went = [next(steps), steps.send(STALE), steps.send(Seen(standing=Rung.DRAFT, standing_reason="it went wrong"))]
    assert names(went) == "Claim Look Compose"


@pytest.mark.parametrize(
    "known", [seen("done"), Seen(twin=known("unknown", call=TWIN)), Seen(before=known("done", call=TWIN))]
)
def test_what_the_ledger_knows_is_looked_up_again(known):
    """A call that was seen before, itself or under another id, never goes straight."""
    granted = gate("bounded")
    assert names([next(life(CALL, granted, found(granted, known)))]) == "Look"


@pytest.mark.parametrize("rung", ["suggest", "draft"])
def test_what_neither_claims_nor_asks_is_looked_at_anew(rung):
    """The lower rungs have nothing to look with."""
    granted = gate(rung)
    assert names([next(life(CALL, granted, found(granted)))]) == "Look"


def test_a_question_goes_straight_with_what_was_seen():
    """The transaction that asks looks whether all is as it was."""
    granted = gate("confirm")
    (pose,) = [next(life(CALL, granted, found(granted)))]
    assert names([pose]) == "Pose"
    assert pose.seen is not None


def test_a_question_is_not_asked_by_what_is_only_remembered():
    """A claim holds what is remembered against the ledger by one word, and nothing else does."""
    steps, (route, _, seen) = walk(routed(CALL, gate("confirm"), recall=True), Seen(recalled=True), NEW)
    assert names(steps) == "Look Look"
    assert (route.rung, seen.recalled) == (Rung.CONFIRM, False)


def test_a_question_is_not_asked_by_what_has_changed():
    """Where something has changed meanwhile, the route is found anew, and nobody is asked."""
    granted = gate("confirm")
    steps = life(CALL, granted, found(granted))
    went = [next(steps), steps.send(STALE), steps.send(Seen(standing=Rung.DRAFT, standing_reason="it went wrong"))]
    assert names(went) == "Pose Look Compose"


def test_another_rule_is_another_route():
    """A route that was found under a rule that doesn't stand any more is found anew."""
    granted = gate("bounded")
    later = replace(granted, rule=rule("confirm"))
    assert names([next(life(CALL, later, found(granted)))]) == "Look"


def test_a_demotion_in_the_ledger_counts_at_once():
    """The rung that a demotion left is the highest one, and its reason is told."""
    _, (found, _, _) = walk(routed(CALL, gate("report")), Seen(standing=Rung.DRAFT, standing_reason="it went wrong"))
    assert found.rung is Rung.DRAFT
    assert found.why == "it went wrong"


def test_the_standing_is_that_of_the_pinned_environment():
    """What proposes now is held against what the rung was granted to: the ledger's pin, or the lock file's."""
    other = replace(MODEL, reported="m-2-2026-02-02")
    _, (found, _, _) = walk(routed(CALL, gate("report")), Seen(pinned=MODEL))
    assert found.rung is Rung.REPORT
    _, (found, _, _) = walk(routed(CALL, gate("report")), Seen(pinned=other))
    assert found.rung is Rung.CONFIRM
    _, (found, _, _) = walk(routed(CALL, replace(gate("report"), locked=MODEL)), Seen(pinned=other))
    assert found.rung is Rung.REPORT


def test_a_demotion_never_raises():
    """A demotion to a rung above the standing changes nothing."""
    _, (found, _, _) = walk(routed(CALL, gate("draft")), Seen(standing=Rung.BOUNDED))
    assert found.rung is Rung.DRAFT


def test_overdue_reports_take_the_top_rung_away():
    """While reports lie unread, nothing runs at rung 5."""
    _, (found, _, _) = walk(routed(CALL, gate("report")), Seen(overdue=2))
    assert found.rung is Rung.ROLLBACK
    assert "a report on what it did was not read in time" in found.why


@pytest.mark.parametrize(
    ("footing", "rung"),
    [
        (Footing(False, True, "ana"), Rung.DRAFT),
        (Footing(True, False, "ana"), Rung.BOUNDED),
        (Footing(True, True, None), Rung.ROLLBACK),
    ],
)
def test_what_is_missing_caps_the_rung(footing, rung):
    """No checkpointer: draft. No undo: bounded. No reader: rollback."""
    _, (found, _, _) = walk(routed(CALL, gate("report", footing=footing)), NEW)
    assert found.rung is rung


def test_outside_a_bound_it_asks():
    """A call outside a bound becomes a question, and the breach is the first reason."""
    outside = replace(CALL, arguments={"to": "eve@example.org"})
    _, (found, _, _) = walk(routed(outside, gate("bounded")), NEW)
    assert found.rung is Rung.CONFIRM
    assert found.reasons[0].code == "outside_domain"


def test_a_full_window_asks():
    """A call for which nothing is left becomes a question."""
    steps = routed(CALL, gate("bounded", bounds=VOLUME))
    (look,) = [next(steps)]
    with pytest.raises(StopIteration) as end:
        steps.send(Seen(left=((look.charges[0], 0),)))
    assert end.value.value[0].rung is Rung.CONFIRM


def test_what_was_asked_stays_a_question():
    """A question that is open stays one, even if the call could run by itself by now."""
    _, (found, _, _) = walk(routed(CALL, gate("report")), seen("asked"))
    assert found.rung is Rung.CONFIRM


def test_what_was_counted_is_not_counted_again():
    """A call that the ledger knows draws on no quota anew, and a window that it filled itself doesn't stop it."""
    steps = routed(CALL, gate(rule("bounded", bounds=VOLUME, read_only=True)))
    (look,) = [next(steps)]
    with pytest.raises(StopIteration) as end:
        steps.send(Seen(known=known("done"), left=((look.charges[0], 0),)))
    found, plan, _ = end.value.value
    assert (found.rung, plan.charges) == (Rung.BOUNDED, ())


def test_demoted_while_its_question_waits():
    """A call that stands below the question by now is put there, and nobody is asked any more."""
    steps, reply = walk(life(CALL, gate("suggest")), seen("asked"), None)
    assert names(steps) == "Look Settle"
    assert reply.state is State.SUGGESTED


# --- by what was seen of earlier calls ------------------------------------------------------------------------------

RECALLED = Seen(recalled=True)


def test_what_was_seen_before_sends_it_to_its_rung():
    """The claim carries it, and looks whether it still holds; nobody looked before."""
    steps, reply = walk(life(CALL, gate("bounded")), RECALLED, CLAIMED, DONE, True)
    assert names(steps) == "Look Claim Execute Record"
    assert (steps[0].recall, steps[1].seen.recalled, reply.state) == (True, True, State.DONE)


@pytest.mark.parametrize("refusal", [STALE, FULL, BUSY], ids=lambda one: one.code)
def test_whatever_refuses_such_a_claim_has_it_looked_at(refusal):
    """Nothing is made of a refusal that may come of an old look: the route is found anew, by a real one."""
    steps = life(CALL, gate("bounded"))
    went = [next(steps), steps.send(RECALLED), steps.send(refusal), steps.send(NEW)]
    assert names(went) == "Look Claim Look Claim"
    assert (went[2].recall, went[3].seen) == (False, None)


@pytest.mark.parametrize("rung", ["suggest", "draft", "confirm"])
def test_what_doesnt_claim_at_once_is_looked_at(rung):
    """Nobody is asked, and nothing is written, by what was seen of another call."""
    steps = life(CALL, gate(rung))
    went = [next(steps), steps.send(RECALLED), steps.send(NEW)]
    assert [names(went[:2]), went[1].recall] == ["Look Look", False]
    assert names(went[2:]) in {"Settle", "Compose", "Pose"}


def test_whoever_only_wants_to_know_gets_a_look():
    """A route that is told isn't one that was true a moment ago."""
    (look,), _ = walk(routed(CALL, gate("bounded")), NEW)
    assert not look.recall


# --- why it asks ----------------------------------------------------------------------------------------------------


def reasons(granted, known):
    """The codes of the reasons that a route gives."""
    route, _, _ = walk(routed(CALL, granted), known)[1]
    return route.rung, [reason.code for reason in route.reasons]


@pytest.mark.parametrize("rung", ["confirm", "bounded", "rollback"])
def test_what_would_be_lost_of_a_scope_is_told_to_whoever_is_asked(rung):
    """Also where the call would have been asked about anyway."""
    found, codes = reasons(gate(rung), Seen(pivot="the move can't be undone any more"))
    assert (found, codes[0]) == (Rung.CONFIRM, "pivot")


@pytest.mark.parametrize("rung", ["confirm", "bounded"])
def test_a_caution_is_told_to_whoever_is_asked(rung):
    """As after a copy of the ledger was put back."""
    caution = Reason("restored", "the ledger is a copy")
    found, codes = reasons(replace(gate(rung), caution=caution), NEW)
    assert (found, codes[0]) == (Rung.CONFIRM, "restored")


def test_an_alert_that_fires_already_holds_it_down():
    """What would call for an undo at once isn't begun unasked."""
    assert reasons(gate("rollback"), Seen(firing="the queue is full"))[0] < Rung.ROLLBACK
    assert reasons(gate("rollback"), NEW)[0] is Rung.ROLLBACK


def test_a_lost_conversation_is_told_to_whoever_is_asked():
    """The same call is done under another id, and the conversation doesn't hold it: also a call that asks anyway."""
    steps = life(CALL, gate("confirm"))
    before = Seen(before=known("done", call=TWIN))
    went = [next(steps), steps.send(before), steps.send(False)]
    assert names(went) == "Look Recall Pose"
    assert went[2].route.reasons[0].code == "forgotten"
