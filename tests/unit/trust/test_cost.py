"""What a mistake costs against what asking costs, and where each figure comes from."""

from __future__ import annotations

import pytest

from ladder_graph.policy import Rule
from ladder_graph.policy.trusting import Trust
from ladder_graph.scale import Rung
from ladder_graph.trust.cost import Figure, Measured, friction, price, winsorised

DOLLAR = 1_000_000
SAID = Trust(wage="$60", minutes={"confirm": 2.5, "bounded": 0.5, "rollback": 0.2, "report": 0.05})


def rule(**fields):
    """A rule of a tool on which a mistake costs $200, unless said otherwise."""
    return Rule(rung=Rung.CONFIRM, **{"mistake": "$200", **fields})


def test_two_dollars_of_friction_against_a_mistake_of_two_hundred():
    """p* = 1 %: the facts' example."""
    made = price(Rung.CONFIRM, rule(), SAID)
    assert (made.saved, made.net, made.limit) == (2 * DOLLAR, 200.0 * DOLLAR, 0.01)
    assert (made.before.source, made.mistake.source, made.rollback.source) == ("declared", "declared", "assumed")


@pytest.mark.parametrize(
    ("trust", "source"),
    [
        (Trust(), "assumed"),
        (Trust(wage="$60"), "assumed"),
        (Trust(minutes={"confirm": 2}), "assumed"),
        (SAID, "declared"),
    ],
)
def test_what_nobody_said_is_assumed(trust, source):
    """A sum of a declared and an assumed figure is assumed."""
    assert friction(Rung.CONFIRM, trust).source == source


def test_asking_is_measured_from_twenty_decisions_on():
    """It is measured money only where the wage is known too."""
    some, enough = Measured(minutes=(1.0,) * 19), Measured(minutes=(1.0,) * 20)
    assert friction(Rung.CONFIRM, SAID, some) == Figure(2_500_000, "declared")
    assert friction(Rung.CONFIRM, SAID, enough) == Figure(DOLLAR, "measured")
    assert friction(Rung.CONFIRM, Trust(), enough) == Figure(DOLLAR, "assumed")


def test_calls_that_still_ask_cost_what_asking_costs_on_top():
    """A quarter of the calls asks: on each rung from bounded up, so that it is no gain of any of them."""
    found = Measured(asked=5, calls=20)
    assert friction(Rung.BOUNDED, SAID, found) == Figure(500_000 + 625_000, "declared")
    assert friction(Rung.ROLLBACK, SAID, found) == Figure(200_000 + 625_000, "declared")
    assert price(Rung.BOUNDED, rule(), SAID, found).saved == price(Rung.BOUNDED, rule(), SAID).saved == 300_000
    assert price(Rung.CONFIRM, rule(), SAID, found).saved == 2_500_000 - 1_125_000
    assert friction(Rung.BOUNDED, SAID, Measured(asked=5, calls=19)) == Figure(500_000, "declared")


def test_a_sum_is_as_sure_as_its_least_sure_part():
    """Measured asking on top of assumed minutes is assumed."""
    found = Measured(minutes=(2.0,) * 20, asked=5, calls=20)
    assert friction(Rung.BOUNDED, Trust(wage="$60"), found).source == "assumed"
    assert friction(Rung.BOUNDED, SAID, found).source == "declared"


def test_waiting_costs_what_is_said_at_the_median():
    """Nothing by default; one question that waited over a weekend doesn't move it."""
    found = Measured(waited=(30.0, 30.0, 3000.0))
    assert friction(Rung.CONFIRM, SAID, found).micro == 2_500_000
    assert friction(Rung.CONFIRM, SAID.model_copy(update={"waiting": DOLLAR}), found).micro == 3_000_000


@pytest.mark.parametrize(
    ("drills", "failed", "caught"), [(0, 0, 0), (10, 0, 0.55), (23, 0, 0.80), (46, 0, 0.90), (4, 4, 0)]
)
def test_undos_that_were_tried_bound_what_is_caught(drills, failed, caught):
    """1 - m*(failed) / drills, from the rung on that undoes; below it, nothing is taken back."""
    found = Measured(drills=drills, drills_failed=failed)
    made = price(Rung.BOUNDED, rule(trust={"rollback_cost": "$5"}), SAID, found)
    assert made.caught == pytest.approx(caught, abs=0.005)
    assert made.net == pytest.approx(((1 - made.caught) * 200 + made.caught * 5) * DOLLAR)
    assert made.rollback.source == "declared"
    assert price(Rung.CONFIRM, rule(), SAID, found).caught == 0


def test_below_confirm_a_mistake_costs_rework():
    """Nothing ran; five minutes are assumed, whatever the wage is."""
    made = price(Rung.SUGGEST, rule(), SAID)
    assert made.mistake == Figure(5 * DOLLAR, "assumed")


def test_nothing_to_gain_means_no_limit():
    """f(r) <= f(r+1): there is no loss at which the next rung would be cheaper."""
    assert price(Rung.BOUNDED, rule(), Trust(minutes={"bounded": 0.1, "rollback": 0.1})).limit == 0
    assert price(Rung.BOUNDED, rule(), Trust(minutes={"bounded": 0.1, "rollback": 0.2})).limit == 0


def test_half_of_the_runs_must_be_right_even_where_a_mistake_costs_nothing():
    """p* is capped."""
    assert price(Rung.CONFIRM, rule(mistake=None), SAID).limit == 0.5
    assert price(Rung.CONFIRM, rule(mistake="$0.01"), SAID).limit == 0.5


def test_long_looks_are_cut():
    """To the ninetieth percentile, and to ten minutes."""
    assert winsorised([1.0] * 18 + [9.0, 500.0]) == 1.0
    assert winsorised([60.0]) == 10.0
