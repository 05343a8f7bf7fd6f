"""What runs come to: the run as the unit, the weights, and what is pending."""

from __future__ import annotations

import pytest

from ladder_graph.scale import Rung
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.deeds import Deed, Incident, Severity
from ladder_graph.trust.delay import known_by
from ladder_graph.trust.evidence import DAY, NOTHING, Unit, spread, units, weigh
from ladder_graph.trust.looks import Look

CELL = CellKey("ops", "send_email", "", "e1")


def sight(look):
    """Half of all mistakes, unless it was a glance."""
    return 0.5 if look.seconds is None else 0.0


def deed(day=0, thread="t1", *, look=None, loss=None, reported=1, form=1, rung=Rung.CONFIRM):
    """One that ran, approved by somebody, perhaps with a mistake that was reported days later."""
    at = day * DAY + 1
    made = Deed(CELL, thread, at, rung, form)
    made.ends = {"done": at + 1}
    made.judged = {"approved": look or Look(at, "ana")}
    if loss is not None:
        when = at + int(reported * DAY)
        made.incidents = {"wrong": Incident(when, loss, first_us=when)}
    return made


def unit(day=0, *, loss=0.0, severe=False, known=None, form=1, look=0.0):
    """A run of one call."""
    return Unit(day, day * DAY + 1, loss, severe, look, known, form)


def weighed(found, day, most=1e9, **more):
    """What runs come to, whatever their form."""
    return weigh(found, day * DAY + 1, known_by, most_a_day=most, single_pattern=True, **more)


def test_the_run_is_the_unit():
    """What one thread did in one day is one trial, however many calls; another thread or day is another."""
    calls = [deed(thread="t1"), deed(thread="t1"), deed(thread="t2"), deed(1, "t1")]
    assert len(units(calls, sight)) == 3


def test_a_run_is_as_bad_as_its_parts_together_and_as_well_seen_as_its_worst_seen():
    """Losses add up to one mistake at most; one glance makes the run unseen; it is as old as its youngest part."""
    parts = [deed(loss=Severity.MINOR), deed(loss=Severity.REAL, reported=3), deed(look=Look(1, "bo", 0.1))]
    parts[2].at_us += 5
    (one,) = units(parts, sight)
    assert (one.loss, one.sight, one.at_us, one.severe) == (1.0, 0.0, 6, False)
    assert one.known_us == DAY + 1


def test_five_calls_that_fail_as_a_block_are_one_mistake():
    """Counted one by one they would look like five independent ones, and five clean ones like five trials."""
    assert [one.loss for one in units([deed(loss=Severity.REAL)] * 5, sight)] == [1.0]


def test_a_look_after_the_mistake_was_known_saw_nothing_new():
    """Who reads the report on day 5 couldn't overlook what was reported on day 1."""
    made = deed(rung=Rung.REPORT, loss=Severity.REAL)
    made.judged, made.read = {}, Look(5 * DAY, "ana")
    assert [one.sight for one in units([made], sight)] == [0.0]
    made.incidents = {}
    assert [one.sight for one in units([made], sight)] == [0.5]


def test_whoever_said_no_looked():
    """A mistake that was caught has the weight of the look that caught it."""
    made = deed()
    made.ends, made.judged = {}, {"declined": Look(1, "ana")}
    (one,) = units([made], sight)
    assert (one.loss, one.sight, one.known_us) == (1.0, 0.5, 1)


def test_a_mistake_in_what_was_no_trial_weighs_nothing_as_a_trial():
    """It counts in k at once, and adds nothing to n."""
    made = deed(loss=Severity.MINOR, reported=9)
    made.ends = {"failed": 2}
    found = weighed(units([made], sight), 30)
    assert (found.k, found.n_eff, found.runs) == (0.1, 0.0, 1)


def test_nothing_comes_to_nothing():
    """No runs, and none that is still to come."""
    assert weighed([], 5) == NOTHING
    assert weighed([unit(9)], 5) == NOTHING


@pytest.mark.parametrize(
    ("age", "look", "n"), [(0, 0, 0), (7, 0, 0.35), (14, 0, 0.7), (99, 0, 0.7), (0, 0.5, 0.5), (14, 0.5, 0.85)]
)
def test_a_run_counts_the_chance_that_a_mistake_would_be_known(age, look, n):
    """q(age) = s + (1 - s) r F(age)."""
    assert weighed([unit(look=look)], age).n_eff == pytest.approx(n)


def test_a_mistake_counts_at_once_and_freezes_its_weight():
    """The loss is whole on the day of the report, and q stays that of this day for ever."""
    wrong = unit(loss=1.0, known=7 * DAY + 1)
    for day in (7, 99):
        found = weighed([wrong], day)
        assert (found.k, found.n_eff) == (1.0, pytest.approx(0.35))


def test_a_day_thins_trials_and_mistakes_alike():
    """A hundred runs on a day that may give ten count a tenth each, the wrong ones among them."""
    found = weighed([unit(look=1.0) for _ in range(98)] + [unit(look=1.0, loss=1.0, known=1)] * 2, 0, 10)
    assert (found.k, found.n_eff) == (pytest.approx(0.2), pytest.approx(10))


def test_a_severe_mistake_is_never_thinned():
    """Neither by the day, nor by a long silence, nor by its form."""
    bad = unit(loss=1.0, severe=True, known=1)
    found = weigh([bad] + [unit(form=n % 4) for n in range(99)], DAY, known_by, most_a_day=10, stale_us=5)
    assert found.k == 1.0


def test_what_lies_before_a_silence_counts_half():
    """Trials and mistakes alike; what came after it without a mistake is told apart."""
    found = [unit(look=1.0), unit(look=1.0, loss=1.0, known=2), unit(50, look=1.0)]
    half = weighed(found, 50, stale_us=40 * DAY)
    assert (half.k, half.n_eff, half.again) == (0.5, 2.0, 1)
    assert weighed(found, 50).again == 2


def test_one_form_gives_a_quarter_at_most():
    """What is over doesn't count, and below four forms nothing does, unless the calls are alike by nature."""
    assert spread({1: 90, 2: 5, 3: 5, 4: 5}) == 20
    assert spread({1: 8, 2: 8, 3: 8}) == 0
    assert spread({}) == 0
    mixed = [unit(look=1.0, form=1) for _ in range(90)] + [
        unit(look=1.0, form=form) for form in (2, 3, 4) for _ in range(5)
    ]
    found = weigh(mixed, 1, known_by, most_a_day=1e9)
    assert (found.n_eff, found.forms, found.top_form) == (pytest.approx(20), 4, 90 / 105)
    assert weighed(mixed, 0).n_eff == pytest.approx(105)


def test_a_form_thins_its_mistakes_as_it_thins_its_trials():
    """Else an agent whose work is mostly of one form could never go up, however good it is."""
    mixed = [unit(look=1.0, form=form) for form in (2, 3, 4) for _ in range(5)]
    mixed += [unit(look=1.0, form=1) for _ in range(89)] + [unit(look=1.0, form=1, loss=1.0, known=1)]
    assert weigh(mixed, 1, known_by, most_a_day=1e9).k == pytest.approx(5 / 90)


def test_mistakes_are_shown_whole_where_nothing_counts_as_a_trial():
    """One form alone shows no trial, and hides no mistake."""
    found = weigh([unit(look=1.0), unit(loss=1.0, known=1)], 1, known_by, most_a_day=1e9)
    assert (found.n_eff, found.k) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("age", "look", "pending"), [(0, 0, 1), (7, 0, 0.5), (14, 0, 0), (0, 0.5, 0.35 / 0.85), (14, 0.5, 0)]
)
def test_pending_is_what_may_still_come_out(age, look, pending):
    """Of what would ever be known, what isn't yet: a mistake that is never reported doesn't come out later."""
    assert weighed([unit(look=look)], age).pending == pytest.approx(pending)
    assert weighed([unit(look=look, loss=1.0, known=1)], age).pending == 0
    blind = weigh([unit()], 99 * DAY, lambda _age, _sight: 0.0, most_a_day=9)
    assert blind.pending == 1


def test_days_and_runs_are_counted_as_they_are():
    """Active days count from the day that the cell came to its rung."""
    found = weighed([unit(day) for day in (0, 1, 1, 5)], 9, since_us=DAY)
    assert (found.runs, found.active_days, found.first_us, found.last_us) == (4, 2, 1, 5 * DAY + 1)


def test_what_was_answered_in_one_batch_is_one_trial():
    """One decision about five runs is one, and joins whatever else these threads did; another batch is another."""
    batched = [deed(thread=f"t{n}", look=Look(1, "ana", 0.0, batch="b1")) for n in range(5)]
    assert len(units(batched, sight)) == 1
    assert len(units([*batched, deed(thread="t0"), deed(thread="t9")], sight)) == 2
    other = [deed(thread=f"u{n}", look=Look(1, "ana", 0.0, batch="b2")) for n in range(3)]
    assert len(units([*batched, *other], sight)) == 2
    bridge = [deed(thread="t0", look=Look(1, "ana", 0.0, batch="b2"))]
    assert len(units([*batched, *other, *bridge], sight)) == 1


def test_a_batch_over_several_days_is_as_old_as_its_youngest_part():
    """In whatever order its parts come."""
    parts = [deed(day, f"t{day}", look=Look(1, "ana", 0.0, batch="b1")) for day in (3, 1, 2)]
    for order in (parts, parts[::-1]):
        assert [(one.day, one.sight) for one in units(order, sight)] == [(3, 0.0)]
