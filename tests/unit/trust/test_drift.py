"""Signs of a silent change: the mix of tools, and fixed prompts."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.trust.drift import ALARM, BASELINE, mix, replay

TOOLS = [f"tool{n}" for n in range(8)]
USUAL = [1 / (n + 1) for n in range(8)]
"""The usual shares of the tools, not yet summing to one."""

counts = st.dictionaries(st.sampled_from(["a", "b", "c", "new"]), st.integers(0, 40), max_size=4)


def called(weights: list[float], count: int, seed: int) -> Counter[str]:
    """So many calls drawn by those shares."""
    return Counter(random.Random(seed).choices(TOOLS, weights, k=count))  # noqa: S311  # a simulation


def test_the_usual_mix_raises_no_alarm():
    """Half a year of 140 calls a week from the mix that the baseline came from, forty times."""
    for seed in range(40):
        weeks = [called(USUAL, 140, 1000 * seed + n) for n in range(26)]
        assert mix(called(USUAL, 500, seed), weeks) < ALARM


def test_another_mix_is_found():
    """Where the two most frequent tools change places with the two least, a few weeks of 140 calls show it."""
    other = [*USUAL[6:], *USUAL[2:6], *USUAL[:2]]
    for seed in range(20):
        weeks = [called(USUAL, 140, 7000 + 10 * seed + n) for n in range(4)]
        assert mix(called(USUAL, 500, seed), weeks) < ALARM
        assert mix(called(USUAL, 500, seed), [*weeks, called(other, 140, seed)]) > ALARM


def test_tools_that_nobody_knew_are_another_mix():
    """A tool that was never called in the baseline, called often, raises the alarm; once is no sign."""
    baseline = {"search": 400, "refund": 100}
    assert mix(baseline, [{"search": 80, "refund": 20, "drop": 1}]) < ALARM
    assert mix(baseline, [{"search": 80, "refund": 20, "drop": 9}]) > ALARM


@pytest.mark.parametrize("baseline", [{}, {"search": BASELINE - 1}])
def test_too_small_a_baseline_says_nothing(baseline):
    """Below 500 calls nobody knows what is usual."""
    assert mix(baseline, [{"other": 500}]) == -math.inf


@given(before=counts, weeks=st.lists(counts, max_size=5))
def test_the_sum_is_that_of_its_restarts(before, weeks):
    """Each week adds one e-value over all calls since it began; a week without calls changes nothing."""
    baseline = {"a": 500, **before}
    if sum(baseline.values()) < BASELINE:
        baseline["b"] = 500
    found = mix(baseline, weeks)
    single = [mix(baseline, [sum(map(Counter, weeks[n:]), Counter())]) for n in range(len(weeks))]
    assert math.exp(found) == pytest.approx(math.fsum(map(math.exp, single)), rel=1e-9)
    assert mix(baseline, []) == mix(baseline, [{}]) == -math.inf


def test_one_call_adds_up_to_one_over_all_tools():
    """Before a call is seen, what its e-values would be, weighted by the usual mix, is one."""
    baseline = {"a": 300, "b": 199, "c": 1}
    whole = sum(baseline.values()) + 0.5 * 4
    usual = {tool: (baseline.get(tool, 0) + 0.5) / whole for tool in ("a", "b", "c", "new")}
    assert math.fsum(usual[tool] * math.exp(mix(baseline, [{tool: 1}])) for tool in usual) == pytest.approx(1)


def day_of_alarm(flips: float, seed: int, days: int = 182) -> int | None:
    """The day on which fixed prompts show a share of flips, of thirty a day, where one in a hundred flips anyway."""
    chance, state = random.Random(seed), 0.0  # noqa: S311  # a simulation
    for day in range(1, days + 1):
        state = replay(state, sum(chance.random() < flips for _ in range(30)), 30, (3, 300))
        if state >= ALARM:
            return day
    return None


def test_fixed_prompts_show_what_changed():
    """Flips of 30 % show on the first days, of 10 % within weeks, and the usual 1 % not in half a year."""
    assert max(day_of_alarm(0.3, seed) for seed in range(50)) <= 2
    assert sorted(day_of_alarm(0.1, seed) or 999 for seed in range(50))[25] <= 14
    assert not any(day_of_alarm(0.01, seed) for seed in range(50))
    assert replay(0.0, 30, 30, (0, 0)) < ALARM * 10
