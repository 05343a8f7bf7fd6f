"""Rungs 3 to 5: claim, execute, record; with an undo before and a watch after it; with a report."""

from __future__ import annotations

import pytest

from ladder_graph.facts import Outcome
from ladder_graph.policy.bounds import Charge
from ladder_graph.rungs.acting import ANEW, Stale
from ladder_graph.rungs.bounded import bounded
from ladder_graph.rungs.report import report
from ladder_graph.rungs.rollback import rollback
from ladder_graph.rungs.undoing import resume
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import NotClaimed, UndoOutcome, Unprepared
from tests.unit.walking import BUSY, CALL, CLAIMED, DONE, FULL, UNSURE, names, plan, question, route, seen, walk

CHARGE = Charge("ops/send_email/calls", "2026-11-22", 1, 3, "calls")
UNDOABLE = plan(CHARGE, undoable=True, rung="rollback")
MADE = {"state": "old", "before": "f1"}
ACTS = route(Rung.ROLLBACK)


def test_it_claims_executes_and_records():
    """Rung 3 holds its quota with the claim, which reaches the disk before the tool runs."""
    steps, reply = walk(bounded(CALL, route(), plan(CHARGE)), CLAIMED, DONE, True)
    assert names(steps) == "Claim Execute Record"
    assert (steps[0].charges, steps[0].durable, steps[0].report) == ((CHARGE,), True, False)
    assert (steps[2].fence, steps[2].state, steps[2].outcome) == (1, State.DONE, DONE)
    assert (reply.state, reply.text, reply.outcome) == (State.DONE, "", DONE)


def test_a_read_needs_no_disk():
    """Losing the record of a read loses nothing, so nobody waits for the disk."""
    steps, _ = walk(bounded(CALL, route(), plan(read_only=True)), CLAIMED, DONE, True)
    assert not steps[0].durable


def test_a_quota_that_filled_up_meanwhile_asks():
    """Between routing and claim somebody took the last of it: the call becomes a question, with that as reason."""
    steps, reply = walk(bounded(CALL, route(), plan(CHARGE)), FULL, question("decline"))
    assert names(steps) == "Claim Pose"
    assert (steps[1].route.rung, steps[1].route.why) == (Rung.CONFIRM, FULL.text)
    assert reply.state is State.DECLINED


def test_after_a_full_quota_an_approved_call_takes_nothing_from_it():
    """What a person approves beyond the bound isn't counted against it."""
    steps, _ = walk(bounded(CALL, route(), plan(CHARGE)), FULL, question("approve"), CLAIMED, DONE, True)
    assert names(steps) == "Claim Pose Claim Execute Record"
    assert steps[2].charges == ()


OCCUPIED = NotClaimed("occupied", "another call is at it.", "k1")
NEWER = {"state": "newer", "before": "f2"}


def test_another_call_at_the_same_thing_is_waited_for():
    """Then the route is found anew: what became of the other one may have put the tool down."""
    steps = rollback(CALL, ACTS, UNDOABLE)
    assert (names([next(steps)]), steps.send(MADE).alone, steps.send(OCCUPIED).action) == ("Prepare", True, "k1")
    with pytest.raises(Stale):
        steps.send(None)


@pytest.mark.parametrize("again", [True, False], ids=["paused", "died"])
def test_what_starts_over_keeps_its_undo_unless_somebody_was_at_the_same_thing(again):
    """It had no effect so far, so what another call left meanwhile is what it is put back to."""
    steps, _ = walk(resume(CALL, ACTS, UNDOABLE, MADE, again=again), CLAIMED, DONE, None, True)
    assert (names(steps), steps[0].artifact) == ("Claim Execute Measure Record", MADE)
    steps, _ = walk(resume(CALL, ACTS, UNDOABLE, MADE, again=again), OCCUPIED, None, NEWER, CLAIMED, DONE, None, True)
    assert names(steps) == "Claim StandBy Prepare Claim Execute Measure Record"
    assert (steps[0].alone, steps[3].artifact) == (True, {**NEWER, ANEW: True})


def test_what_starts_over_without_its_undo_runs_no_more():
    """Where the new one can't be made, the old one would put back what another call did."""
    _, reply = walk(resume(CALL, ACTS, UNDOABLE, MADE), OCCUPIED, None, Unprepared("no access"))
    assert (reply.state, "its undo could not be made: no access" in reply.text) == (State.REFUSED, True)


def test_what_another_task_runs_is_not_run_here():
    """A lost claim waits for the winner and answers with its outcome."""
    steps, reply = walk(bounded(CALL, route(), plan()), BUSY, seen("done", reply=b"sent"))
    assert names(steps) == "Claim Wait"
    assert reply.recorded == b"sent"


def test_a_lost_claim_without_an_outcome_is_refused():
    """Whatever the reason is, nothing ran."""
    _, reply = walk(bounded(CALL, route(), plan()), NotClaimed("state", "it was demoted."))
    assert (reply.state, reply.error) == (State.REFUSED, True)


def test_all_well_after_it():
    """The undo is made before the claim and stored with it; healthy checks end the call."""
    steps, reply = walk(rollback(CALL, ACTS, UNDOABLE), MADE, CLAIMED, DONE, None, True)
    assert names(steps) == "Prepare Claim Execute Measure Record"
    assert (steps[1].artifact, steps[1].charges, steps[3].checks) == (MADE, (CHARGE,), UNDOABLE.rule.checks)
    assert (steps[4].state, reply.state) == (State.DONE, State.DONE)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State.UNDONE, "ROLLED BACK: send_email ran and was undone, because it is down."),
        (State.UNDO_CONFLICT, "somebody changed the same thing meanwhile"),
        (State.UNDO_FAILED, "the undo failed"),
    ],
)
def test_a_bad_signal_undoes_it(state, said):
    """What came of the undo is recorded under its own state, and the model reads why and what now."""
    steps, reply = walk(
        rollback(CALL, ACTS, UNDOABLE), MADE, CLAIMED, DONE, "it is down", True, UndoOutcome(state), True
    )
    assert names(steps) == "Prepare Claim Execute Measure Record Undo Record"
    assert [steps[4].state, steps[6].state, reply.state] == [State.UNDOING, state, state]
    assert steps[5].artifact == MADE
    assert said in reply.text
    assert reply.error


def test_a_failure_that_leaves_doubt_is_undone_without_measuring():
    """A tool that failed may have done half of it, so it is undone at once; a signal of its own goes on up after it."""
    signal = KeyboardInterrupt()
    failed = Outcome("unknown", text="KeyboardInterrupt.", signal=signal)
    steps, reply = walk(rollback(CALL, ACTS, UNDOABLE), MADE, CLAIMED, failed, True, UndoOutcome(State.UNDONE), True)
    assert names(steps) == "Prepare Claim Execute Record Undo Record"
    assert reply.outcome.signal is signal


def test_a_failure_without_a_signal_raises_nothing():
    """Once it is undone the model is told; nothing is raised in the graph."""
    _, reply = walk(rollback(CALL, ACTS, UNDOABLE), MADE, CLAIMED, UNSURE, True, UndoOutcome(State.UNDONE), True)
    assert reply.outcome is None


@pytest.mark.parametrize("kind", ["failed", "paused"])
def test_where_nothing_happened_nothing_is_undone(kind):
    """A definite failure and a tool's own interrupt had no effect to undo."""
    steps, reply = walk(rollback(CALL, ACTS, UNDOABLE), MADE, CLAIMED, Outcome(kind), True)
    assert names(steps) == "Prepare Claim Execute Record"
    assert steps[3].state is reply.state is State(kind)


def test_without_an_undo_it_asks():
    """An undo that can't be made turns the call into a question before anything ran."""
    steps, _ = walk(rollback(CALL, ACTS, UNDOABLE), Unprepared("PermissionError: no"), question("decline"))
    assert names(steps) == "Prepare Pose"
    assert steps[1].route.reasons[0].code == "undo_not_ready"
    assert "PermissionError: no" in steps[1].route.why


def test_a_full_quota_asks_on_rung_4_too():
    """The undo that was made is thrown away, and the question is asked."""
    steps, _ = walk(rollback(CALL, ACTS, UNDOABLE), MADE, FULL, question("decline"))
    assert names(steps) == "Prepare Claim Pose"


def test_a_report_is_filed_with_the_claim():
    """On rung 5 no action goes unreported, even if the process dies right after the effect."""
    steps, _ = walk(report(CALL, route(Rung.REPORT), UNDOABLE), MADE, CLAIMED, DONE, None, True)
    assert steps[1].report


def test_a_read_on_rung_5_is_reported_and_needs_no_undo():
    """A tool that only reads runs as on rung 3, with its report."""
    steps, _ = walk(report(CALL, route(Rung.REPORT), plan(read_only=True)), CLAIMED, DONE, True)
    assert names(steps) == "Claim Execute Record"
    assert steps[0].report
