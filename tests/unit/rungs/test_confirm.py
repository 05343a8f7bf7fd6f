"""Rung 2: asks until there is a decision about exactly this, then runs once or not at all."""

from __future__ import annotations

import pytest

from ladder_graph.facts import Outcome
from ladder_graph.rungs.confirm import confirm
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import NotClaimed, UndoOutcome, Unprepared
from tests.unit.walking import BUSY, CALL, CHECKS, CLAIMED, DONE, UNSURE, names, plan, question, route, seen, walk

ASKS = route(Rung.CONFIRM)
OPEN, YES = question(), question("approve")


def test_it_asks_until_it_understands():
    """An answer that can't be taken is said back as a complaint, and the question is asked again."""
    steps, reply = walk(
        confirm(CALL, ASKS, plan()), OPEN, "hm", "that is no answer", {"type": "approve"}, YES, CLAIMED, DONE, True
    )
    assert names(steps) == "Pose Ring Heard Ring Heard Claim Execute Record"
    assert [steps[1].complaint, steps[3].complaint] == ["", "that is no answer"]
    assert (steps[5].question, steps[5].charges, steps[5].durable) == (YES, (), True)
    assert (reply.state, reply.outcome) == (State.DONE, DONE)


def test_an_answer_by_another_way_is_found():
    """On resume nobody is woken again: the decision lies in the ledger already."""
    steps, reply = walk(confirm(CALL, ASKS, plan()), YES, CLAIMED, DONE, True)
    assert names(steps) == "Pose Claim Execute Record"
    assert reply.state is State.DONE


@pytest.mark.parametrize("answered", [True, False])
def test_a_no_runs_nothing(answered):
    """After a no the model reads who said so and why, whichever way the no came."""
    no = question("decline")
    answers = [no] if answered else [OPEN, {"type": "decline"}, no]
    steps, reply = walk(confirm(CALL, ASKS, plan()), *answers)
    assert "Claim" not in names(steps)
    assert (reply.state, reply.text[:24]) == (State.DECLINED, "DECLINED by ana: because")


def test_silence_is_a_no():
    """A question that expired runs nothing."""
    _, reply = walk(confirm(CALL, ASKS, plan()), question(expired=True))
    assert reply.state is State.EXPIRED


def test_an_answer_that_came_too_late():
    """A question that expired while somebody answered is closed by that."""
    _, reply = walk(confirm(CALL, ASKS, plan()), OPEN, {"type": "approve"}, question(expired=True))
    assert reply.state is State.EXPIRED


def test_an_approval_that_is_gone_runs_nothing():
    """Where the approval was used or taken back before the claim, the model is told, and nothing ran."""
    gone = NotClaimed("approval", "its approval was used or taken back.")
    steps, reply = walk(confirm(CALL, ASKS, plan()), YES, gone)
    assert names(steps) == "Pose Claim"
    assert (reply.state, reply.text) == (
        State.REFUSED,
        "send_email did not run: its approval was used or taken back. Do not repeat it; carry on without it.",
    )


@pytest.mark.parametrize("lost_at", ["Pose", "Claim"])
def test_who_is_second_gets_the_outcome_of_the_first(lost_at):
    """Two tasks resume the same call: one runs it, the other answers with what came of that."""
    answers = [BUSY] if lost_at == "Pose" else [YES, BUSY]
    _, reply = walk(confirm(CALL, ASKS, plan()), *answers, seen("done", reply=b"sent"))
    assert (reply.state, reply.recorded) == (State.DONE, b"sent")


def test_who_is_second_and_learns_nothing_is_refused():
    """Where the other task's outcome can't be had, nothing ran here, and that is said."""
    _, reply = walk(confirm(CALL, ASKS, plan()), BUSY, seen("started", owner_alive=True))
    assert reply.state is State.REFUSED
    assert "did not run" in reply.text


def test_doubt_is_said_as_doubt():
    """A tool that failed without saying that nothing happened is in doubt, and the model must not repeat it."""
    steps, reply = walk(confirm(CALL, ASKS, plan()), YES, CLAIMED, UNSURE, True)
    assert steps[-1].state is reply.state is State.UNKNOWN
    assert "TimeoutError: no answer." in reply.text
    assert reply.error


def test_a_definite_failure_is_said_as_one():
    """A tool that says that nothing happened has failed, and may be tried differently."""
    _, reply = walk(confirm(CALL, ASKS, plan()), YES, CLAIMED, Outcome("failed", text="Refused."), True)
    assert reply.state is State.FAILED
    assert "changed nothing: Refused." in reply.text


def test_the_tools_own_error_stands():
    """Where the tool failed with a message of its own, the model reads that one."""
    _, reply = walk(confirm(CALL, ASKS, plan()), YES, CLAIMED, Outcome("failed", reply="No such table."), True)
    assert (reply.state, reply.text) == (State.FAILED, "")


def test_a_read_that_fails_had_no_effect():
    """Whatever a tool that only reads says when it fails, it is not in doubt."""
    steps, _ = walk(confirm(CALL, ASKS, plan(read_only=True)), YES, CLAIMED, UNSURE, True)
    assert steps[-1].state is State.FAILED


def test_a_signal_is_carried_through():
    """A tool's own interrupt is recorded as a pause, and handed on."""
    signal = RuntimeError("stop")
    steps, reply = walk(confirm(CALL, ASKS, plan()), YES, CLAIMED, Outcome("paused", signal=signal), True)
    assert (steps[-1].state, reply.state) == (State.PAUSED, State.PAUSED)
    assert reply.outcome.signal is signal


def test_a_tool_that_can_be_undone_is_watched_here_too():
    """An approved call is measured, and undone on a bad signal, where its tool can be undone."""
    steps, reply = walk(
        confirm(CALL, ASKS, plan(undoable=True, checks=CHECKS)), YES, {"a": 1}, CLAIMED, DONE, "it is down", True,
        UndoOutcome(State.UNDONE), True,
    )  # fmt: skip
    assert names(steps) == "Pose Prepare Claim Execute Measure Record Undo Record"
    assert (steps[2].artifact, reply.state) == ({"a": 1}, State.UNDONE)


def test_without_a_check_a_person_keeps_it():
    """Nothing is measured before the reply where a person must keep the action, or it is undone."""
    steps, reply = walk(confirm(CALL, ASKS, plan(undoable=True)), YES, {"a": 1}, CLAIMED, DONE, True)
    assert names(steps) == "Pose Prepare Claim Execute Record"
    assert reply.state is State.DONE


def test_an_approved_call_waits_for_another_at_the_same_thing():
    """It was approved whatever becomes of the other one; its undo is made for what that leaves."""
    occupied = NotClaimed("occupied", "another call is at it.", "k1")
    steps, reply = walk(
        confirm(CALL, ASKS, plan(undoable=True)), YES, {"a": 1}, occupied, None, {"a": 2}, CLAIMED, DONE, True
    )
    assert names(steps) == "Pose Prepare Claim StandBy Prepare Claim Execute Record"
    assert (steps[5].artifact, steps[5].question, reply.state) == ({"a": 2}, YES, State.DONE)


def test_an_undo_that_cannot_be_made_holds_nobody_up():
    """A person has decided; the call runs without its undo."""
    steps, reply = walk(confirm(CALL, ASKS, plan(undoable=True)), YES, Unprepared("no access"), CLAIMED, DONE, True)
    assert names(steps) == "Pose Prepare Claim Execute Record"
    assert (steps[2].artifact, reply.state) == (None, State.DONE)
