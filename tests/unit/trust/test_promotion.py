"""Whether a cell may go up: the numbers of its certificate, and each condition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ladder_graph.policy import Rule
from ladder_graph.policy.trusting import OTHER, Trust
from ladder_graph.scale import Rung
from ladder_graph.trust.case import Attested, Case
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.cost import price
from ladder_graph.trust.evidence import DAY, NOTHING, Weighed
from ladder_graph.trust.gates import calls_a_day
from ladder_graph.trust.held import Event, Held
from ladder_graph.trust.promotion import certify, most_a_day

NOW = 1000 * DAY
CELL = CellKey("ops", "send_email", "", "e1")
SAID = Trust(wage="$60", minutes={"confirm": 2.5, "bounded": 0.5, "rollback": 0.2, "report": 0.05})
"""Two dollars saved by going from confirm to bounded: with a mistake of $200, p* is 1 %."""
DONE = Attested(drills=10, bounds_us=NOW - DAY, audit_us=NOW - DAY, reports=20, reports_read=19)
NAMED = {"mistakes": ["wrong_recipient"]}
CLEAN = Weighed(0.0, 400.0, 500, 0.1, 30, NOW - 60 * DAY, NOW, 9, 0.2, 500)
MUCH = replace(CLEAN, n_eff=1e6)


def rule(**fields):
    """A tool on which a mistake costs $200, and which may rise to the top."""
    return Rule(rung=Rung.CONFIRM, **{"mistake": "$200", "trust": NAMED, **fields})


def case(rung=Rung.CONFIRM, *, trust=SAID, cell=CELL, evidence=CLEAN, attested=DONE, **more):
    """A cell that may go up, unless said otherwise."""
    of = more.pop("rule", rule())
    return Case(cell, rung, of, trust, price(rung, of, trust), evidence, NOW, attested=attested, **more)


def unmet(one):
    """The codes of what is missing."""
    return {gate.code for gate in certify(one).missing}


def test_a_clean_cell_needs_361_runs_at_one_percent():
    """A mistake of $200 and a friction of $2: 3.61 / 1 % to bounded, at alpha = .10."""
    made = certify(case())
    assert made.granted
    assert (made.to, made.alpha, made.limit) == (Rung.BOUNDED, 0.10, 0.01)
    assert made.needed == pytest.approx(361, abs=1)
    assert unmet(case(evidence=replace(CLEAN, n_eff=360.0))) == {"certificate"}
    assert certify(case(evidence=replace(CLEAN, n_eff=362.0))).granted


@pytest.mark.parametrize(("k", "m"), [(0, 3.61), (1, 5.86), (2, 7.78), (3, 9.55), (5, 12.84), (10, 20.35)])
def test_each_mistake_asks_for_more(k, m):
    """The facts' table at alpha = .10, in runs at one percent."""
    assert certify(case(evidence=replace(CLEAN, k=float(k)))).needed == pytest.approx(100 * m, abs=1)


@pytest.mark.parametrize(("rung", "alpha"), [(0, 0.20), (1, 0.20), (2, 0.10), (3, 0.05), (4, 0.01)])
def test_each_rung_is_surer_than_the_one_before(rung, alpha):
    """The chance of a wrong promotion falls with what is at stake."""
    assert certify(case(Rung(rung))).alpha == alpha


def test_nothing_shown_is_no_bound():
    """With n = 0 the mean loss may be anything."""
    made = certify(case(evidence=NOTHING))
    assert (made.upper, made.e) == (1.0, 1.0)
    assert {"certificate", "days", "active_days", "pending"} <= {gate.code for gate in made.missing}
    assert made.when_us is None


def test_the_bound_times_the_cost_is_below_what_is_saved_where_it_is_granted():
    """U x net <= f(r) - f(r+1) follows from e >= 1/alpha, and is what the certificate means."""
    made = certify(case())
    assert made.upper * made.price.net <= made.price.saved


def test_nothing_to_gain_is_never_granted():
    """f(r) <= f(r+1)."""
    flat = Trust(minutes={"confirm": 0.1, "bounded": 0.1}, wage="$60")
    made = certify(case(trust=flat))
    assert "gain" in {gate.code for gate in made.missing}
    assert (made.e, made.limit, most_a_day(made.price, 0.1)) == (0.0, 0.0, float("inf"))


def test_one_day_gives_a_twentieth_of_what_is_needed():
    """At one percent and alpha = .10: 18 runs."""
    assert most_a_day(price(Rung.CONFIRM, rule(), SAID), 0.10) == pytest.approx(18.05, abs=0.05)


def test_a_free_mistake_still_takes_three_weeks():
    """Where a mistake costs nothing, p* is a half, and the days bind."""
    free = rule(mistake="$0.01")
    young = replace(CLEAN, first_us=NOW - 20 * DAY, n_eff=20.0)
    assert unmet(case(rule=free, evidence=young)) == {"days"}
    assert certify(case(rule=free, evidence=replace(young, first_us=NOW - 21 * DAY))).granted


def test_where_nobody_says_what_a_mistake_costs_no_number_of_runs_is_enough():
    """Its loss is not bounded."""
    made = certify(case(rule=rule(mistake=None)))
    assert {"certificate", "bounded_loss"} <= {gate.code for gate in made.missing}
    assert certify(case(rule=Rule(rung=Rung.CONFIRM, read_only=True))).granted


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"evidence": replace(CLEAN, active_days=13)}, "active_days"),
        ({"evidence": replace(CLEAN, pending=0.5)}, "pending"),
        ({"evidence": replace(CLEAN, first_us=NOW - 20 * DAY)}, "days"),
        ({"held": Held(cooldown_us=NOW + 1)}, "cooldown"),
        ({"held": Held(since_us=NOW - 20 * DAY)}, "days"),
        ({"held": Held(code="D6"), "evidence": replace(CLEAN, again=9)}, "judged_again"),
        ({"attested": replace(DONE, open_incidents=1)}, "incidents"),
        ({"attested": replace(DONE, stamped=("ana",))}, "reviewers"),
        ({"attested": replace(DONE, bounds_us=None)}, "bounds_tested"),
        ({"attested": replace(DONE, bounds_us=NOW - 31 * DAY)}, "bounds_tested"),
        ({"attested": replace(DONE, audit_us=None)}, "audit"),
        ({"cell": CELL._replace(env="")}, "environment"),
        ({"cell": CELL._replace(scope=OTHER)}, "scope"),
        ({"rule": rule(ceiling=Rung.CONFIRM)}, "ceiling"),
        ({"rule": rule(trust={})}, "mistakes_named"),
        ({"rung": Rung.ROLLBACK, "attested": replace(DONE, drills=9), "evidence": MUCH}, "undo_drilled"),
        ({"rung": Rung.ROLLBACK, "attested": replace(DONE, reports_read=18), "evidence": MUCH}, "reports_read"),
    ],
)  # fmt: skip
def test_each_condition_alone_holds_a_cell_back(change, code):
    """All must hold; the certificate names the one that doesn't."""
    assert unmet(case(**change)) == {code}


def test_the_highest_rung_has_nothing_above():
    """It is an error to ask."""
    with pytest.raises(ValueError, match="no rung above"):
        certify(replace(case(), rung=Rung.REPORT))


@pytest.mark.parametrize("rung", [Rung.SUGGEST, Rung.DRAFT])
def test_what_nobody_declared_may_earn_its_way_to_confirm(rung):
    """The scope of undeclared values stands at confirm at most."""
    assert "scope" not in unmet(case(rung, cell=CELL._replace(scope=OTHER)))


def test_after_an_expected_mistake_a_cell_comes_back_in_a_fortnight():
    """D1 keeps the evidence: the certificate still holds, with the mistake in it, and only the wait binds."""
    down = Event(NOW - 14 * DAY, "demoted", CELL, Rung.CONFIRM, "wrong", "D1", "keep", 14)
    hit = replace(CLEAN, k=1.0, n_eff=600.0)
    held = Held(earned=Rung.BOUNDED, since_us=NOW - 50 * DAY).after(down)
    assert certify(case(held=held, evidence=hit)).granted
    wiped = Held().after(replace(down, code="D2", evidence="wipe", cooldown=14))
    assert unmet(case(held=wiped, evidence=hit)) == {"days"}


def test_an_earlier_record_only_shapes_the_bet():
    """A good one needs 3.5 and not 4.5, a bad one nothing less; it is no evidence itself."""
    plain, sure = certify(case(Rung.BOUNDED)), Weighed(0.0, 1e6)
    warm = certify(case(Rung.BOUNDED, earlier=sure))
    assert plain.needed * plain.limit == pytest.approx(4.51, abs=0.01)
    assert warm.needed * warm.limit == pytest.approx(3.50, abs=0.01)
    assert certify(case(Rung.BOUNDED, earlier=Weighed(500.0, 1e3))).needed == plain.needed
    assert "certificate" in unmet(case(earlier=sure, evidence=NOTHING))


def test_scopes_of_one_class_share_a_certificate_with_some_evidence_of_their_own():
    """Up to bounded; e >= 3 of its own, which takes m = 1.9."""
    own, together = replace(CLEAN, n_eff=191.0), Weighed(0.0, 400.0, 500)
    assert certify(case(evidence=own, pooled=together)).granted
    assert unmet(case(evidence=replace(own, n_eff=185.0), pooled=together)) == {"certificate"}
    assert unmet(case(evidence=own, pooled=replace(together, n_eff=350.0))) == {"certificate"}
    assert certify(case(Rung.BOUNDED, pooled=together)).mode == "certificate"


def test_expected_loss_needs_less_and_only_up_to_bounded():
    """(1 + k) / (20 + n) <= p*."""
    loose = SAID.model_copy(update={"mode": "expected_loss"})
    assert certify(case(trust=loose, evidence=replace(CLEAN, n_eff=80.0))).granted
    assert unmet(case(trust=loose, evidence=replace(CLEAN, n_eff=79.0))) == {"expected_loss"}
    assert certify(case(Rung.BOUNDED, trust=loose)).mode == "certificate"
    cheap = rule(mistake="$1")
    days = loose.model_copy(update={"least_days": 0, "active_days": 0})
    assert "pending" in unmet(case(trust=days, rule=cheap, evidence=NOTHING))


def test_the_day_on_which_it_can_be_met_is_told_where_it_can_be():
    """At this pace; not where it would take more than a century, or nothing was shown."""
    half = certify(case(evidence=replace(CLEAN, n_eff=180.5, first_us=NOW - 60 * DAY)))
    assert half.when_us == pytest.approx(NOW + 60 * DAY, rel=1e-3)
    dear = certify(case(rule=rule(mistake="$200000000"), evidence=replace(CLEAN, n_eff=1e-9)))
    assert dear.when_us is None


@pytest.mark.parametrize(
    ("bounds", "calls"),
    [
        ([], None),
        ([{"kind": "volume", "limit": 5, "per": "day"}], 5),
        ([{"kind": "volume", "limit": 5, "per": "hour"}], 120),
        ([{"kind": "volume", "limit": 5, "per": "ever"}], 5),
        ([{"kind": "volume", "limit": 5, "within": "7d"}], 5),
        ([{"kind": "volume", "limit": 5, "within": "10h"}], 15),
        ([{"kind": "rate", "limit": 6, "within": "1h", "burst": 2}], 146),
        ([{"kind": "volume", "limit": 5, "per": "day", "each_value_of": "to"}], None),
        ([{"kind": "volume", "limit": 9, "per": "day"}, {"kind": "volume", "limit": 1, "within": "1d"}], 1),
    ],
)
def test_only_what_is_counted_for_the_whole_tool_bounds_a_day(bounds, calls):
    """So many for each recipient are no bound."""
    assert calls_a_day(rule(bounds=bounds)) == calls


@pytest.mark.parametrize(("limit", "met"), [(5, True), (6, False), (None, False)])
def test_a_loss_budget_needs_a_bound_on_calls(limit, met):
    """Cap times calls a day, at worst."""
    tight = SAID.model_copy(update={"loss_budget": 1_000_000_000})
    bounds = [] if limit is None else [{"kind": "volume", "limit": limit, "per": "day"}]
    assert ("budget" not in unmet(case(trust=tight, rule=rule(bounds=bounds)))) == met
