"""Silence is a no, also where the thread never goes on: a question past its time is closed, and can be erased."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest

from ladder_graph import Ladder
from ladder_graph.ledger.evidence import probes
from ladder_graph.states import State
from tests.cli.shop import Shop

WHO = "Jürgen Vogt"
RETENTION = '\n[retention]\npayloads = "30d"\n'


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request, tmp_path, monkeypatch):
    """A shop on either database, with one question open that has an hour."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    made = Shop(tmp_path, "ladder.db" if request.param == "sqlite" else request.getfixturevalue("postgres"))
    made.run(("refund", {"order": f"for {WHO}", "cents": 250}))
    return made


def in_days(shop, number):
    """The ladder of the shop so many days later."""
    return contextlib.closing(
        Ladder(policy=shop.policy, clock=lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=number))
    )  # fmt: skip


def life(ladder):
    """The kinds of the entries about actions, and what the one that ends the question says."""
    entries = [entry for entry in ladder.log() if entry.action]
    bodies = [{name: value for name, value in one.body.items() if name != "policy"} for one in entries]
    return [entry.kind for entry in entries], bodies[-1]


def counted(ladder):
    """What trust knows of each action."""
    with ladder.folds.lock:
        deeds = ladder.folds.of("shop", anew=True).fold.deeds
        return sorted((str(deed.cell), deed.counts, deed.pending, sorted(deed.judged)) for deed in deeds.values())


def test_who_sweeps_closes_what_nobody_answered(shop):
    """Not before its time; then once, as its thread would have, which is to be gone on with."""
    with in_days(shop, 0) as ladder:
        ladder.sweep()
        assert len(ladder.pending()) == 1
    with in_days(shop, 1) as ladder:
        assert ladder.sweep_questions() == 1
        assert ladder.sweep_questions() == 0
        assert ladder.pending() == []
        (action,) = ladder.actions()
        assert action.state is State.EXPIRED
        assert [(one.why, one.state) for one in ladder.resumptions()] == [("expire", "waiting")]
        assert ladder.verify().ok


def test_its_chain_and_its_trust_are_what_its_thread_makes_them(shop, tmp_path, monkeypatch):
    """Whether a sweep closed it or the thread did when it went on: the same entries, the same counts, the same no."""
    with in_days(shop, 1) as ladder:
        ladder.sweep_questions()
    swept = shop.resume("refund")
    (tmp_path / "other").mkdir()
    other = Shop(tmp_path / "other")
    other.run(("refund", {"order": f"for {WHO}", "cents": 250}))
    late = dt.timedelta(days=1)
    monkeypatch.setattr("ladder_graph.ladder.whole._now", lambda: dt.datetime.now(dt.UTC) + late)
    assert swept == other.resume("refund")
    assert swept.startswith("NOT RUN: nobody said in time")
    with shop.ladder() as one, other.ladder() as two:
        (kinds, said), (others, theirs) = life(one), life(two)
        assert kinds == others == ["asked", "question", "expired"]
        assert said.keys() == theirs.keys() == {"question"}
        assert counted(one) == [(cell, *rest) for cell, *rest in counted(two)]
    assert (shop.ran, other.ran) == ([], [])


def test_an_approval_that_nobody_used_in_time_is_void(shop):
    """So is a yes whose thread never went on; it runs nothing later."""
    with shop.ladder() as ladder:
        (question,) = ladder.pending()
        ladder.approve(question.id, by="ana", typed=f"for {WHO}")
    with in_days(shop, 1) as ladder:
        assert ladder.sweep_questions() == 1
    assert shop.resume("refund").startswith("NOT RUN: nobody said in time")
    assert shop.ran == []


def test_what_nobody_answered_is_erased_without_a_sweep(shop):
    """Nobody waits for it: it is closed with the erasure, and its thread reads the no though its arguments are gone."""
    with shop.ladder() as ladder:
        assert ladder.erasable(person=[WHO]).actions == ()
    with in_days(shop, 1) as ladder:
        found = ladder.erasable(person=[WHO])
        assert (len(found.actions), found.waiting) == (1, ())
        assert len(ladder.pending()) == 1  # looking changes nothing
        assert ladder.erasable(person=[WHO], older_than=dt.timedelta(days=1)).actions == ()
        ladder.erase(found, by="ana", reason="he asked")
        assert ladder.actions()[0].arguments == {}
        assert ladder.actions()[0].state is State.EXPIRED
        assert ladder.erasable(person=[WHO]).actions == ()
        assert [entry.kind for entry in ladder.log()][-2:] == ["expired", "erased"]
        assert ladder.verify().ok
    assert shop.resume("refund").startswith("NOT RUN: nobody said in time")
    assert shop.ran == []


def test_what_was_gone_on_with_since_is_left_alone(shop):
    """Between the look and the erasure somebody may have answered, and nothing is taken from under a call."""
    with in_days(shop, 1) as later, shop.ladder() as ladder:
        found = later.erasable(person=[WHO])
        assert found.actions
        (question,) = ladder.pending()
        ladder.store.write(lambda cursor: cursor.execute(MORE_TIME))
        later.erase(found, by="ana", reason="he asked")
        assert [one.id for one in ladder.pending()] == [question.id]
        assert WHO in str(ladder.actions()[0].arguments)
        assert "erased" not in [entry.kind for entry in ladder.log()]


MORE_TIME = "UPDATE question SET expires_us = expires_us + 86400000000000"


def test_retention_takes_what_nobody_answered(shop):
    """It is over from when it was closed on, and goes after its time."""
    shop.policy.write_text(shop.policy.read_text(encoding="utf-8") + RETENTION, encoding="utf-8")
    with in_days(shop, 1) as ladder:
        ladder.sweep()
        assert ladder.actions()[0].arguments
    with in_days(shop, 32) as ladder:
        ladder.sweep_hourly()
        assert ladder.actions()[0].arguments == {}
        assert ladder.verify().ok


def test_a_probe_is_closed_and_no_thread_is_told(shop):
    """There is none that could go on, and a list of those that wait would give the next probe away."""
    with shop.ladder() as ladder:
        (question,) = ladder.pending()
        ladder._write(lambda journal, cursor: probes.put(journal, cursor, question.call, {"order": "x"}, "x"))
        assert len(ladder.pending()) == 2
    with in_days(shop, 1) as ladder:
        assert ladder.sweep_questions() == 2
        assert [one.thread for one in ladder.resumptions()] == ["refund"]
