"""The delay of reports: what an action counts at its age, and how the delays are learnt."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.trust.delay import ASSUMED, ENOUGH, HORIZON, Delays, Report, known_by, observed

ages = st.floats(0, 400)
shares = st.floats(0, 1)
reports = st.builds(
    lambda age, share: Report(age * share, age),
    age=ages,
    share=shares,
)


def test_reports_are_taken_to_arrive_evenly_in_fourteen_days():
    """Without anything known half of them have arrived after a week, and all after two."""
    assert [ASSUMED.arrived(age) for age in (0, 7, 14, 15, math.inf)] == [0, 0.5, 1, 1, 1]


@pytest.mark.parametrize("age", [-1, math.nan, -math.inf])
def test_what_is_no_age_is_no_evidence_of_silence(age):
    """An action from the future, or of no known time, counts only as far as somebody looked at it."""
    assert ASSUMED.arrived(age) == 0
    assert known_by(age, 0.3) == 0.3


def test_an_action_counts_as_far_as_a_mistake_would_be_known():
    """What the reviewer catches counts at once, the rest as reports of it come in, and what is never reported never."""
    assert known_by(0, 0.8, ever=0.9) == 0.8
    assert known_by(7, 0.8, ever=0.9) == pytest.approx(0.8 + 0.2 * 0.9 * 0.5)
    assert known_by(99, 0.8, ever=0.9) == pytest.approx(0.98)
    assert known_by(99, 0) == 0.7


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_a_share_that_is_none_counts_as_nothing(wrong):
    """A sensitivity or a share of reports outside of [0, 1] fails closed."""
    assert known_by(99, wrong) == known_by(99, 0)
    assert known_by(99, 0.4, ever=wrong) == 0.4


@given(age=ages, more=ages, sensitivity=shares, ever=shares, known=st.lists(reports, max_size=60))
def test_what_an_action_counts_only_grows(age, more, sensitivity, ever, known):
    """With age it never falls, and it stays between what was seen at once and one, for any delays."""
    delays = observed(known)
    now, later = (known_by(one, sensitivity, delays, ever) for one in (age, age + more))
    assert sensitivity <= now <= later <= 1


@pytest.mark.parametrize("count", [0, ENOUGH - 1])
def test_few_reports_teach_nothing(count):
    """Below twenty the straight line stays."""
    assert observed([Report(1, 50)] * count) is ASSUMED


def test_a_report_that_is_dated_wrongly_teaches_nothing():
    """One before its action, or later than now, is left out."""
    wrong = [Report(-1, 50), Report(51, 50), Report(math.nan, 50), Report(1, math.inf)]
    assert observed([Report(1, 50)] * (ENOUGH - 4) + wrong * 9) is ASSUMED


def test_where_all_actions_are_old_it_is_the_share_of_reports():
    """When every delay could have been seen, the curve is the plain distribution of the delays."""
    known = [Report(delay, 300) for delay in (1, 2, 2, 3, 8) * 4]
    assert dict(observed(known).steps) == pytest.approx({1: 0.2, 2: 0.6, 3: 0.8, 8: 1.0})


def test_young_actions_do_not_make_reports_look_quick():
    """Where many actions are young short delays are seen too often, and the curve isn't fooled."""
    chance = random.Random(7)  # noqa: S311  # a simulation
    known = []
    while len(known) < 4000:
        age, delay = chance.uniform(0, 30), chance.expovariate(1 / 6)
        known += [Report(delay, age)] if delay <= age else []
    curve, rest = observed(known), 1 - math.exp(-30 / 6)
    naive = sum(one.delay <= 6 for one in known) / len(known)
    assert curve.arrived(6) == pytest.approx((1 - math.exp(-1)) / rest, abs=0.03)
    assert naive > 0.68


def test_what_nobody_could_have_seen_is_left_to_the_straight_line():
    """Where the oldest action is a week old nothing is known of longer delays: half are taken to be still to come."""
    curve = observed([Report(1, HORIZON / 2)] * ENOUGH)
    assert curve.arrived(300) == 0.5


def test_a_curve_of_steps_is_read_between_them():
    """Before the first step nothing has arrived; on a step and after it, its share."""
    curve = Delays(((2.0, 0.25), (5.0, 1.0)))
    assert [curve.arrived(age) for age in (1.9, 2, 4.9, 5, 99)] == [0, 0.25, 0.25, 1, 1]
