"""What a thread did since one of its actions."""

from __future__ import annotations

import pytest

from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.undoing import rollbacks
from ladder_graph.ledger.undoing.rollbacks import Place, in_order
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


@pytest.mark.parametrize("step", [-5, 5], ids=["the clock was set back", "the clock goes on"])
def test_one_agents_calls_go_by_their_chain(step):
    """Whatever a clock said when they were written down, as where a thread goes on on another machine."""
    place = Scoped()
    with place.ladder.saga():
        for item in "abcd":
            place.put(item)
            place.clock.advance(step)
        with pytest.raises(Asked):
            place.act("pay", "till")
    first, second = sorted(place.ladder.actions(), key=lambda one: place.ladder.log(action=one.key)[0].n)[:2]
    plan = place.ladder.rollback_plan("t1", to=second.key)
    assert ([one.n for one in plan.undo], plan.questions) == ([3, 2, 1], 1)
    done = place.ladder.rollback("t1", to=second.key, by="ana")
    assert (done.whole, place.world.undone, place.world.values) == (True, ["d", "c", "b"], {"a": "new"})
    assert len(place.ladder.rollback_plan("t1", to=first.key).undo) == 1
    place.ladder.close()


def test_between_chains_a_clock_never_goes_back():
    """What an agent did after it was set back counts as done when it was at its highest, and not before others."""
    boss, back, worker, first = (
        Place("boss", 1, 100), Place("boss", 4, 95), Place("worker", 7, 99), Place("worker", 8, 101)
    )  # fmt: skip
    when = in_order([first, back, worker, boss])
    assert sorted(when, key=lambda one: when[one]) == [worker, boss, back, first]


def test_steps_of_the_conversation_say_more_than_clocks():
    """Also where every chain's clock is another one; what ran in no known step goes by the clock between them."""
    told = [Place("boss", 1, 100, 1), Place("worker", 1, 40, 3), Place("boss", 2, 90, 5), Place("worker", 2, 95, 5)]
    apart = Place("draft", 1, 96)
    when = in_order([apart, *reversed(told)], by_step=True)
    assert sorted(when, key=lambda one: when[one]) == [*told, apart]
