"""kill -9 of a whole agent on a SQLite checkpointer: LangGraph runs the task again, and there is one effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.agents import BARE, DURABILITIES, NEXT, die_on_the_way, recover
from tests.faults.conftest import BACKENDS
from tests.faults.crashing import KINDS, WAYS, Point
from tests.faults.matrix import EFFECT, check_file, coarse, happened, ids, nothing_known, product

POINTS = [*coarse("claim"), *EFFECT, *coarse("record"), *NEXT]
ASKED = [*coarse("pose"), *POINTS]
FEW = product(
    ["sqlite"], ["unasked"], ["neither", "probe"], DURABILITIES,
    [Point("after", "claim"), Point("after", "effect"), NEXT[0]],
)  # fmt: skip
MANY = [
    (backend, way, kind, durability, here)
    for backend, way, kind, durability in product(BACKENDS, WAYS, KINDS, DURABILITIES)
    for here in (POINTS if way == "unasked" else ASKED)
]


def one_crash(place, durability, here):
    """Kill it, take the thread up again, and look."""
    assert die_on_the_way(place, durability, here)
    told = recover(place, durability)
    effects = place.world.effects()
    assert effects <= 1
    if place.kind != "undoable":
        assert effects == 1 or place.kind == "neither"
    if nothing_known(here):
        assert effects == 1
    if place.kind == "neither" and not nothing_known(here) and not happened(here):
        assert effects == int(here.what == "next node")
    assert told
    ladder = place.ladder()
    try:
        assert ladder.verify().problems == ()
        asked = ladder.store.read(
            lambda cursor: [row[0] for row in cursor.execute("SELECT state FROM question").fetchall()]
        )
        approved = [entry for entry in ladder.log() if entry.kind == "approved"]
        assert asked.count("used") <= min(len(approved), 1)
        in_doubt = place.kind == "neither" and not nothing_known(here) and here not in {Point("after", "record"), *NEXT}
        assert len(ladder.in_doubt()) == int(in_doubt)
    finally:
        ladder.close()
    if "://" not in place.ledger:
        assert check_file(Path(place.ledger).resolve(), ())[0].problems == ()


@pytest.mark.parametrize("durability", DURABILITIES)
def test_an_agent_without_the_ladder_does_it_twice(place, durability):
    """The trap itself: killed after its effect, a plain agent has it again when its thread is taken up."""
    bare = place(way=BARE)
    assert die_on_the_way(bare, durability, Point("after", "effect"))
    assert recover(bare, durability) == ["sent"]
    assert bare.world.effects() == 2


@pytest.mark.parametrize(("backend", "way", "kind", "durability", "here"), FEW, ids=ids(FEW))
def test_an_agent_is_killed(place, backend, way, kind, durability, here):
    """Taken up again from its checkpoint, or planned anew where there is none, the call has one effect."""
    one_crash(place(backend, way=way, kind=kind), durability, here)


@pytest.mark.faults
@pytest.mark.parametrize(("backend", "way", "kind", "durability", "here"), MANY, ids=ids(MANY))
def test_an_agent_is_killed_anywhere(place, backend, way, kind, durability, here):
    """The same at every point, for every kind of tool, with a question answered elsewhere or in band."""
    one_crash(place(backend, way=way, kind=kind), durability, here)
