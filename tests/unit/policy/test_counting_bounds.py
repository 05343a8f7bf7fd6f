"""Bounds that count: windows of somebody's calendar, and what a call takes from them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from pydantic import ValidationError

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import Breach, Charge, Cost, Length, Rate, Volume, weigh
from ladder_graph.policy.bounds.window import BUCKETS, start, window
from ladder_graph.policy.scene import Scene

NOW = dt.datetime(2026, 11, 22, 23, 30, 15, tzinfo=dt.UTC)


def call(agent="ops", tool="pay", **arguments):
    """A call of one tool."""
    return Call(agent, "t1", "c1", tool, arguments)


def us(moment):
    """A moment in microseconds since the epoch."""
    return int(dt.datetime.fromisoformat(moment).timestamp()) * 1_000_000


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


@pytest.mark.parametrize(
    ("moment", "per", "zone", "begun"),
    [
        ("2026-11-22T23:30:15Z", "minute", "UTC", "2026-11-22T23:30Z"),
        ("2026-11-22T23:30:15Z", "hour", "Asia/Kolkata", "2026-11-22T23:30Z"),
        ("2026-11-22T23:30:15Z", "day", "America/New_York", "2026-11-22T05:00Z"),
        ("2026-11-22T23:30:15Z", "month", "Europe/Zurich", "2026-10-31T23:00Z"),
        ("2026-10-25T00:30:00Z", "hour", "Europe/Zurich", "2026-10-25T00:00Z"),
        ("2026-10-25T01:30:00Z", "hour", "Europe/Zurich", "2026-10-25T01:00Z"),
        ("2026-10-25T22:59:00Z", "day", "Europe/Zurich", "2026-10-24T22:00Z"),
        ("2026-03-29T21:59:00Z", "day", "Europe/Zurich", "2026-03-28T23:00Z"),
        ("2026-11-22T23:30:15Z", "ever", "UTC", "1970-01-01T00:00Z"),
    ],
)
def test_a_window_begins_where_its_zones_calendar_says(moment, per, zone, begun):
    """The hour that comes twice begins twice, and days of 23 and 25 hours begin at their midnight."""
    assert start(dt.datetime.fromisoformat(moment), per, zone) == us(begun)


@pytest.mark.parametrize("length", [1, 0.9 * 3600 + 0.1, 86400])
def test_a_sliding_window_counts_everything_that_it_covers(length):
    """The buckets that count reach back over the whole length, and by one bucket more at most."""
    for micro in (0, 1, 999_999, 1_000_000):
        moment = NOW + dt.timedelta(microseconds=micro)
        charge = Volume(limit=3, within=length).charge(call(), moment)
        now = us("2026-11-22T23:30:15Z") + micro
        assert charge.start <= now < charge.start + charge.reach // BUCKETS
        assert now - length * 1_000_000 >= charge.start - charge.reach
        assert charge.reach <= length * 1_000_000 + BUCKETS


def test_a_sliding_window_has_a_counter_of_its_own():
    """Its key and its words name the length; the calendar's windows are other counters."""
    charge = Volume(limit=3, within="24h").charge(call(), NOW)
    assert (charge.quota, charge.window) == ("ops/pay/calls/within:1d", "any 1d")


@pytest.mark.parametrize(
    ("by", "one", "other", "shared"),
    [
        ("tool", call(tool="a"), call(tool="b"), False),
        ("agent", call(tool="a"), call(tool="b"), True),
        ("agent", call(agent="a"), call(agent="b"), False),
        ("agent", call(tool="*"), call(tool="b"), True),
        ("thread", call(), replace(call(), thread="t2"), False),
        ("thread", call(), call(to="bo"), True),
        ("tool", call(), replace(call(), thread="t2"), True),
    ],
)
def test_by_says_what_shares_a_counter(by, one, other, shared):
    """Calls of a tool, of one thread, or of all the agent's tools."""
    bound = Volume(limit=3, by=by)
    assert (bound.charge(one, NOW).quota == bound.charge(other, NOW).quota) is shared


def test_a_tools_name_reaches_no_other_counter():
    """A tool that is called like a key's parts counts for itself."""
    everything = Volume(limit=3, by="agent").charge(call(), NOW).quota
    thread = Volume(limit=3, by="thread").charge(call(), NOW).quota
    for name in ("*", "pay@t1", "pay=1", "*/calls"):
        assert Volume(limit=3).charge(call(tool=name), NOW).quota not in {everything, thread}


PER_RECIPIENT = Volume(limit=3, each_value_of="to")


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("ana@shop.example", "ANA@shop.example ", True),
        ("ana@shop.example", "bo@shop.example", False),
        ("ana", ["ana"], True),
        ("\N{FULLWIDTH LATIN SMALL LETTER A}na", "ana", True),
        (7, "7", True),
        (7, 70, False),
        ("stra\N{LATIN SMALL LETTER SHARP S}e", "STRASSE", True),
    ],
)
def test_each_value_has_a_counter(one, other, shared):
    """Two values share one where a tool may take them for the same."""
    first, second = (PER_RECIPIENT.charges(call(to=value), Scene(NOW))[0].quota for value in (one, other))
    assert (first == second) is shared
    assert "ana" not in first


def test_each_entry_of_a_list_is_counted_once():
    """Who is written to together with somebody else is written to."""
    charges = PER_RECIPIENT.charges(call(to=["ana", "bo", "Ana"]), Scene(NOW))
    assert [charge.window for charge in charges] == ["2026-11-22 for to = 'ana'", "2026-11-22 for to = 'bo'"]
    assert [charge.amount for charge in charges] == [1, 1]
    assert len({charge.quota for charge in charges}) == 2


@pytest.mark.parametrize(
    "odd",
    [
        None,
        True,
        1.5,
        "",
        " ",
        "a\nb",
        "a\N{ZERO WIDTH SPACE}b",
        [],
        [None],
        ["a", ["b"]],
        {"a": 1},
        ["a"] * 101,
        2**60,
    ],
)
def test_a_value_that_has_no_one_spelling_asks(odd):
    """What can't be counted is no reason to let it through."""
    answer = PER_RECIPIENT.charges(call(to=odd), Scene(NOW))
    assert isinstance(answer, Breach)
    assert answer.bound == "volume"
    assert answer.text.endswith("and the bound counts by plain text and whole numbers")


def test_a_missing_value_asks():
    """Nobody knows whose counter it would be; and an amount that can't be read asks as it does elsewhere."""
    assert PER_RECIPIENT.charges(call(), Scene(NOW)).text.startswith("to is missing, and the bound counts by")
    assert Cost(limit="$5", argument="amount", each_value_of="to").charges(call(to="ana"), Scene(NOW)).bound == "cost"


def test_a_naive_moment_is_refused():
    """Nobody can tell which window it belongs to."""
    with pytest.raises(ValueError, match="has no time zone; pass an aware datetime"):
        window(NOW.replace(tzinfo=None), "day", "UTC")


def test_a_volume_takes_one_call():
    """The charge names counter, window, amount and limit."""
    charge = Volume(limit=3, timezone="Europe/Zurich").charge(call(), NOW)
    assert charge == Charge("ops/pay/calls/day/Europe/Zurich", "2026-11-23", 1, 3, "calls", us("2026-11-22T23:00Z"))


def test_a_cost_takes_what_is_declared():
    """Each call takes the declared sum, in micro-dollars."""
    charge = Cost(limit="$5", each="$0.02").charge(call(), NOW)
    counter, begun = "ops/pay/micro_usd/each/day/UTC", us("2026-11-22T00:00Z")
    assert charge == Charge(counter, "2026-11-22", 20_000, 5_000_000, "micro_usd", begun)


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
    assert answer.text.endswith("no number of dollars above 0 and up to $9007199254, so its cost can't be held")


def test_a_missing_amount_asks():
    """The tool's default may be any sum."""
    answer = Cost(limit="$5", argument="amount").charge(call(), NOW)
    assert answer.text.startswith("amount is missing, no number of dollars")


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
    breaches, charges = weigh(bounds, call(to="long", amount=-1), Scene(NOW))
    assert [breach.bound for breach in breaches] == ["length", "cost"]
    assert [charge.unit for charge in charges] == ["calls", "micro_usd"]
    assert weigh([], call(), Scene(NOW)) == ([], [])


# --- rates -----------------------------------------------------------------------------------------------------------


def test_a_rate_takes_one_call_of_its_burst():
    """With the time that it makes the next one wait, rounded up, and the moment in place of a window."""
    charge = Rate(limit=7, within="1m", burst=2).charge(call(), NOW)
    assert (charge.amount, charge.limit, charge.unit, charge.reach) == (1, 2, "calls", 0)
    assert (charge.interval, charge.start) == (8_571_429, us("2026-11-22T23:30:15Z"))
    assert charge.quota == "ops/pay/rate/within:1m"
    assert charge.interval * 7 >= 60_000_000


def test_a_rate_has_a_counter_for_each_value():
    """As other bounds that count have."""
    bound = Rate(limit=1, within="1h", each_value_of="to", by="thread")
    charges = bound.charges(call(to=["ana", "bo"]), Scene(NOW))
    assert len({charge.quota for charge in charges}) == 2
    assert charges[0].window == "a burst, at 1 in 1h for to = 'ana'"
    assert isinstance(bound.charges(call(), Scene(NOW)), Breach)


@pytest.mark.parametrize(
    "fields",
    [
        {"limit": 0, "within": "1m"},
        {"limit": 3, "within": "0s"},
        {"limit": 3},
        {"limit": 3, "within": "1m", "burst": 0},
        {"limit": 3, "within": "1m", "burst": 4},
    ],
)
def test_a_rate_that_says_nothing_is_a_mistake(fields):
    """No calls, no time, no burst, or one that is more than the whole."""
    with pytest.raises(ValidationError):
        Rate(**fields)
