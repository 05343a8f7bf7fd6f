"""Counters in memory: the same as those of the ledger, and never more than fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.ledger.actions import quotas
from ladder_graph.ledger.database.store import Store
from ladder_graph.policy.bounds import Charge
from ladder_graph.replay import counting
from ladder_graph.replay.counting import Counters

SECOND = 1_000_000
DRAWS = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 3)), max_size=20)
"""Seconds until the next draw, and how much it takes."""


def window(at, amount):
    """From a window of ten seconds of the calendar."""
    return Charge("ops/send/calls", "it", amount, 4, "calls", at - at % (10 * SECOND))


def sliding(at, amount):
    """From any sixteen seconds, in eight buckets of two."""
    return Charge("ops/send/calls", "it", amount, 4, "calls", at - at % (2 * SECOND), 16 * SECOND)


def rate(at, _):
    """From a rate of one in five seconds, with two at once."""
    return Charge("ops/send/rate", "it", 1, 2, "calls", at, interval=5 * SECOND)


@pytest.mark.parametrize("charged", [window, sliding, rate])
@given(draws=DRAWS)
def test_they_count_as_the_ledger_does(charged, draws):
    """Whatever is drawn in the order of time, what is left is the same as in the ledger."""
    store, counters, at = Store(":memory:"), Counters(), 1_700_000_000 * SECOND
    try:
        for number, (gap, amount) in enumerate(draws):
            at += gap * SECOND
            charge = charged(at, amount)
            left = store.write(lambda cursor, charge=charge: quotas.left(cursor, charge))
            assert counters.left(charge) == left
            if charge.amount <= left:
                counters.take(charge)
                held = store.write(lambda cursor, n=number, charge=charge: quotas.hold(cursor, str(n), [charge]))
                assert held is None
    finally:
        store.close()


def test_what_is_kept_has_an_end(monkeypatch):
    """A trace with millions of threads, each with its counter, takes no more memory than one with a few."""
    monkeypatch.setattr(counting, "MOST", 3)
    counters = Counters()
    charges = [Charge(f"ops/send@{thread}/calls", "it", 1, 1, "calls") for thread in range(5)]
    for charge in charges:
        counters.take(charge)
    assert len(counters._counters) == 3
    for hour in range(1000):
        counters.take(Charge("ops/send/calls", "it", 1, 1, "calls", hour))
    assert len(counters._counters["ops/send/calls"].sure.windows) <= 32


def test_a_counter_that_is_forgotten_is_not_taken_for_empty(monkeypatch):
    """What it held isn't known any more; one that was never drawn on is, and so is a window after all that it held."""
    monkeypatch.setattr(counting, "MOST", 3)
    counters = Counters()

    def charge(thread, day=1):
        return Charge(f"ops/send@{thread}/calls", "it", 1, 1, "calls", day)

    for thread in range(5):
        counters.take(charge(thread))
    assert [counters.least(charge(thread)) for thread in range(6)] == [0, 0, 0, 0, 0, 1]
    assert counters.least(charge(0, day=2)) == 1


def test_a_window_that_is_forgotten_is_not_taken_for_empty():
    """A trace that goes back to a window long before finds nothing that is known to be left."""
    counters = Counters()
    for hour in range(40):
        counters.take(Charge("ops/send/calls", "it", 1, 1, "calls", hour))
    assert counters.least(Charge("ops/send/calls", "it", 1, 1, "calls", 0)) == 0
    assert counters.least(Charge("ops/send/calls", "it", 1, 1, "calls", 40)) == 1


def test_what_may_have_been_taken_makes_a_rate_wait_too():
    """A call that may have come pushes those behind it, also where it would have been over by itself."""
    hour = 3600 * SECOND

    def call(at):
        return Charge("ops/send/rate", "it", 1, 2, "calls", at * hour, interval=hour)

    counters = Counters()
    counters.take(call(0), sure=False)
    counters.take(call(0))
    counters.take(call(1))
    assert (counters.left(call(1)), counters.least(call(1))) == (1, 0)
