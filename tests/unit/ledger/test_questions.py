"""Questions: asked once, answered once, used once, and bound to exactly what was asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ladder_graph.facts import Person
from ladder_graph.ledger.actions.questions import Terms
from ladder_graph.ledger.gate.acts import find_question
from ladder_graph.policy import Policy, Rule
from ladder_graph.states import State
from ladder_graph.steps import Claimed, NotClaimed
from tests.unit.ledger.desk import ANA, CALL, NOW, ROUTE, at, call

BO = Person("bo", "server")


def test_it_is_asked_once(desk, other):
    """Whoever resumes the call finds the same question, in whatever process."""
    asked = desk.pose()
    assert asked.fresh
    for one in (desk, other):
        found = one.pose()
        assert (found.id, found.fresh) == (asked.id, False)
    assert desk.kinds() == "asked question"
    assert (asked.call, asked.asked_at, asked.decision, asked.reasons) == (CALL, NOW, None, "because")


def test_it_carries_what_the_rule_asks_for(path):
    """Who may answer, what must be typed, how bad a mistake would be, and until when."""
    rule = Rule(rung="confirm", impact="high", confirm={"by": ("bo",), "type": "to", "expires": 60.0})
    with at(path, rule=rule) as desk:
        asked = desk.pose()
    assert (asked.may_answer, asked.typed_value, asked.impact) == (("bo",), "ana@example.com", "high")
    assert (asked.expires_at - asked.asked_at).total_seconds() == 60


def test_an_answer_says_who_and_how_we_know(desk, other):
    """The decision is found by everybody, with name, identity, reason and moment."""
    asked = desk.pose()
    desk.later(minutes=5)
    desk.answer(asked, "approve", BO, "go")
    decision = other.pose().decision
    assert (decision.verdict, decision.by, decision.reason, decision.at) == ("approve", BO, "go", desk.now)
    assert desk.state() is State.APPROVED


def test_it_is_answered_once(desk, other):
    """Of two answers at the same moment the first one counts; the second changes nothing."""
    asked = desk.pose()
    assert desk.answer(asked, "decline").decision.verdict == "decline"
    assert other.answer(asked, "approve") is None
    assert other.state() is State.DECLINED


def test_an_approval_is_used_once(desk, other):
    """The claim consumes it; the same approval starts nothing else."""
    asked = desk.answer(desk.pose())
    assert desk.claim(question=asked) == Claimed(1)
    assert other.claim(question=asked).code == "busy"
    assert desk.rows("SELECT state FROM question") == [("used",)]
    desk.record("paused")
    assert desk.claim(question=asked) == NotClaimed("approval", "its approval is gone.")


def test_an_approval_that_a_part_goes_first_is_none_of_the_whole(desk):
    """Whoever said yes was told that the rest waits for the part; without that nothing runs."""
    terms = Terms(desk.rule, desk.tool, desk.undo)
    asked = desk.write(lambda journal, cursor: journal.pose(cursor, CALL, ROUTE, terms, desk.asking, part_first=True))
    refused = desk.claim(question=desk.answer(asked))
    assert refused == NotClaimed("approval", "a part of it was to go first, and the undo of that can't be made.")


def test_an_open_question_starts_nothing(desk):
    """A claim that brings a question without an approval is refused."""
    asked = desk.pose()
    assert desk.claim(question=asked).code in {"busy", "approval"}
    assert desk.claim(question=replace(asked, decision=desk.answer(asked).decision, id="another")).code == "approval"


def test_a_no_starts_nothing(desk):
    """A declined action can't be claimed, not even with its question in hand."""
    asked = desk.answer(desk.pose(), "decline")
    assert desk.claim(question=asked).code == "busy"


def test_an_edit_of_its_rule_voids_an_open_question(path):
    """What was asked isn't what would run now, so it's asked anew, and the old question takes no answer."""
    with at(path) as desk:
        old = desk.pose()
        desk.rule = Rule(rung="bounded", impact="high")
        new = desk.pose()
        assert (new.id != old.id, new.digest != old.digest, new.impact) == (True, True, "high")
        assert desk.answer(old) is None
        assert desk.pose().id == new.id
        assert desk.kinds() == "asked question question"


def test_an_edit_of_its_rule_voids_an_approval(path):
    """An approval that was given under another rule is void: it is asked anew, and the old one starts nothing."""
    with at(path) as desk:
        old = desk.answer(desk.pose())
        desk.rule = Rule(rung="bounded", impact="high")
        assert desk.claim(question=old).text == "what was approved is not what would run now."
        new = desk.pose()
        assert (new.decision, desk.state()) == (None, State.ASKED)
        assert desk.claim(question=old).code == "busy"
        assert desk.claim(question=desk.answer(new)) == Claimed(1)
        assert desk.verify() == ()


def test_an_edit_elsewhere_voids_nothing(path):
    """The digest holds this tool's rule; another tool's may change as it likes."""
    policies = [
        Policy.from_rungs("ops", {"send_email": "confirm", "drop_table": rung}) for rung in ("suggest", "report")
    ]
    with at(path, rule=policies[0].rule("send_email")) as desk:
        asked = desk.answer(desk.pose())
        desk.rule = policies[1].rule("send_email")
        assert desk.pose().decision == asked.decision
        assert desk.claim(question=asked) == Claimed(1)


def test_silence_becomes_a_no(desk, other):
    """At its end an unanswered question expires, for everybody, and stays so."""
    desk.pose()
    other.now = desk.pose().expires_at
    assert other.pose().expired
    assert desk.state() is State.EXPIRED
    assert desk.kinds() == "asked question expired"
    assert desk.claim().code == "busy"


def test_a_moment_before_its_end_it_is_open(desk):
    """It expires at its end and not before."""
    desk.now = desk.pose().expires_at
    desk.later(microseconds=-1)
    assert not desk.pose().expired


def test_an_approval_that_nobody_used_in_time_is_void(desk):
    """A yes doesn't hold for ever: what runs runs within the question's time."""
    asked = desk.answer(desk.pose())
    desk.now = asked.expires_at
    assert desk.pose().expired
    assert desk.claim(question=asked).code == "busy"
    assert desk.rows('SELECT "by" FROM question') == [("ana",)]


def test_an_answer_that_comes_too_late_finds_it_expired(desk):
    """`current` closes a late question, so that whoever answers learns it."""
    asked = desk.pose()
    desk.now = asked.expires_at
    current = desk.write(lambda journal, cursor: journal.current(cursor, asked))
    assert current.expired
    assert desk.answer(asked) is None


def test_a_no_stays_a_no(desk):
    """A declined question doesn't expire into something else."""
    asked = desk.answer(desk.pose(), "decline", reason="no")
    desk.now = asked.expires_at
    current = desk.write(lambda journal, cursor: journal.current(cursor, asked))
    assert (current.expired, current.decision.reason) == (False, "no")


def test_a_no_holds_for_the_same_action_in_the_thread(desk):
    """The same tool and arguments under another id meet the no, and another thread doesn't."""
    desk.answer(desk.pose(), "decline", BO, "not today")
    again, elsewhere = replace(CALL, id="call_7"), replace(CALL, thread="t2")
    assert (desk.look(again).declined.by, desk.look(again).declined.reason) == (BO, "not today")
    assert desk.look(elsewhere).declined is None
    assert desk.look(call(2)).declined is None


def test_what_was_taken_further_is_not_asked_about(desk):
    """Another task ran it meanwhile: there is nothing to ask, and who asks is told to wait."""
    desk.claim()
    assert desk.pose() == NotClaimed("busy", "it is started already.")
    desk.record("done")
    assert desk.pose().text == "it is done already."
    assert desk.rows("SELECT count(*) FROM question") == [(0,)]


def test_an_accepted_draft_is_not_asked_about(desk):
    """It is approved without a question, and runs as that person's act."""
    desk.settle("drafted", draft=("/d/x.md", "0" * 64))
    desk.write(lambda journal, cursor: journal.move(cursor, CALL, State.APPROVED, body={}, actor="ana"))
    assert desk.pose().code == "state"


@pytest.mark.parametrize("approved", [False, True])
@pytest.mark.parametrize("state", ["suggested", "drafted"])
def test_a_demotion_closes_the_question(desk, approved, state):
    """A call that is put below the question while it waits takes it back, and an approval with it."""
    asked = desk.pose()
    if approved:
        desk.answer(asked)
    desk.settle(state, text="Only suggested.", **({"draft": ("/d/x.md", "0" * 64)} if state == "drafted" else {}))
    assert (desk.state(), desk.look().known.text) == (State(state), "Only suggested.")
    assert desk.answer(asked) is None
    assert desk.claim(question=asked).code == "busy"
    assert desk.verify() == ()


def test_the_first_of_two_ends_stands(desk):
    """A call that ended without running isn't ended again."""
    desk.settle("suggested", text="one")
    desk.settle("drafted", text="two", draft=("/d/x.md", "0" * 64))
    assert (desk.look().known.text, desk.rows("SELECT count(*) FROM draft")) == ("one", [(0,)])


def test_it_is_found_by_the_beginning_of_its_id(desk):
    """A person names a question by as much of its id as it takes."""
    asked = desk.pose()
    found = desk.read(lambda journal, cursor: find_question(journal, cursor, asked.id[:10]))
    assert (found.id, found.call) == (asked.id, CALL)


def test_a_call_with_large_numbers_can_be_answered(desk):
    """A question is found again through its call, whatever the arguments hold."""
    asked = desk.pose(call(arguments={"id": 2**63, "amount": 1.0}))
    found = desk.read(lambda journal, cursor: find_question(journal, cursor, asked.id))
    assert found.call.key == asked.call.key
    assert desk.answer(found).decision.by == ANA
