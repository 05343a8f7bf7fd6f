"""What an approval is worth: probes, glances, load."""

from __future__ import annotations

import datetime as dt
import math
import random

import pytest

from ladder_graph.trust.reviewers import (
    ASSUMED,
    LOAD,
    PREVALENCE,
    RUBBER_STAMP,
    Probes,
    Sensitivity,
    glance,
    load,
    sensitivity,
    stamping,
)  # fmt: skip


@pytest.mark.parametrize(("share", "clean", "one_missed"), [(0.5, 10, 14), (0.7, 16, 23), (0.8, 23, 35), (0.9, 46, 69)])
def test_so_many_probes_certify_so_much(share, clean, one_missed):
    """Ten probes without a miss bound the sensitivity at a half, 46 at nine tenths; with one miss 14 and 69."""
    for missed, enough in ((0, clean), (1, one_missed)):
        assert sensitivity("ana", {"ana": Probes(enough, missed)}).bound >= share
        assert sensitivity("ana", {"ana": Probes(max(enough - 1, 10), missed)}).bound < share or enough == 10


def test_without_probes_a_half_is_assumed():
    """Nobody measured is neither trusted nor dismissed, and it is said that nobody measured."""
    assert sensitivity("ana", {}) == Sensitivity(ASSUMED, measured=False)
    assert sensitivity("ana", {}).evidence


def test_few_probes_are_pooled_with_those_of_others_who_have_few():
    """Two with five each are measured together; one who has ten of their own stays out of it."""
    probes = {"ana": Probes(5, 0), "bo": Probes(5, 0), "cy": Probes(40, 40)}
    assert sensitivity("ana", probes) == sensitivity("new", probes) == sensitivity("x", {"x": Probes(10, 0)})
    assert sensitivity("cy", probes) == Sensitivity(0, measured=True)


def test_a_few_probes_can_only_lower_what_is_assumed():
    """Before there are ten, catching all proves nothing yet, and missing most counts at once."""
    assert sensitivity("ana", {"ana": Probes(3, 0)}).bound == ASSUMED
    assert sensitivity("ana", {"ana": Probes(4, 3)}).bound == 0.25
    assert not sensitivity("ana", {"ana": Probes(4, 3)}).evidence
    assert sensitivity("ana", {"ana": Probes(1, 2)}).bound == 0


def test_a_measured_approval_is_discounted_and_a_glance_is_worth_nothing():
    """Mistakes are rarer than probes, so fewer are caught; who didn't look caught none."""
    measured, assumed = Sensitivity(0.8, measured=True), Sensitivity(0.5, measured=False)
    assert measured.of(60, 300) == pytest.approx(0.8 * PREVALENCE)
    assert assumed.of(60, 300) == 0.5
    assert measured.of(2, 300) == assumed.of(2, 300) == measured.of(math.nan, 0) == 0


@pytest.mark.parametrize(
    ("seconds", "characters", "hasty"),
    [(1.49, 0, True), (1.5, 0, False), (6.4, 300, True), (6.5, 300, False), (-1, 0, True), (math.nan, 0, True)],
)
def test_what_nobody_can_have_read_is_a_glance(seconds, characters, hasty):
    """1.5 seconds and one for each 60 characters are the least; an unknown time is a glance."""
    assert glance(seconds, characters) is hasty


def days_to_alarm(missing: float, seed: int, days: int) -> int | None:
    """The day on which the alarm rings for one who misses that share, of one probe a day."""
    chance, state = random.Random(seed), 0.0  # noqa: S311  # a simulation
    for day in range(days):
        state = stamping(state, Probes(1, int(chance.random() < missing)))
        if state >= RUBBER_STAMP:
            return day
    return None


def test_the_alarm_tells_a_rubber_stamp_from_somebody_who_looks():
    """One who misses a tenth is left alone for 120 probes, one who misses 80 % is found within a dozen."""
    assert sum(days_to_alarm(0.1, seed, 120) is not None for seed in range(500)) <= 8
    assert sorted(days_to_alarm(0.8, seed, 400) for seed in range(200))[100] <= 12


def test_a_false_alarm_is_as_rare_as_promised():
    """One who misses a fifth, the most that is sound, gets there in a hundred probes or more on average."""
    days = [days_to_alarm(0.2, seed, 5000) for seed in range(200)]
    assert sum(days) / len(days) > 100


def test_load_counts_the_last_hour():
    """Decisions from the hour before now; older and later ones don't count."""
    now = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    decided = [now - dt.timedelta(minutes=2 * n) for n in range(60)]
    assert load(decided, now) == LOAD
    assert load([now + dt.timedelta(seconds=1), now - dt.timedelta(hours=1)], now) == 0
