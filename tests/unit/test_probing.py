"""Probes through the real ladder: they come among the questions, are revealed, measure reviewers, and never run."""

from __future__ import annotations

import contextlib

import pytest

from ladder_graph import AnswerRefused
from ladder_graph.facts import Route
from ladder_graph.ladder import questions
from ladder_graph.ledger import Refused
from ladder_graph.scale import Rung
from ladder_graph.states import STEPS, State
from ladder_graph.steps import Claim
from tests.unit.world import World

WRONG = {"arguments": {"amount": 90, "order": "o-another"}, "why": "nobody ordered that"}


@pytest.fixture
def world(monkeypatch):
    """A world whose every question may be followed by a probe."""
    monkeypatch.setattr(questions, "random", lambda: 0.0)
    trust = {"mistakes": ["wrong_order"], "single_pattern": True, "probes": [WRONG]}
    with contextlib.closing(World(trust=trust)) as world:
        yield world


def probe(world):
    """The probe that is open."""
    world.clock.advance(3600)
    for _ in range(20):
        world.approved()
    (found,) = world.ladder.pending()
    return found


def test_one_comes_after_twenty_decisions_and_looks_like_any_other(world):
    """Nothing tells it from a real question before it is answered."""
    for _ in range(19):
        world.approved()
    assert world.ladder.pending() == []
    world.approved()
    (found,) = world.ladder.pending()
    assert (found.call.arguments, found.probe, found.call.tool) == (WRONG["arguments"], "", "refund")
    assert (found.impact, found.quorum, found.decisions, found.may_answer) == ("low", 1, found.decisions, ())
    world.call()
    assert len(world.ladder.pending()) == 2, "no second one while it is open"


@pytest.mark.parametrize(("answer", "caught"), [("approve", False), ("decline", True)])
def test_it_is_revealed_and_counted(world, answer, caught):
    """Whoever answers reads at once that it was one."""
    found = probe(world)
    give = {"approve": world.ladder.approve, "decline": lambda one, by: world.ladder.decline(one, by=by, reason="no")}
    told = give[answer](found.id, by="ana")
    assert told.probe == "nobody ordered that"
    (ana,) = world.ladder.reviewers()
    assert (ana.name, ana.probes.shown, ana.probes.missed) == ("ana", 1, int(not caught))
    with pytest.raises(AnswerRefused, match="answered"):
        world.ladder.approve(found.id, by="bo")


@pytest.mark.parametrize("answer", ["approve", "decline", None])
def test_it_never_runs(world, answer):
    """Whatever the answer is: a claim on it is refused, and no state that it may come to leads to a start."""
    found = probe(world)
    ran = len(world.desk.ran)
    if answer == "approve":
        world.ladder.approve(found.id, by="ana")
    elif answer == "decline":
        world.ladder.decline(found.id, by="ana", reason="no")
    world.ladder.run(found.call, world.env, world.desk) if answer else None
    assert len(world.desk.ran) == ran
    turn = world.ladder._turn(found.call, world.desk, world.ladder.policy)
    claim = Claim(found.call, Route(Rung.CONFIRM), question=found)
    with pytest.raises(Refused):
        world.ladder.store.write(lambda cursor: turn.journal().claim(cursor, claim, turn.terms, None))
    assert State.STARTED not in STEPS[State.DECLINED]


def test_it_is_no_evidence(world):
    """It belongs to no cell: neither a trial nor an error, and no friction."""
    found = probe(world)
    before = world.ladder.trust("refund")[0].certificate.evidence
    world.ladder.decline(found.id, by="ana", reason="no")
    after = world.ladder.trust("refund")
    assert len(after) == 1
    assert after[0].certificate.evidence == before
    assert world.ladder.verify().ok


def test_who_approves_whatever_comes_is_no_evidence(world):
    """Ten probes missed: approvals count for nothing, and nothing is promoted on them."""
    for _ in range(10):
        world.ladder.approve(probe(world).id, by="ana")
    (ana,) = world.ladder.reviewers()
    assert not ana.sensitivity.evidence
    assert ana.worries == ("approvals are not evidence: less than half of the probes were caught",)
    gates = {gate.code: gate for gate in world.ladder.trust("refund")[0].certificate.gates}
    assert not gates["reviewers"].met
    assert "approvals by ana are no evidence" in gates["reviewers"].text


def test_a_real_call_with_one_mistake_may_be_one():
    """Where the policy says so; it is off where no probe is written."""
    with contextlib.closing(World()) as world:
        for _ in range(25):
            world.approved()
        assert world.ladder.pending() == []
