"""Rates: a burst, and then one call after the other; what failed is given back, and never more than that."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ladder_graph.policy.bounds import Charge
from ladder_graph.steps import Claimed
from tests.unit.ledger.desk import CALL, at, call, charge

BURST = 3
QUOTAS = itertools.count()


def paced(second, quota="ops/send_email/rate/within:1m", burst=BURST):
    """A call of a rate of one in ten seconds."""
    return Charge(quota, "a burst, at 6 in 1m", 1, burst, "calls", int(second * 1_000_000), interval=10_000_000)


def left(desk, second):
    """How many may come at this moment."""
    return desk.look(call(99), paced(second)).left[0][1]


def test_a_burst_and_then_one_after_the_other(desk):
    """The fourth must wait until one interval is over; after a pause there is a whole burst again, and no more."""
    assert [desk.claim(call(n), paced(100)) for n in range(3)] == [Claimed(1)] * 3
    refused = desk.claim(call(3), paced(109.999999))
    assert (refused.code, refused.text) == ("quota", "3 calls are allowed in a burst, at 6 in 1m, and none is left")
    assert desk.claim(call(3), paced(110)) == Claimed(1)
    assert desk.claim(call(4), paced(110)).code == "quota"
    assert [left(desk, second) for second in (110, 119, 120, 130, 139, 140, 10_000)] == [0, 0, 1, 2, 2, 3, 3]
    assert [desk.claim(call(n), paced(10_000)) for n in range(5, 9)][:3] == [Claimed(1)] * 3
    assert desk.state(call(8)) is None


def test_before_the_first_call_a_whole_burst_is_left(desk):
    """Nothing is written by looking."""
    assert left(desk, 0) == BURST
    assert desk.rows("SELECT * FROM rate") == []


def test_each_rate_counts_for_itself(desk):
    """Calls of two that come in turn, as often as each may, and one of both."""
    mail, chat = "ops/send_email/rate/within:1m", "ops/say/rate/within:1m"
    for n in range(2):
        assert desk.claim(call(n), paced(100 + n, mail)) == Claimed(1)
        assert desk.claim(call(10 + n), paced(200 + n, chat)) == Claimed(1)
    counted = desk.rows("SELECT quota, granted, last_us FROM rate ORDER BY quota")
    assert counted == [(chat, 2, 201_000_000), (mail, 2, 101_000_000)]
    desk.claim(call(20), paced(300, mail), paced(300, chat))
    assert desk.rows("SELECT quota, granted FROM rate ORDER BY quota") == [(chat, 3), (mail, 3)]
    desk.record("failed", call(11))
    assert desk.rows("SELECT quota, free_us FROM rate ORDER BY quota") == [(chat, 310_000_000), (mail, 310_000_000)]


@pytest.mark.parametrize(("state", "back"), [("failed", 1), ("done", 0), ("unknown", 0), ("paused", 0)])
def test_only_what_failed_is_given_back(desk, state, back):
    """What is in doubt keeps its place, until somebody finds out."""
    for n in range(3):
        desk.claim(call(n), paced(100))
    desk.record(state, call(0))
    assert left(desk, 100) == back
    assert desk.rows("SELECT count(*) FROM hold") == [(2 if state in {"done", "failed"} else 3,)]
    if state == "unknown":
        desk.write(lambda journal, cursor: journal.append(cursor, "ops", "note", "", {}))
        assert left(desk, 100) == 0


def test_what_time_has_given_back_is_not_given_twice(desk):
    """A call that fails after its interval is over makes no room that isn't there."""
    desk.claim(call(0), paced(100))
    for n in range(1, 4):
        desk.claim(call(n), paced(200))
    desk.record("failed", call(0))
    assert left(desk, 200) == 0
    desk.record("failed", call(3))
    assert left(desk, 200) == 1


def test_a_call_that_another_one_followed_is_given_back_exactly(desk):
    """The second one would have been waited for from its own moment on."""
    desk.claim(call(0), paced(100))
    desk.claim(call(1), paced(109))
    desk.record("failed", call(0))
    assert desk.rows("SELECT free_us FROM rate") == [(119_000_000,)]


def test_a_clock_that_was_set_back_brings_no_new_burst(desk):
    """The rate stays at the moment it has reached: what is left of the burst may come, and then nothing."""
    desk.claim(call(0), paced(1000))
    assert [desk.claim(call(n), paced(n)) for n in (1, 2)] == [Claimed(1)] * 2
    assert left(desk, 500) == 0
    assert desk.claim(call(3), paced(999)).code == "quota"
    assert desk.claim(call(3), paced(1010)) == Claimed(1)


def test_a_refused_claim_takes_nothing(desk):
    """Where another quota is full, the rate is as it was; and the other way round."""
    full = charge(amount=9, quota="ops/send_email/zzz")
    assert desk.claim(CALL, paced(100), full).code == "quota"
    assert left(desk, 100) == BURST
    for n in range(3):
        desk.claim(call(n), paced(100))
    assert desk.claim(call(4), charge(), paced(100)).code == "quota"
    assert desk.quota() == (0, 0)


def test_a_rate_and_a_window_are_looked_at_together(desk):
    """Each with what is left, in their order."""
    desk.claim(CALL, paced(100), charge())
    for both in ((paced(100), charge()), (charge(), paced(100))):
        assert desk.look(call(9), *both).left == tuple((one, 2) for one in both)


def test_a_call_that_started_over_is_held_once(desk):
    """It was let through before it paused."""
    desk.claim(CALL, paced(100))
    desk.record("paused")
    desk.claim()
    desk.record("failed", fence=2)
    assert left(desk, 100) == BURST


@pytest.fixture(scope="module")
def one_desk(tmp_path_factory):
    """A desk for all examples, each with a counter of its own."""
    with at(tmp_path_factory.mktemp("rates") / "ladder.db") as desk:
        yield desk


STEPS = st.lists(
    st.tuples(st.just("call"), st.integers(0, 25)) | st.tuples(st.just("fail"), st.integers(0, 9)), max_size=14
)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), STEPS)
def test_what_took_effect_never_runs_ahead_of_the_rate(one_desk, burst, steps):
    """Between two calls that didn't fail lies the time that those between them need; none waits for more than that."""
    quota, now, free, running, failed = f"ops/t{next(QUOTAS)}/rate", 1000, 0, [], False
    for kind, number in steps:
        if kind == "fail":
            if running:
                desk_call, _ = running.pop(number % len(running))
                one_desk.record("failed", desk_call)
                failed = True
            continue
        now += number
        one = call(f"{quota}{now}{len(running)}{next(QUOTAS)}", tool=quota.split("/")[1])
        granted = one_desk.claim(one, paced(now, quota, burst)) == Claimed(1)
        conforms = max(free, now) + 10 - now <= burst * 10
        if granted:
            free = max(free, now) + 10
            running.append((one, now))
        assert granted is conforms or failed
        for (first, (_, begun)), (last, (_, ended)) in itertools.combinations(enumerate(running), 2):
            assert ended - begun >= (last - first - burst + 1) * 10
