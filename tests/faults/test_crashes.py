"""kill -9 at every point of a call's life: never two effects, never a lost one that nobody can see."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from ladder_graph.states import State
from tests.faults.crashing import CALL, KINDS, LATER, POINTS, World, killed, ladder_for, run

HAPPENED = set(POINTS[POINTS.index("after effect") :])
RECORDED = {"after record"}
NOTHING_KNOWN = {"before claim", "in claim"}


def expected(kind, point):
    """What a recovery must come to: the state, and how many effects there are at last."""
    if kind == "undoable" and point not in NOTHING_KNOWN | RECORDED:
        return State.UNDONE, 0
    if kind == "neither" and point not in NOTHING_KNOWN | RECORDED:
        return State.UNKNOWN, int(point in HAPPENED)
    return State.DONE, 1


def check(folder, kind):
    """What must hold after any number of crashes, once somebody has recovered."""
    world = World(folder, kind)
    ladder = ladder_for(folder, world)
    try:
        assert world.effects() <= 1
        assert ladder.verify().ok
        known = ladder.actions()
        assert len(known) == 1
        used, held = ladder.store.read(
            lambda cursor: tuple(cursor.execute("SELECT used, reserved FROM quota").fetchone())
        )
        assert (used, held) == ((0, 1) if known[0].state is State.UNKNOWN else (1, 0))
        return known[0].state, world.effects()
    finally:
        ladder.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("point", POINTS)
def test_a_process_is_killed_on_its_way(tmp_path, kind, point):
    """Whoever runs the call next finds out what became of it; what nobody can know is `unknown`, and stays so."""
    assert killed(run, tmp_path, kind, point)
    effects = World(tmp_path, kind).effects()
    assert effects == int(point in HAPPENED)
    reply = run(tmp_path, kind)
    state, effects = check(tmp_path, kind)
    assert (state, effects) == expected(kind, point)
    assert reply.state is state
    # A third one changes nothing any more.
    assert run(tmp_path, kind).state is state
    assert check(tmp_path, kind) == (state, effects)


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("first", "second"), list(itertools.product(POINTS, LATER)))
def test_the_one_who_finds_out_is_killed_too(tmp_path, kind, first, second):
    """Two crashes at any two points, the second one while somebody recovers from the first."""
    assert killed(run, tmp_path, kind, first)
    killed(run, tmp_path, kind, second)
    reply = run(tmp_path, kind)
    state, _ = check(tmp_path, kind)
    assert reply.state is state


@pytest.mark.parametrize("point", ["after claim", "after effect"])
def test_the_same_call_under_another_id(tmp_path, point):
    """A graph that plans anew after a crash proposes the same with a new id: it doesn't get past the doubt."""
    assert killed(run, tmp_path, "neither", point)
    before = World(tmp_path, "neither").effects()
    reply = run(tmp_path, "neither", call=replace(CALL, id="call_2"))
    assert reply.state is State.REFUSED
    assert World(tmp_path, "neither").effects() == before


def test_a_person_ends_the_doubt(tmp_path):
    """`resolve` settles the quota, and the thread reads what the person found."""
    killed(run, tmp_path, "neither", "after effect")
    run(tmp_path, "neither")
    ladder = ladder_for(tmp_path, World(tmp_path, "neither"))
    assert [action.state for action in ladder.actions()] == [State.UNKNOWN]
    ladder.resolve(CALL.short, happened=True, by="ana", reason="it is in her inbox")
    ladder.close()
    assert check(tmp_path, "neither") == (State.DONE, 1)
    assert "ana found out" in run(tmp_path, "neither").text
