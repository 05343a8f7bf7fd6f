"""What an entry tells of a look."""

from __future__ import annotations

import itertools

from ladder_graph.trust.looks import Look, look_of, rank


def test_what_was_measured_is_taken_as_it_was():
    """Seconds and characters, where they are a measure; where none was taken, none is made up."""
    assert look_of(3, {"by": "ana", "looked": 4, "characters": 9}) == Look(3, "ana", 4.0, 9)
    assert look_of(3, {"by": "ana"}) == Look(3, "ana")


def test_one_of_a_batch_is_a_glance():
    """Nobody can tell how long which of them was looked at."""
    assert look_of(3, {"by": "ana", "looked": 60.0, "characters": 9, "batch": "b1"}) == Look(3, "ana", 0.0, 0, "b1")


def test_the_order_of_looks_is_theirs_alone():
    """Two that differ in the batch alone can be told apart."""
    looks = [Look(1, "ana", 0.0, 0, "b2"), Look(1, "ana", 0.0, 0, "b1"), Look(1, "ana", None)]
    assert {tuple(sorted(order, key=rank)) for order in itertools.permutations(looks)} == {tuple(reversed(looks))}
