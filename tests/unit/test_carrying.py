"""Carrying over: what a changed agent keeps, in whose name, and what no choice gives back."""

from __future__ import annotations

import contextlib
import re

import pytest

from ladder_graph import AnswerRefused
from ladder_graph.calls import Call
from ladder_graph.scale import Rung
from tests.unit.world import BOSS, World, model

OTHER = model("gpt-5-2025-11-20")


@pytest.fixture
def world():
    """A world whose tool was granted the rung bounded, and whose model has just become another one."""
    with contextlib.closing(World(start="bounded")) as world:
        world.call()
        world.approved(env=OTHER)
        yield world


def stands(world, env=OTHER):
    """The rung on which a call would go now."""
    call = Call("ops", "look", "look", "refund", {"amount": 5}, env.key("refund"))
    return world.ladder.route(call, env)[0].rung


def keys(world):
    """The keys of what it was, and of what it is."""
    now, was = world.ladder.sightings()
    return was.key, now.key


def test_a_carried_standing_is_really_given_back(world):
    """The next call runs unasked, the entry names both environments and the person, and all can be worked out anew."""
    was, now = keys(world)
    assert stands(world) is Rung.CONFIRM
    (cost,) = world.ladder.carry_over(was, now, "all", by=BOSS, reason="the same model under a new date")
    assert (cost.stood.rung, cost.stands.rung) == (Rung.BOUNDED, Rung.CONFIRM)
    assert stands(world) is Rung.BOUNDED
    ran = len(world.desk.ran)
    world.call(env=OTHER)
    assert len(world.desk.ran) == ran + 1
    ((_, _, body),) = world.ladder.reading.of_kind("ops", "carried")
    assert (body["before"], body["after"], body["by"], body["stood"]) == (was, now, BOSS, 3)
    assert world.ladder.recompute() == []
    assert [(event.kind, event.rung, by) for event, by in world.ladder.history("refund")] == [
        ("carried", Rung.BOUNDED, BOSS)
    ]


def test_what_it_was_stays_what_it_was(world):
    """The grant doesn't move: going back to the first model needs nobody."""
    world.ladder.carry_over(*keys(world), "all", by=BOSS, reason="the same")
    assert stands(world, world.env) is Rung.BOUNDED


def test_earning_again_is_written_down_and_changes_nothing(world):
    """The choice has a person and a reason, and the tool asks as before."""
    assert world.ladder.carry_over(*keys(world), "none", by=BOSS, reason="it is another one") == []
    assert stands(world) is Rung.CONFIRM
    (chosen,) = world.ladder.choices()
    assert (chosen.keep, chosen.by, chosen.reason) == ("none", BOSS, "it is another one")


def test_a_part_is_one_rung_less_than_it_was():
    """Where that is more than it stands on now."""
    with contextlib.closing(World(start="report", read_only=True)) as world:
        world.call()
        world.call(env=OTHER)
        (cost,) = world.ladder.carry_over(*keys(world), "part", by=BOSS, reason="half and half")
        assert cost.kept("part") < cost.kept("all")
        assert world.ladder.trust("refund")[0].standing.rung in {cost.kept("part"), cost.stood.rung}


@pytest.mark.parametrize(
    ("by", "reason", "says"),
    [("ana", "why", "ana may not sign a promotion"), (BOSS, "  ", "give a reason"), ("ops", "why", "an agent never")],
)
def test_only_somebody_who_may_promote_carries_over_and_says_why(world, by, reason, says):
    """Neither anybody else, nor without a reason."""
    with pytest.raises(AnswerRefused, match=re.escape(says)):
        world.ladder.carry_over(*keys(world), "all", by=by, reason=reason)
    assert stands(world) is Rung.CONFIRM


def test_what_it_was_put_down_for_stays(world):
    """A demotion in the new environment, and one of all environments, outlive the choice."""
    world.ladder.demote("refund", "confirm", reason="for now", by="ana")
    with pytest.raises(AnswerRefused, match="nothing to carry over"):
        world.ladder.carry_over(*keys(world), "all", by=BOSS, reason="the same")
    assert stands(world) is Rung.CONFIRM


def test_what_is_demoted_afterwards_goes_down(world):
    """A carried standing is lost like any other."""
    world.ladder.carry_over(*keys(world), "all", by=BOSS, reason="the same")
    world.clock.advance(60)
    world.ladder.demote("refund", "draft", reason="it was wrong", by="ana")
    assert stands(world) is Rung.DRAFT
    assert world.ladder.recompute() == []


def test_nothing_is_carried_that_was_not_shown(world):
    """Where the tool stands elsewhere by now, the choice is refused."""
    was, now = (world.ladder.sighting(key) for key in keys(world))
    (cost,) = world.ladder.costs(was, now)
    shown = ((cost.after, Rung.ROLLBACK),)
    with pytest.raises(AnswerRefused, match="look again"):
        world.ladder.carry_over(was.key, now.key, "all", by=BOSS, reason="the same", shown=shown)
