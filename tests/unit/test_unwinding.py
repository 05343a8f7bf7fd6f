"""Whose turn it is when a scope is undone, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ladder_graph.states import State
from ladder_graph.unwinding import OVER, PHASES, Member, Phase, at_stake, due, named, pivot, to_be_told, told

PUT = Member("a" * 64, "put", 1, State.DONE, prepared=True)
PAY = Member("b" * 64, "pay", 2, State.DONE, prepared=False)
LAST = Member("c" * 64, "put", 3, State.DONE, prepared=True)


def names(step):
    """What is due, and about whom."""
    return None if step is None else (step.kind, [member.n for member in step.members])


def test_the_latest_comes_first():
    """By the order of the effects, whatever order they are given in."""
    assert names(due([PUT, LAST])) == ("undo", [3])
    assert names(due([PUT, replace(LAST, came="undone")])) == ("undo", [1])


@pytest.mark.parametrize("came", ["undone", "no-op", "conflict", "failed"])
def test_whatever_came_of_one_the_others_follow(came):
    """A conflict or a failure ends nothing."""
    assert names(due([PUT, replace(LAST, came=came)])) == ("undo", [1])


@pytest.mark.parametrize("came", ["conflict", "failed", "skipped"])
def test_a_part_stays_as_long_as_its_rest_does(came):
    """The one lies on the other; once the rest is undone, or had no effect, the part follows."""
    part, rest = replace(PUT, rest=LAST.action), replace(LAST, came=came)
    assert names(due([part, rest])) == ("stay", [1])
    assert names(due([part, replace(LAST, came="undone")])) == ("undo", [1])
    assert names(due([part])) == ("undo", [1])


@pytest.mark.parametrize("state", ["failed", "paused", "undone"])
def test_what_had_no_effect_needs_no_undo(state):
    """Whether or not an undo was made before it, and it is no point of no return."""
    for prepared in (True, False):
        member = replace(LAST, state=State(state), prepared=prepared)
        assert names(due([PUT, member])) == ("no-op", [3])
        assert not member.pivot


@pytest.mark.parametrize("state", ["started", "done", "unknown"])
def test_a_point_of_no_return_ends_it(state):
    """What took effect, or may have, and has no undo: it stays, and so does all before it."""
    member = replace(PAY, state=State(state))
    assert names(due([PUT, member, replace(LAST, came="undone")])) == ("skip", [2, 1])


def test_what_may_have_happened_is_never_undone_as_if_it_had():
    """Nobody knows, so a person decides."""
    assert replace(PUT, state=State.UNKNOWN).pivot


def test_who_still_runs_is_waited_for():
    """Also one that has no undo: nobody knows yet what will come of it."""
    assert names(due([PUT, replace(LAST, state=State.STARTED, running=True)])) == ("wait", [3])
    assert names(due([PUT, replace(PAY, state=State.STARTED, running=True)])) == ("wait", [2])
    assert names(due([replace(PUT, state=State.STARTED, running=True), LAST])) == ("wait", [1]), "it will end last"


def test_nothing_is_due_once_each_has_its_outcome():
    """Nor where there is no member at all."""
    assert due([replace(PUT, came="skipped"), replace(PAY, came="skipped")]) is None
    assert due([]) is None


def test_what_a_person_is_told_of():
    """The point of no return, for all that is before it; else what is latest; nothing where nothing stays."""
    skipped, conflict = replace(PAY, came="skipped"), replace(LAST, came="conflict")
    assert to_be_told([replace(PUT, came="skipped"), skipped, conflict]) == skipped
    assert to_be_told([replace(PUT, came="failed"), replace(PAY, came="no-op"), conflict]) == conflict
    assert to_be_told([replace(PUT, came="undone"), LAST]) is None


def test_what_is_at_stake():
    """What could be undone now, the latest in front: nothing from before a point of no return."""
    assert at_stake([PUT, LAST]) == [LAST, PUT]
    assert at_stake([PUT, PAY, LAST]) == [LAST]
    assert at_stake([PUT, PAY]) == []
    assert at_stake([PUT, replace(PAY, state=State.FAILED)]) == [PUT]
    assert at_stake([replace(PUT, came="undone")]) == []


def test_a_pivot_says_what_is_lost():
    """The scope, and each call by its action; without anything at stake nobody is asked."""
    said = pivot("pay", "the scope move", [PUT, LAST])
    assert said == (
        "pay can't be undone, and after it neither could be, of the scope move: put (action cccccccccccc), put (action "
        "aaaaaaaaaaaa)"
    )
    assert pivot("pay", "the scope move", [PAY]) == ""


def test_what_the_agent_reads():
    """What was undone and in which order, what is still in place and why, what is still to come; not the own call."""
    members = [
        PUT, replace(PAY, came="skipped", text="it can't be undone"), replace(LAST, came="no-op"),
        Member("d" * 64, "put", 4, State.DONE, prepared=True, came="undone"),
        Member("e" * 64, "pay", 5, State.FAILED, prepared=False),
    ]  # fmt: skip
    said = told("the scope move", "pay went wrong: no", members, own="e" * 64)
    assert said == (
        "ROLLED BACK: the scope move is undone as a whole, because pay went wrong: no. Undone, in this order: put "
        "(action dddddddddddd), put (action cccccccccccc; no-op). STILL IN PLACE: pay (action bbbbbbbbbbbb; skipped: "
        "it can't be undone); a person was told. Still to be undone: put (action aaaaaaaaaaaa). Nothing more of this "
        "scope runs. Do not repeat its steps; say what happened."
    )


def test_a_scope_in_words():
    """By its name, else by its id."""
    assert named("move", "0123456789abcdef") == "the scope move"
    assert named("", "0123456789abcdef") == "the scope 01234567"


def test_the_phases():
    """Each is listed, each step leads to one, and what is over starts nothing any more."""
    assert set(PHASES) == set(Phase)
    assert all(Phase.OPEN not in PHASES[phase] for phase in OVER)
