"""Alerts in the ledger: once each, alive by their last delivery, and in the way of an action while they fire."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest

from ladder_graph import Ladder
from ladder_graph.ledger.actions import clocks
from ladder_graph.ledger.watching import signals, watches
from ladder_graph.testing import FrozenClock
from ladder_graph.watch import Signal

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
NOW = int(NOON.timestamp() * 1_000_000) - 1_000_000
"""A second before noon, in microseconds."""
RULE = {
    "rung": "bounded",
    "bounds": [{"kind": "volume", "limit": 9}],
    "checks": [
        {"kind": "alert", "labels": {"app": "shop"}},
        {"kind": "python", "function": "operator:truth"},
    ],
    "watch": {"window": "10m"},
}


@pytest.fixture
def ladder():
    """A ladder in memory at noon, with a tool that an alert is about."""
    found = Ladder(
        agent="ops", rungs={"apply": RULE, "read": {"rung": "bounded", "read_only": True}}, ledger=":memory:",
        clock=FrozenClock(NOON),
    )  # fmt: skip
    yield found
    found.close()


def alert(status="firing", at=NOW, *, starts=NOW - 60_000_000, app="shop"):
    """One alert, as it was delivered."""
    return Signal(f"f-{app}", starts, status, {"app": app, "severity": "critical"}, at)


def codes(ladder, tool="apply"):
    """What keeps a tool from a higher rung."""
    return {reason.code for reason in ladder.explain(tool, {}).route.reasons}


def test_an_alert_that_fires_already_makes_a_call_a_question(ladder):
    """While an alert of its checks fires, a tool asks; once it is resolved, it doesn't."""
    assert "already_firing" not in codes(ladder)
    ladder.deliver([alert()])
    found = ladder.explain("apply", {}).route
    assert found.rung.word == "confirm"
    assert [one.text for one in found.reasons if one.code == "already_firing"] == [
        "the alert app=shop fires already, so nobody could tell what the action does"
    ]
    assert "already_firing" not in codes(ladder, "read")
    ladder.deliver([alert("resolved", NOW + 1)])
    assert "already_firing" not in codes(ladder)


def test_what_is_over_costs_a_call_nothing(ladder):
    """Of a thousand alerts the gate reads the one that fires, by an index, whatever else was ever delivered."""
    ladder.deliver(
        [alert(word, NOW + at, starts=n) for n in range(500) for at, word in enumerate(("firing", "resolved"))]
    )
    ladder.deliver([alert()])
    plan = f"EXPLAIN QUERY PLAN {signals._FIRING}"
    (step,) = ladder.store.read(lambda cursor: cursor.execute(plan, {"since": 0}).fetchall())
    assert step["detail"].startswith("SEARCH firing USING INDEX firing_at")
    assert len(ladder.store.read(lambda cursor: signals.firing(cursor, NOW))) == 1
    assert "already_firing" in codes(ladder)


def test_a_server_keeps_alerts_alike(postgres):
    """What fires, what is over and what is old, in PostgreSQL."""
    with contextlib.closing(
        Ladder(agent="ops", rungs={"apply": RULE}, ledger=postgres, clock=FrozenClock(NOON))
    ) as there:
        assert there.deliver([alert(at=NOW - 3 * signals.DAY), alert(at=NOW - 2 * signals.DAY)]) == 1
        assert "already_firing" in codes(there)
        assert there.deliver([alert("resolved")]) == 1
        assert "already_firing" not in codes(there)
        assert kept(there) == 1


def test_an_alert_that_nobody_resolves_stops_firing_in_the_end(ladder):
    """Its sender would have delivered it again; so nobody's removed rule stands in the way for ever."""
    ladder.deliver([alert(at=NOW - signals.FIRES + 2_000_000)])
    assert "already_firing" in codes(ladder)
    ladder.clock.advance(dt.timedelta(seconds=10))
    assert "already_firing" not in codes(ladder)
    ladder.deliver([alert(at=NOW + 9_000_000)])
    assert "already_firing" in codes(ladder)


def test_old_signals_leave_once_no_window_asks_about_them(ladder):
    """A day stays, and everything since the oldest window that is open; what fires stays too, by its last delivery."""
    begun = clocks.Moment(NOW - 3 * signals.DAY, "", 0)
    window = {"agent": "ops", "tool": "apply", "spec": "{}", "resource": "", "at": begun, "length_us": 1}
    ladder.store.write(lambda cursor: watches.arm(cursor, action="a", **window))
    old = [alert("resolved", begun.wall_us, starts=n) for n in range(3)]
    ladder.deliver([*old, alert(at=begun.wall_us), alert(at=NOW - signals.DAY)])
    assert kept(ladder) == 5
    ladder.deliver([alert(at=NOW)])
    assert kept(ladder) == 5
    ladder.store.write(lambda cursor: watches.over(cursor, watches.window_of(cursor, "a"), "kept", ""))
    ladder.deliver([alert("resolved", NOW, starts=9)])
    assert kept(ladder) == 2
    assert "already_firing" in codes(ladder)


def kept(ladder):
    """How many signals the ledger holds."""
    return len(ladder.store.read(lambda cursor: signals.signals(cursor, 0)))


def test_an_alert_of_something_else_is_in_nobodys_way(ladder):
    """Only alerts with the labels of the check count."""
    ladder.deliver([alert(app="warehouse")])
    assert "already_firing" not in codes(ladder)


def test_a_delivery_that_comes_again_is_no_new_one(ladder):
    """The first moment of an alert stays, and the last one is kept beside it, however often it is delivered."""
    assert ladder.deliver([alert(at=NOW)]) == 1
    assert [ladder.deliver([alert(at=NOW + n)]) for n in (1, 2, 3)] == [0, 0, 0]
    kept = ladder.store.read(lambda cursor: signals.signals(cursor, 0))
    assert [one.at_us - NOW for one in kept] == [0, 3]


def test_an_alert_that_fires_again_is_firing(ladder):
    """What was resolved and is delivered as firing once more is in the way again."""
    ladder.deliver([alert(at=NOW), alert("resolved", NOW + 1)])
    assert "already_firing" not in codes(ladder)
    ladder.deliver([alert(at=NOW + 2)])
    assert "already_firing" in codes(ladder)
