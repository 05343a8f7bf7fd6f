"""kill -9 while a person's edit comes in and is carried out: only the edited call runs, and at most once."""

from __future__ import annotations

import itertools

import pytest

from ladder_graph.states import State
from tests.faults.crashing import CALL, EDITED, KINDS, Place, Point, killed, run

ANSWERED = (Point("before", "hear"), *(Point("in", "hear", n) for n in range(1, 34, 3)), Point("in", "hear"))
"""Before and in the transaction that takes the edit; before every third of its statements, and before its COMMIT."""
TAKEN = (Point("after", "hear"), Point("before", "claim"), Point("in", "claim"))
RUNNING = (
    Point("after", "claim"), Point("before", "effect"), Point("in", "effect"), Point("after", "effect"),
    Point("before", "record"), Point("in", "record"),
)  # fmt: skip
OVER = (Point("after", "record"),)
FINDING_OUT = (Point("before", "takeover"), Point("in", "takeover"), Point("after", "takeover"))


@pytest.fixture
def place(tmp_path):
    """A ledger and a world, where the call is asked about and edited."""
    return Place(tmp_path, str(tmp_path / "ladder.db"), "neither", "edited")


def check(place):
    """What must hold after any number of crashes: the first call never ran, and its successor at most once."""
    lines = place.world.file.read_text().splitlines() if place.world.file.exists() else []
    assert lines in ([], [EDITED.key])
    ladder = place.ladder()
    try:
        assert ladder.verify().ok
        states = {action.key: action.state for action in ladder.actions()}
        assert states.get(CALL.key) in {None, State.ASKED, State.EDITED}
        assert (states.get(CALL.key) is State.EDITED) == (EDITED.key in states)
        assert sum(entry.kind == "edited" for entry in ladder.log(action=CALL.key)) <= 1
        return states.get(EDITED.key), len(lines)
    finally:
        ladder.close()


POINTS = [*ANSWERED, *TAKEN, *RUNNING, *OVER]
FEW = [*ANSWERED[:1], *ANSWERED[-1:], *TAKEN[:2], *TAKEN[-1:], *RUNNING, *OVER[:1]]
"""The points of the suite; `make faults` has every statement."""


@pytest.mark.parametrize("kind", ["neither", pytest.param("probe", marks=pytest.mark.faults)])
@pytest.mark.parametrize(
    "here", [pytest.param(here, id=str(here), marks=() if here in FEW else pytest.mark.faults) for here in POINTS]
)
def test_a_process_is_killed_with_an_edit_in_hand(place, kind, here):
    """Whoever runs the call next is led to its successor, which runs once, or is in doubt where nobody can know."""
    place = place.called(kind=kind)
    died = killed(run, place, here)
    # A transaction may have fewer statements than are tried.
    assert died or here.statement
    check(place)
    reply = run(place)
    state, effects = check(place)
    if kind == "neither" and here in RUNNING:
        assert state is State.UNKNOWN
    else:
        assert (state, effects) == (State.DONE, 1)
    assert reply.state is state
    assert reply.note.startswith("EDITED by ana")
    # A third one changes nothing any more.
    assert run(place).state is state
    assert check(place) == (state, effects)


def test_the_statements_of_the_transaction_are_all_tried(place):
    """Taking an edit has no more statements than the points reach."""
    counted = {}
    run(place, counted=counted)
    assert 20 <= counted["hear"] <= 33


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("first", "second"),
    list(itertools.product([*ANSWERED, *TAKEN, *RUNNING, *OVER], [*TAKEN, *RUNNING, *OVER, *FINDING_OUT])),
    ids=str,
)
def test_the_one_who_goes_on_is_killed_too(place, kind, first, second):
    """Two crashes at any two points: still at most one effect, and never one of the first call."""
    place = place.called(kind=kind)
    killed(run, place, first)
    killed(run, place, second)
    reply = run(place)
    state, _ = check(place)
    assert reply.state is state
