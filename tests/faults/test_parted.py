"""Whoever acts on a part first may die at any step: each of the two runs at most once, and the whole comes to one end.

The suite leaves the call in this process before the steps of its life, and kills a few processes; `make faults` kills
one at each step, on both databases, and leaves a second time on the way back.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from ladder_graph.states import State
from ladder_graph.turns import awaiting
from tests.faults.conftest import BACKENDS
from tests.faults.parted import Parted, act, killed

ILL = {"healthy": (), "part": ("one",), "rest": ("three",)}
"""What is ill, and so which end the call comes to."""
WATCHED = {"watch": (("window", 60.0), ("canary", 0.3)), "check": (("count", 0), ("every", 0.1)), "watcher": "thread"}
"""Only while it is watched is anything measured; and a thread of the same process watches."""


@pytest.fixture
def where(place):
    """Makes a place in a ledger of its own."""

    def make(backend="sqlite", ill=(), **fields):
        plain = place(backend)
        new = Parted(plain.folder, plain.ledger, **fields)
        new.ill(*ill)
        return new

    return make


@pytest.fixture
def places(tmp_path):
    """Makes any number of places on SQLite."""

    def make(name, ill=(), **fields):
        folder = tmp_path / str(name)
        folder.mkdir()
        new = Parted(folder, str(folder / "ladder.db"), **fields)
        new.ill(*ill)
        return new

    return make


def stands(place):
    """The state of each action by its key, and what each quota has used and holds."""
    ladder = place.ladder()
    try:
        ladder.watcher.settle()
        assert ladder.verify().problems == ()
        counted = ladder.store.read(
            lambda cursor: [tuple(row) for row in cursor.execute("SELECT used, reserved FROM quota").fetchall()]
        )
        return {one.key: State(one.state) for one in ladder.actions()}, counted
    finally:
        ladder.close()


def ends(place, ill):
    """All that must hold once the call is over, wherever somebody had left it."""
    found, counted = stands(place)
    effects, undos = place.lines("effects"), place.lines("undos")
    assert len(effects) == len(set(effects)), "something ran twice"
    assert counted == [(1, 0)]
    if not ill:
        assert found[place.call.key] is State.DONE
        assert place.lines("value") == effects == ["one", "two", "three"]
        assert undos == []
        return
    assert found[place.call.key] is State.UNDONE
    assert place.lines("value") == []
    of_the_part, of_the_rest = r"'one\n' -> ''", r"'one\ntwo\nthree\n' -> 'one\n'"
    if "one" in ill:
        assert (effects, undos) == (["one"], [of_the_part])
    else:
        assert (effects, undos) == (["one", "two", "three"], [of_the_rest, of_the_part])


FROM = {"healthy": 3, "part": 8, "rest": 13}
"""The first step before which the suite leaves each of them; what comes before that is the same for all."""


@pytest.mark.parametrize("ill", ILL)
def test_left_before_any_step_it_goes_on_from_there(places, ill):
    """Once the thread is resumed, part and rest have run once each or are undone, and one call is counted."""
    _, steps = act(places("whole", ILL[ill]))
    assert steps[FROM[ill] :]
    for at in range(FROM[ill], len(steps)):
        place = places(at, ILL[ill])
        assert act(place, at)[0] is None
        act(place)
        ends(place, ILL[ill])


@pytest.mark.faults
@pytest.mark.parametrize("ill", ILL)
def test_left_twice(places, ill):
    """Whoever comes back may leave as well, before any of its own steps; what the model reads stays the same then."""
    _, steps = act(places("whole", ILL[ill]))
    for first in range(len(steps)):
        left, second = True, 0
        while left:
            place = places(f"{first}-{second}", ILL[ill])
            assert act(place, first)[0] is None
            left = act(place, second)[0] is None
            reply, again = act(place)[0], act(place)[0]
            assert again.state is reply.state
            assert again.recorded is not None or again.text == reply.text
            ends(place, ILL[ill])
            second += 1


FEW = [("sqlite", "healthy", 7)]
"""After the part's effect."""
CASES = [
    pytest.param(backend, ill, at, marks=() if (backend, ill, at) in FEW else pytest.mark.faults)
    for backend in BACKENDS
    for ill in ILL
    for at in range(22)
]


@pytest.mark.parametrize(("backend", "ill", "at"), CASES)
def test_killed_before_a_step(where, backend, ill, at):
    """The same by SIGKILL."""
    place = where(backend, ILL[ill])
    killed(place, at)
    act(place)
    ends(place, ILL[ill])


@pytest.mark.parametrize("ill", ILL)
def test_the_same_call_under_another_id_never_adds_to_what_is_there(places, ill):
    """A thread that has lost the call proposes it anew: what had been done of it is undone, or it isn't run again."""
    _, steps = act(places("whole", ILL[ill]))
    for at in range(steps.index("Measure"), len(steps), 3):
        place = places(at, ILL[ill])
        act(place, at)
        second, _ = act(place, name="call_2")
        found, _ = stands(place)
        first = found[place.call.key]
        assert place.lines("value") == ([] if ill != "healthy" else ["one", "two", "three"])
        if second.state is State.REFUSED:
            assert first is State.DONE
        else:
            assert first in {State.UNDONE, State.FAILED}
            assert second.state is (State.DONE if ill == "healthy" else State.UNDONE)


@pytest.mark.parametrize("ill", ["healthy", pytest.param("part", marks=pytest.mark.faults)])
def test_a_watched_part_lets_the_rest_run_or_ends_it(places, ill):
    """The rest waits until the watch over the part has ended; a part that goes bad meanwhile ends the call."""
    place = places(ill, ILL[ill], **WATCHED)
    reply, steps = act(place)
    assert "Await" in steps
    assert reply.state is (State.UNDONE if ILL[ill] else State.DONE)
    assert place.lines("effects") == (["one"] if ILL[ill] else ["one", "two", "three"])
    assert place.lines("value") == ([] if ILL[ill] else ["one", "two", "three"])


def test_what_nobody_watched_is_not_healthy(places, monkeypatch):
    """Without a watcher the part is undone once its time is over, and the rest never runs."""
    monkeypatch.setattr(awaiting, "GRACE", 0.1)
    place = places("alone", rung="bounded", **{**WATCHED, "watcher": "process"})
    reply, _ = act(place)
    assert (reply.state, place.lines("value"), place.lines("effects")) == (State.UNDONE, [], ["one"])
    assert "nobody measured it in time" in reply.text


@pytest.mark.parametrize("ill", ["healthy", "part"])
def test_left_while_the_part_is_watched(places, ill):
    """The watch goes on without the call: whoever resumes it finds a part that is good, or none."""
    place = places(ill, ILL[ill], **WATCHED)
    _, steps = act(places("whole", **WATCHED))
    assert act(place, steps.index("Await"))[0] is None
    reply, _ = act(place)
    assert reply.state is (State.UNDONE if ILL[ill] else State.DONE)
    assert place.lines("effects") == (["one"] if ILL[ill] else ["one", "two", "three"])


@pytest.mark.parametrize("left", [True, pytest.param(False, marks=pytest.mark.faults)])
def test_a_rest_that_goes_bad_later_takes_the_part_with_it(places, left):
    """While the whole is watched, whoever watches undoes the rest, and then the part, also of a call that was left."""
    place = places("later", watch=(("window", 60.0),), check=(("every", 0.05),), rung="bounded")
    steps = act(places("whole"))[1]
    reply, _ = act(place, len(steps) - 1 if left else None)
    assert (reply is None) is left
    place.ill("three")
    ladder, until = place.ladder(), time.monotonic() + 30
    try:
        while place.lines("value") and time.monotonic() < until:
            time.sleep(0.05)
            ladder.watcher.settle()
    finally:
        ladder.close()
    found, _ = stands(replace(place, watch=()))
    assert set(found.values()) == {State.UNDONE}
    assert len(place.lines("undos")) == 2


def claims_of(steps):
    """The places of the three claims."""
    return [place for place, name in enumerate(steps) if name == "Claim"]


def test_a_part_that_somebody_undoes_meanwhile_is_followed_by_nothing(places):
    """The claim of the rest looks whether the part stands: a person may be faster, by the very last moment."""
    place, (_, _, of_the_rest) = places("place"), claims_of(act(places("whole"))[1])

    def undone():
        ladder = place.ladder()
        try:
            part = ladder.parts(place.call.key)[0]
            assert ladder.undo(part.key, by="ana") is State.UNDONE
        finally:
            ladder.close()

    reply, _ = act(place, of_the_rest, leave=undone)
    assert (reply.state, place.lines("effects"), place.lines("value")) == (State.UNDONE, ["one"], [])


@pytest.mark.parametrize("at", ["Execute", "Prepare"])
def test_a_split_that_was_changed_in_the_ledger_is_not_run(places, at):
    """Nobody knows what was to run: nothing does, and a person must find out."""
    place, steps = places("place"), act(places("whole"))[1]
    act(place, len(steps) - 1 - steps[::-1].index(at))
    ladder = place.ladder()
    try:
        ladder.store.write(lambda cursor: cursor.execute(
            "UPDATE payload SET body = replace(body, 'three', 'drei') WHERE body LIKE '%goes first%'", {}
        ))  # fmt: skip
    finally:
        ladder.close()
    before = place.lines("effects")
    reply, _ = act(place)
    assert (reply.state, place.lines("effects")) == (State.UNKNOWN, before)
