"""Properties of trust: order, duplicates and restarts change nothing, and no mistake makes an agent look better."""

from __future__ import annotations

import copy
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from ladder_graph.policy.trusting import OTHER, Scope
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import EVERY, CellKey
from ladder_graph.trust.deeds import Deed, Happening, Severity, add
from ladder_graph.trust.delay import known_by
from ladder_graph.trust.demotion import after_alarm, after_incident, after_silence, after_stamping, unanticipated
from ladder_graph.trust.evalue import evalue
from ladder_graph.trust.evidence import DAY, Unit, spread, units, weigh
from ladder_graph.trust.forms import reworded, signature
from ladder_graph.trust.held import Event, nearest, rows, step
from ladder_graph.trust.looks import Look

COSMETIC = frozenset({"text"})
NOW = 60 * DAY
KINDS = st.sampled_from([
    "asked", "started", "suggested", "drafted", "approved", "adopted", "declined", "dismissed", "edited", "responded",
    "expired", "done", "failed", "unknown", "undone", "undo_conflict", "undo_failed", "acknowledged", "incident",
    "overrun",
])  # fmt: skip
MOMENTS = st.integers(0, 40).map(lambda half: half * DAY // 2 + 1)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
ARGUMENTS = st.fixed_dictionaries(
    {"to": st.sampled_from(["ana", "bo", 7]), "text": st.sampled_from(["hi", "hello there"])}
)
FIRSTS = st.fixed_dictionaries({
    "tool": st.just("send"), "arguments": ARGUMENTS, "digest": st.just("d"), "thread": st.sampled_from(["t1", "t2"]),
    "env": st.just("e1"), "scope": st.just("s"), "rung": st.integers(0, 5),
    "reasons": st.just([["outside_volume", ""]]),
})  # fmt: skip
SAID = st.fixed_dictionaries(
    {"by": st.sampled_from(["ana", "bo"])},
    optional={
        "looked": st.sampled_from([0.5, 30, None]), "fault": st.just("policy"), "arguments": ARGUMENTS,
        "class": st.sampled_from(["wrong", "late"]), "severity": st.integers(0, 4), "reversed": st.booleans(),
        "closed": st.booleans(), "anticipated": st.booleans(),
    },
)  # fmt: skip
KEYS = st.sampled_from([
    "tool", "arguments", "digest", "thread", "env", "scope", "rung", "reasons", "by", "looked", "characters", "fault",
    "class", "severity", "reversed", "closed", "anticipated", "edited_from",
])  # fmt: skip
BODIES = FIRSTS | SAID | st.just({})
ANYTHING = (
    ODD
    | st.dictionaries(KEYS, ODD)
    | st.tuples(FIRSTS, st.dictionaries(KEYS, ODD, max_size=3)).map(lambda both: both[0] | both[1])
)
ENTRIES = st.builds(Happening, st.just("ops"), MOMENTS, KINDS, st.sampled_from(["k1", "k2", "k3"]), BODIES)
STRANGE = st.builds(Happening, st.just("ops"), MOMENTS, KINDS, st.sampled_from(["k1", "k2"]), ANYTHING)


def sight(look: Look) -> float:
    """Half of all mistakes, unless it was a glance."""
    return 0.5 if look.seconds is None or look.seconds > 1 else 0.0


def folded(entries):
    """What became of each action."""
    found: dict[str, Deed] = {}
    for entry in entries:
        add(found.setdefault(entry.action, Deed()), entry)
    return found


def weighed(deeds, **more):
    """The runs, and what they come to."""
    found = units(deeds, sight, COSMETIC)
    return found, weigh(found, NOW, known_by, **{"most_a_day": 1.5, **more})


@settings(max_examples=60)
@given(st.lists(ENTRIES, max_size=12), st.randoms(), st.data())
def test_order_and_duplicates_change_nothing(entries, random, data):
    """The same entries in any order, some of them told twice, give the same deeds, runs and weights."""
    more = entries + (data.draw(st.lists(st.sampled_from(entries), max_size=4)) if entries else [])
    random.shuffle(more)
    one, other = folded(entries), folded(more)
    assert one == other
    assert weighed(one.values()) == weighed(sorted(other.values(), key=repr))


@settings(max_examples=60)
@given(st.lists(STRANGE, max_size=8), st.randoms())
def test_nothing_raises_and_order_changes_nothing_for_odd_entries(entries, random):
    """Missing keys, wrong types, erased bodies: whatever is there, it is folded, and comes to finite numbers."""
    found, comes = weighed(folded(entries).values())
    assert all(math.isfinite(number) for number in (comes.k, comes.n_eff, comes.pending))
    assert 0 <= comes.k <= len(found)
    assert 0 <= comes.n_eff <= len(found)
    assert 0 <= comes.pending <= 1
    random.shuffle(entries)
    assert repr(weighed(folded(entries).values())) == repr((found, comes))


@settings(max_examples=60)
@given(st.lists(ENTRIES, max_size=10), st.sampled_from(["k1", "k2", "k3"]), MOMENTS, st.integers(1, 4), st.booleans())
def test_a_report_never_speaks_for_the_agent(entries, action, at, severity, pattern):
    """One more mistake, of whatever class and day: no more loss than before is explained away, and e doesn't rise."""
    body = {"class": "another", "severity": severity, "anticipated": True}
    _, before = weighed(folded(entries).values(), single_pattern=pattern)
    _, after = weighed(
        folded([*entries, Happening("ops", at, "incident", action, body)]).values(), single_pattern=pattern
    )
    if before.runs == after.runs:  # Else it made a run of its own, which thins its day.
        assert after.k >= before.k - 1e-12
        assert after.n_eff <= before.n_eff + 1e-12
        assert evalue(after.k, 0.3 * after.n_eff) <= evalue(before.k, 0.3 * before.n_eff) + 1e-9


@settings(max_examples=60)
@given(st.lists(ENTRIES, max_size=8), MOMENTS, st.integers(0, 4))
def test_a_report_that_was_reversed_leaves_what_was_before(entries, at, severity):
    """And one that is made again counts again."""
    body = {"class": "another", "severity": severity, "anticipated": True}
    report = Happening("ops", at, "incident", "k1", body)
    back, again = report._replace(at_us=at + 5, body={**body, "reversed": True}), report._replace(at_us=at + 9)
    plain = weighed(folded(entries).values())
    assert weighed(folded([back, *entries, report]).values()) == plain
    told, twice = (
        weighed(folded([*entries, report]).values()),
        weighed(folded([again, back, *entries, report]).values()),
    )
    assert told == twice


CELLS = st.builds(
    CellKey, st.just("ops"), st.just("send"), st.sampled_from(["s1", "s2", EVERY]), st.sampled_from(["e1", "e2", EVERY])
)
DOWN = st.builds(
    Event, MOMENTS, st.just("demoted"), CELLS, st.sampled_from(Rung), st.just("why"), st.just("D1"),
    st.sampled_from(["keep", "half", "wipe"]), st.sampled_from([0, 7, 14, 112]),
)  # fmt: skip
UP = st.builds(
    Event,
    MOMENTS,
    st.just("promoted"),
    CELLS.filter(lambda cell: EVERY not in cell),
    st.sampled_from(Rung),
    st.just("signed"),
)
EXACT = [CellKey("ops", "send", scope, env) for scope in ("s1", "s2") for env in ("e1", "e2", "e3")]


@settings(max_examples=60)
@given(st.lists(DOWN | UP, max_size=8), st.integers(0, 8))
def test_rows_folded_at_once_are_those_folded_step_by_step(events, part):
    """A restart anywhere in between makes no difference."""
    found = rows(events[:part])
    for event in events[part:]:
        found = {**found, **step(found, event)}
    assert found == rows(events)


@settings(max_examples=60)
@given(st.lists(DOWN, max_size=6), st.randoms())
def test_demotions_commute(events, random):
    """For each cell, whether it acted before or not, the order of demotions makes no difference."""
    other = list(events)
    random.shuffle(other)
    for cell in EXACT:
        assert nearest(rows(events), cell) == nearest(rows(other), cell)


@settings(max_examples=60)
@given(st.lists(DOWN | UP, max_size=6), DOWN, st.sampled_from(Rung), st.sampled_from(EXACT))
def test_a_demotion_never_raises_and_beats_a_promotion_of_its_moment(events, down, start, cell):
    """After it the cell stands no higher than it says, and no higher than before, whoever signs at the same moment."""
    before, after = rows(events), rows([*events, down])
    assert nearest(after, cell).rung(start) <= nearest(before, cell).rung(start)
    if cell.within(down.cell):
        assert nearest(after, cell).rung(start) <= down.rung
        tie = Event(down.at_us, "promoted", cell, Rung.REPORT, "signed")
        assert nearest(rows([*events, down, tie]), cell).rung(start) <= down.rung


@given(st.sampled_from(Rung), st.sampled_from(Severity), st.booleans(), st.floats(0, 200))
def test_no_rule_names_a_rung_above_the_present_one(rung, severity, expected, days):
    """Whatever happened, and wherever the cell stands."""
    found = [
        after_incident(rung, severity, "", anticipated=expected), after_alarm(rung, ""), after_stamping(rung, ""),
        after_silence(rung, days), unanticipated(rung, "", hurt=expected),
    ]  # fmt: skip
    assert all(down is None or down.rung <= rung for down in found)


RUNS = st.builds(
    Unit, st.integers(0, 9), MOMENTS, st.sampled_from([0.0, 0.1, 1.0]), st.just(False),
    st.sampled_from([0.0, 0.5, 1.0]), st.none(), st.integers(1, 6),
).map(lambda unit: unit._replace(known_us=unit.at_us + DAY if unit.loss else None))  # fmt: skip


@settings(max_examples=60)
@given(st.lists(RUNS, min_size=1, max_size=30), st.data())
def test_a_run_that_went_wrong_never_helps(found, data):
    """However the days and the forms thin: the same runs with one more mistake among them show no more."""
    place = data.draw(st.integers(0, len(found) - 1))
    worse = [*found]
    worse[place] = gone_wrong(found[place])
    one, other = (weigh(some, NOW, known_by, most_a_day=2.5) for some in (found, worse))
    assert other.k >= one.k - 1e-12
    assert other.n_eff <= one.n_eff + 1e-12


def gone_wrong(unit):
    """The same run, gone wrong from the beginning."""
    return unit._replace(loss=1.0, known_us=min(unit.at_us, unit.known_us or unit.at_us))


@given(st.dictionaries(st.integers(0, 9), st.floats(0, 1e6), max_size=8))
def test_no_form_is_more_than_a_quarter(weights):
    """Of what is left after thinning, and nothing is added."""
    whole = spread(weights)
    assert 0 <= whole <= math.fsum(weights.values()) + 1e-6
    assert all(min(weight, whole / 4) <= whole / 4 for weight in weights.values())
    assert whole == 0 or sum(weight > 0 for weight in weights.values()) >= 4


@given(ODD, ODD, st.lists(st.text(max_size=3), max_size=3))
def test_any_arguments_have_a_form_and_can_be_compared(one, other, cosmetic):
    """Nothing raises; what is the same is the same, and of one form."""
    again = copy.deepcopy(one)
    assert signature(one) == signature(again)
    held, said = ({"a": value} for value in (one, other))
    assert reworded(held, {"a": again}, [])
    assert reworded(held, said, [*cosmetic, "a"])


@given(ODD)
def test_every_call_is_in_one_scope(value):
    """A declared one, or the one of what nobody declared; never in one with a name of its own making."""
    for scope in (Scope(argument="x", values=["a", 1, True]), Scope(argument="x", edges=[0, 10])):
        assert scope.of({"x": value}) in {*scope.names, OTHER}
