"""The life of a call that was seen before: ended, running elsewhere, in doubt, or proposed again under another id."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ladder_graph.facts import Decision, Seen
from ladder_graph.flow import life
from ladder_graph.policy.bounds import Charge
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import NotClaimed, UndoOutcome
from ladder_graph.turns.awaiting import left_alone, slept
from tests.unit.walking import (
    ANA,
    BUSY,
    CALL,
    CLAIMED,
    DONE,
    NEW,
    NOW,
    READ,
    TWIN,
    gate,
    known,
    names,
    question,
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


# --- seen before ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state", ["refused", "suggested", "drafted", "failed", "unknown", "undone", "undo_conflict", "undo_failed"]
)
def test_what_has_ended_is_said_again(state):
    """A call that has ended runs no second time: the model reads the same sentence again."""
    steps, reply = walk(life(CALL, gate("report")), seen(state, text="As I said."))
    assert names(steps) == "Look"
    assert (reply.state, reply.text) == (State(state), "As I said.")


def test_a_recorded_reply_is_given_again():
    """A call that is done answers with its recorded reply."""
    _, reply = walk(life(CALL, gate("bounded")), seen("done", reply=b"sent"))
    assert (reply.state, reply.recorded, reply.error) == (State.DONE, b"sent", False)


@pytest.mark.parametrize(("state", "said"), [("done", "ran before, and its answer was not kept"), ("failed", "failed")])
def test_without_anything_recorded_it_says_what_it_knows(state, said):
    """Where neither reply nor sentence was kept, the model reads the state, and nothing that isn't true."""
    _, reply = walk(life(CALL, gate("bounded")), seen(state))
    assert said in reply.text


def test_a_no_is_said_again_with_its_reason():
    """A declined call comes back with who said no, and why."""
    no = Decision("decline", ANA, NOW, "not today")
    _, reply = walk(life(CALL, gate("confirm")), replace(seen("declined"), declined=no), None)
    assert reply.text.startswith("DECLINED by ana: not today.")


def test_a_rejected_draft_keeps_its_own_sentence():
    """A draft that was rejected has no question; what was said of it is said again."""
    _, reply = walk(life(CALL, gate("draft")), seen("declined", text="REJECTED by ana."), None)
    assert (reply.state, reply.text) == (State.DECLINED, "REJECTED by ana.")


def test_an_expired_question_is_a_no():
    """Silence counted as no; it counts so again."""
    _, reply = walk(life(CALL, gate("confirm")), seen("expired"), None)
    assert reply.state is State.EXPIRED
    assert "counts as no" in reply.text


@pytest.mark.parametrize("state", ["started", "done"])
@pytest.mark.parametrize("alive", [True, False])
def test_a_read_reads_again(state, alive):
    """There is no effect to protect, so an unasked read waits for nobody and is never in doubt."""
    steps, reply = walk(life(CALL, gate(READ)), seen(state, owner_alive=alive), CLAIMED, DONE, True)
    assert names(steps) == "Look Claim Execute Record"
    assert reply.state is State.DONE


def test_a_stopped_tool_starts_over():
    """A tool that stopped at an interrupt of its own is claimed again, told so, and not asked about again."""
    steps, reply = walk(life(CALL, gate("confirm")), seen("paused"), CLAIMED, DONE, True)
    assert names(steps) == "Look Claim Execute Record"
    assert (steps[1].question, steps[2].again, reply.state) == (None, True, State.DONE)


def test_a_stopped_tool_keeps_its_undo():
    """Started over, it is still watched, with the artifact that was made before its first start."""
    steps, _ = walk(life(CALL, gate("rollback")), seen("paused", artifact={"a": 1}), CLAIMED, DONE, None, True)
    assert names(steps) == "Look Claim Execute Measure Record"
    assert steps[1].artifact == {"a": 1}


# --- running elsewhere, or no more ---------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["started", "undoing"])
def test_it_waits_for_who_runs_it(state):
    """Another live task runs this very call: its outcome is the answer."""
    alive = seen(state, owner_alive=True)
    steps, reply = walk(life(CALL, gate("bounded")), alive, seen("done", reply=b"sent"))
    assert names(steps) == "Look Wait"
    assert reply.recorded == b"sent"


def test_it_does_not_wait_for_ever():
    """Where the other one is still at it, the model is told so, and nothing runs."""
    steps, reply = walk(life(CALL, gate("bounded")), ALIVE, ALIVE)
    assert names(steps) == "Look Wait"
    assert reply.state is State.REFUSED


def test_who_dies_while_it_waits_is_followed():
    """The other one died in the meantime: what became of its call is found out now."""
    steps, reply = walk(life(CALL, gate("bounded")), ALIVE, DEAD, CLAIMED, "cannot tell", True)
    assert names(steps) == "Look Wait TakeOver Probe Record"
    assert reply.state is State.UNKNOWN


def test_the_probe_says_that_it_happened():
    """It did take effect: it is done, and isn't repeated."""
    steps, reply = walk(life(CALL, gate("bounded")), DEAD, CLAIMED, "happened", True)
    assert names(steps) == "Look TakeOver Probe Record"
    assert steps[-1].state is reply.state is State.DONE


def test_the_probe_says_that_it_is_absent():
    """It had no effect: it is recorded so, and runs now, without being asked about or counted again."""
    steps, reply = walk(life(CALL, gate("bounded", bounds=VOLUME)), DEAD, CLAIMED, "absent", True, CLAIMED, DONE, True)
    assert names(steps) == "Look TakeOver Probe Record Claim Execute Record"
    assert (steps[3].state, steps[4].charges, steps[5].again) == (State.PAUSED, (), False)
    assert reply.state is State.DONE


def test_the_probe_cannot_tell():
    """Nobody knows: it is in doubt, which a person must end, and it does not run."""
    steps, reply = walk(life(CALL, gate("bounded")), DEAD, CLAIMED, "cannot tell", True)
    assert "Execute" not in names(steps)
    assert steps[-1].state is reply.state is State.UNKNOWN
    assert CALL.short in reply.text


def test_with_an_undo_doubt_is_undone():
    """An undo makes it certain: things are as they were, whether or not it had happened."""
    undone = UndoOutcome(State.UNDONE)
    died = seen("started", artifact={"a": 1})
    steps, reply = walk(life(CALL, gate("rollback")), died, CLAIMED, "cannot tell", True, undone, True)
    assert names(steps) == "Look TakeOver Probe Record Undo Record"
    assert [steps[3].state, steps[5].state] == [State.UNDOING, State.UNDONE]
    assert "ROLLED BACK" in reply.text
    assert ", because the process that ran it died, and nobody knows how far it came." in reply.text


@pytest.mark.parametrize(
    ("trouble", "taken", "state"),
    [
        (None, "Look TakeOver Probe Measure Record", State.DONE),
        ("the site is down", "Look TakeOver Probe Measure Record Undo Record", State.UNDONE),
    ],
)
def test_where_something_has_changed_its_health_decides(trouble, taken, state):
    """What is good stays though its process died, and what isn't is undone."""
    rest = [True] if trouble is None else [True, UndoOutcome(State.UNDONE), True]
    died = seen("started", artifact={"a": 1})
    steps, reply = walk(life(CALL, gate("rollback")), died, CLAIMED, "changed", trouble, *rest)
    assert names(steps) == taken
    assert reply.state is state


def test_without_a_check_what_has_changed_is_undone():
    """It may have been done by half, and nobody vouches for it; no check is said to have been bad."""
    died = seen("started", artifact={"a": 1})
    undone = UndoOutcome(State.UNDONE)
    steps, reply = walk(life(CALL, gate("bounded")), died, CLAIMED, "changed", True, undone, True)
    assert names(steps) == "Look TakeOver Probe Record Undo Record"
    assert ", because the process that ran it died, and nobody knows how far it came." in reply.text


def test_what_had_no_effect_starts_over_with_its_undo():
    """The undo that was made before is still right, since nothing happened since."""
    died = seen("started", artifact={"a": 1})
    steps, _ = walk(life(CALL, gate("rollback")), died, CLAIMED, "absent", True, CLAIMED, DONE, None, True)
    assert names(steps) == "Look TakeOver Probe Record Claim Execute Measure Record"
    assert steps[4].artifact == {"a": 1}


def test_an_undo_that_was_cut_off_goes_on():
    """The process died while it undid: the undo runs again, as it may."""
    cut = seen("undoing", artifact={"a": 1}, text="the health check was bad")
    steps, reply = walk(life(CALL, gate("rollback")), cut, CLAIMED, UndoOutcome(State.UNDONE), True)
    assert names(steps) == "Look TakeOver Undo Record"
    assert "the health check was bad" in reply.text


def test_only_one_finds_out():
    """Who doesn't get the takeover waits for who does."""
    steps, reply = walk(life(CALL, gate("bounded")), DEAD, BUSY, seen("unknown", text="In doubt."))
    assert names(steps) == "Look TakeOver Wait"
    assert (reply.state, reply.text) == (State.UNKNOWN, "In doubt.")


def test_an_asked_read_that_died_is_simply_absent():
    """A read has no effect, so no probe is needed to run it again; its approval still counts."""
    steps, reply = walk(life(CALL, gate(rule("confirm", read_only=True))), DEAD, CLAIMED, True, CLAIMED, DONE, True)
    assert names(steps) == "Look TakeOver Record Claim Execute Record"
    assert reply.state is State.DONE


# --- the same again, under another id ------------------------------------------------------------------------


def twin(state, **fields):
    """The same tool and arguments in the same thread under another id."""
    return Seen(twin=known(state, call=TWIN, **fields))


def test_a_twin_in_doubt_stops_it():
    """While nobody knows whether the same call took effect, it isn't made a second time."""
    steps, reply = walk(life(CALL, gate("bounded")), twin("unknown"), None)
    assert names(steps) == "Look Settle"
    assert steps[1].state is reply.state is State.REFUSED
    assert TWIN.short in reply.text


def test_a_twin_that_happened_stops_it():
    """A twin whose process died is looked after first; if it took effect, this one doesn't run."""
    steps, reply = walk(life(CALL, gate("bounded")), twin("started"), CLAIMED, "happened", True, None)
    assert names(steps) == "Look TakeOver Probe Record Settle"
    assert steps[1].call == steps[2].call == steps[3].call == TWIN
    assert (steps[3].state, reply.state) == (State.DONE, State.REFUSED)
    assert "did take effect" in reply.text


def test_a_twin_without_effect_lets_it_go_on():
    """A twin that had not taken effect is recorded as failed, which frees what it held, and this one runs."""
    steps, reply = walk(life(CALL, gate("bounded")), twin("started"), CLAIMED, "absent", True, NEW, CLAIMED, DONE, True)
    assert names(steps) == "Look TakeOver Probe Record Look Claim Execute Record"
    assert (steps[3].call, steps[3].state, reply.state) == (TWIN, State.FAILED, State.DONE)


def test_a_no_counts_once_the_twin_is_cleared_up():
    """What was said of the same call in this thread still holds."""
    no = Seen(declined=Decision("decline", ANA, NOW, "no"))
    steps, reply = walk(life(CALL, gate("bounded")), twin("started"), CLAIMED, "absent", True, no, None)
    assert names(steps) == "Look TakeOver Probe Record Look Settle"
    assert steps[5].state is reply.state is State.DECLINED


def test_a_second_twin_is_cleared_up_too():
    """One after the other, until nothing is in doubt."""
    steps, reply = walk(
        life(CALL, gate("bounded")), twin("started"), CLAIMED, "absent", True, twin("unknown"), None
    )  # fmt: skip
    assert names(steps) == "Look TakeOver Probe Record Look Settle"
    assert reply.state is State.REFUSED


def test_a_twin_that_is_undone_lets_it_go_on():
    """A twin whose undo put things back is no obstacle."""
    undone = UndoOutcome(State.UNDONE)
    steps, _ = walk(
        life(CALL, gate("bounded")), twin("started", artifact={"a": 1}), CLAIMED, "cannot tell", True, undone, True,
        NEW, CLAIMED, DONE, True,
    )  # fmt: skip
    assert names(steps) == "Look TakeOver Probe Record Undo Record Look Claim Execute Record"


def test_a_twin_that_could_not_be_undone_stops_it():
    """A person must look at the twin first."""
    conflict = UndoOutcome(State.UNDO_CONFLICT, "changed")
    steps, reply = walk(
        life(CALL, gate("bounded")), twin("started", artifact={"a": 1}), CLAIMED, "cannot tell", True, conflict, True,
        None,
    )  # fmt: skip
    assert names(steps) == "Look TakeOver Probe Record Undo Record Settle"
    assert reply.state is State.REFUSED


def test_a_twin_that_somebody_else_looks_after_stops_it():
    """Who finds out about a twin is one; the others are refused meanwhile."""
    lost = NotClaimed("busy", "somebody else is finding out what became of it.")
    steps, reply = walk(life(CALL, gate("bounded")), twin("started"), lost, twin("started"), None)
    assert names(steps) == "Look TakeOver Wait Settle"
    assert reply.state is State.REFUSED


def test_a_read_has_no_twins():
    """Reading the same twice does no harm."""
    steps, _ = walk(life(CALL, gate(READ)), twin("unknown"), CLAIMED, DONE, True)
    assert names(steps) == "Look Claim Execute Record"


def test_a_no_holds_for_the_thread():
    """A declined action isn't asked about again under another id."""
    steps, reply = walk(life(CALL, gate("bounded")), Seen(declined=Decision("decline", ANA, NOW, "no")), None)
    assert names(steps) == "Look Settle"
    assert steps[1].state is reply.state is State.DECLINED


def test_a_question_that_somebody_else_took_further():
    """Two tasks ask at once and the other one was answered and is done: its outcome is the answer."""
    steps, reply = walk(life(CALL, gate("confirm")), NEW, BUSY, seen("done", reply=b"sent"))
    assert names(steps) == "Look Pose Wait"
    assert reply.recorded == b"sent"


def test_a_question_is_frozen_with_its_reasons():
    """What is asked carries the call as it was proposed, and the route with its reasons."""
    steps, _ = walk(life(CALL, gate("confirm")), NEW, question("decline"))
    assert (steps[1].call, steps[1].route.rung) == (CALL, Rung.CONFIRM)


# --- what a person put in its place --------------------------------------------------------------------------

EDITED = replace(CALL, id="call_1.1", arguments={"to": "bo@example.com"})


@pytest.mark.parametrize("state", ["asked", "approved"])
def test_what_somebody_put_in_its_place_has_twins_too(state):
    """Also where it fits the tool: it doesn't run while the very same call is in doubt."""
    there = Seen(known=known(state, call=EDITED), twin=known("unknown", call=TWIN))
    steps, reply = walk(
        life(CALL, gate("confirm")), seen("edited"), None, seen("edited", successor=EDITED), there, None, None
    )  # fmt: skip
    assert names(steps) == "Look GoneOn Look Look Fit Settle"
    assert (steps[5].call, reply.state) == (EDITED, State.REFUSED)
    assert "nobody knows whether it took effect" in reply.text


def test_what_fits_and_has_no_twin_goes_on():
    """It is found on its rung, and is what its question holds."""
    there = Seen(known=known("approved", call=EDITED))
    steps = life(CALL, gate("confirm"))
    went = [next(steps), steps.send(seen("edited")), steps.send(None), steps.send(seen("edited", successor=EDITED))]
    went += [steps.send(there), steps.send(None), steps.send(there)]
    assert names(went) == "Look GoneOn Look Look Fit Look Pose"
    assert went[6].call == EDITED


def test_what_does_not_fit_is_refused_with_the_reason():
    """Twins are nothing to it."""
    there = Seen(known=known("approved", call=EDITED), twin=known("unknown", call=TWIN))
    steps, reply = walk(
        life(CALL, gate("confirm")), seen("edited"), None, seen("edited", successor=EDITED), there, "no such field",
        None,
    )  # fmt: skip
    assert names(steps) == "Look GoneOn Look Look Fit Settle"
    assert (reply.state, reply.text) == (State.REFUSED, "no such field")


def test_an_end_that_comes_while_somebody_looks_is_seen():
    """The row was read before it was written, and its owner was looked at after: that is an end, and no dead owner."""
    looks = iter([seen("started", owner_alive=True), seen("started"), seen("done", reply=b"sent")])
    assert slept(left_alone(lambda: next(looks))).known.reply == b"sent"
    assert slept(left_alone(lambda: seen("done", reply=b"sent"))).known.state is State.DONE
