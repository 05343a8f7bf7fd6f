"""What one action comes to, from the entries about it."""

from __future__ import annotations

import itertools

import pytest

from ladder_graph.scale import Rung
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.deeds import Deed, Happening, Severity, add
from ladder_graph.trust.looks import Look

CELL = CellKey("ops", "send_email", "staging", "e1")
FIRST = {
    "tool": "send_email", "arguments": {"to": "ana", "text": "hi"}, "digest": "d", "thread": "t1", "env": "e1",
    "scope": "staging", "rung": 2, "reasons": [["start_rung", "it starts here"]],
}  # fmt: skip
NONE = frozenset()


def entry(kind, at=1, body=None, **said):
    """An entry about the one action of these tests."""
    return Happening("ops", at, kind, "k1", {**said} if body is None else body)


def deed(*entries, first=FIRST):
    """What entries after the first one make of it."""
    made = Deed()
    for one in ([entry("asked", body=first)] if first else []) + list(entries):
        add(made, one)
    return made


def incident(at=5, severity=2, **said):
    """A report of a mistake."""
    return entry("incident", at, **{"class": "wrong", "severity": severity, "anticipated": True, **said})


def test_the_first_entry_says_where_it_belongs():
    """Cell, thread, rung and arguments come from the entry that an action was first written down with."""
    made = deed(first={**FIRST, "reasons": [["outside_volume", "too many"]]})
    assert (made.cell, made.thread, made.rung, made.at_us) == (CELL, "t1", Rung.CONFIRM, 1)
    assert made.beyond
    assert not made.by_person
    assert not made.counts


def test_what_ran_without_being_asked_keeps_no_arguments():
    """Only what a person may edit is held against the edit; millions of others aren't kept."""
    assert deed(first={**FIRST, "rung": 3}).arguments is None
    assert deed().arguments == FIRST["arguments"]


@pytest.mark.parametrize(
    ("kinds", "counts", "loss"),
    [
        (["approved"], False, 0),
        (["approved", "failed"], False, 0),
        (["approved", "unknown"], False, 0),
        (["approved", "done"], True, 0),
        (["done", "undone"], True, 0.1),
        (["done", "undo_failed"], True, 1),
        (["done", "undo_conflict", "undone"], True, 1),
        (["declined"], True, 1),
        (["dismissed"], True, 1),
        (["adopted"], True, 0),
        (["edited"], True, 1),
        (["responded"], False, 0),
        (["expired"], False, 0),
    ],
)
def test_what_an_end_or_a_verdict_comes_to(kinds, counts, loss):
    """It counts if it took effect, or if a person judged what it would have been."""
    made = deed(*(entry(kind, 2, by="ana") for kind in kinds))
    assert (made.counts, made.loss(NONE)) == (counts, loss)


def test_a_draft_is_judged_by_being_accepted():
    """Nothing else may ever come of it; on the rung above, only what ran is a trial."""
    assert deed(entry("approved", by="ana"), first={**FIRST, "rung": 1}).counts


def test_a_no_for_reasons_outside_the_agent_counts_for_nothing():
    """`fault = policy` makes it no trial and no mistake; a second no without it does."""
    excused = deed(entry("declined", 2, by="ana", fault="policy"))
    assert (excused.counts, excused.loss(NONE)) == (False, 0)
    add(excused, entry("dismissed", 3, by="bo"))
    assert (excused.counts, excused.loss(NONE)) == (True, 1)


@pytest.mark.parametrize(
    ("after", "cosmetic", "loss"),
    [
        ({"to": "ana", "text": "hello"}, ["text"], 0),
        ({"to": "bo", "text": "hello"}, ["text"], 1),
        ({"to": "ana", "text": "hello"}, [], 1),
        ({"to": "ana"}, ["text"], 0),
        ({"to": "ana", "text": "hi", "cc": None}, ["text"], 1),
        (None, ["text"], 1),
        ("hello", ["text"], 1),
    ],
)
def test_an_edit_is_a_mistake_unless_it_only_reworded(after, cosmetic, loss):
    """Anything but declared free text is material, and so is what nobody can compare."""
    made = deed(entry("edited", 2, by="ana", arguments=after))
    assert made.loss(frozenset(cosmetic)) == loss


def test_what_a_person_put_in_says_nothing_about_the_agent():
    """Neither that it went well nor that it went wrong."""
    made = deed(entry("done", 2), incident(), first={**FIRST, "edited_from": "k0"})
    assert not made.counts


@pytest.mark.parametrize(
    ("severity", "loss", "severe"), [(0, 0, False), (1, 0.1, False), (2, 1, False), (3, 1, True), (4, 1, True)]
)
def test_severity_tells_the_loss(severity, loss, severe):
    """S0 nothing, S1 a tenth, S2 and above a whole mistake."""
    made = deed(entry("done", 2), incident(severity=severity))
    assert (made.loss(NONE), made.severe) == (loss, severe)


def test_a_report_can_be_reversed_and_made_again():
    """Of the reports of one class the latest counts, whatever the order in which they come."""
    said = [incident(5), incident(6, reversed=True), incident(7, severity=1)]
    for some, loss in ((said[:1], 1), (said[:2], 0), (said, 0.1)):
        for order in itertools.permutations(some):
            assert deed(entry("done", 2), *order).loss(NONE) == loss


def test_two_classes_add_up_and_one_reported_twice_does_not():
    """A duplicate is the same mistake, another class is another one; together they are one whole mistake at most."""
    minor = incident(severity=1)
    assert deed(minor, minor).loss(NONE) == 0.1
    assert deed(minor, incident(**{"class": "late", "severity": 1})).loss(NONE) == 0.2
    assert deed(incident(), incident(**{"class": "late"})).loss(NONE) == 1


def test_of_one_microsecond_the_worst_counts():
    """A report wins over its reversal, and an open one over a closed one."""
    for order in itertools.permutations([incident(5), incident(5, reversed=True), incident(5, closed=True)]):
        (one,) = deed(*order).incidents.values()
        assert (one.reversed, one.closed) == (False, False)


def test_closing_a_report_does_not_move_the_day_it_was_made():
    """What an action weighs is frozen on the day of the first report, whatever is said of it later."""
    for order in itertools.permutations([incident(5), incident(90, closed=True), incident(50, reversed=True)]):
        made = deed(entry("done", 2), *order)
        assert made.known_us == 5
        assert made.incidents["wrong"].closed


def test_a_report_about_what_never_ran_is_a_mistake_and_no_trial():
    """A call that counts only where it went wrong would make the agent look tried; a reversed report leaves nothing."""
    reported = deed(entry("failed", 2), incident())
    assert (reported.counts, reported.shown) == (True, False)
    assert not deed(entry("failed", 2), incident(), incident(6, reversed=True)).counts
    assert not deed(entry("failed", 2), incident(severity=0)).counts


def test_the_last_yes_let_it_run_and_the_first_no_made_it_known():
    """An approval may be void and given anew."""
    made = deed(entry("approved", 9, by="bo"), entry("approved", 2, by="ana"))
    assert made.look == Look(9, "bo")
    assert deed(entry("declined", 9, by="bo"), entry("declined", 2, by="ana")).known_us == 2


def test_two_looks_of_one_moment_can_be_told_apart():
    """A length that wasn't measured is compared with one that was."""
    looks = [entry("approved", 2, by="ana"), entry("approved", 2, by="ana", looked=3.0)]
    assert {deed(*order).look for order in itertools.permutations(looks)} == {Look(2, "ana", 3.0)}


@pytest.mark.parametrize(
    "body",
    [{}, {"by": ""}, {"by": 7}, {"by": "ana", "looked": "long"}, {"by": "ana", "looked": True},
     {"by": "ana", "looked": -1},
     {"by": "ana", "looked": float("nan")}, {"by": "ana", "looked": 10**400}, {"by": "ana", "characters": "many"},
     {"by": "ana", "characters": 10**400}, None, [], 5],
)  # fmt: skip
def test_a_look_that_cannot_be_read_is_a_glance(body):
    """No name, or a length that is none: nobody can say that it was looked at."""
    made = Deed()
    add(made, Happening("ops", 2, "approved", "k1", body))
    assert made.look.seconds == 0.0


@pytest.mark.parametrize("severity", [None, "S1", True, 7, -1, 1.0, [], {}])
def test_a_report_that_cannot_be_read_is_a_real_mistake(severity):
    """Nobody anticipated it, nobody closed it, and it isn't reversed."""
    said = {"severity": severity, "reversed": "yes", "closed": 1, "anticipated": "true", "class": 5}
    (one,) = deed(entry("incident", 5, body=said)).incidents.values()
    assert (one.severity, one.reversed, one.closed, one.anticipated) == (Severity.REAL, False, False, False)
    (erased,) = deed(entry("incident", 5, body={})).incidents.values()
    assert (erased.severity, erased.anticipated) == (Severity.REAL, False)


@pytest.mark.parametrize(
    ("key", "value"),
    [("env", ""), ("env", None), ("env", 5), ("env", "*"), ("scope", None), ("scope", "*"), ("tool", ""), ("tool", [])],
)
def test_what_belongs_nowhere_counts_for_nothing(key, value):
    """Where nobody can tell the cell, there is none."""
    made = deed(entry("done", 2), first={**FIRST, key: value})
    assert made.cell is None
    assert not made.counts


@pytest.mark.parametrize(
    ("key", "value"),
    [("rung", True), ("rung", 9), ("rung", "2"), ("rung", []), ("thread", 5), ("arguments", 5), ("arguments", None),
     ("reasons", None), ("reasons", [5, [], [[]], "x"]), ("digest", None)],
)  # fmt: skip
def test_an_odd_first_entry_is_read_as_far_as_it_goes(key, value):
    """Nothing raises, and no rung is read that would let more count."""
    made = deed(entry("approved", 2, by="ana"), first={**FIRST, key: value})
    assert made.cell == CELL
    assert not made.counts


def test_nothing_is_known_of_what_only_began():
    """A call is pending until something came of it."""
    assert deed().pending
    assert deed(entry("unknown", 2)).pending
    assert not deed(entry("done", 2)).pending
    made = deed(entry("overrun", 3), entry("acknowledged", 4, by="ana"), entry("acknowledged", 3, by="bo"))
    assert made.read.by == "bo"
