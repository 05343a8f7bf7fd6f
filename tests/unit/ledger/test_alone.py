"""Claims on one resource: one at a time, whatever process they come from, and never by an undo that is out of date."""

from __future__ import annotations

import math
import time

import pytest

from ladder_graph.ledger.actions.questions import Terms
from ladder_graph.ledger.gate import beside
from ladder_graph.steps import Claim, Claimed, NotClaimed
from ladder_graph.turns.awaiting import PATIENCE, Patience, slept, stood_by
from tests.unit.ledger.desk import CALL, ROUTE, call

SHELF = {"state": "old", "resource": "the shelf"}


def claim(desk, of, artifact=SHELF, *, since=0, alone=True, left_too=True):
    """A claim whose undo was made when the chain was so long."""
    step = Claim(of, ROUTE, artifact=artifact, alone=alone, left_too=left_too)
    terms = Terms(desk.rule, desk.tool, desk.undo)
    return desk.write(lambda journal, cursor: journal.claim(cursor, step, terms, None, since))


def length(desk):
    """How long the chain is."""
    return desk.read(lambda journal, cursor: journal.length(cursor, CALL.agent))


def occupied(by=CALL):
    """What is said where another one is at it."""
    return NotClaimed("occupied", "another call is at the shelf.", by.key)


def test_the_second_one_waits_for_the_first(desk, other):
    """Nothing of it is left, until the first one's checks have spoken."""
    assert claim(desk, CALL) == Claimed(1)
    assert claim(other, call(2), since=length(desk)) == occupied()
    assert other.state(call(2)) is None
    desk.record("undoing")
    assert claim(other, call(2), since=length(desk)) == occupied()
    desk.record("undone")
    assert claim(other, call(2), since=length(desk)) == Claimed(1)
    assert desk.kinds(call(2)) == "started"


def test_an_undo_that_was_made_meanwhile_is_made_anew(desk, other):
    """What ended while it was made may be in it."""
    claim(desk, CALL)
    since = length(other)
    desk.record("done")
    assert claim(other, call(2), since=since) == occupied()
    assert claim(other, call(2), since=length(other)) == Claimed(1)


@pytest.mark.parametrize(
    ("artifact", "of", "alone"),
    [
        ({"state": "old", "resource": "another shelf"}, call(2), True),
        ({"state": "old", "resource": ""}, call(2), True),
        ({"state": "old"}, call(2), True),
        (SHELF, call(2, agent="dev"), True),
        (SHELF, call(2), False),
    ],
    ids=["another", "empty", "none", "another agent", "anyhow"],
)
def test_who_needn_t_wait(desk, artifact, of, alone):
    """Whatever is elsewhere, and whoever has waited long enough."""
    claim(desk, CALL)
    assert claim(desk, of, artifact, alone=alone) == Claimed(1)


def test_the_dead_are_found_out_about_first(desk, other):
    """Their undo would take what comes after them for their own."""
    claim(desk, CALL)
    since = length(other)
    desk.die()
    assert claim(other, call(2), since=since) == occupied()
    assert claim(other, call(2), since=since, alone=False) == Claimed(1)


def test_what_was_left_and_waited_for_is_no_longer_in_the_way(desk, other):
    """Nor is who took it over, whose probe may hang; a call that runs is, and so is one that starts over."""
    claim(desk, CALL)
    since = length(other)
    desk.die()
    assert claim(other, call(2), since=since, left_too=False) == Claimed(1)
    assert claim(other, call(3), since=length(other), left_too=False) == occupied(call(2))
    other.record("done", call(2))
    assert other.write(lambda journal, cursor: journal.take_over(cursor, CALL, 1)) == Claimed(2)
    assert claim(other, call(3), since=length(other)) == occupied()
    assert claim(other, call(3), since=length(other), left_too=False) == Claimed(1)
    other.record("done", call(3))
    other.record("paused", fence=2)
    assert claim(other, CALL, since=length(other)) == Claimed(3)
    assert claim(other, call(4), since=length(other), left_too=False) == occupied()


def test_an_undo_that_was_made_under_a_call_that_ran_is_made_anew_beside_what_was_left(desk, other):
    """What ended meanwhile was not left."""
    claim(desk, CALL)
    desk.die()
    claim(other, call(2), since=length(other), left_too=False)
    since = length(other)
    other.record("done", call(2))
    assert claim(other, call(3), since=since, left_too=False) == occupied(call(2))


def test_nobody_waits_for_ever(desk):
    """A wait ends with the other one, or with one's patience; that begins with the first one that runs."""
    patience = Patience(until=time.monotonic())
    slept(stood_by(desk.store, lambda cursor: True, lambda: None, patience))
    assert patience.lasts() == (False, True)
    left, patience = iter([True, False]), Patience()
    slept(stood_by(desk.store, lambda cursor: next(left), lambda: None, patience))
    assert list(left) == []
    assert 0 < patience.until - time.monotonic() <= PATIENCE
    patience = Patience()
    slept(stood_by(desk.store, lambda cursor: False, lambda: None, patience))
    assert patience.until < math.inf, "else undos might be made anew for ever"


def test_what_was_left_is_waited_for_since_somebody_sees_to_it(desk):
    """However many come after the one who did so first, none waits as long again; for what runs it still waits."""
    begun, patience = [], Patience()
    slept(stood_by(desk.store, lambda cursor: None, lambda: begun.append(1) or 0.0, patience))
    assert begun == [1]
    assert patience.lasts() == (True, False)
    ran = iter([True, True, False])
    slept(stood_by(desk.store, lambda cursor: next(ran), lambda: None, patience))
    assert list(ran) == []


def test_what_starts_over_looks_since_its_undo_was_stored(desk, other):
    """Its undo was made with an earlier claim; what others did before that is in it."""
    claim(other, call(2))
    other.record("done", call(2))
    assert claim(desk, CALL, since=length(desk)) == Claimed(1)
    desk.record("paused")
    assert claim(desk, CALL, since=None) == Claimed(2)
    desk.record("paused", fence=2)
    claim(other, call(3), since=length(other))
    other.record("done", call(3))
    assert claim(desk, CALL, since=None) == occupied(call(3))
    assert claim(desk, CALL, since=length(desk)) == Claimed(3)


def test_who_works(desk, other):
    """An action keeps others away until its end; where its process came to its own before, somebody must see to it."""

    def occupies():
        return other.read(lambda journal, cursor: beside.occupies(journal, cursor, CALL.key))

    assert occupies() is False
    claim(desk, CALL)
    assert occupies() is True
    desk.die()
    assert occupies() is None
