"""Assessments that are kept: what is shown is what the whole chain gives, and only what is new is read for it."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import time

import pytest

from ladder_graph.ladder import folds
from ladder_graph.ladder.assessing import Assessment
from ladder_graph.ledger.evidence import happenings
from tests.unit.world import BOSS, World


@pytest.fixture
def world():
    """A world after a few weeks."""
    with contextlib.closing(World()) as world:
        for _ in range(28):
            world.day(1)
        world.ladder.attest(by=BOSS)
        yield world


def told(ladder):
    """What is kept."""
    return [one.known for one in ladder.assessments()]


def test_what_is_kept_is_what_the_whole_chain_gives(world):
    """Certificate, conditions, reasons and environment, as `trust` works them out."""
    assert world.ladder.assessments() == []
    found = world.ladder.trust()
    assert found[0].certificate.granted
    assert told(world.ladder) == found
    (kept,) = world.ladder.assessments()
    assert (kept.at, kept.same_policy) == (world.ladder.clock(), True)
    assert kept.n == max(n for _, n, _ in world.ladder.heads())
    assert world.ladder.assessments("refund") == [kept]
    assert world.ladder.assessments("other") == []


def test_what_is_new_is_read_and_nothing_else(world, monkeypatch):
    """Entry by entry, and it comes to the same as reading all of it."""
    ladder, read = world.ladder, []

    def counted(connection, agent, until, since):
        for entry in happenings.happenings(connection, agent, until, since):
            read.append(entry.kind)
            yield entry

    monkeypatch.setattr(folds, "happenings", counted)
    ladder.folds.most = 1000
    assert ladder.refresh_assessments() == 1
    assert len(read) == ladder.assessments()[0].n
    read.clear()
    assert ladder.refresh_assessments() == 0, "it is not a minute old"
    last = world.day(2)
    world.ladder.incident(last.key, "S2", by="ana")
    assert ladder.refresh_assessments() == 1
    assert 0 < len(read) < 20
    kept = told(ladder)
    assert kept[0].held.demotions
    assert kept == ladder.trust()


def test_a_sweep_keeps_what_it_came_to(world):
    """With what it put down."""
    world.ladder.promote("refund", by=BOSS)
    world.clock.advance(120 * 86400)
    assert [down.code for _, down in world.ladder.sweep()] == ["D6"]
    (kept,) = told(world.ladder)
    assert kept == world.ladder.trust()[0]
    assert kept.held.code == "D6"


def test_a_long_chain_is_not_kept_in_memory(world):
    """It is read once an hour, and nothing of it stays."""
    world.ladder.folds.most = 3
    assert world.ladder.refresh_assessments() == 1
    assert not world.ladder.folds.keeps("ops")
    assert world.ladder.assessments()


def test_another_chain_in_its_place_is_read_anew(world):
    """A ledger that was put back doesn't go on from what was read of the one before."""
    ladder = world.ladder
    ladder.folds.most = 1000
    ladder.refresh_assessments()
    read = ladder.folds._read["ops"]
    read.hash = "0" * 64
    world.clock.advance(120)
    ladder.refresh_assessments()
    assert ladder.folds._read["ops"] is not read
    assert told(ladder) == ladder.trust()


def test_a_reading_that_broke_off_counts_nothing_twice(world, monkeypatch):
    """The next one begins with the first entry."""
    ladder = world.ladder
    ladder.folds.most = 1000
    ladder.refresh_assessments()
    world.day(1)

    def broken(connection, agent, until, since):
        yield from list(happenings.happenings(connection, agent, until, since))[:2]
        raise RuntimeError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr(folds, "happenings", broken)
        with pytest.raises(RuntimeError, match="the disk is gone"):
            ladder.refresh_assessments()
    assert not ladder.folds.keeps("ops")
    ladder.refresh_assessments()
    assert told(ladder) == ladder.trust()


def test_another_policy_shows(world):
    """What was worked out under an earlier one says so, and is worked out anew at once."""
    ladder = world.ladder
    ladder.trust()
    ladder.policy = ladder.policy.model_copy(update={"provider_tools": "report"})
    (kept,) = ladder.assessments()
    assert not kept.same_policy
    assert ladder.refresh_assessments() == 1
    assert ladder.assessments()[0].same_policy


def test_an_assessment_can_be_read_again(world):
    """All of it; also of a cell on the highest rung, of which there is no certificate."""
    (found,) = world.ladder.trust()
    assert Assessment.read(found.text) == found
    plain = json.loads(found.text) | {"certificate": None, "environment": None, "rung": 5}
    again = Assessment.read(json.dumps(plain))
    assert (again.certificate, again.environment, int(again.standing.rung)) == (None, None, 5)
    assert 0 <= found.certificate.share <= 1


def test_a_thread_keeps_them_fresh(world):
    """It begins at once, and ends with the ladder."""
    world.ladder.keep_assessing()
    world.ladder.keep_assessing()
    deadline = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    while not world.ladder.assessments():
        assert dt.datetime.now(dt.UTC) < deadline
        time.sleep(0.02)  # Whoever asks on and on keeps the thread from the ledger.
    world.ladder.assessor.stop()
    assert told(world.ladder) == world.ladder.trust()
