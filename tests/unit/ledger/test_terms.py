"""What an approval holds for: the call, its tool's version, its rule and its undo. Anything else voids nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from ladder_graph.facts import Asking, Person
from ladder_graph.ledger.actions.questions import Terms, word_of
from ladder_graph.policy import Rule
from ladder_graph.states import State
from ladder_graph.steps import Claimed
from tests.unit.ledger.desk import ANA, CALL, RULE

CARL = Person("carl", "server")


@pytest.mark.parametrize("changed", ["tool", "undo"])
def test_another_tool_or_undo_voids_an_approval(desk, changed):
    """What was approved isn't what would run: nothing starts, it is asked anew, and the new answer counts."""
    old = desk.answer(desk.pose())
    setattr(desk, changed, "another")
    assert desk.claim(question=old).text == "what was approved is not what would run now."
    new = desk.pose()
    assert (new.decision, new.fresh, desk.state()) == (None, True, State.ASKED)
    assert new.digest != old.digest
    assert desk.claim(question=desk.answer(new)) == Claimed(1)
    assert desk.verify() == ()


@pytest.mark.parametrize("changed", ["tool", "undo"])
def test_another_tool_or_undo_voids_an_open_question(desk, changed):
    """The old question takes no answer any more."""
    old = desk.pose()
    setattr(desk, changed, "another")
    assert desk.pose().id != old.id
    assert desk.answer(old) is None


def test_each_part_makes_another_digest():
    """Call, arguments, tool, rule and undo each have a place of their own in the digest."""
    digests = [
        terms.digest(call)
        for call in (CALL, replace(CALL, id="call_9"), replace(CALL, arguments={"to": "bo"}))
        for terms in (
            Terms(RULE), Terms(RULE, "v2"), Terms(RULE, "", "v2"), Terms(RULE, "v", "2"), Terms(Rule(rung="confirm")),
        )
    ]  # fmt: skip
    assert len(set(digests)) == len(digests)


def test_the_word_is_kept_as_its_hash(desk):
    """Who reads the ledger doesn't learn the word by which an answer may name the question."""
    desk.asking = Asking(seed="secret")
    asked = desk.pose()
    word = word_of("secret", asked.id)
    assert asked.nonce == hashlib.sha256(word.encode()).hexdigest()
    assert all(word not in body for (body,) in desk.rows("SELECT body FROM payload"))
    assert desk.rows("SELECT nonce FROM question") == [(asked.nonce,)]


def test_the_word_stays_with_its_task(desk, other):
    """A task that starts over gives out the same word; one with another secret leaves the first one's as it is."""
    desk.asking = other.asking = Asking(seed="secret")
    asked = desk.pose()
    for seed in ("secret", "another", ""):
        other.asking = Asking(seed=seed)
        assert (other.pose().id, other.pose().nonce) == (asked.id, asked.nonce)
    assert other.rows("SELECT nonce FROM question") == [(asked.nonce,)]


def test_who_asked_is_kept(desk, other):
    """The requester is the one of the first run; whoever resumes the thread, or has it asked anew, is no requester."""
    desk.asking = Asking(CARL)
    desk.pose()
    other.asking = Asking(ANA)
    assert other.pose().requester == CARL
    other.tool = "v2"
    assert other.pose().requester == CARL
    other.tool, other.asking = "v3", Asking()
    assert other.pose().requester == CARL
