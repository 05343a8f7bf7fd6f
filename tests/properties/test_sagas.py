"""A scope against a plain model: whatever its steps, and whoever comes in between, only what must stand stands."""

from __future__ import annotations

import logging

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.scoped import Scoped

PLACES = st.sampled_from("abc")
FAILS = st.sampled_from(["", "", "", "", "definitely", "perhaps"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), PLACES, FAILS),
        st.tuples(st.just("put"), PLACES, FAILS),
        st.tuples(st.just("pay"), st.just("till"), FAILS),
        st.tuples(st.just("foreign"), PLACES, st.just("")),
    ),
    max_size=9,
)


class Model:
    """What must be left of a scope that is undone as a whole."""

    def __init__(self):
        self.world, self.left, self.over, self.conflicts = {}, {}, False, False
        self.put = set()
        """Where the scope has put something since its last point of no return."""

    def foreign(self, place, value):
        """Somebody else's change stays, and is a conflict where the scope had been there before."""
        self.world[place] = self.left[place] = value
        self.conflicts = self.conflicts or (place in self.put and not self.over)

    def step(self, tool, place, value, fails):
        """A step of the scope; after one that failed, nothing more of it runs."""
        if self.over:
            return
        if fails != "definitely":
            self.world[place] = value
            if tool == "pay":
                # A point of no return: it stays, with all that was before it.
                self.left, self.put = dict(self.world), set()
                self.conflicts = False
            else:
                self.put.add(place)
        if fails:
            self.over, self.world = True, dict(self.left)


def played(steps):
    """A scope with these steps that is undone in the end, and what the model makes of it."""
    place, model = Scoped(), Model()
    with place.ladder.saga() as saga:
        for n, (tool, where, fails) in enumerate(steps):
            model_step = model.foreign if tool == "foreign" else model.step
            if tool == "foreign":
                place.world.values[where] = n
                model_step(where, n)
                continue
            act = place.paid if tool == "pay" else lambda where, **more: place.act("put", where, **more)
            act(where, value=n, **({"fails": fails} if fails else {}))
            model_step(tool, where, n, fails)
        saga.undo("a test")
    return place, model, saga


@settings(max_examples=25)
@given(STEPS)
def test_nothing_stands_but_what_must(steps):
    """The world is as without the steps after the last point of no return; what somebody else changed is reported."""
    logging.disable(logging.WARNING)
    try:
        place, model, saga = played(steps)
        found = saga.members
        assert place.world.values == model.left
        assert all(one.came for one in found), "each has one outcome"
        assert any(one.came == "conflict" for one in found) == model.conflicts
        pivots = [one.n for one in found if one.tool == "pay" and one.state in {"done", "unknown"}]
        assert {one.n for one in found if one.came == "skipped"} == set(range(1, max(pivots, default=0) + 1))
        assert saga.phase == ("held" if pivots or model.conflicts else "undone")
        assert place.ladder.verify().problems == ()
        place.ladder.close()
    finally:
        logging.disable(logging.NOTSET)
