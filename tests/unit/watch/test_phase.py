"""The phase of a watch: what it says of stored measurements, case by case."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from ladder_graph.policy.checks import Alert, Check, Command, ErrorRate, Http, Prometheus, Python, Sql
from ladder_graph.policy.watching import Watch
from ladder_graph.watch import Judgement, Taken, Told, judge

S = 1_000_000
BEGAN = 100 * S
CHECK = Python(function="shop:healthy", every=5)
WATCH = Watch(window=10)


def at(seconds):
    """A moment of the watch, in microseconds."""
    return BEGAN + int(seconds * S)


def took(*verdicts, check=0, every=5):
    """One measurement after the other, from the beginning on."""
    return [Taken(check, at(turn * every), verdict) for turn, verdict in enumerate(verdicts)]


def phase(taken=(), told=(), *, now=10.0, watch=WATCH, checks=(CHECK,)):
    """The phase alone."""
    return judge(watch, checks, BEGAN, at(now), taken, told).phase


def test_it_says_what_is_due_and_when_to_look_again():
    """First after the delay, then each time `every` later; at the end at the latest."""
    checks = [CHECK, Python(function="shop:other", every=3, delay=2)]
    start = judge(WATCH, checks, BEGAN, at(0))
    assert start == Judgement("watching", due=at(0), to_measure=(0,))
    taken = took("good")
    assert judge(WATCH, checks, BEGAN, at(1), taken) == Judgement("watching", due=at(2))
    taken.append(Taken(1, at(2.5), "good"))
    assert judge(WATCH, checks, BEGAN, at(3), taken) == Judgement("watching", due=at(5))
    assert judge(WATCH, checks, BEGAN, at(5.5), taken) == Judgement("watching", due=at(5), to_measure=(0, 1))
    taken += [Taken(0, at(9), "good"), Taken(1, at(9), "good")]
    assert judge(WATCH, checks, BEGAN, at(9.5), taken) == Judgement("watching", due=at(10))


def test_good_health_keeps_it_when_the_window_ends_and_not_before():
    """A good start is no end."""
    taken = took("good", "good")
    assert phase(taken, now=9.9) == "watching"
    end = judge(WATCH, [CHECK], BEGAN, at(12), taken)
    assert (end.phase, end.ended, end.due) == ("kept", at(10), None)
    assert end.why == "every health check was good until the watch ended"


def test_one_bad_measurement_undoes_it_at_once():
    """It isn't outvoted by good ones before it or behind it."""
    end = judge(WATCH, [CHECK], BEGAN, at(5), took("good", "bad"))
    assert (end.phase, end.ended, end.why) == ("undo", at(5), "the health check shop:healthy was bad once")
    assert phase(took("bad", "good", "good")) == "undo"


def test_as_many_bad_ones_are_forgiven_as_the_check_says():
    """All of the window counts, not only those in a row."""
    check = CHECK.model_copy(update={"failure_limit": 1, "every": 1.0})
    assert phase(took("bad", *["good"] * 8, every=1), checks=[check]) == "kept"
    assert phase(took("bad", "good", "bad", *["good"] * 6, every=1), checks=[check]) == "undo"


def test_nothing_measured_is_not_healthy():
    """Nobody looked, so nobody knows."""
    assert phase() == "undo"
    assert phase(watch=Watch(window=10, inconclusive="hold")) == "hold"
    assert phase(took("good"), watch=Watch(window=10, least_good=2)) == "undo"


def test_what_was_measured_outside_the_window_says_nothing():
    """Neither before the action nor at its end or later; a measurement of tomorrow isn't known yet."""
    assert phase([Taken(0, at(-1), "good")]) == "undo"
    assert phase([Taken(0, at(10), "good")]) == "undo"
    assert phase([Taken(0, at(-1), "bad"), *took("good", "good"), Taken(0, at(10), "bad")], now=11) == "kept"
    assert phase([Taken(0, at(6), "bad")], now=5) == "watching"


def test_who_was_blind_at_the_end_has_seen_nothing_of_it():
    """The last good measurement must be young; that of a watcher that died in between isn't."""
    check = CHECK.model_copy(update={"every": 2.0})
    end = judge(WATCH, [check], BEGAN, at(10), [Taken(0, at(5.9), "good")])
    assert (end.phase, end.why) == ("undo", "the health check shop:healthy was last good more than 4s before the end")
    assert phase([Taken(0, at(6), "good")], checks=[check]) == "kept"


def test_seeing_nothing_too_often_ends_it_as_the_policy_says():
    """More of them than are forgiven, from one good one to the next."""
    check = CHECK.model_copy(update={"inconclusive_limit": 1, "every": 1.0})
    blind = took("good", "inconclusive", "inconclusive", every=1)
    assert phase(blind[:2], checks=[check], now=3) == "watching"
    end = judge(WATCH, [check], BEGAN, at(3), blind)
    assert (end.phase, end.why) == (
        "undo", "the health check shop:healthy saw nothing 2 times since it was last good",
    )  # fmt: skip
    assert phase(blind, checks=[check], now=3, watch=Watch(window=10, inconclusive="hold")) == "hold"
    calm = took("inconclusive", "good", "inconclusive", "good", every=1)
    assert phase(calm, checks=[check], now=4) == "watching"
    forgiven = CHECK.model_copy(update={"inconclusive_limit": None, "every": 1.0})
    assert phase(took(*["inconclusive"] * 9, every=1), checks=[forgiven], now=9) == "watching"


def test_of_one_moment_the_worst_counts():
    """A good measurement takes nothing back that was taken together with it, in whatever order they are stored."""
    check = CHECK.model_copy(update={"inconclusive_limit": 0})
    both = [Taken(0, at(1), "good"), Taken(0, at(1), "inconclusive")]
    assert phase(both, checks=[check], now=1) == phase(both[::-1], checks=[check], now=1) == "undo"


def test_each_check_that_decides_must_be_good():
    """One that was good doesn't speak for one that saw nothing; a dry run has no say either way."""
    other = Http(url="http://127.0.0.1/")
    assert phase(took("good", "good"), checks=[CHECK, other]) == "undo"
    dry = other.model_copy(update={"dry_run": True})
    assert phase([*took("good", "good"), *took("bad", "inconclusive", check=1)], checks=[CHECK, dry]) == "kept"
    assert judge(WATCH, [CHECK, dry], BEGAN, at(0)).to_measure == (0, 1)
    assert phase(took("good", "good"), checks=[CHECK.model_copy(update={"dry_run": True})]) == "undo"


def test_an_alert_that_fires_undoes_it():
    """At the moment at which it was delivered; one of a dry run, or before the action, doesn't."""
    alert = Alert(labels={"app": "shop"})
    fired = [Told("firing", at(3), check=1)]
    end = judge(WATCH, [CHECK, alert], BEGAN, at(3), took("good"), fired)
    assert (end.phase, end.ended, end.why) == ("undo", at(3), "the alert app=shop fired")
    assert phase(took("good", "good"), fired, checks=[CHECK, alert.model_copy(update={"dry_run": True})]) == "kept"
    assert phase(took("good", "good"), [Told("firing", at(-1), check=1)], checks=[CHECK, alert]) == "kept"


def test_a_person_may_undo_it_or_keep_it():
    """At any moment before the end; of both at once, the undo counts."""
    assert phase(took("good"), [Told("undo", at(2))], now=2) == "undo"
    assert phase(took("good"), [Told("keep", at(2))], now=2) == "kept"
    assert phase(took("good"), [Told("keep", at(2)), Told("undo", at(2))], now=2) == "undo"
    assert phase([Taken(0, at(2), "bad")], [Told("keep", at(2))], now=2) == "undo"


def test_what_must_be_kept_is_undone_unless_somebody_keeps_it():
    """Good health alone doesn't keep it, and a word at the last moment comes too late."""
    required = Watch(window=10, confirm="required")
    end = judge(required, [CHECK], BEGAN, at(10), took("good", "good"))
    assert (end.phase, end.why) == ("undo", "nobody kept it before the watch ended")
    assert phase(took("good", "good"), [Told("keep", at(9.9))], watch=required) == "kept"
    assert phase(took("good", "good"), [Told("keep", at(10))], watch=required) == "undo"


def test_a_person_may_extend_it_and_not_shorten_it():
    """The new end counts from then on; said too late, it changes nothing."""
    longer = [Told("extend", at(9), until=at(20))]
    assert phase(took("good", "good"), longer) == "watching"
    assert phase(took("good", "good", "good", "good"), longer, now=20) == "kept"
    assert phase(took("good", "good"), [Told("extend", at(1), until=at(2))], now=3) == "watching"
    assert phase(took("good", "good"), [Told("extend", at(10), until=at(20))]) == "kept"


@pytest.mark.parametrize(("kind", "after"), [("keep", "kept"), ("undo", "undo")])
def test_what_is_held_waits_for_a_person(kind, after):
    """Neither time nor a measurement moves it."""
    hold = Watch(window=10, inconclusive="hold")
    assert phase(took("inconclusive", "good", "bad", every=11), watch=hold, now=40) == "hold"
    assert phase((), [Told(kind, at(50))], watch=hold, now=50) == after


def test_a_measurement_of_no_check_is_a_mistake():
    """A row that names a check that isn't there isn't passed over."""
    for place in (1, -1):
        with pytest.raises(ValueError, match="there is no check"):
            judge(WATCH, [CHECK], BEGAN, at(0), [Taken(place, at(0), "good")])


KINDS = {
    Http: {"url": "http://127.0.0.1:8000/"},
    Python: {"function": "shop:fine"},
    Command: {"argv": ["true"]},
    Sql: {"env": "SHOP", "query": "SELECT 1", "equals": 1},
    Prometheus: {"url": "http://127.0.0.1:9090", "query": "up", "at_least": 1},
    ErrorRate: {"at_most": 0.5},
    Alert: {"labels": {"app": "shop"}, "alive": {"alertname": "Watchdog"}},
}
"""Each kind of check, with what it needs."""


def test_every_kind_is_tried():
    """A new one must be put here."""
    assert set(KINDS) == set(get_args(get_args(Check)[0]))


@pytest.mark.parametrize("kind", KINDS)
def test_what_every_check_has_works_for_each_kind(kind):
    """When it is due, what it forgives, and that a dry run has no say."""
    needs = KINDS[kind]
    slow = kind(**needs, delay=2, every=3)
    assert (judge(WATCH, [slow], BEGAN, at(0)).due, judge(WATCH, [slow], BEGAN, at(0)).to_measure) == (at(2), ())
    assert judge(WATCH, [slow], BEGAN, at(2)).to_measure == (0,)
    assert judge(WATCH, [slow], BEGAN, at(2), [Taken(0, at(2), "good")]).due == at(5)
    blind = kind(**needs, inconclusive_limit=1)
    ends = [judge(WATCH, [blind], BEGAN, at(3), took(*["inconclusive"] * n, every=1)).phase for n in (1, 2)]
    assert ends == ["watching", "undo"]
    dry = kind(**needs, dry_run=True)
    assert (
        judge(WATCH, [CHECK, dry], BEGAN, at(3), [*took("good"), *took("bad", "inconclusive", check=1)]).phase
        == "watching"
    )
    if kind is not Alert:
        mild = kind(**needs, failure_limit=1)
        assert [judge(WATCH, [mild], BEGAN, at(3), took(*["bad"] * n, every=1)).phase for n in (1, 2)] == [
            "watching",
            "undo",
        ]


@pytest.mark.parametrize(
    ("said", "why"),
    [({"failure_limit": 1}, "undoes at once"), ({"alive": None, "inconclusive_limit": 3}, "nothing would be kept")],
)
def test_an_alert_promises_nothing_that_it_can_not_do(said, why):
    """What would have no effect, or undo everything, isn't loaded."""
    with pytest.raises(ValidationError, match=why):
        Alert(**{**KINDS[Alert], **said})
