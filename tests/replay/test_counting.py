"""Counters in memory: the same as those of the ledger, and never more than fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.ledger import quotas
from ladder_graph.ledger.store import Store
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
    assert [counters.left(charge) for charge in charges] == [1, 1, 0, 0, 0]
    for hour in range(1000):
        counters.take(Charge("ops/send/calls", "it", 1, 1, "calls", hour))
    assert len(counters._counters["ops/send/calls"].windows) <= 32
