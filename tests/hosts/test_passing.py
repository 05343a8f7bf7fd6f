"""Handing a question to somebody else who may answer it; its time runs on."""

from __future__ import annotations

from contextlib import closing

import pytest
from langchain_core.tools import tool

from ladder_graph import AnswerRefused, Person
from ladder_graph.testing import FrozenClock, calls
from tests import postgres
from tests.hosts.graphs import ladder_of, on
from tests.hosts.mounts import by_wrap

MIA, BO, CY = (Person(name, "console") for name in ("mia", "bo", "cy"))
PEOPLE = {"mia": {"labels": ["money"]}, "bo": {"labels": ["money"]}, "cy": {}}


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request):
    """A ledger of each kind."""
    if request.param == "sqlite":
        yield ":memory:"
        return
    url = postgres.new_ledger()
    yield url
    postgres.drop(url)


def pay(ledger=":memory:", clock=None, **rule):
    """A ladder on which a payment waits."""

    @tool
    def send_money(to: str) -> str:
        """Pay."""
        return "paid"

    options = {} if clock is None else {"clock": clock}
    ladder = ladder_of(
        {"send_money": {"rung": "confirm", "labels": ["money"], **rule}}, people=PEOPLE, ledger=ledger, **options
    )
    agent = by_wrap(ladder, [calls("send_money", {"to": "ana"}), "Done."], [send_money])
    agent.invoke({"messages": "Go."}, on(ladder_requester="cy"))
    return ladder


def test_a_question_is_handed_over(ledger):
    """To whom it went, by whom and with which word is on record; the time runs on, and others still may answer."""
    clock = FrozenClock()
    with closing(pay(ledger, clock)) as ladder:
        (before,) = ladder.pending()
        clock.advance(60)
        passed = ladder.pass_on(before.id[:8], to="bo", by=MIA, note="your customer")
        assert (passed.passed_to, passed.passed_by, passed.expires_at) == ("bo", "mia", before.expires_at)
        (now,) = ladder.pending()
        assert (now.passed_to, now.digest, now.asked_at) == ("bo", before.digest, before.asked_at)
        (handed,) = ladder.briefing(now.id, by=BO).passed
        assert (handed.to, handed.by, handed.note) == ("bo", "mia", "your customer")
        ladder.pass_on(now.id, to="mia", by=BO)
        assert [one.to for one in ladder.briefing(now.id).passed] == ["bo", "mia"]
        taken = ladder.approve(now.id, by=BO)
        assert taken.decision is not None
        assert [one.kind for one in ladder.log() if one.kind == "passed"] == ["passed"] * 2
        assert ladder.verify().ok


@pytest.mark.parametrize(
    ("by", "to", "said"),
    [
        (MIA, "cy", "cy may not decide about send_money: it touches money"),
        (MIA, "mia", "mia has it already"),
        (MIA, " ", "say to whom it goes"),
        (MIA, "dan", "the policy knows nobody called dan; it names bo, cy, mia"),
        (CY, "bo", "cy may not decide about send_money: it touches money"),
        (Person("mia", "unverified"), "bo", "nobody checked that this is mia"),
    ],
)
def test_only_from_and_to_somebody_who_may_answer(by, to, said):
    """Nobody hands it over who couldn't answer it, and nobody is handed what they can't."""
    with closing(pay()) as ladder, pytest.raises(AnswerRefused, match=said):
        ladder.pass_on(ladder.pending()[0].id, to=to, by=by)


@pytest.mark.parametrize(
    ("rule", "to", "said"),
    [
        ({"confirm": {"by": ["mia"]}}, "bo", "bo may not approve this; mia may"),
        ({"confirm": {"not_requester": True}, "labels": []}, "cy", "their own run proposed it"),
    ],
)
def test_whoever_the_rule_bars_is_handed_nothing(rule, to, said):
    """The rule's own conditions hold for whom it is handed to."""
    with closing(pay(**rule)) as ladder, pytest.raises(AnswerRefused, match=said):
        ladder.pass_on(ladder.pending()[0].id, to=to, by=MIA)


def test_what_is_answered_or_late_is_not_handed_over():
    """There is nothing to hand over any more."""
    clock = FrozenClock()
    with closing(pay(clock=clock)) as ladder:
        (question,) = ladder.pending()
        clock.advance(86401)
        with pytest.raises(AnswerRefused, match="has expired"):
            ladder.pass_on(question.id, to="bo", by=MIA)
    with closing(pay()) as ladder:
        (question,) = ladder.pending()
        ladder.decline(question.id, by=MIA, reason="no", shown="abc", input="pointer", looked=1.5)
        with pytest.raises(AnswerRefused, match="mia has answered already: decline"):
            ladder.pass_on(question.id, to="bo", by=MIA)
        (entry,) = [one for one in ladder.log() if one.kind == "declined"]
        assert (entry.body["shown"], entry.body["input"], entry.body["looked"]) == ("abc", "pointer", 1.5)


def test_a_no_to_other_arguments_is_refused():
    """A no that names what was shown is for that alone, as a yes is."""
    with closing(pay()) as ladder:
        (question,) = ladder.pending()
        with pytest.raises(AnswerRefused, match="for other arguments"):
            ladder.decline(question.id, by=MIA, reason="no", digest="0" * 64)
