"""Bounds that count: windows of somebody's calendar, and what a call takes from them."""

from __future__ import annotations

import datetime as dt

import pytest

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import Breach, Charge, Cost, Length, Volume, weigh
from ladder_graph.policy.bounds.volume import window

NOW = dt.datetime(2026, 11, 22, 23, 30, 15, tzinfo=dt.UTC)


def call(agent="ops", tool="pay", **arguments):
    """A call of one tool."""
    return Call(agent, "t1", "c1", tool, arguments)


@pytest.mark.parametrize(
    ("per", "zone", "label"),
    [
        ("minute", "UTC", "2026-11-22T23:30+0000"),
        ("hour", "UTC", "2026-11-22T23+0000"),
        ("day", "UTC", "2026-11-22"),
        ("month", "UTC", "2026-11"),
        ("ever", "UTC", "ever"),
        ("minute", "Asia/Kolkata", "2026-11-23T05:00+0530"),
        ("day", "Europe/Zurich", "2026-11-23"),
        ("day", "America/New_York", "2026-11-22"),
        ("day", "Pacific/Kiritimati", "2026-11-23"),
    ],
)
def test_a_window_is_a_stretch_of_the_zones_calendar(per, zone, label):
    """The same moment belongs to different days in different places."""
    assert window(NOW, per, zone) == label


def test_the_hour_that_comes_twice_is_two_windows():
    """When summer time ends, 02:30 is two moments, and each hour has a window of its own."""
    first = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
    for per, labels in (
        ("hour", ("2026-10-25T02+0200", "2026-10-25T02+0100")),
        ("minute", ("2026-10-25T02:30+0200", "2026-10-25T02:30+0100")),
    ):
        assert (
            window(first, per, "Europe/Zurich"),
            window(first + dt.timedelta(hours=1), per, "Europe/Zurich"),
        ) == labels


def test_a_day_with_25_hours_is_one_window():
    """A day is the calendar's, however long."""
    start = dt.datetime(2026, 10, 24, 22, tzinfo=dt.UTC)
    hours = [window(start + dt.timedelta(hours=n), "day", "Europe/Zurich") for n in range(26)]
    assert hours.count("2026-10-25") == 25


def test_a_moment_has_one_window_however_it_is_written():
    """The label depends on the moment and not on the zone that the clock is set to."""
    elsewhere = NOW.astimezone(dt.timezone(dt.timedelta(hours=-11)))
    assert window(elsewhere, "hour", "Europe/Zurich") == window(NOW, "hour", "Europe/Zurich")


def test_a_naive_moment_is_refused():
    """Nobody can tell which window it belongs to."""
    with pytest.raises(ValueError, match="has no time zone; pass an aware datetime"):
        window(NOW.replace(tzinfo=None), "day", "UTC")


def test_a_volume_takes_one_call():
    """The charge names counter, window, amount and limit."""
    charge = Volume(limit=3, timezone="Europe/Zurich").charge(call(), NOW)
    assert charge == Charge("ops/pay/calls/day/Europe/Zurich", "2026-11-23", 1, 3, "calls")


def test_a_cost_takes_what_is_declared():
    """Each call takes the declared sum, in micro-dollars."""
    charge = Cost(limit="$5", each="$0.02").charge(call(), NOW)
    assert charge == Charge("ops/pay/micro_usd/each/day/UTC", "2026-11-22", 20_000, 5_000_000, "micro_usd")


@pytest.mark.parametrize(
    ("dollars", "micro"),
    [(1, 1_000_000), (0.1, 100_000), (0.0000001, 1), (1.0000001, 1_000_001), (19.99, 19_990_000), (1e-300, 1)],
)
def test_a_cost_takes_what_an_argument_says_rounded_up(dollars, micro):
    """What doesn't fit into micro-dollars is rounded against the caller."""
    charge = Cost(limit="$5", argument="order.amount").charge(call(order={"amount": dollars}), NOW)
    assert (charge.amount, charge.quota) == (micro, "ops/pay/micro_usd/of:order.amount/day/UTC")


@pytest.mark.parametrize(
    "odd", [-1, -0.01, 0, 0.0, -0.0, True, False, None, "5", "$5", [5], {"usd": 5}, 1e300, 10**300, 9007199255, b"5"]
)
def test_an_amount_that_cannot_be_held_asks(odd):
    """Negative amounts would refill the window, nothing may mean everything, and text is no number."""
    answer = Cost(limit="$5", argument="amount").charge(call(amount=odd), NOW)
    assert isinstance(answer, Breach)
    assert answer.text.endswith("no positive number of dollars, so its cost can't be held")


def test_a_missing_amount_asks():
    """The tool's default may be any sum."""
    answer = Cost(limit="$5", argument="amount").charge(call(), NOW)
    assert answer.text.startswith("amount is missing, no positive number")


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_an_endless_amount_asks(odd):
    """No call can carry one; the bound would not take it either."""
    one = call(amount=1)
    one.arguments["amount"] = odd
    assert isinstance(Cost(limit="$5", argument="amount").charge(one, NOW), Breach)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (call("a/b", "c"), call("a", "b/c")),
        (call("a", "b"), call("b", "a")),
        (call("a%2Fb", "c"), call("a/b", "c")),
        (call("a", "b"), call("A", "b")),
    ],
)
def test_no_two_tools_share_a_counter(one, other):
    """A slash in a name can't make one tool count against another's limit."""
    bound = Volume(limit=3)
    assert bound.charge(one, NOW).quota != bound.charge(other, NOW).quota


def test_weighing_collects_breaches_and_charges():
    """Every bound is asked, and all must hold: one breach doesn't hide another, nor the charges."""
    bounds = [
        Length(argument="to", most=3),
        Volume(limit=3),
        Cost(limit="$5", argument="amount"),
        Cost(limit="$1", each="$1"),
    ]
    breaches, charges = weigh(bounds, call(to="long", amount=-1), NOW)
    assert [breach.bound for breach in breaches] == ["length", "cost"]
    assert [charge.unit for charge in charges] == ["calls", "micro_usd"]
    assert weigh([], call(), NOW) == ([], [])
