"""What a thread did since one of its actions."""

from __future__ import annotations

import pytest

from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.undoing import rollbacks
from tests.unit.scoped import Asked, Scoped


def test_a_question_of_the_same_message_goes_with_it():
    """Also one that was asked before the action began: the message that proposed both is gone."""
    place = Scoped()
    with place.ladder.saga():
        place.put("a")
        with pytest.raises(Asked):
            place.act("pay", "till")
        place.clock.advance(1)
        place.put("b")
    journal, (_, last) = place.ladder.journal(), [one for one in place.ladder.actions() if one.tool == "put"]

    def waiting(*together):
        def read(cursor):
            known = acts.find_action(journal, cursor, last.key)
            return rollbacks.since(cursor, journal, known, together).waiting

        return place.ladder.store.read(read)

    assert waiting("call_3") == ()
    assert waiting("call_2", "call_3") == (place.world.asked[0].call.key,)
    place.ladder.close()
