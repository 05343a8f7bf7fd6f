"""Properties of watches: whatever is measured and said, in whatever order it is stored, the phase is safe and ends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ladder_graph.policy.checks import Alert, Python
from ladder_graph.policy.watching import Watch
from ladder_graph.watch.phase import FRESH, Taken, Told, judge

BEGAN = 1_000_000
SECOND = 1_000_000
ENDS = BEGAN + 10 * SECOND
FINAL = {"kept", "undo"}

LIMITS = st.integers(0, 2)
CHECKS = st.one_of(
    st.builds(
        Python,
        function=st.just("shop:healthy"),
        every=st.integers(1, 5),
        delay=st.integers(0, 3),
        failure_limit=LIMITS,
        inconclusive_limit=st.none() | LIMITS,
        dry_run=st.booleans(),
    ),
    st.builds(Alert, labels=st.just({"app": "shop"}), dry_run=st.booleans()),
)
WATCHES = st.builds(
    Watch,
    window=st.just(10),
    confirm=st.sampled_from(["auto", "auto", "required"]),
    inconclusive=st.sampled_from(["undo", "hold"]),
    least_good=st.integers(1, 2),
)
# Few moments, so that many fall together, and some before the watch and behind its end.
MOMENTS = st.integers(-1, 26).map(lambda half: BEGAN + half * SECOND // 2)
VERDICTS = st.sampled_from(["good", "good", "good", "good", "inconclusive", "bad"])


@st.composite
def traces(draw, *, told=True):
    """A watch, its checks, what was measured and what was said."""
    watch, checks = draw(WATCHES), draw(st.lists(CHECKS, min_size=1, max_size=2))
    places = st.integers(0, len(checks) - 1)
    taken = draw(st.lists(st.builds(Taken, check=places, at=MOMENTS, verdict=VERDICTS), max_size=12))
    said = st.one_of(
        st.builds(Told, kind=st.sampled_from(["keep", "undo"]), at=MOMENTS),
        st.builds(Told, kind=st.just("firing"), at=MOMENTS, check=places),
        st.builds(Told, kind=st.just("extend"), at=MOMENTS, until=MOMENTS),
    )
    return watch, checks, taken, draw(st.lists(said, max_size=2)) if told else []


def phase(watch, checks, now, taken, told):
    """The phase alone."""
    return judge(watch, checks, BEGAN, now, taken, told).phase


def what_ended_stays_ended(trace, now, later):
    """`kept` and `undo` are left by nothing that comes later; `hold` by a person only."""
    watch, checks, taken, told = trace
    before = judge(watch, checks, BEGAN, now, taken, told)
    kinds = {one.kind for one in told if one.at > now}
    after = judge(watch, checks, BEGAN, max(now, later), taken, told)
    if before.phase in FINAL or (before.phase == "hold" and not kinds & {"keep", "undo"}):
        assert (after.phase, after.why, after.ended) == (before.phase, before.why, before.ended)
    if before.phase == "hold":
        assert after.phase in {"hold", *FINAL}


def it_always_ends(trace):
    """Behind the last end that anybody gave it, a watch is over; before its own it says when to look again."""
    watch, checks, taken, told = trace
    last = max([ENDS, *(one.until or 0 for one in told)])
    assert phase(watch, checks, last, taken, told) != "watching"
    present = judge(watch, checks, BEGAN, BEGAN, taken, told)
    if present.phase == "watching":
        assert present.due is not None
        assert present.due <= last


def it_is_never_healthy_while_blind(trace):
    """Kept by nobody, it has enough good measurements of all that vouch, a fresh one of each, and few bad ones."""
    watch, checks, taken, told = trace
    said = [one for one in told if one.kind != "keep"]
    end = judge(watch, checks, BEGAN, ENDS + 10 * SECOND, taken, said)
    if end.phase != "kept":
        return
    assert watch.confirm == "auto"
    deciding = [(place, check) for place, check in enumerate(checks) if not check.dry_run]
    assert any(check.vouches for _, check in deciding)
    for place, check in deciding:
        seen = [one for one in taken if one.check == place and BEGAN <= one.at < end.ended]
        good = [one.at for one in seen if one.verdict == "good"]
        assert sum(one.verdict == "bad" for one in seen) <= check.failure_limit
        assert not any(one.kind == "firing" and one.check == place and BEGAN <= one.at < end.ended for one in said)
        if check.vouches:
            assert len(good) >= watch.least_good
            assert max(good) >= end.ended - FRESH * check.every * SECOND


def order_does_not_matter(trace, now, order):
    """What is stored is a set: shuffled, it says the same, also what happened at one moment."""
    watch, checks, taken, told = trace
    shuffled, said = list(taken), list(told)
    order.shuffle(shuffled)
    order.shuffle(said)
    assert judge(watch, checks, BEGAN, now, taken, told) == judge(watch, checks, BEGAN, now, shuffled, said)


def a_restart_changes_nothing(trace, now):
    """Whoever comes later sees, at each moment, what was seen then: the future has no say in it."""
    watch, checks, taken, told = trace
    known = [one for one in taken if one.at <= now]
    heard = [one for one in told if one.at <= now]
    assert judge(watch, checks, BEGAN, now, known, heard) == judge(watch, checks, BEGAN, now, taken, told)


def a_bad_one_never_helps(trace, now, at, place):
    """One more bad measurement keeps no action that was to be undone or held."""
    watch, checks, taken, told = trace
    before = phase(watch, checks, now, taken, told)
    worse = phase(watch, checks, now, [*taken, Taken(place % len(checks), at, "bad")], told)
    if before == "undo":
        assert worse == "undo"
    if before == "hold":
        assert worse in {"hold", "undo"}


NOWS = st.integers(0, 30).map(lambda half: BEGAN + half * SECOND // 2)
ORDERS = st.randoms(use_true_random=False)
FACTS = [
    (what_ended_stays_ended, (traces(), NOWS, NOWS)),
    (it_always_ends, (traces(),)),
    (it_is_never_healthy_while_blind, (traces(),)),
    (order_does_not_matter, (traces(), NOWS, ORDERS)),
    (a_restart_changes_nothing, (traces(), NOWS)),
    (a_bad_one_never_helps, (traces(), NOWS, MOMENTS, st.integers(0, 1))),
]
NAMES = [fact.__name__ for fact, _ in FACTS]


@pytest.mark.parametrize(("fact", "given_"), FACTS, ids=NAMES)
def test_of_any_watch(fact, given_):
    """Each of the facts above holds for any trace."""
    settings(max_examples=100)(given(*given_)(fact))()


@pytest.mark.faults
@pytest.mark.parametrize(("fact", "given_"), FACTS, ids=NAMES)
def test_of_any_watch_at_length(fact, given_):
    """The same over many more traces."""
    settings(max_examples=4000)(given(*given_)(fact))()


def test_traces_reach_every_phase():
    """The traces that are drawn end in each way, so that none of the facts above is empty."""
    reached = set()

    @settings(max_examples=150, derandomize=True, database=None)
    @given(traces(told=False))
    def reach(trace):
        watch, checks, taken, told = trace
        reached.add(phase(watch, checks, ENDS, taken, told))

    reach()
    assert reached == {"kept", "undo", "hold"}
