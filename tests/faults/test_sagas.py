"""kill -9 of who acts in a scope, and of who undoes it: another process undoes it as a whole, and nothing twice.

The suite has a short case on SQLite; `make faults` has every point on both databases.
"""

from __future__ import annotations

import pytest

from tests.faults.conftest import BACKENDS
from tests.faults.crashing import Point, killed
from tests.faults.scoped import KEY, Scoped, fail, step
from tests.faults.watched import DURING, Watching

AGENT = [Point("before", "effect"), Point("after", "effect"), Point("in", "record"), Point("after", "record")]
"""Where the agent dies in its second step."""
UNDOING = [Point("before", "undo"), Point("after", "undo"), Point("in", "record"), *DURING]
"""Where whoever undoes the scope dies."""
DONE = {Point("after", "undo"), Point("in", "record"), DURING[1]}
"""Of these, those at which the latest member is put back already, and that isn't on record."""
FEW = [("sqlite", UNDOING[1])]
"""The case of the suite."""


def cases(points):
    """Those of the suite, and all of them for `make faults`."""
    return [pytest.param(backend, point, id=f"{backend}-{point}".replace(" ", "-"),
                         marks=() if (backend, point) in FEW else pytest.mark.faults)
            for backend in BACKENDS for point in points]  # fmt: skip


@pytest.fixture
def where(place):
    """Makes a place with a scope in a ledger of its own."""

    def make(backend, **fields):
        plain = place(backend)
        return Scoped(plain.folder, plain.ledger, **fields)

    return make


@pytest.mark.parametrize(("backend", "here"), cases(AGENT))
def test_a_scope_whose_process_died_is_undone_by_the_watcher(where, backend, here):
    """A signal turns bad after the agent's death: what it had done is undone in reverse, once, and nothing stands."""
    place = where(backend, window=60.0)
    with Watching(place):
        assert killed(step, place, here)
        place.ill()
        phase, came = place.ended()
    assert (phase, (place.folder / "value").read_text()) == ("undone", "")
    assert set(came) <= {"undone", "no-op"}
    assert place.count("effects") == place.count("undos")


@pytest.mark.parametrize(("backend", "here"), cases(UNDOING))
def test_whoever_undoes_it_dies(where, backend, here):
    """A step failed, and the agent died while it undid those before: a watcher goes on where it was."""
    place = where(backend, rung="bounded")
    if here in DURING:
        (place.folder / "kill").write_text(here)
    assert killed(fail, place, None if here in DURING else here)
    with Watching(place):
        phase, came = place.ended()
    assert (phase, came[0], came[2]) == ("undone", "undone", "no-op")
    assert came[1] == ("no-op" if here in DONE else "undone"), "what was put back already is found as it was before"
    assert (place.folder / "value").read_text() == ""
    assert place.count("undos") == 2


def test_a_death_by_itself_undoes_nothing(where):
    """It calls for recovery: the scope is shown as left behind, and a later block goes on with it."""
    place = where("sqlite", rung="bounded")
    assert killed(step, place, Point("after", "record"))
    ladder = place.ladder()
    try:
        (view,) = ladder.sagas()
        assert (view.phase, view.lives, view.left_behind, view.waits) == ("open", False, True, True)
        with ladder.saga("move", key=KEY) as saga:
            assert len(saga.members) == 2
        assert (saga.phase, place.count("undos")) == ("closed", 0)
    finally:
        ladder.close()
