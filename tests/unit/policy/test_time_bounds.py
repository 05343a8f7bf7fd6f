"""Bounds on time: office hours, nights that go over midnight, and freezes, on the clock of a named zone."""

from __future__ import annotations

import datetime as dt

import pytest

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import Time, weigh
from ladder_graph.policy.scene import Scene

CALL = Call("ops", "t1", "c1", "deploy", {})
WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]


def at(moment):
    """A moment in UTC."""
    return dt.datetime.fromisoformat(f"{moment}+00:00")


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-11-20T07:59:59", False),
        ("2026-11-20T08:00", True),
        ("2026-11-20T15:59:59", True),
        ("2026-11-20T16:00", False),
        ("2026-11-21T12:00", False),
        ("2026-11-22T23:30", False),
        # In summer nine o'clock comes an hour earlier.
        ("2026-07-20T07:00", True),
        ("2026-07-20T15:00", False),
    ],
)
def test_office_hours_are_those_of_the_zone(moment, inside):
    """From the first minute to before the last, on working days, summer and winter."""
    bound = Time(days=WORKDAYS, start="09:00", end="17:00", timezone="Europe/Zurich")
    assert (bound.at(at(moment)) is None) is inside


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-11-20T21:59", False),
        ("2026-11-20T22:00", True),
        ("2026-11-21T05:59", True),
        ("2026-11-21T06:00", False),
        ("2026-11-21T22:30", False),
        ("2026-11-20T05:00", False),
    ],
)
def test_a_night_belongs_to_the_day_it_began_on(moment, inside):
    """The night of Friday ends on Saturday morning; the one of Thursday isn't meant."""
    assert (Time(days=["fri"], start="22:00", end="06:00").at(at(moment)) is None) is inside


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-12-23T22:59", True),
        ("2026-12-23T23:00", False),
        ("2027-01-02T22:59", False),
        ("2027-01-02T23:00", True),
        ("2027-05-01T12:00", False),
    ],
)
def test_in_a_freeze_nothing_runs_unasked(moment, inside):
    """First and last day included, on the days of the zone; one day may stand alone."""
    bound = Time(freeze=["2026-12-24/2027-01-02", "2027-05-01"], timezone="Europe/Zurich")
    assert (bound.at(at(moment)) is None) is inside


def test_it_says_what_time_it_is():
    """The words name the moment, the zone and what is allowed; the call asks as it does for other bounds."""
    office = Time(days=["mon"], start="09:00", end="17:00")
    frozen = Time(freeze=["2026-11-22"])
    breaches, charges = weigh([office, frozen], CALL, Scene(at("2026-11-22T12:00")))
    assert [(breach.bound, breach.text) for breach in breaches] == [
        ("time", "it is sun 2026-11-22 12:00 in UTC, and the bound allows mon from 09:00 to 17:00"),
        ("time", "it is sun 2026-11-22 12:00 in UTC, and nothing runs unasked in the freeze 2026-11-22"),
    ]
    assert charges == []
    assert weigh([office], CALL, Scene(at("2026-11-23T12:00"))) == ([], [])


def test_a_naive_moment_is_refused():
    """Nobody can tell whose clock it is from."""
    with pytest.raises(ValueError, match="has no time zone; pass an aware datetime"):
        Time(days=["mon"]).at(at("2026-11-23T12:00").replace(tzinfo=None))
