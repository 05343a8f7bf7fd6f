"""Answers: every known shape is understood, nothing else is ever taken as yes, and not everybody may say it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.answers import Answer, objection, read
from ladder_graph.steps import Person
from tests.unit.walking import ANA, CALL, NOW, question

YES = Answer("approve", by="ana")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(
    ["type", "decisions", "by", "args", "approve", "accept", "yes", "ok", "reject", "edit", "y", ""]
)


@pytest.mark.parametrize(
    "raw",
    [
        "approve",
        " Approve\n",
        "accept",
        {"type": "approve"},
        {"type": "accept", "args": None},
        [{"type": "accept", "args": None}],
        {"decisions": [{"type": "approve"}]},
        {"decisions": ({"type": "approve"},)},
    ],
)
def test_known_ways_to_say_yes(raw):
    """Our own words, LangChain's decisions and Agent Inbox's responses say yes."""
    assert read(raw) == Answer("approve")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("reject", ""),
        ({"type": "decline", "reason": "no"}, "no"),
        ({"decisions": [{"type": "reject", "message": "not today"}]}, "not today"),
        ([{"type": "ignore", "args": None}], ""),
    ],
)
def test_known_ways_to_say_no(raw, reason):
    """A no carries its reason, whatever the inbox calls it."""
    assert read(raw) == Answer("decline", reason=reason)


@pytest.mark.parametrize(
    "raw",
    [
        None, True, 1, "", "yes", "y", "approved", "approve please", {}, [], {"type": None}, {"type": "Approve"},
        {"type": ["approve"]}, {"approve": True}, {"type": "edit", "args": {}}, {"type": "edit"},
        {"type": "edit", "edited_action": {"name": "a"}}, {"type": "edit", "edited_action": {"name": "a", "args": "x"}},
        {"type": "respond"}, {"type": "response", "args": None}, {"type": "approve", "signed": True},
        {"type": "approve", "signed": {"key": "k", "at": True, "mac": "m"}},
        {"decisions": []}, {"decisions": [{"type": "approve"}, {"type": "approve"}]}, {"decisions": "approve"},
        [["approve"]], {"decisions": [[{"type": "approve"}]]}, object(),
    ],
)  # fmt: skip
def test_everything_else_is_a_complaint(raw):
    """What isn't exactly one known answer is complained about in words."""
    assert isinstance(read(raw), str)


@given(
    st.recursive(JSON | WORDS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=4))
)
def test_no_answer_can_break_it(raw):
    """Whatever comes back is read or complained about, and only the known words mean yes."""
    found = read(raw)
    assert isinstance(found, Answer | str)
    if isinstance(found, Answer) and found.verdict == "approve":
        assert "approve" in repr(raw).lower() or "accept" in repr(raw)
    assert repr(found).isascii() or str(found).encode()


def test_what_was_typed_comes_as_it_was_typed():
    """Spaces count in what must be typed, and are cut around a name."""
    found = read({"type": "approve", "by": " ana ", "typed": " orders "})
    assert (found.by, found.typed) == ("ana", " orders ")


@pytest.mark.parametrize("odd", ["\ud800", 1, None, ["ana"]])
def test_odd_fields_do_no_harm(odd):
    """A field that is no proper text is dropped or escaped, and can be written down."""
    found = read({"type": "decline", "by": odd, "reason": odd, "typed": odd, "digest": odd})
    assert f"{found.by}{found.reason}{found.typed}{found.digest}".encode()


# --- whether it counts ---------------------------------------------------------------------------------------


def test_a_named_person_in_time_may_approve():
    """The plain case: somebody with a name, before it expires, where nothing else is asked for."""
    assert objection(question(), YES, ANA, NOW) is None


@pytest.mark.parametrize("person", [None, Person(""), Person("", "server")])
@pytest.mark.parametrize("verdict", ["approve", "decline"])
def test_nobody_may_not_answer(person, verdict):
    """An answer without a name decides nothing, not even a no."""
    assert "nobody's name" in objection(question(), Answer(verdict), person, NOW)


@pytest.mark.parametrize("verdict", ["approve", "decline"])
def test_another_digest_is_refused(verdict):
    """An answer to what looked different is refused; one without a digest, or with the right one, isn't."""
    assert "other arguments" in objection(question(), Answer(verdict, digest="d2"), ANA, NOW)
    assert objection(question(), Answer(verdict, digest="d1"), ANA, NOW) is None


@pytest.mark.parametrize("seconds", [0, 1])
def test_at_its_end_the_question_is_over(seconds):
    """From the very moment that it expires no answer counts."""
    late = question().expires_at + dt.timedelta(seconds=seconds)
    assert "expired" in objection(question(), YES, ANA, late)


def test_only_those_named_may_approve():
    """Others may say no: stopping something needs no right."""
    asked = question(may_answer=("bo", "cy"))
    assert objection(asked, YES, ANA, NOW) == "ana may not approve this; bo or cy may"
    assert objection(asked, Answer("decline"), ANA, NOW) is None
    assert objection(asked, YES, Person("bo", "code"), NOW) is None


@pytest.mark.parametrize("impact", ["medium", "high"])
def test_a_name_that_nobody_checked_is_not_enough(impact):
    """Above low impact a mere name approves nothing; a checked one does."""
    asked = question(impact=impact, typed="to")
    yes = replace(YES, typed="ana@example.com")
    assert "nobody checked" in objection(asked, YES, Person("ana"), NOW)
    assert objection(question(impact="low"), YES, Person("ana"), NOW) is None
    assert objection(asked, yes, Person("ana", "server"), NOW) is None


@pytest.mark.parametrize("typed", [None, "", "order", "orders ", "ORDERS"])
def test_the_fact_must_be_typed_exactly(typed):
    """What must be typed must match to the letter."""
    asked = question(call=replace(CALL, arguments={"table": "orders"}), typed="table")
    assert "type the table exactly" in objection(asked, replace(YES, typed=typed), ANA, NOW)
    assert objection(asked, replace(YES, typed="orders"), ANA, NOW) is None


def test_an_argument_that_is_missing_cannot_be_typed():
    """Where the argument that must be typed isn't there, nobody can approve."""
    asked = question(typed="table")
    assert objection(asked, replace(YES, typed="x"), ANA, NOW) is not None
