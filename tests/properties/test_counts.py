"""Properties of bounds that count and of those on time: what is charged, in which window, and when."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.policy.bounds import (
    Charge,
    Cost,
    Rate,
    Time,
    Volume,
)
from ladder_graph.policy.bounds.window import start, window
from ladder_graph.policy.scene import Scene
from tests.properties.drawing import NOW, VALUES, call

MOMENTS = st.integers(1_767_225_600, 1_830_297_599).map(lambda second: dt.datetime.fromtimestamp(second, dt.UTC))


HOURS = st.integers(0, 24).map("{:02}:00".format)


@given(MOMENTS, HOURS, HOURS, st.sampled_from(["UTC", "Europe/Zurich", "Australia/Lord_Howe", "Pacific/Apia"]))
def test_hours_and_their_rest_cover_the_day_once(moment, start, end, zone):
    """A moment is inside either of the hours or of those from their end to their start, and never of both."""
    if start != end and {start, end} != {"00:00", "24:00"}:
        inside = Time(start=start, end=end, timezone=zone).at(moment) is None
        rest = Time(start="00:00" if end == "24:00" else end, end=start, timezone=zone) if start != "00:00" else None
        if rest is None:
            rest = Time(start=end, end="24:00", timezone=zone)
        assert inside is not (rest.at(moment) is None)


@given(MOMENTS, st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1), HOURS, HOURS)
def test_another_day_blocks_none_and_a_freeze_allows_none(moment, days, start, end):
    """More days allow at least what fewer allow; a freeze over the moment allows nothing."""
    if start != end:
        tight = Time(days=sorted(days), start=start, end=end, freeze=["1999-01-01"])
        loose = Time(days=sorted({*days, "sun"}), start=start, end=end, freeze=["1999-01-01"])
        frozen = Time(days=sorted(days), start=start, end=end, freeze=["1999-01-01", f"{moment:%Y-%m-%d}"])
        assert tight.at(moment) is not None or loose.at(moment) is None
        assert frozen.at(moment) is not None


@given(VALUES)
def test_only_a_positive_number_is_an_amount(value):
    """What is charged is never less than what the call says, and never nothing."""
    answer = Cost(limit="$5", argument="x").charge(call(value), NOW)
    if isinstance(answer, Charge):
        assert type(value) in {int, float}
        assert answer.amount >= 1
        assert 0 <= answer.amount - Fraction(str(value)) * 1_000_000 < 1


@given(VALUES | st.sampled_from(["a", "A ", ["a"], ["a", "b"], "b", 1, "1", True, "a\N{ZERO WIDTH SPACE}"]))
def test_only_plain_values_are_counted_apart(value):
    """Who gets a counter is named by text that shows, or by a whole number, and no entry of a list goes uncounted."""
    bound = Volume(limit=3, each_value_of="x")
    answer = bound.charges(call(value), Scene(NOW))
    if isinstance(answer, tuple):
        entries = value if isinstance(value, list) else [value]
        assert entries
        assert all(type(entry) is int or (type(entry) is str and entry.strip()) for entry in entries)
        assert {charge.quota for charge in answer} == {
            bound.charges(call(entry), Scene(NOW))[0].quota for entry in entries
        }


@given(st.integers(0, 100), st.integers(0, 100), st.sampled_from(["minute", "day", "ever"]))
def test_a_higher_limit_takes_the_same(limit, more, per):
    """The charge stays on the same counter and window, and only what the window holds grows."""
    tight, loose = (Volume(limit=size, per=per).charge(call(1), NOW) for size in (limit, limit + more))
    assert (tight.quota, tight.window, tight.amount) == (loose.quota, loose.window, loose.amount)
    assert tight.limit <= loose.limit
    tight, loose = (Cost(limit=f"${size}", each="$1", per=per).charge(call(1), NOW) for size in (limit, limit + more))
    assert (tight.quota, tight.window, tight.amount) == (loose.quota, loose.window, loose.amount)
    assert tight.limit <= loose.limit


@given(st.integers(1, 100), st.integers(0, 100), st.integers(0, 100), st.integers(1, 9999), st.integers(0, 9999))
def test_a_higher_rate_takes_the_same(burst, spare, more, within, shorter):
    """The charge stays on the same counter at the same moment, and waits no longer; a burst may be larger."""
    tight = Rate(limit=burst + spare, within=within, burst=burst).charge(call(1), NOW)
    loose = Rate(limit=burst + spare + more, within=within, burst=burst + more).charge(call(1), NOW)
    assert (tight.quota, tight.start, tight.amount) == (loose.quota, loose.start, loose.amount)
    assert tight.limit <= loose.limit
    assert tight.interval >= loose.interval
    quicker = Rate(limit=burst + spare, within=max(1, within - shorter), burst=burst).charge(call(1), NOW)
    assert quicker.interval <= tight.interval


@given(
    st.integers(631_152_000, 4_102_444_800).map(lambda second: dt.datetime.fromtimestamp(second, dt.UTC)),
    st.timedeltas(dt.timedelta(0), dt.timedelta(days=3)),
    st.sampled_from(["UTC", "Europe/Zurich", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"]),
)
def test_a_window_never_comes_back(moment, later, zone):
    """Once a window is over, no later moment counts in it again: a spent limit isn't refilled by changing clocks."""
    for per, length in (("minute", 60), ("hour", 7200), ("day", 90_000), ("month", 2_700_000)):
        bound = Volume(limit=1, per=per, timezone=zone)
        first, second = bound.charge(call(1), moment), bound.charge(call(1), moment + later)
        assert first.start <= second.start
        if first.window == second.window:
            assert later.total_seconds() <= length
        if later == dt.timedelta(0):
            assert first == second


@given(
    st.lists(st.integers(-9_000_000, 9_000_000), min_size=1, max_size=5),
    st.sampled_from(
        ["2026-03-29T01:00", "2026-10-25T01:00", "2011-12-30T10:00", "2025-11-30T23:59", "2026-04-04T15:00"]
    ),
    st.sampled_from(["UTC", "Europe/Zurich", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia"]),
    st.sampled_from(["day", "month"]),
)
def test_the_calendar_that_is_remembered_is_the_calendar(seconds, near, zone, per):
    """In whatever order moments come, around changes of the clocks too: each is in its own window."""
    bound = Volume(limit=1, per=per, timezone=zone)
    for second in seconds:
        moment = dt.datetime.fromisoformat(f"{near}Z") + dt.timedelta(seconds=second)
        charge = bound.charge(call(1), moment)
        assert (charge.window, charge.start) == (window(moment, per, zone), start(moment, per, zone))
