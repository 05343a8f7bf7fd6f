"""kill -9 of who acts and of who watches: a bad action is undone exactly once, and a healthy one stays.

The suite has one point of each kind on SQLite and a few on PostgreSQL; `make faults` has every point on both, and the
death of each with each.
"""

from __future__ import annotations

import pytest

from ladder_graph.states import State
from tests.faults.conftest import BACKENDS
from tests.faults.crashing import Point, killed
from tests.faults.watched import DURING, Watched, Watching, act

AGENT = [Point("after", "effect"), Point("before", "record"), Point("in", "record"), Point("after", "reply")]
"""Where the agent dies once it has acted: its window is armed, or open."""
WATCHER = [
    Point("in", "measurement"), Point("before", "takeover"), Point("before", "undo"), *DURING, Point("after", "undo"),
    Point("in", "record", 1), Point("in", "record"), Point("after", "record"),
]  # fmt: skip
"""Where the watcher dies: before its undo, during it, and after it."""


@pytest.fixture
def where(place):
    """Makes a watched place in a ledger of its own."""

    def make(backend, **fields):
        plain = place(backend)
        return Watched(plain.folder, plain.ledger, **fields)

    return make


def cases():
    """Those of the suite, and all of them for `make faults`."""
    whole = [(backend, one) for backend in BACKENDS for one in (*AGENT, *WATCHER)]
    return [pytest.param(*case, id="-".join(map(str, case)).replace(" ", "-"),
                         marks=() if case in FEW else pytest.mark.faults) for case in whole]  # fmt: skip


FEW = [
    ("sqlite", AGENT[0]), ("postgres", AGENT[3]), ("sqlite", WATCHER[1]), ("sqlite", DURING[-1]),
    ("postgres", WATCHER[5]),
]  # fmt: skip


def watcher_dies(place, here):
    """Let a watcher come to its point and die there."""
    if here in DURING:
        (place.folder / "kill").write_text(here)
    with Watching(place, None if here in DURING else here) as watching:
        if not (place.folder / "effects").exists():
            act(place)
        watching.dies()


@pytest.mark.parametrize(("backend", "here"), cases())
def test_a_bad_action_is_undone_exactly_once(where, backend, here):
    """Whoever dies, and wherever: another watcher finishes what was begun, and nothing is done twice."""
    place = where(backend)
    place.ill()
    if here in AGENT:
        with Watching(place):
            assert killed(act, place, here)
            found = place.ends()
    else:
        watcher_dies(place, here)
        with Watching(place):
            found = place.ends()
    assert found == (State.UNDONE, "undone")
    assert (place.count("effects"), place.count("undos")) == (1, 1)
    assert (place.folder / "value").read_text() == ""


@pytest.mark.faults
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("second", WATCHER[1:], ids=str)
@pytest.mark.parametrize("first", AGENT, ids=str)
def test_both_die(where, backend, first, second):
    """The agent dies once it has acted, and then the watcher that saw to it."""
    place = where(backend)
    place.ill()
    with Watching(place):
        pass  # It has said that it watches, and was killed; nobody knows that for a moment.
    alone = Watched(place.folder, place.ledger, rung="bounded")
    assert killed(act, alone, first)
    watcher_dies(place, second)
    with Watching(place):
        assert place.ends() == (State.UNDONE, "undone")
    assert (place.count("effects"), place.count("undos")) == (1, 1)


@pytest.mark.parametrize(
    "backend", ["sqlite", pytest.param("postgres", marks=pytest.mark.faults)]
)  # fmt: skip
def test_one_process_that_acts_and_watches_dies(where, backend):
    """The next one that has the tool finishes what the earlier left, in its own thread."""
    place = where(backend, watcher="thread")
    place.ill()
    assert killed(act, place, Point("after", "effect"))
    ladder = place.ladder()
    try:
        assert ladder.watcher.running
        assert place.ends() == (State.UNDONE, "undone")
    finally:
        ladder.close()
    assert (place.count("effects"), place.count("undos")) == (1, 1)


HEALTHY = [
    ("sqlite", AGENT[0], None), ("sqlite", None, Point("in", "measurement")),
    pytest.param("postgres", AGENT[3], None, marks=pytest.mark.faults),
]  # fmt: skip


@pytest.mark.parametrize(("backend", "agent", "watcher"), HEALTHY)
def test_a_healthy_action_stays(where, backend, agent, watcher):
    """What is healthy is kept when its window ends, whoever died meanwhile."""
    place = where(backend)
    if watcher is not None:
        watcher_dies(place, watcher)
    with Watching(place):
        if agent is not None:
            assert killed(act, place, agent)
        assert place.ends() == (State.DONE, "kept")
    assert (place.count("effects"), place.count("undos")) == (1, 0)


@pytest.mark.parametrize("backend", ["postgres", pytest.param("sqlite", marks=pytest.mark.faults)])
def test_two_watchers_undo_once(where, backend):
    """Both see the bad signal; one of them undoes."""
    place = where(backend)
    place.ill()
    with Watching(place), Watching(place):
        act(place)
        assert place.ends() == (State.UNDONE, "undone")
    assert (place.count("effects"), place.count("undos")) == (1, 1)
