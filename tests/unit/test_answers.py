"""Answers: every known shape is understood, nothing else is ever taken as yes, and not everybody may say it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.answers import Answer, objection, premature, read
from ladder_graph.facts import Arrival, Decision, Person
from ladder_graph.policy import Policy
from ladder_graph.turns.deciding import decision_of, edited, unchecked
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


@pytest.mark.parametrize("place", ["args", "edited_action"])
@pytest.mark.parametrize("action", [lambda args: {"name": CALL.tool, "args": args}, lambda args: args])
def test_a_yes_to_other_arguments_is_none(place, action):
    """Whether a yes carries a whole action or its arguments alone, it is one to what was asked about, or to nothing."""
    same = read({"type": "approve", "by": "ana", place: action(dict(CALL.arguments))})
    other = read({"type": "approve", "by": "ana", place: action({**CALL.arguments, "to": "eve"})})
    assert objection(question(), same, ANA, NOW) is None
    assert "carries other arguments" in objection(question(), other, ANA, NOW)
    assert objection(question(), read({"type": "approve", "by": "ana", place: {}}), ANA, NOW) is None


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


# --- a question that says more -----------------------------------------------------------------------------------


@given(
    st.recursive(JSON | WORDS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=4)),
    st.dictionaries(WORDS, JSON, max_size=3),
)
def test_no_answer_can_break_the_whole_way(raw, arguments):
    """From whatever comes back to a decision: never raised, and a call only runs on a known word for it."""
    for answer in (raw, {"type": "edit", "edited_action": {"name": "send_email", "args": arguments}}):
        found = read(answer)
        if isinstance(found, str):
            continue
        after = edited(CALL, found, unchecked)
        if isinstance(after, str):
            continue
        decision = decision_of(question(), found, ANA, NOW, Policy(), after)
        assert isinstance(decision, Decision | str)
        if isinstance(decision, Decision) and decision.verdict in {"approve", "edit"}:
            assert any(word in repr(answer).lower() for word in ("approve", "accept", "edit"))
            assert (decision.successor is not None) == (decision.verdict == "edit")


@pytest.mark.parametrize("verdict", ["approve", "edit", "respond", "decline"])
def test_only_what_the_rule_allows(verdict):
    """What isn't among the decisions is complained about with those that are."""
    allowed = tuple(one for one in ("approve", "edit", "respond", "decline") if one != verdict)
    answer = Answer(verdict, by="ana", reason="text")
    assert objection(question(decisions=allowed), answer, ANA, NOW).startswith(f"{verdict} is not allowed here")
    assert objection(question(decisions=(verdict,)), answer, ANA, NOW) is None


@pytest.mark.parametrize("verdict", ["approve", "edit"])
def test_high_impact_is_typed_at_least_by_the_tools_name(verdict):
    """Where the rule names no argument to type, a call of high impact needs the tool's name."""
    asked, bo = question(impact="high"), Person("bo", "server")
    answer = Answer(verdict, by="bo")
    assert objection(asked, answer, bo, NOW) == "to approve, type the tool's name exactly: send_email"
    assert objection(asked, replace(answer, typed="send_email"), bo, NOW) is None


@pytest.mark.parametrize("name", ["ana", "Ana", "ANA ", "\uff41na"])
def test_one_person_is_one_approval(name):
    """However the name is written: wide letters, capitals and spaces make no second person."""
    asked = question(quorum=2, votes=(Decision("approve", ANA, NOW),))
    assert "has approved already; 1 more person must" in objection(asked, YES, Person(name, "server"), NOW)
    assert objection(asked, YES, Person("bo", "server"), NOW) is None
    assert objection(asked, Answer("decline"), Person(name, "server"), NOW) is None


@pytest.mark.parametrize("auth", ["server", "code", "os-user", "signed"])
def test_the_requester_may_say_no_but_not_yes(auth):
    """Whoever's run it was may stop it; everybody else who is known may approve it."""
    asked = question(not_requester=True, requester=Person("ana", "server"))
    assert "their own run" in objection(asked, YES, Person("Ana", auth), NOW)
    assert objection(asked, Answer("decline"), Person("ana", auth), NOW) is None
    assert objection(asked, YES, Person("bo", auth), NOW) is None


@pytest.mark.parametrize("asked", [question(quorum=2), question(not_requester=True, requester=Person("cy", "server"))])
def test_names_that_nobody_checked_make_no_second_person(asked):
    """Where it matters who it is, a claimed name isn't enough, whatever the impact."""
    assert "nobody checked" in objection(asked, YES, Person("bo"), NOW)


def test_roles_are_looked_up():
    """Who may answer is whoever the policy says, by name or by role."""
    policy = Policy(people={"ana": {"roles": ["finance"]}, "bo": {"roles": ["ops"]}})
    asked = question(may_answer=("cy", "role:finance"))
    for name, may in (("ana", True), ("bo", False), ("cy", True), ("role:finance", False)):
        assert (objection(asked, YES, Person(name, "code"), NOW, policy.able) is None) is may


# --- meant for this question -------------------------------------------------------------------------------------

LAST = Decision("approve", ANA, NOW)


def early(answer=YES, *, seconds=0.1, last=LAST, arrival=Arrival(), **fields):  # noqa: B008  # it is frozen
    """What is said of an answer so soon after the question."""
    return premature(question(**fields), answer, ANA, arrival, NOW + dt.timedelta(seconds=seconds), last)


def test_a_second_click_is_told_by_its_words_and_its_time():
    """Only the same words by the same person, and only for a quarter of a second."""
    assert "second click" in early()
    assert "second click" in early(seconds=-5)
    assert early(seconds=0.25) is None
    assert early(last=None) is None
    assert early(last=Decision("decline", ANA, NOW)) is None
    assert early(last=Decision("approve", Person("bo"), NOW)) is None
    assert early(replace(YES, reason="other")) is None
    assert "second click" in early(Answer("edit", by="ana"), last=Decision("edit", ANA, NOW))


@pytest.mark.parametrize("named", [{"digest": "d1"}, {"question": "q1"}, {"nonce": "n"}])
def test_what_names_its_question_is_never_early(named):
    """An answer that names its question is meant for it, whenever it comes."""
    before = Arrival(started=NOW - dt.timedelta(hours=1))
    assert early(replace(YES, **named), impact="high", arrival=before) is None
    assert early(arrival=Arrival(by_id=True), impact="high") is None


@pytest.mark.parametrize("verdict", ["approve", "decline", "edit", "respond"])
def test_what_was_sent_before_is_for_another(verdict):
    """An answer of a run that was started before the question was asked can't be for it, whatever it says."""
    answer = Answer(verdict, by="ana")
    assert "sent before" in early(answer, seconds=60, arrival=Arrival(started=NOW - dt.timedelta(seconds=1)))
    assert early(answer, seconds=60, arrival=Arrival(started=NOW)) is None


@pytest.mark.parametrize("impact", ["medium", "high"])
def test_above_low_impact_it_must_be_read_first(impact):
    """A bare yes within a second is too quick there; a no never is."""
    assert "within a second" in early(last=None, impact=impact, seconds=0.9)
    assert early(last=None, impact=impact, seconds=1) is None
    assert early(Answer("decline"), last=None, impact=impact) is None


@pytest.mark.parametrize("one", [{"type": "approve"}, "approve"])
def test_a_name_beside_the_list_is_on_its_answer(one):
    """Unless that bears one of its own."""
    assert read({"decisions": [one], "by": "ana"}) == read({"type": "approve", "by": "ana"})
    assert read({"decisions": [{"type": "approve", "by": "bo"}], "by": "ana"}).by == "bo"
