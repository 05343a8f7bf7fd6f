"""Calls that ran side by side: which of them is undone first, in a scope, in a thread, and on one resource."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ladder_graph.ledger.actions import clocks
from ladder_graph.turns import awaiting
from tests.unit.scoped import HEALTH, Scoped


class Beside(Scoped):
    """The same, with calls that run while another one does, and an undo that says what it touches."""

    def __init__(self, ledger):
        super().__init__(ledger)
        shelf = replace(self.world.declaration, resource=lambda kept: "shelf")
        for tool in ("put", "slow"):
            self.ladder.seat(tool, shelf, agent="ops", can_ask=True)

    def around(self, tool, outer, inner, **more):
        """One call begins, a second one begins and ends, and then the first one ends; its value is the last one."""
        first = self.call(tool, outer, "first", **more)

        def meanwhile(call):
            if call.key == first.key:
                self.world.values.pop(outer)  # It takes effect at its end.
                assert self.act(tool, inner, "second").state == "done"
                self.clock.advance(1)
                self.world.values[outer] = "first"

        self.world.during = meanwhile
        reply = self.run(first)
        self.world.during = None
        return reply


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, monkeypatch):
    """A place over either database, whose only clock is the one that stands still."""
    monkeypatch.setattr(clocks, "boot_id", lambda: "")
    monkeypatch.setattr(awaiting, "PATIENCE", 0.0)  # One begins under another here, which others wait for.
    HEALTH["verdict"] = True
    made = Beside(":memory:" if request.param == "sqlite" else request.getfixturevalue("postgres"))
    yield made
    assert made.ladder.verify().problems == ()
    made.ladder.close()


def test_what_took_effect_last_is_undone_first(place):
    """Whichever began first: the other way round each would be taken for somebody else's change."""
    with place.ladder.saga() as saga:
        place.around("put", "a", "a")
        place.act("put", "b", fails="definitely")
    assert (saga.phase, place.world.values) == ("undone", {})
    assert place.outcomes(saga) == [("put", "no-op"), ("put", "undone"), ("put", "no-op")]


def test_a_thread_goes_by_the_same_order(place):
    """It is rolled back as a scope is."""
    place.around("slow", "a", "a")
    first = min(place.ladder.actions(), key=lambda one: place.ladder.log(action=one.key)[0].n)
    done = place.ladder.rollback("t1", to=first.key, by="ana")
    assert [one.came for one in done.members] == ["no-op", "undone"]
    assert (done.whole, place.world.values) == (True, {})


@pytest.mark.parametrize("step", [-5, 1], ids=["the clock was set back", "the clock goes on"])
def test_scope_and_resource_never_wait_for_each_other(place, step):
    """They go by one order, so that a watch that turns bad undoes both, also where the wall clock says otherwise."""
    with place.ladder.saga() as saga:
        place.around("slow", "a", "b")
        place.clock.advance(step)
        place.act("slow", "c")
    HEALTH["verdict"] = False
    for _ in range(3):
        place.clock.advance(10)
        place.ladder.watcher.settle()
    assert (saga.phase, place.world.values) == ("undone", {})
    assert place.world.undone == ["c", "a", "b"]


def test_what_failed_after_it_had_run_lies_on_what_ended_meanwhile(place):
    """Its undo is tried again, and only then comes what ended before it on the same thing."""
    place.world.broken.add("a")
    with place.ladder.saga() as saga:
        assert place.around("put", "a", "a", fails="perhaps").state == "undo_failed"
    assert place.outcomes(saga) == [("put", ""), ("put", "failed")]
    place.world.broken.clear()
    for _ in range(3):
        place.clock.advance(3)
        place.ladder.watcher.settle()
    assert (saga.phase, place.world.values) == ("undone", {})


def test_a_call_without_an_undo_keeps_the_place_of_its_start(place):
    """What had not ended when it began was not before it, and is undone."""
    with place.ladder.saga() as saga:
        place.put("a")
        first = place.call("put", "b")

        def meanwhile(call):
            if call.key == first.key:
                assert place.paid().state == "done"

        place.world.during = meanwhile
        place.run(first)
        place.world.during = None
        saga.undo("a test")
    assert place.outcomes(saga) == [("put", "skipped"), ("pay", "skipped"), ("put", "undone")]
    assert place.world.values == {"a": "new", "till": "new"}
