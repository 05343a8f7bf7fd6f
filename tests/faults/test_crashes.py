"""kill -9 at every point of a call's life: never two effects, never a lost one that nobody can see.

The suite has the points around each transaction and the effect; `make faults` has every statement, every way that a
call comes to run, both drivers, and a second and a third crash while somebody recovers.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import replace

import pytest

from ladder_graph.states import State
from tests.faults.conftest import BACKENDS
from tests.faults.crashing import CALL, CONTEXT, KINDS, WAYS, Point, answer, die_on_the_way, go_on, killed, run
from tests.faults.matrix import (
    EFFECT,
    check,
    coarse,
    fine,
    happened,
    ids,
    in_recovery,
    on_the_way,
    product,
    recovered,
)


def one_crash(place, here):
    """Crash at a point, recover, and look."""
    assert die_on_the_way(place, here)
    assert place.world.effects() == int(happened(here))
    reply = go_on(place)
    found = check(place)
    assert found == recovered(place.kind, here)
    assert reply.state is found[0]
    # A third one changes nothing any more.
    assert run(place).state is found[0]
    assert check(place) == found


# --- one crash ---------------------------------------------------------------------------------------------------

FEW = [
    *product(["sqlite"], ["unasked"], ["neither", "probe"], on_the_way("unasked", coarse)),
    *product(["postgres"], ["unasked"], ["neither"], [*coarse("claim")[1:], EFFECT[2], *coarse("record")[1:]]),
    *product(["sqlite"], ["at the ledger", "in band"], ["neither"], coarse("pose")),
    *product(["sqlite"], ["at the ledger"], ["neither"], [*coarse("answer"), *coarse("claim"), *EFFECT]),
    *product(["sqlite"], ["in band"], ["probe"], [*coarse("hear"), *coarse("claim")]),
]
EVERY = [
    (backend, way, kind, driver, here)
    for backend, driver in [("sqlite", "sync"), ("sqlite", "async"), ("postgres", "sync")]
    for way, kind in product(WAYS, KINDS)
    for here in on_the_way(way, fine, kind, backend)
]


@pytest.mark.parametrize(("backend", "way", "kind", "here"), FEW, ids=ids(FEW))
def test_a_process_is_killed_on_its_way(place, backend, way, kind, here):
    """Whoever runs the call next finds out what became of it; what nobody can know is `unknown`, and stays so."""
    one_crash(place(backend, way=way, kind=kind), here)


@pytest.mark.faults
@pytest.mark.parametrize(("backend", "way", "kind", "driver", "here"), EVERY, ids=ids(EVERY))
def test_a_process_is_killed_at_every_statement(place, backend, way, kind, driver, here):
    """The same before each single statement of each transaction, in both drivers and each way of running."""
    one_crash(place(backend, way=way, kind=kind, driver=driver), here)


def counting(place, pipe):
    """Go the whole way, and say how many statements each transaction had."""
    counted = {}
    reply = run(place, counted=counted)
    if reply is None:
        answer(place, counted=counted)
        run(place, counted=counted)
    pipe.send(counted)


def statements(points):
    """How many statements of each transaction these points have."""
    return Counter(point.what for point in points if point.statement)


@pytest.mark.parametrize(
    ("backend", "way"), [*(("sqlite", way) for way in WAYS), ("postgres", "at the ledger"), ("postgres", "in band")]
)
def test_the_matrix_knows_every_statement(place, backend, way):
    """A transaction that grows by a statement makes the matrix grow with it."""
    here, there = CONTEXT.Pipe()
    assert not killed(counting, place(backend, way=way), there)
    assert here.recv() == statements(on_the_way(way, fine, "neither", backend))


@pytest.mark.parametrize("first", [Point("before", "effect"), Point("after", "effect")], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_the_matrix_knows_every_statement_of_a_recovery(place, kind, first):
    """So does one that finds out what became of a call."""
    where = place(kind=kind)
    assert killed(run, where, first)
    here, there = CONTEXT.Pipe()
    assert not killed(counting, where, there)
    assert here.recv() == statements(in_recovery(kind, first))


# --- a second and a third crash ----------------------------------------------------------------------------------

FIRST = [Point("in", "claim"), Point("after", "claim"), *EFFECT, Point("before", "record"), Point("in", "record")]
TWO = [
    (backend, kind, first, second)
    for backend, kind, first in product(BACKENDS, KINDS, FIRST)
    for second in in_recovery(kind, first, backend)
]
LATER = [
    *(Point(when, what) for what in ("takeover", "record", "claim") for when in ("in", "after")),
    *EFFECT, Point("before", "undo"), Point("after", "undo"), Point("after", "probe"),
]  # fmt: skip
THREE = product(["sqlite"], KINDS, [Point("after", "claim"), Point("after", "effect")], LATER, LATER)
SECOND = [
    (backend, way, kind, first, second)
    for backend, way, kind in product(BACKENDS, ["at the ledger", "in band"], ["probe", "neither"])
    for first, second in product(on_the_way(way, coarse), [*on_the_way(way, coarse), *coarse("takeover")])
]


@pytest.mark.faults
@pytest.mark.parametrize(("backend", "kind", "first", "second"), TWO, ids=ids(TWO))
def test_the_one_who_finds_out_is_killed_too(place, backend, kind, first, second):
    """A second crash at any statement while somebody recovers from the first."""
    where = place(backend, kind=kind)
    assert killed(run, where, first)
    assert killed(run, where, second), "it never came by that point"
    reply = run(where)
    assert reply.state is check(where)[0]


@pytest.mark.faults
@pytest.mark.parametrize(("backend", "kind", "first", "second", "third"), THREE, ids=ids(THREE))
def test_two_who_find_out_are_killed(place, backend, kind, first, second, third):
    """Three crashes, two of them while somebody recovers, as far as they come by those points."""
    where = place(backend, kind=kind)
    assert killed(run, where, first)
    killed(run, where, second)
    killed(run, where, third)
    reply = run(where)
    assert reply.state is check(where)[0]


@pytest.mark.faults
@pytest.mark.parametrize(("backend", "way", "kind", "first", "second"), SECOND, ids=ids(SECOND))
def test_an_approval_is_used_once_through_two_crashes(place, backend, way, kind, first, second):
    """Asked, answered and consumed survive two crashes: one question, one approval, at most one effect."""
    where = place(backend, way=way, kind=kind)
    assert die_on_the_way(where, first)
    die_on_the_way(where, second)
    reply = go_on(where)
    assert reply.state is check(where)[0]


# --- a crash at no point in particular ---------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("times", [8, pytest.param(150, marks=pytest.mark.faults)])
def test_a_kill_from_outside(place, tmp_path, backend, times):
    """The kill comes at a moment that nobody chose, inside a COMMIT as well as between two."""
    for n in range(times):
        (folder := tmp_path / str(n)).mkdir()
        where = place(backend, folder=folder, kind=random.choice(KINDS), way=random.choice(WAYS[::2]))  # noqa: S311
        process = CONTEXT.Process(target=run, args=(where,))
        process.start()
        time.sleep(random.uniform(0, 0.06))  # noqa: S311
        process.kill()
        process.join(60)
        reply = go_on(where)
        assert reply.state is check(where)[0]


# --- afterwards --------------------------------------------------------------------------------------------------


def the_same_under_another_id(where, here):
    """Check that a call which is in doubt isn't run under another id."""
    assert killed(run, where, here)
    before = where.world.effects()
    reply = run(where, call=replace(CALL, id="call_2"))
    assert reply.state is State.REFUSED
    assert where.world.effects() == before


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("here", [Point("after", "claim"), Point("after", "effect")], ids=str)
def test_the_same_call_under_another_id(place, backend, here):
    """A graph that plans anew after a crash proposes the same with a new id: it doesn't get past the doubt."""
    the_same_under_another_id(place(backend), here)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_person_ends_the_doubt(place, backend):
    """`resolve` settles the quota, and the thread reads what the person found."""
    where = place(backend)
    killed(run, where, Point("after", "effect"))
    run(where)
    ladder = where.ladder()
    assert [action.state for action in ladder.in_doubt()] == [State.UNKNOWN]
    ladder.resolve(CALL.short, happened=True, by="ana", reason="it is in her inbox")
    ladder.close()
    assert check(where) == (State.DONE, 1)
    assert "ana found out" in run(where).text
