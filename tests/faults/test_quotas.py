"""Sixteen processes at one limit: exactly the limit is granted, whatever becomes of their calls."""

from __future__ import annotations

import pytest

from ladder_graph.steps import Claimed
from tests.faults.drawers import CLOCKS, ENDS, LIMIT, REACH, TWO, charged, drawers
from tests.unit.ledger.desk import at, call


def holds(race, place, clock, seed=0):
    """Race, and look whether exactly the limit was granted: at the end, and never more at any moment before it."""
    with at(place):
        took = race(place, clock, seed)
    with at(place) as desk:
        now = 0
        for kind, action in desk.rows("SELECT kind, action FROM entry ORDER BY n"):
            now += {"started": 1, "failed": -1}.get(kind, 0) * took.get(action, 0)
            # At midnight, or when an hour begins, the limit is there anew, once.
            assert now <= LIMIT * (2 if clock in TWO else 1)
        by_window = dict(desk.rows('SELECT "window" / 1000000, used + reserved FROM quota'))
        last = max(by_window)
        assert sum(by_window.values()) == now
        assert sum(taken for window, taken in by_window.items() if clock not in TWO or window == last) == LIMIT
        # Nothing was drawn from yesterday any more once it was today for anybody, and that was long before it was full.
        assert len(by_window) == 2 or clock not in TWO
        assert all(taken < LIMIT for window, taken in by_window.items() if window != last)
        ended = dict(desk.rows("SELECT state, count(*) FROM action GROUP BY state"))
        assert set(ended) <= {"started", *ENDS}
        held = desk.rows(
            "SELECT coalesce(sum(amount), 0) FROM hold JOIN action ON key = action "
            "WHERE state IN ('started', 'unknown')"
        )
        assert held == desk.rows("SELECT sum(reserved) FROM quota") == desk.rows("SELECT sum(amount) FROM hold")
        after = last + 1 + REACH
        assert desk.claim(call("after"), charged(LIMIT, after, REACH * ("sliding" in clock))) == Claimed(1)
        assert desk.verify() == ()


@pytest.fixture(scope="module")
def race():
    """Sixteen processes that race."""
    with drawers() as ready:
        yield ready


@pytest.mark.parametrize("clock", ["midnight", "summer time ends", "sliding, set back"])
def test_exactly_the_limit_is_granted(race, tmp_path, postgres, clock):
    """What failed is given back and drawn anew; what is in doubt or unheard of keeps what it holds."""
    holds(race, str(tmp_path / "ladder.db"), clock)
    holds(race, postgres, clock)


@pytest.mark.parametrize("clock", ["rate", "rate, none fails"])
def test_no_more_than_a_burst_is_granted(race, tmp_path, postgres, clock):
    """At one moment exactly the burst; where calls fail, never more than it at any time."""
    for place in (str(tmp_path / "ladder.db"), postgres):
        race(place, clock, 0)
        with at(place) as desk:
            now = granted = 0
            for (kind,) in desk.rows("SELECT kind FROM entry ORDER BY n"):
                now += {"started": 1, "failed": -1}.get(kind, 0)
                granted += kind == "started"
                assert now <= LIMIT
            assert desk.rows("SELECT granted FROM rate") == [(granted,)]
            assert granted >= LIMIT
            assert now == LIMIT or clock == "rate"
            assert desk.rows("SELECT count(*) FROM hold") == desk.rows(
                "SELECT count(*) FROM action WHERE state IN ('started', 'unknown')"
            )
            assert desk.verify() == ()


@pytest.mark.faults
@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("seed", range(1, 21))
def test_exactly_the_limit_is_granted_each_time(race, tmp_path, postgres, clock, seed):
    """Twenty times on each database, with other amounts and outcomes each time."""
    holds(race, str(tmp_path / "ladder.db"), clock, seed)
    holds(race, postgres, clock, seed)
