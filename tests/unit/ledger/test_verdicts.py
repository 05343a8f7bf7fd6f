"""What people may say beside yes and no: other arguments, a text instead, one yes of several, and never mind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ladder_graph.facts import Asking, Person
from ladder_graph.policy import Rule
from ladder_graph.states import State
from ladder_graph.steps import Claimed
from tests.unit.ledger.desk import ANA, CALL, at, call

BO, CY = Person("bo", "server"), Person("cy", "os-user")
TWO = Rule(rung="confirm", confirm={"quorum": 2})
EDITED = replace(CALL, arguments={"to": "bo@example.com"})


def edit(desk, asked, by=ANA):
    """Put other arguments in."""
    return desk.answer(asked, "edit", by, "typo", EDITED)


# --- edit ------------------------------------------------------------------------------------------------------


def test_an_edit_puts_another_action_in_place(desk, other):
    """The first one never runs and names its successor; the editor is the successor's approver."""
    asked = desk.pose()
    assert edit(desk, asked).decision.verdict == "edit"
    known = other.look().known
    assert (known.state, known.successor) == (State.EDITED, EDITED)
    assert other.look().editor == ANA
    assert other.state(EDITED) is State.APPROVED
    found = other.pose(EDITED)
    assert (found.decision.verdict, found.decision.by, found.fresh) == ("approve", ANA, False)
    assert found.digest != asked.digest
    assert other.claim(question=asked).code == "busy"
    assert other.claim(EDITED, question=found) == Claimed(1)
    assert desk.kinds(CALL) == "asked question edited"
    assert desk.kinds(EDITED) == "asked question approved started"
    assert desk.verify() == ()


def test_the_record_says_who_edited_what(desk):
    """The entry holds the editor, the reason and the new arguments; the successor's first entry, where it came from."""
    edit(desk, desk.pose())
    entries = "SELECT kind, body FROM entry JOIN payload ON payload.hash = entry.payload ORDER BY n"
    bodies = dict(desk.rows(entries))
    for part in ('"by":"ana"', '"auth":"code"', '"reason":"typo"', EDITED.key, "bo@example.com"):
        assert part in bodies["edited"]
    assert f'"edited_from":"{CALL.key}"' in bodies["asked"]


def test_an_edited_call_is_on_the_terms_of_the_first(path):
    """A tool or rule that changed since voids the editor's approval too, and it is asked anew."""
    with at(path, rule=TWO) as desk:
        desk.rule = Rule(rung="confirm")
        edit(desk, desk.pose())
        desk.tool = "v2"
        assert desk.pose(EDITED).decision is None
        assert desk.state(EDITED) is State.ASKED


def test_an_edit_is_one_of_several_approvals(path):
    """Where two must approve, the editor is the first for the new arguments, and somebody else must follow."""
    with at(path, rule=TWO) as desk:
        edit(desk, desk.pose())
        waiting = desk.pose(EDITED)
        assert ([vote.by for vote in waiting.votes], waiting.decision) == ([ANA], None)
        assert desk.answer(waiting, by=ANA) is None
        assert desk.answer(waiting, by=BO).decision.by == BO
        assert desk.claim(EDITED, question=waiting) == Claimed(1)


def test_the_requester_goes_along(desk):
    """Whose run proposed the first call is the requester of the edited one."""
    desk.asking = Asking(CY)
    edit(desk, desk.pose())
    desk.asking = Asking(BO)
    assert desk.pose(EDITED).requester == CY


def test_of_an_edit_and_a_yes_the_first_counts(desk, other):
    """After a yes nothing can be edited, and after an edit the first call can't be approved."""
    asked = desk.pose()
    edit(desk, asked)
    assert other.answer(asked) is None
    assert other.state() is State.EDITED
    second = desk.pose(call(2))
    desk.answer(second)
    assert other.answer(second, "edit", successor=call(2, arguments={"to": "eve"})) is None


def test_an_edited_call_may_fall_lower(desk):
    """A demotion while it waits puts it on the lower rung, and the editor's approval is void."""
    edit(desk, desk.pose())
    found = desk.pose(EDITED)
    desk.settle("suggested", EDITED, text="Only suggested.")
    assert desk.state(EDITED) is State.SUGGESTED
    assert desk.claim(EDITED, question=found).code == "busy"
    assert desk.verify() == ()


# --- respond ---------------------------------------------------------------------------------------------------


def test_a_response_ends_it(desk, other):
    """The model gets the text, now and whenever the thread starts over; nothing can run."""
    asked = desk.pose()
    answered = desk.answer(asked, "respond", BO, "Ask me tomorrow.")
    assert (answered.decision.verdict, answered.decision.reason) == ("respond", "Ask me tomorrow.")
    assert other.look().known.text == "ANSWERED by bo, and send_email did not run: Ask me tomorrow."
    assert other.claim(question=asked).code == "busy"
    # It is no verdict on the action itself: the model may propose it again.
    assert other.look(replace(CALL, id="call_7")).declined is None


# --- several ---------------------------------------------------------------------------------------------------


def test_two_different_people_must_approve(path):
    """One yes leaves it open and shows in it; the second, by somebody else, approves it."""
    with at(path, rule=TWO) as desk:
        asked = desk.pose()
        once = desk.answer(asked, by=ANA, reason="fine")
        assert (once.decision, once.quorum, [(one.by, one.reason) for one in once.votes]) == (None, 2, [(ANA, "fine")])
        assert desk.claim(question=once).code in {"busy", "approval"}
        assert desk.answer(asked, by=BO).decision.by == BO
        assert desk.claim(question=asked) == Claimed(1)
        assert desk.kinds() == "asked question vote approved started"
        assert desk.verify() == ()


@pytest.mark.parametrize("again", [ANA, Person("ana", "server"), Person("Ana", "code"), Person(" ANA ", "os-user")])
def test_the_same_person_counts_once(path, again):
    """However often, wherever and in whatever letters: one person is one approval."""
    with at(path, rule=TWO) as desk:
        asked = desk.pose()
        desk.answer(asked)
        assert desk.answer(asked, by=again) is None
        assert desk.pose().decision is None
        assert desk.state() is State.ASKED


def test_one_no_is_enough(path):
    """After one yes, one no ends it."""
    with at(path, rule=TWO) as desk:
        asked = desk.pose()
        desk.answer(asked)
        assert desk.answer(asked, "decline", BO).decision.verdict == "decline"
        assert desk.answer(asked, by=CY) is None
        assert desk.state() is State.DECLINED


def test_votes_are_for_one_question(path):
    """What was asked anew, because the tool changed, needs all approvals anew."""
    with at(path, rule=TWO) as desk:
        desk.answer(desk.pose())
        desk.tool = "v2"
        asked = desk.pose()
        assert asked.votes == ()
        assert desk.answer(asked).decision is None


# --- taking it back --------------------------------------------------------------------------------------------


def revoke(desk, question, by=ANA, reason="wait"):
    """Take an approval back."""
    return desk.write(lambda journal, cursor: journal.revoke(cursor, question, by, reason))


def test_an_approval_can_be_taken_back(desk, other):
    """Before it is used it becomes a no; nothing starts on it, and the model reads who took it back and why."""
    asked = desk.answer(desk.pose())
    assert revoke(other, asked, BO).decision.verdict == "decline"
    assert desk.claim(question=asked).code == "busy"
    assert (desk.look().declined.by, desk.look().declined.reason) == (BO, "wait")
    assert desk.kinds() == "asked question approved declined"
    assert desk.verify() == ()


def test_what_has_started_cannot_be_taken_back(desk):
    """A used approval stays used."""
    asked = desk.answer(desk.pose())
    desk.claim(question=asked)
    assert revoke(desk, asked) is None
    assert desk.state() is State.STARTED


def test_ones_own_yes_can_be_taken_back_while_it_is_open(path):
    """Of several, one's own approval goes; somebody else's doesn't, and it can't be given again."""
    with at(path, rule=TWO) as desk:
        asked = desk.pose()
        once = desk.answer(asked)
        assert revoke(desk, once, BO) is None
        assert revoke(desk, once).votes == ()
        assert desk.answer(asked) is None
        desk.answer(asked, by=BO)
        assert desk.answer(asked, by=CY).decision.by == CY
        assert desk.kinds() == "asked question vote vote_withdrawn vote approved"


def test_an_unanswered_question_has_nothing_to_take_back(desk):
    """Where nobody approved, nothing changes."""
    assert revoke(desk, desk.pose()) is None
    assert desk.state() is State.ASKED
