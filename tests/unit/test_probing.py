"""Probes through the real ladder: they come among the questions, are revealed, measure reviewers, and never run."""

from __future__ import annotations

import contextlib
import random

import pytest

from ladder_graph import AnswerRefused
from ladder_graph.facts import Route
from ladder_graph.ladder import questions
from ladder_graph.ledger import Refused
from ladder_graph.scale import Rung
from ladder_graph.states import STEPS, State
from ladder_graph.steps import Claim
from ladder_graph.trust.probing import LATEST_US, MOST, SOONEST, due
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
    while not world.ladder.pending():
        world.approved()
    (found,) = world.ladder.pending()
    return found


def test_one_comes_after_a_few_decisions_and_looks_like_any_other(world):
    """Nothing tells it from a real question before it is answered."""
    for _ in range(SOONEST - 1):
        world.approved()
    assert world.ladder.pending() == []
    world.approved()
    (found,) = world.ladder.pending()
    assert (found.call.arguments, found.probe, found.call.tool) == (WRONG["arguments"], "", "refund")
    assert (found.impact, found.quorum, found.decisions, found.may_answer) == ("low", 1, found.decisions, ())
    world.call()
    assert len(world.ladder.pending()) == 2, "no second one while it is open"


def test_the_next_one_comes_no_sooner_than_it_may(world):
    """The answer to the one before is a decision like any other."""
    found = probe(world)
    world.clock.advance(60)
    world.ladder.approve(found.id, by="ana")
    for _ in range(SOONEST - 2):
        world.approved()
    assert world.ladder.pending() == []
    world.approved()
    assert len(world.ladder.pending()) == 1


def gaps(share, probes, since_us=0):
    """Questions from each probe to the next, the probe among them."""
    drawn, found, decided = random.Random(7).random, [], 1  # noqa: S311  # a draw that repeats
    while len(found) < probes:
        decided += 1
        if due(decided, since_us, share, drawn()):
            found.append(decided)
            decided = 1
    return found


@pytest.mark.parametrize("share", [MOST, 0.02, 0.004])
def test_so_many_questions_are_probes_as_the_policy_says(share):
    """In the long run, and none sooner than a few decisions after the one before."""
    found = gaps(share, 5000)
    assert len(found) / sum(found) == pytest.approx(share, rel=0.05)
    assert min(found) >= SOONEST


@pytest.mark.parametrize("share", [MOST, 0.02])
def test_nobody_sees_one_come(share):
    """However many real questions there were since the one before, the next is as likely one as it was after a few."""
    found = gaps(share, 5000)
    for so_many in (SOONEST, round(0.5 / share), round(1 / share)):
        still = [gap for gap in found if gap >= so_many]
        soon = sum(gap < so_many + 10 for gap in still) / len(still)
        assert soon == pytest.approx(1 - (1 - 1 / (1 / share - SOONEST + 1)) ** 10, abs=0.03)


def test_the_first_one_comes_soon_and_then_one_a_week():
    """Whatever the share is: a week is counted from one to the next."""
    assert sum(gaps(1e-9, 500, None)) / 500 == pytest.approx(1 / MOST, rel=0.1)
    assert not due(1000, LATEST_US - 1, 1e-9, 1e-6)
    assert due(1, LATEST_US, 1e-9, 0.999)
    assert not due(0, LATEST_US, 1e-9, 0.0), "one is open, or nothing was decided"


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
