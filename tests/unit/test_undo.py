"""Undo: made before the action from the arguments alone, and never over somebody else's change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ladder_graph.errors import UndoConflict
from ladder_graph.states import State
from ladder_graph.steps import NOTHING_TO_UNDO, UndoOutcome, Unprepared
from ladder_graph.tools import NOTHING, Declaration
from ladder_graph.undo import prepare, touched, undo, word_of
from ladder_graph.undo.running import SKIPPED
from tests.unit.walking import CALL


class Shelf:
    """One thing that a tool changes, with everything that a tool must declare to be undone."""

    def __init__(self):
        self.text = "old"
        self.undone = 0

    def declaration(self, **other):
        """Its prepare, undo and fingerprint; or others."""
        return Declaration(**{"prepare": self.prepare, "undo": self.put_back, "fingerprint": self.now, **other})

    def prepare(self, arguments):
        """What the undo needs."""
        return {"text": self.text, "to": arguments["to"]}

    def put_back(self, state):
        """The undo."""
        self.undone += 1
        self.text = state["text"]

    def now(self, state):
        """The fingerprint."""
        return f"fp:{self.text}"


@pytest.fixture
def shelf():
    """A shelf with old text on it."""
    return Shelf()


def test_it_is_made_before_the_action(shelf):
    """The artifact holds what the tool's prepare returned, and the fingerprint before the action."""
    made = prepare(CALL, shelf.declaration())
    assert (made["state"], made["before"]) == ({"text": "old", "to": "ana@example.com"}, "fp:old")


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"prepare": None}, "the tool declares no undo"),
        ({"undo": None}, "the tool declares no undo"),
        ({"prepare": lambda args: args["nope"]}, "KeyError: 'nope'"),
        ({"prepare": lambda _: object()}, "TypeError: Object of type object is not JSON serializable"),
        ({"fingerprint": lambda _: 1 / 0}, "ZeroDivisionError: division by zero"),
        (
            {"fingerprint": lambda state: state},
            "TypeError: fingerprint must give text, as json.dumps does, and gave dict",
        ),
        ({"resource": lambda _: 7}, "TypeError: resource must give text, as json.dumps does, and gave int"),
    ],
)
def test_without_it_nothing_runs_unasked(shelf, other, why):
    """What can't be made, or doesn't survive JSON, is no undo, and says why."""
    assert prepare(CALL, shelf.declaration(**other)) == Unprepared(why)


def test_it_is_made_for_another_process(shelf):
    """The artifact is what JSON makes of it: what another process reads is what was checked here."""
    made = prepare(CALL, shelf.declaration(prepare=lambda _: {1: (2, 3)}))
    assert made["state"] == {"1": [2, 3]}


def test_making_it_cannot_change_the_call(shelf):
    """A prepare that changes its arguments changes a copy."""
    call = replace(CALL)
    prepare(call, shelf.declaration(prepare=lambda args: args.clear() or "x"))
    assert call.arguments == CALL.arguments


def undone(shelf, *, after="fp:new", **other):
    """Act, then undo."""
    declared = shelf.declaration(**other)
    made = prepare(CALL, declared)
    shelf.text = "new"
    return undo(declared, made, after)


def test_it_puts_things_back(shelf):
    """After the undo the resource is as it was."""
    assert undone(shelf) == UndoOutcome(State.UNDONE)
    assert shelf.text == "old"


def test_with_nothing_to_undo_it_keeps_its_hands_off(shelf):
    """Where the action had no effect, the undo isn't run at all."""
    declared = shelf.declaration()
    made = prepare(CALL, declared)
    assert undo(declared, made, None) == UndoOutcome(State.UNDONE, "there was nothing to undo")
    assert shelf.undone == 0


def test_somebody_elses_change_is_left_alone(shelf):
    """What was changed after the action isn't overwritten; a person must look."""
    declared = shelf.declaration()
    made = prepare(CALL, declared)
    shelf.text = "somebody else's"
    assert undo(declared, made, "fp:new").state is State.UNDO_CONFLICT
    assert shelf.text == "somebody else's"


def test_after_a_crash_the_fingerprint_after_the_action_is_unknown(shelf):
    """Without it the undo runs, since the action may have left anything behind."""
    assert undone(shelf, after=None) == UndoOutcome(State.UNDONE)


def test_an_undo_that_raises_has_failed(shelf):
    """Whatever the tool author's undo raises is told to a person."""
    found = undone(shelf, undo=lambda _: 1 / 0)
    assert found == UndoOutcome(State.UNDO_FAILED, "ZeroDivisionError: division by zero")


def test_an_undo_that_does_nothing_has_failed(shelf):
    """The fingerprint afterwards must be the one from before; the undo's word isn't taken for it."""
    found = undone(shelf, undo=lambda _: None)
    assert found == UndoOutcome(State.UNDO_FAILED, "the undo ran, and things are still not as they were")


def test_without_a_fingerprint_the_undo_is_believed(shelf):
    """A tool that declares none gives up the check, and the hands-off."""
    assert undone(shelf, fingerprint=None) == UndoOutcome(State.UNDONE)
    assert shelf.undone == 1


def test_an_undo_of_another_process_needs_its_declaration():
    """Where the tool's undo isn't known, nothing is touched."""
    assert undo(NOTHING, {"state": {}, "before": None}, None).state is State.UNDO_FAILED


def test_after_its_ttl_nothing_is_touched(shelf):
    """A person is told that it is too late."""
    declared = shelf.declaration(ttl="1h")
    artifact = prepare(CALL, declared)
    shelf.text = "new"
    late = undo(declared, artifact, "fp:new", age=3601)
    assert late == UndoOutcome(State.UNDO_FAILED, "too late: it could be undone for 1h, and 3601s have passed")
    assert shelf.text == "new"
    assert undo(declared, artifact, "fp:new", age=3599) == UndoOutcome(State.UNDONE)


def test_an_undo_may_find_the_conflict_itself(shelf):
    """It raises `UndoConflict`, or compares by itself and says whether there was anything to undo."""

    def held(state, after=None):
        raise UndoConflict("somebody holds it")

    assert undone(shelf, undo=held) == UndoOutcome(State.UNDO_CONFLICT, "somebody holds it")
    assert undone(shelf, undo=held, conditional=True).state is State.UNDO_CONFLICT
    for found, word in ((True, "undone"), (False, "no-op")):
        assert word_of(undone(shelf, undo=lambda state, after, found=found: found, conditional=True)) == word


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (UndoOutcome(State.UNDONE), "undone"),
        (UndoOutcome(State.UNDONE, NOTHING_TO_UNDO), "no-op"),
        (UndoOutcome(State.UNDO_CONFLICT, "x"), "conflict"),
        (UndoOutcome(State.UNDO_FAILED, "x"), "failed"),
        (UndoOutcome(State.UNDO_FAILED, f"{SKIPPED}a later one is in the way"), "skipped"),
    ],
)
def test_each_outcome_has_its_word(outcome, word):
    """More than the state tells."""
    assert word_of(outcome) == word


def test_an_undo_cannot_spoil_the_artifact_for_the_next_try(shelf):
    """It gets a copy."""
    declared = shelf.declaration(undo=lambda state: state.clear())
    artifact = prepare(CALL, declared)
    shelf.text = "new"
    undo(declared, artifact, None)
    assert artifact["state"]["text"] == "old"


def test_only_what_another_process_can_run_is_named(shelf):
    """Functions of this process alone leave no import path behind."""
    made = prepare(CALL, shelf.declaration())
    assert (made["undo"], made["fingerprint"], made["kind"]) == (None, None, "reversible")


def test_the_fingerprint_after_the_action(shelf):
    """It is taken where the tool declares one, and unknown where that fails."""
    artifact = {"state": {}, "before": None}
    assert touched(shelf.declaration(), artifact) == "fp:old"
    assert touched(NOTHING, artifact) is None
    for wrong in (lambda _: 1 / 0, lambda state: state):
        assert touched(shelf.declaration(fingerprint=wrong), artifact) is None
