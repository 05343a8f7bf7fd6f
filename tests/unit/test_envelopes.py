"""Signed answers: whoever changes one bit, or uses one elsewhere, later or with another key, proves nothing."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph import Policy, answer_to, answers, sign
from ladder_graph.envelopes import signer
from ladder_graph.facts import Person
from ladder_graph.hosts.payload import interrupt_payload
from tests.unit.walking import NOW, question

SECRET = "a key that nobody knows"  # noqa: S105  # of these tests
POLICY = Policy(keys={"inbox": {"env": "INBOX_KEY", "valid": 300.0}})
HERE = {"INBOX_KEY": SECRET}
ASKED = question(word="word", nonce=hashlib.sha256(b"word").hexdigest())
VALUE = interrupt_payload(ASKED)


def signed(verdict="approve", at=NOW, secret=SECRET, key="inbox", **more):
    """A signed answer to the question."""
    return sign(answer_to(VALUE, verdict, **{"by": "ana", **more}), key=key, secret=secret, at=at)


def who(answer, policy=POLICY, now=NOW, environment=HERE):
    """Who signed it, or what is wrong."""
    return signer(answers.read(answer), policy, now, environment)


@pytest.mark.parametrize(
    "answer",
    [
        signed(), signed("decline", reason="no"), signed("edit", arguments={"to": "bo", "n": 2**60}, typed="bo"),
        signed("respond", reason=" text "), signed(by=" Ana "), {"decisions": [signed()]}, [signed()],
    ],
)  # fmt: skip
def test_a_genuine_one_says_who(answer):
    """Each verdict, in each shape in which answers come, is its signer's."""
    found = who(answer)
    assert (found.auth, found.name.lower()) == ("signed", "ana")


CHANGES = [
    {"by": "bo"}, {"type": "decline"}, {"question": "q2"}, {"digest": "d2"}, {"nonce": "other"}, {"reason": "why"},
    {"typed": "x"}, {"edited_action": {"name": "send_email", "args": {"to": "eve"}}},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_changed_breaks_it(change):
    """Name, verdict, question, digest, word, reason, what was typed and the arguments are all signed."""
    assert "signature is wrong" in who({**signed(), **change})


@pytest.mark.parametrize("change", [{"at": 1}, {"mac": "0" * 64}, {"mac": "\udc80"}, {"key": "other"}])
def test_the_signature_itself_is_signed(change):
    """Its moment and its key can't be changed either."""
    policy = Policy(keys={name: {"env": "INBOX_KEY"} for name in ("inbox", "other")})
    answer = signed()
    assert "signature is wrong" in who({**answer, "signed": {**answer["signed"], **change}}, policy)


@pytest.mark.parametrize(
    ("policy", "environment", "words"),
    [
        (Policy(), HERE, "no key 'inbox'"),
        (POLICY, {}, "INBOX_KEY isn't set"),
        (POLICY, {"INBOX_KEY": "short"}, "fewer than 16"),
        (POLICY, {"INBOX_KEY": SECRET + "x"}, "signature is wrong"),
    ],
)
def test_a_key_that_is_missing_or_another_one(policy, environment, words):
    """Without the very key nothing is proven, and the complaint says what is missing."""
    assert words in who(signed(), policy, environment=environment)


@pytest.mark.parametrize(("seconds", "good"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_it_is_good_for_a_while(seconds, good):
    """Its moment may be off by as much as the key allows, either way."""
    found = who(signed(at=NOW - dt.timedelta(seconds=seconds)))
    assert (found == Person("ana", "signed")) is good
    assert good or "signed more than 300 seconds" in found


@pytest.mark.parametrize("part", ["by", "question", "digest", "nonce"])
def test_an_incomplete_one_is_neither_made_nor_taken(part):
    """What doesn't name its question and its person can't be signed."""
    answer = answer_to(VALUE, "approve", by="ana")
    del answer[part]
    with pytest.raises(ValueError, match=f"must hold {part}"):
        sign(answer, key="inbox", secret=SECRET)
    assert f"must hold {part}" in who({**answer, "signed": {"key": "inbox", "at": 1, "mac": "m"}})


def test_a_key_must_be_long():
    """A short key isn't used, on either side."""
    with pytest.raises(ValueError, match="at least 16"):
        signed(secret="short")  # noqa: S106  # too short to be one


def test_an_interrupt_of_somebody_else_is_refused():
    """Only the ladder's own questions can be named."""
    with pytest.raises(ValueError, match="ladder-graph"):
        answer_to({"action_requests": []}, "approve")
    with pytest.raises(ValueError, match="no answer"):
        sign({**answer_to(VALUE, "approve", by="ana"), "type": "perhaps"}, key="inbox", secret=SECRET)


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.integers())))
def test_no_signature_can_break_it(garbage):
    """Whatever stands in place of a signature is complained about."""
    read = answers.read({**answer_to(VALUE, "approve", by="ana"), "signed": garbage})
    assert isinstance(read if isinstance(read, str) else signer(read, POLICY, NOW, HERE), str)
