"""The e-value: what it is, how much is needed, and that it says nothing for what is no number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.trust.evalue import ALARM, BOLDEST, CAP, FARTHEST, bet, ecusum, evalue, needed, upper, warm

ALPHAS = (0.20, 0.10, 0.05, 0.025, 0.01)
NEEDED = {
    0: (2.66, 3.61, 4.51, 5.38, 6.47),
    1: (4.79, 5.86, 6.85, 7.80, 9.00),
    2: (6.63, 7.78, 8.85, 9.87, 11.15),
    3: (8.33, 9.55, 10.69, 11.76, 13.11),
    5: (11.51, 12.84, 14.08, 15.25, 16.72),
    10: (18.80, 20.35, 21.79, 23.15, 24.84),
}
"""Mistakes that were seen to the m that is needed at each alpha."""

NO_NUMBERS = (math.nan, math.inf, -math.inf, -1e-9)

losses = st.floats(0, 60)
limits = st.floats(0, 60)
shares = st.floats(0, 1)


def quadrature(k: float, m: float) -> float:
    """The integral of x^k e^(m(1-x)) over [0, 1] by the double exponential rule (Takahasi and Mori 1974)."""
    step, terms = 1 / 64, []
    for n in range(-280, 281):
        t = n * step
        x, rest = (1 / (1 + math.exp(sign * math.pi * math.sinh(t))) for sign in (-1, 1))
        terms.append(math.exp(k * math.log(x) + m * rest) * math.pi * math.cosh(t) * x * rest * step)
    return math.fsum(terms)


@pytest.mark.parametrize("k", [0, 0.05, 0.5, 1, 2.75, 10, 33.3, 100])
@pytest.mark.parametrize("m", [0, 1e-9, 0.3, 4.51, 12.5, 30])
def test_it_is_the_integral(k, m):
    """The sum is the integral to twelve digits, for fractions too."""
    assert evalue(k, m) == pytest.approx(min(quadrature(k, m), CAP), rel=1e-12)


@pytest.mark.parametrize(("k", "m"), [(0, 1e3), (0, 1e308), (50, 1e6), (1e4, 1e5), (1e300, 1e305)])
def test_too_much_evidence_is_the_cap(k, m):
    """What would overflow, or never end, is 1e12."""
    assert evalue(k, m) == warm(k, m, 0.1) == CAP


@pytest.mark.parametrize(("k", "m"), [(1e308, 1e308), (1e12, 1e12), (1e9, 1e9 + 1e5), (1e308, 0), (1e7, 3)])
def test_a_sum_that_is_cut_short_is_no_evidence_too_much(k, m):
    """For more mistakes than any agent makes the sum ends too, and below the cap."""
    assert 0 <= evalue(k, m) < CAP


@pytest.mark.parametrize("wrong", NO_NUMBERS)
def test_what_is_no_number_is_no_evidence(wrong):
    """Not a number, infinite or negative: no promotion, no bound, and the alarm."""
    assert evalue(wrong, 5) == evalue(0, wrong) == warm(wrong, 5, 0.1) == warm(0, wrong, 0.1) == 0
    assert needed(wrong, 0.05) == math.inf
    assert upper(wrong, 1e6, 0.05) == upper(0, wrong, 0.05) == 1
    assert ecusum(wrong, 0, 1) == ecusum(0, wrong, 1) == ecusum(0, 0, wrong) == math.inf
    assert bet(wrong, 9) == bet(0, wrong) == 1


@pytest.mark.parametrize("k", NEEDED)
def test_how_much_is_needed(k):
    """The table that the promises rest on: 4.51 without a mistake at .05, 6.85 with one, and so on."""
    assert tuple(round(needed(k, alpha), 2) for alpha in ALPHAS) == NEEDED[k]


def test_a_bet_needs_less_where_it_was_right():
    """Half a stake on a low rate needs 3.50 instead of 4.51; on more than .3 of the limit it isn't made."""
    assert [round(needed(0, 0.05, rho), 2) for rho in (0.02, 0.1, 0.3)] == [3.50, 3.74, 4.40]
    assert needed(0, 0.05, 0.31) == needed(0, 0.05, 0) == needed(0, 0.05, math.nan) == needed(0, 0.05)


@given(k=losses, alpha=st.floats(1e-11, 0.999), rho=st.floats(0.001, 1))
def test_what_is_needed_is_enough_and_no_more(k, alpha, rho):
    """At the m that is needed the e-value is 1/alpha or more, and just below it is less."""
    most = needed(k, alpha, rho)
    assert warm(k, most, rho) >= 1 / alpha
    assert warm(k, most * (1 - 1e-9), rho) < 1 / alpha


def test_the_smallest_alpha_is_reached():
    """At the reciprocal of the cap there is still an m that is enough."""
    assert evalue(0, needed(0, 1e-12)) == warm(0, needed(0, 1e-12, 0.1), 0.1) == CAP


@pytest.mark.parametrize("alpha", [0, 1, -0.1, 1e-13, 2, math.nan])
def test_an_alpha_that_is_no_chance_is_refused(alpha):
    """Below the reciprocal of the cap it could never be reached; at one and above it promises nothing."""
    with pytest.raises(ValueError, match="alpha is"):
        needed(0, alpha)
    with pytest.raises(ValueError, match="alpha is"):
        upper(0, 0, alpha)


def test_so_many_mistakes_need_more_than_there_is():
    """A number of mistakes that no float can outweigh needs infinitely much, and isn't looked for for ever."""
    assert needed(1.7e308, 0.05) == math.inf


@given(k=losses, m=limits, p=shares, limit=shares, size=shares)
def test_an_agent_at_the_limit_gains_nothing_on_average(k, m, p, limit, size):
    """For losses with a mean at the limit or above it, the mean of the next e-value is at most the present one.

    This is all that Ville's inequality asks for. The loss is `size` with the chance that gives it that mean.
    """
    mean = limit + (1 - limit) * p
    size = max(size, mean, 1e-9)
    chance = mean / size
    for value in (evalue, lambda k, m: warm(k, m, 0.02), lambda k, m: warm(k, m, FARTHEST)):
        after = chance * value(k + size, m + limit) + (1 - chance) * value(k, m + limit)
        assert after <= value(k, m) * (1 + 1e-9)


@given(k=losses, m=limits, more=st.floats(0, 10))
def test_mistakes_cost_and_clean_actions_earn(k, m, more):
    """More loss never makes the e-value larger, more clean actions never smaller."""
    assert evalue(k + more, m) <= evalue(k, m) * (1 + 1e-12)
    assert evalue(k, m + more) >= evalue(k, m) * (1 - 1e-12)


@given(k=losses, m=limits)
def test_a_bet_is_a_share_of_the_limit(k, m):
    """The record of before gives a rate from .02 to 1 of the limit; without one it is 1, which bets nothing."""
    assert BOLDEST <= bet(k, m) <= 1
    assert bet(k, 0) == 1


def test_the_bound_is_what_is_needed_over_what_there_is():
    """452 clean actions bound the mean loss at one per cent; none bound nothing."""
    assert upper(0, 452, 0.05) < 0.01 < upper(0, 450, 0.05)
    assert upper(0, 0, 0.05) == upper(5, 3, 0.05) == 1
    assert upper(0, 300, 0.05, BOLDEST) < upper(0, 300, 0.05)


@given(p=shares, ratio=shares, loss=st.floats(0.001, 1))
def test_the_alarm_is_no_likelier_than_it_says(p, ratio, loss):
    """For losses with a mean at the limit or below it, the factor of one action has a mean of at most 1."""
    mean = p * ratio
    chance = mean / max(loss, mean, 1e-12)
    size = max(loss, mean)
    before = 10.0  # so high that nothing is cut off at zero
    steps = math.exp(ecusum(before, size, p) - before), math.exp(ecusum(before, 0, p) - before)
    assert chance * steps[0] + (1 - chance) * steps[1] <= 1 + 1e-9


def test_the_alarm_rings_for_three_times_the_limit():
    """Three times as many mistakes as allowed set it off; as many as allowed don't, and clean times cut it to zero."""
    bad = good = 0.0
    for _ in range(15):
        bad, good = ecusum(bad, 0.9, 0.3), ecusum(good, 0.3, 0.3)
    assert bad > ALARM > good
    assert ecusum(2.0, 0, 1.5) == 0


@pytest.mark.parametrize(
    ("k", "m", "rho"), [(0, 25, 0.02), (0, 24, 0.5 / 24), (2, 25, 0.1), (0, 0.8, 0.625), (0.5, 0.5, 1), (2, 0, 1)]
)
def test_a_bet_is_the_rate_of_before(k, m, rho):
    """With half a mistake more than was seen; not below a fiftieth of the limit, and not above it."""
    assert bet(k, m) == pytest.approx(rho)


def test_the_alarm_weighs_a_mistake_by_what_it_bets_on():
    """Three times the limit: ln 3 for each mistake, and two for each that was allowed; a hundred to one rings."""
    assert ecusum(1.0, 2, 0.25) == pytest.approx(1 + 2 * math.log(3) - 0.5)
    assert pytest.approx(math.log(100)) == ALARM
