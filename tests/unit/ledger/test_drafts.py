"""Drafts in the ledger, on both databases: filed, superseded, drawn anew, decided once, told once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ladder_graph.drafting import Drawn, Piece
from ladder_graph.errors import AnswerRefused, DraftMoved, UnknownPage
from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.lists import draft_reading
from ladder_graph.ledger.people import announcing, drafts, notices, outgoing
from ladder_graph.ledger.people.drafts import Look, Ruling
from ladder_graph.policy import Policy
from ladder_graph.states import State
from ladder_graph.steps import Filed, Settle
from tests.unit.ledger.desk import ANA, CALL, ROUTE, call


def filed(text="Hello Ana,\n", **fields):
    """A draft whose file lies somewhere."""
    drawn = Drawn("text", (Piece("body", "Hello,\n", text),), text, recipe={"form": "text", "argument": "to"}, **fields)
    return Filed(drawn, "/d/x.md", "0" * 64, drawn.labels)


@pytest.fixture
def drafted(desk):
    """A draft that waits."""
    desk.settle("drafted", text="It waits.", draft=filed())


@pytest.fixture
def decide(desk):
    """A decision of Ana's about a draft as it is now."""

    def do(verdict, of=CALL, shown=None, **fields):
        row = desk.read(lambda _, cursor: drafts.row_of(cursor, of.key))
        known = desk.look(of).known
        ruling = Ruling(verdict, ANA, **fields)
        digest = shown or (row["digest"] if row else "")
        return desk.write(lambda journal, cursor: drafts.decide(journal, cursor, known, digest, ruling))

    return do


def row(desk, of=CALL):
    """The row of a draft."""
    return desk.read(lambda _, cursor: drafts.row_of(cursor, of.key))


def due(desk, thread="t1", agent="ops"):
    """What an agent has to hear, in words of the ledger, and what it was told."""
    found, told = desk.read(lambda _, cursor: notices.of_thread(cursor, agent, thread))
    return [one.word for one in found], [one.due.word for one in told]


def test_what_a_draft_holds_is_a_payload(desk, drafted):
    """It is read back as it was drawn; erased, nothing of it is left, and the chain is whole."""
    kept = row(desk)
    found = desk.read(lambda _, cursor: drafts.drawn_of(cursor, kept))
    assert found == filed().drawn
    assert desk.kinds() == "drafted draft"
    assert "Hello" not in str(row(desk))
    assert desk.verify() == ()


def test_an_accepted_draft_waits_to_run(desk, drafted, decide):
    """It is approved, in the person's name, and found by whoever can run it."""
    decide("accepted", look=Look(3.5, 20))
    assert desk.state() is State.APPROVED
    assert desk.look().known.text == "It waits."
    (found,) = desk.write(lambda journal, cursor: drafts.accepted(journal, cursor, "ops"))
    assert (found[0].call, found[1]) == (CALL, ANA)
    assert (row(desk)["looked_us"], row(desk)["runs"]) == (3_500_000, CALL.key)
    desk.claim(actor=ANA)
    (begun,) = desk.write(lambda journal, cursor: drafts.accepted(journal, cursor, "ops"))
    assert (begun[0].state, begun[0].owner_alive) == (State.STARTED, True)
    desk.record("done")
    assert desk.write(lambda journal, cursor: drafts.accepted(journal, cursor, "ops")) == []


def test_a_rejected_draft_says_why(desk, drafted, decide):
    """It is declined, and a resumed thread reads who rejected it and why."""
    decide("rejected", reason="too long")
    known = desk.look().known
    assert (known.state, known.text) == (
        State.DECLINED,
        "REJECTED by ana: too long. send_email did not run; nothing was sent.",
    )


def test_a_part_runs_as_a_call_of_its_own(desk, drafted, decide):
    """The draft's own never runs; what was left out is kept where it can be erased."""
    after = call(arguments={"to": "Hello"})
    decide("part", successor=after, left=("body: not “Ana”",), taken=(1,))
    assert (desk.state(), desk.state(after)) == (State.EDITED, State.APPROVED)
    assert desk.look().known.successor == after
    (found,) = desk.write(lambda journal, cursor: drafts.accepted(journal, cursor, "ops"))
    assert found[0].call == after
    payload = row(desk)["left_out"]
    assert desk.read(lambda _, cursor: drafts.left_out(cursor, payload)) == ["body: not “Ana”"]
    assert desk.read(lambda _, cursor: drafts.drawn_behind(cursor, after.key)) == filed().drawn
    assert desk.verify() == ()


def test_arguments_that_were_proposed_before_are_not_put_in(desk, drafted, decide):
    """That call has a life of its own."""
    desk.settle("drafted", of=call(), draft=filed(target="other"))
    with pytest.raises(AnswerRefused, match="proposed before"):
        decide("edited", successor=call())
    assert desk.state() is State.DRAFTED


@pytest.mark.parametrize("verdict", ["accepted", "rejected"])
def test_a_draft_is_decided_once(desk, drafted, decide, verdict):
    """Neither a second person nor a second thought changes it, and nothing of the second stays."""
    decide(verdict)
    before = desk.kinds()
    for again in ("accepted", "rejected"):
        with pytest.raises(AnswerRefused, match="no draft that waits"):
            decide(again)
    assert desk.kinds() == before


def test_what_is_no_draft_is_not_decided(desk, decide):
    """A question isn't answered through the drafts."""
    desk.pose()
    with pytest.raises(AnswerRefused, match="it is asked"):
        decide("accepted")


def test_a_draft_that_was_drawn_anew_is_another_one(desk, drafted, decide):
    """A decision about the first one is refused, and the second one waits."""
    shown = row(desk)["digest"]
    known = desk.look().known
    desk.write(lambda journal, cursor: drafts.redraw(journal, cursor, known, filed("Hello Bo,\n")))
    with pytest.raises(DraftMoved, match="drawn anew"):
        decide("accepted", shown=shown)
    decide("accepted")
    known = desk.look().known
    desk.write(lambda journal, cursor: drafts.redraw(journal, cursor, known, filed("Hello Cy,\n")))
    assert (row(desk)["state"], row(desk)["by"], desk.state()) == ("waiting", "", State.DRAFTED)
    assert desk.write(lambda journal, cursor: drafts.accepted(journal, cursor, "ops")) == []


def test_people_are_told_of_a_draft_that_was_drawn_anew_and_not_of_the_one_before(desk):
    """Each has a message of its own, and only what is there now still waits."""
    policy = Policy.model_validate({"questions": {"notify": [{"kind": "file", "path": "told.jsonl"}]}})

    def tell(journal, cursor):
        told = replace(journal, policy=policy)
        if journal.known(cursor, CALL.key) is None:
            told.settle(cursor, Settle(CALL, State.DRAFTED, ROUTE, text="It waits.", draft=filed()))
        else:
            drafts.redraw(told, cursor, told.known(cursor, CALL.key), filed("Hello Bo,\n"))

    for _ in range(2):
        desk.write(tell)
    us = desk.read(lambda journal, _: journal.us)
    first, anew = desk.read(lambda _, cursor: sorted(outgoing.waiting(cursor, us), key=_anew))
    assert [desk.read(lambda _, cursor, one=one: announcing.waits(cursor, one, us)) for one in (first, anew)] == [
        False, True,
    ]  # fmt: skip
    assert (first.kind, first.subject, anew.body["shown"]) == ("drafted", CALL.key, filed("Hello Bo,\n").drawn.digest)
    assert "Hello" not in str(anew.body)


def _anew(message):
    return message.body["shown"] == filed("Hello Bo,\n").drawn.digest


def test_only_what_waits_about_the_same_target_is_superseded(desk, decide):
    """Of the same agent and tool; in the same thread, unless the target is one for all of them."""
    one, two, three, four = (call(n) for n in range(1, 5))
    desk.settle("drafted", of=one, draft=filed(target="a"))
    desk.settle("drafted", of=two, draft=filed(target="b"))
    desk.settle("drafted", of=three, draft=filed(target="a"))
    assert [desk.state(it) for it in (one, two, three)] == [State.SUPERSEDED, State.DRAFTED, State.DRAFTED]
    assert row(desk, one)["superseded_by"] == three.key
    elsewhere = call(5, thread="t2")
    desk.settle("drafted", of=elsewhere, draft=filed(target="a"))
    assert desk.state(three) is State.DRAFTED
    decide("accepted", of=three)
    desk.settle("drafted", of=four, draft=filed(target="a"))
    assert desk.state(three) is State.APPROVED
    file, again = call(6, thread="t3"), call(7, thread="t4")
    desk.settle("drafted", of=file, draft=filed(target="f", across=True))
    desk.settle("drafted", of=again, draft=filed(target="f", across=True))
    assert desk.state(file) is State.SUPERSEDED
    assert desk.verify() == ()


def test_lists_hold_no_text(desk, drafted, decide):
    """Oldest first, page by page, with what came of each."""
    other = call()
    desk.later(seconds=1)
    desk.settle("drafted", of=other, draft=filed(target="b", labels=("hr",)))
    decide("accepted")

    def listed(**fields):
        asked = {"states": draft_reading.STATES, "limit": None, "after": None, **fields}
        return desk.store.query(lambda session: draft_reading.listed(session, "ops", **asked))

    first, second = listed()
    assert (first.state, first.by, first.ran, second.labels) == ("accepted", "ana", "approved", ("hr",))
    assert first.action.arguments == {}
    assert listed(limit=1) == [first]
    assert listed(after=first.action.key) == [second]
    assert listed(states=["waiting"]) == [second]
    with pytest.raises(UnknownPage, match="begin at the first page"):
        listed(after="0" * 64)


def test_each_thing_is_told_once_and_heard_once(desk, drafted, decide):
    """Told, it is news no more; heard, it is known to nobody as open; what comes of it later is news again."""
    assert due(desk) == ([], [])
    decide("accepted")
    assert due(desk) == (["accepted"], [])
    assert due(desk, thread="t2") == due(desk, agent="other") == ([], [])
    found, _ = desk.read(lambda _, cursor: notices.of_thread(cursor, "ops", "t1"))
    tell = lambda journal, cursor: notices.tell(cursor, found, "n1", "c1#", journal.us)  # noqa: E731
    assert desk.write(tell) is True
    assert desk.write(tell) is False
    assert due(desk) == ([], ["accepted"])
    _, (told,) = desk.read(lambda _, cursor: notices.of_thread(cursor, "ops", "t1"))
    desk.write(lambda _, cursor: notices.heard(cursor, told))
    assert due(desk) == ([], [])
    desk.claim(actor=ANA)
    assert due(desk) == ([], [])
    desk.record("done", fence=1)
    assert due(desk) == (["accepted done"], [])


def test_a_verdict_on_a_suggestion_is_told(desk):
    """With its reason."""
    desk.settle("suggested")
    desk.write(lambda journal, cursor: acts.judge_suggestion(journal, cursor, CALL.short, "dismissed", ANA, "not now"))
    assert due(desk) == (["dismissed"], [])
    assert desk.read(lambda _, cursor: drafts.reason_of(cursor, CALL.key, "dismissed")) == "not now"
