"""kill -9 while a person's edit comes in and is carried out: only the edited call runs, and at most once."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from ladder_graph.states import State
from tests.faults.crashing import ANSWERED, CALL, KINDS, LATER, POINTS, World, killed, ladder_for, run_answered

EDIT = {
    "type": "edit",
    "by": "ana",
    "edited_action": {"name": "send_email", "args": {"to": "bo@example.com"}},
}
EDITED = replace(CALL, arguments={"to": "bo@example.com"})
ALL = (*ANSWERED, *POINTS)
SURE = {*ANSWERED, "before claim", "in claim", "after record"}


def check(folder, kind):
    """What must hold after any number of crashes: the first call never ran, and its successor at most once."""
    world = World(folder, kind)
    lines = world.file.read_text().splitlines() if world.file.exists() else []
    assert lines in ([], [EDITED.key])
    ladder = ladder_for(folder, world, "confirm")
    try:
        assert ladder.verify().ok
        states = {action.key: action.state for action in ladder.actions()}
        assert states.get(CALL.key) in {None, State.ASKED, State.EDITED}
        assert (states.get(CALL.key) is State.EDITED) == (EDITED.key in states)
        edits = [entry for entry in ladder.log(action=CALL.key) if entry.kind == "edited"]
        assert len(edits) <= 1
        return states.get(EDITED.key), len(lines)
    finally:
        ladder.close()


@pytest.mark.parametrize("kind", ["probe", "neither"])
@pytest.mark.parametrize("point", ALL)
def test_a_process_is_killed_with_an_edit_in_hand(tmp_path, kind, point):
    """Whoever runs the call next is led to its successor, which runs once, or is in doubt where nobody can know."""
    assert killed(run_answered, tmp_path, kind, EDIT, point)
    check(tmp_path, kind)
    reply = run_answered(tmp_path, kind, EDIT)
    state, effects = check(tmp_path, kind)
    if kind == "probe" or point in SURE:
        assert (state, effects) == (State.DONE, 1)
    else:
        assert state is State.UNKNOWN
    assert reply.state is state
    assert reply.note.startswith("EDITED by ana")
    # A third one changes nothing any more.
    assert run_answered(tmp_path, kind, EDIT).state is state
    assert check(tmp_path, kind) == (state, effects)


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("first", "second"), list(itertools.product(ALL, (*ANSWERED, *LATER))))
def test_the_one_who_goes_on_is_killed_too(tmp_path, kind, first, second):
    """Two crashes at any two points: still at most one effect, and never one of the first call."""
    assert killed(run_answered, tmp_path, kind, EDIT, first)
    killed(run_answered, tmp_path, kind, EDIT, second)
    reply = run_answered(tmp_path, kind, EDIT)
    state, _ = check(tmp_path, kind)
    assert reply.state is state
