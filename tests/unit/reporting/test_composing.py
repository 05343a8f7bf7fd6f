"""What a report shows: what stands out with its reason, and a sample that anybody can draw again who knows the seed."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace

import pytest

from ladder_graph.policy import LOWEST, Rule
from ladder_graph.reporting import habits
from ladder_graph.reporting.composing import ALIKE, compose, drawn
from ladder_graph.reporting.flags import Act, flags
from ladder_graph.reporting.habits import Habit
from ladder_graph.states import State

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
ACT = Act("a0", "pay", {"to": "ana", "cents": 5}, State.DONE, NOON)
TO = frozenset({"to"})


def used(times=60, **arguments):
    """What is usual after so many calls that were all alike."""
    habit = Habit()
    for _ in range(times):
        habit.learn({**ACT.arguments, **arguments}, 12)
    return habit


def codes(act, rule=LOWEST, habit=None):
    """Why it stands out."""
    return [flag.code for flag in flags(act, rule, TO, habit or used())]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": State.FAILED}, "failed"),
        ({"state": State.UNKNOWN}, "unknown"),
        ({"state": State.UNDONE}, "undone"),
        ({"state": State.UNDO_FAILED}, "undo_failed"),
        ({"state": State.STARTED}, "running"),
        ({"said": frozenset({"incident"})}, "incident"),
        ({"said": frozenset({"suspected"})}, "suspected"),
        ({"arguments": {"to": "zoe", "cents": 5}}, "new_target"),
        ({"arguments": {"to": "ana", "cents": 6}}, "larger"),
        ({"arguments": {"to": "ana", "cents": 5, "how": "cash"}}, ""),
        ({"at": NOON.replace(hour=3)}, "hours"),
    ],
)
def test_each_reason_has_a_code_and_words_without_values(change, code):
    """No value of the call is in the words, which are kept where no erasure reaches."""
    act = replace(ACT, **change)
    assert codes(act) == ([code] if code else [])
    assert all("zoe" not in flag.text for flag in flags(act, LOWEST, TO, used()))


def test_what_is_usual_holds_no_name_of_an_argument():
    """In a table that takes any keys each may name somebody. What an earlier release kept is read, and kept no more."""
    habit = used(shares={"Zoe": 5, "Bo": "half"})
    assert not re.search("Zoe|Bo|shares|cents", habit.text)
    assert Habit.read(habit.text) == habit
    before = {
        "acts": 30,
        "values": {"shares.Bo": [habits.digest("shares.Bo", "half")]},
        "most": {"shares.Zoe": [30, 5]},
    }
    old = Habit.read(json.dumps(before))
    assert old.knows("shares.Bo", "half")
    assert (old.few("shares.Bo"), old.largest("shares.Zoe")) == (1, (30, 5))
    assert not re.search("Zoe|Bo", old.text)


def test_near_a_bound_and_new_values_stand_out():
    """Within a twentieth of its width; and a value that an argument of few values never had."""
    rule = Rule(rung="bounded", bounds=[{"kind": "range", "argument": "cents", "least": 0, "most": 100}])
    assert codes(replace(ACT, arguments={"to": "ana", "cents": 95}), rule, used(cents=99)) == ["near_bound"]
    assert codes(replace(ACT, arguments={"to": "ana", "cents": 94}), rule, used(cents=99)) == []
    assert codes(replace(ACT, arguments={**ACT.arguments, "how": "cash"}), LOWEST, used(how="wire")) == ["new_value"]
    assert codes(ACT, LOWEST, Habit()) == ["new_tool"]


def test_what_matters_most_is_in_front_and_many_alike_are_a_few():
    """The first of them are shown, and how many more there are; of what is serious, each."""
    acts = [replace(ACT, action=f"f{n}", state=State.FAILED) for n in range(20)]
    acts += [replace(ACT, action=f"u{n}", state=State.UNKNOWN) for n in range(9)]
    found = compose(acts, lambda tool: LOWEST, {"pay": TO}, {"pay": used()}, seed="s", sample=3)
    assert [one.flags[0].code for one in found.shown] == ["unknown"] * 9 + ["failed"] * ALIKE
    assert "so it is for 15 more of pay" in found.shown[-1].flags[0].text
    assert (found.counts.calls, found.counts.failed) == (29, 29)
    assert repr(found.counts) == "Counts(calls=29, failed=29, undone=0, new_targets=0)"


def test_the_sample_is_drawn_by_the_seed_alone():
    """The same for everybody who knows it, another one with another seed, and never what stands out."""
    acts = [replace(ACT, action=f"a{n}") for n in range(100)]
    assert {act.action for act in drawn(acts, "one", 5)} == {act.action for act in drawn(acts[::-1], "one", 5)}
    assert drawn(acts, "one", 5) != drawn(acts, "two", 5)
    odd = replace(ACT, action="odd", state=State.FAILED)
    found = compose([*acts, odd], lambda tool: LOWEST, {}, {"pay": used()}, seed="s", sample=3)
    assert found.shown[0].action == "odd"
    assert len(found.shown) == 4
