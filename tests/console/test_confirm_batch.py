"""Several questions answered at once: which may be, and that each is answered by itself."""

from __future__ import annotations

import html
import re
from contextlib import closing

import pytest

from ladder_graph.ledger.actions.questions import micros
from ladder_graph.states import State
from ladder_graph.trust.deeds import Happening
from ladder_graph.trust.evidence import units
from ladder_graph.trust.fold import folded
from tests.console.asking import REFUND, Desk, fields
from tests.console.conftest import HOST

PEOPLE = {
    "ana": {"console": "reviewer"},
    "bo": {"console": "reviewer", "labels": ["secret"]},
    "vi": {"console": "viewer"},
}
NOTE = {"rung": "confirm", "confirm": {"expires": "1h"}}


@pytest.fixture
def desk():
    """A desk at which four notes wait."""
    with closing(Desk({"note": NOTE, "refund": REFUND}, PEOPLE)) as made:
        made.asked = [made.ask("note", f"t{n}", text=f"note {n}") for n in range(4)]
        made.ana = made.console.visitor("ana")
        yield made


def page_of(desk, tool="note"):
    """The page on which several are answered."""
    return desk.ana.get(f"/confirm/batch?tool={tool}").text


def send(desk, page, decision, chosen, note="", browser=None, **more):
    """Take some of them."""
    data = {**fields(page, "/confirm/batch"), "decision": decision, "note": note, "take": chosen, **more}
    return (browser or desk.ana).client.post("/confirm/batch", data=data, headers={"origin": HOST})


def state(desk, question):
    """Where its action is."""
    return desk.ladder.action(question.call.key).state


def test_each_is_shown_in_full_and_none_is_taken(desk):
    """With a box each, that nobody has ticked; decline is the first button."""
    page = page_of(desk)
    assert [f'"note {n}"' in page.replace("&#34;", '"') for n in range(4)] == [True] * 4
    assert len(re.findall(r'<input type="checkbox" name="take" value="\w+">', page)) == 4
    assert " checked" not in page
    assert re.findall(r'name="decision" value="(\w+)"', page) == ["decline", "run"]


def test_those_taken_run_and_those_left_out_wait(desk):
    """Each has an entry of its own, marked as one of this batch; their threads go on."""
    chosen = [one.id for one in desk.asked[:2]]
    answer = send(desk, page_of(desk), "run", chosen, "all read", input="keyboard")
    assert answer.status_code == 200
    assert "2 of 2 answered" in answer.text
    said = desk.entries("approved")
    assert [(one["question"], one["reason"], one["input"]) for one in said] == [
        (name, "all read", "keyboard") for name in chosen
    ]
    assert len({one["batch"] for one in said}) == 1
    assert [state(desk, one) for one in desk.asked] == [State.APPROVED] * 2 + [State.ASKED] * 2
    assert [desk.go_on(f"t{n}") for n in range(2)] == [["noted"], ["noted"]]


def test_for_trust_a_batch_is_one_run_and_a_glance(desk):
    """However long the page lay open; what was answered by itself is a run of its own."""
    send(desk, page_of(desk), "run", [one.id for one in desk.asked[:3]])
    desk.ladder.approve(desk.asked[3].id, by="ana")
    for n in range(4):
        desk.go_on(f"t{n}")
    entries = [Happening("ops", micros(one.at), one.kind, one.action, one.body) for one in desk.ladder.log(limit=500)]
    deeds = folded("ops", entries).deeds.values()
    assert [deed.look.seconds for deed in deeds if deed.look.batch] == [0.0] * 3
    assert len(units(deeds, lambda look: 0.5)) == 2


def test_those_taken_are_declined_with_a_reason(desk):
    """Without one the page comes back, with the boxes as they were ticked."""
    chosen = [desk.asked[0].id]
    again = send(desk, page_of(desk), "decline", chosen)
    assert again.status_code == 422
    assert f'value="{chosen[0]}" checked' in again.text
    assert again.text.count(" checked") == 1
    assert "1 of 1 answered" in send(desk, page_of(desk), "decline", chosen, "not now").text
    assert desk.go_on("t0")[0].startswith("DECLINED by ana: not now")


def test_nothing_taken_is_nothing_done(desk):
    """And a decision that isn't one does nothing."""
    assert send(desk, page_of(desk), "run", []).status_code == 422
    assert send(desk, page_of(desk), "all", [desk.asked[0].id]).status_code == 400
    assert [state(desk, one) for one in desk.asked] == [State.ASKED] * 4


def test_what_was_answered_or_has_changed_meanwhile_is_left(desk):
    """Each that can't be taken says why, and the others are."""
    page, (first, second, third, fourth) = page_of(desk), desk.asked
    desk.ladder.decline(first.id, by="bo", reason="no")
    forged = {f"seen.{second.id}": "0" * 64}
    answer = send(desk, page, "run", [one.id for one in (first, second, third, fourth)], **forged)
    assert "2 of 4 answered" in answer.text
    assert "Not taken: bo has answered it already." in answer.text
    assert "Not taken: the answer is for other arguments than the ones that would run" in answer.text
    expected = [State.DECLINED, State.ASKED, State.APPROVED, State.APPROVED]
    assert [state(desk, one) for one in desk.asked] == expected
    assert len(desk.entries("approved")) == 2


@pytest.mark.parametrize(("decision", "other"), [("run", "decline"), ("decline", "run")])
def test_ones_own_answer_a_second_time_counts_as_taken(desk, decision, other):
    """A reload of what came of a batch says so, and does nothing; the other answer isn't taken any more."""
    page, (first, second, *_) = page_of(desk), desk.asked
    desk.ladder.decline(second.id, by="bo", reason="no")
    chosen = [first.id, second.id]
    came = [send(desk, page, decision, chosen, "as agreed").text for _ in range(2)]
    assert ["1 of 2 answered" in one for one in came] == [True, True]
    assert "You have answered so already." in came[1]
    assert came[1].count("Not taken: bo has answered it already.") == 1
    assert len(desk.entries("approved") + desk.entries("declined")) == 2
    late = send(desk, page, other, [first.id], "after all").text
    assert "0 of 1 answered" in late
    assert "Not taken: ana has answered it already." in late


def test_what_came_of_each_names_its_thread_and_arguments(desk):
    """So that one of many that wasn't taken can be told from the others; long ones are cut."""
    long = desk.ask("note", "t9", text="x" * 1000)
    page, chosen = page_of(desk), [*desk.asked[:2], long]
    desk.ladder.decline(desk.asked[1].id, by="bo", reason="no")
    text = html.unescape(send(desk, page, "run", [one.id for one in chosen]).text)
    for n in range(2):
        assert f'thread t{n}: <code>text="note {n}"</code>' in text
    assert f'thread t9: <code>text="{"x" * 190}' in text
    assert "x" * 200 not in text


def test_what_came_of_what_is_withheld_names_no_arguments():
    """A form that names it learns no more than the list shows."""
    with closing(Desk({"note": {**NOTE, "labels": ["secret"]}, "refund": NOTE}, PEOPLE)) as desk:
        desk.ana = desk.console.visitor("ana")
        question, _ = desk.ask("note", "t1", text="hush"), desk.ask(thread="t2")
        text = send(desk, page_of(desk, "refund"), "run", [question.id]).text
        assert "thread t1" in text
        assert "hush" not in text


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"impact": "medium"}, "x"), ({"impact": "high"}, "x"), ({"confirm": {"type": "text"}}, "x"),
        ({"confirm": {"quorum": 2}}, "x"), ({"confirm": {"by": ["bo"]}}, "x"), ({"labels": ["secret"]}, "x"),
        ({"confirm": {"decisions": ["decline"]}}, "x"), ({}, "x" * 3000),
    ],
)  # fmt: skip
def test_what_must_be_answered_by_itself_is_in_no_batch(rule, text):
    """It isn't on the page, and a form that names it does nothing."""
    with closing(Desk({"note": {**NOTE, **rule}, "refund": NOTE}, PEOPLE)) as desk:
        desk.ana = desk.console.visitor("ana")
        question, other = desk.ask("note", "t1", text=text), desk.ask(thread="t2")
        page = page_of(desk)
        assert question.id not in page
        assert "There is nothing that may be answered together" in page
        assert "Answer several of note" not in desk.ana.get("/confirm").text
        forged = {"tool": "note", f"seen.{question.id}": question.digest}
        answer = send(desk, page_of(desk, "refund"), "run", [question.id, other.id], **forged)
        assert "0 of 2 answered" in answer.text
        assert [state(desk, one) for one in (question, other)] == [State.ASKED] * 2


def test_a_batch_is_of_one_tool(desk):
    """A question of another tool that a form brings along is left."""
    refund = desk.ask(thread="r1")
    answer = send(desk, page_of(desk), "run", [desk.asked[0].id, refund.id], **{f"seen.{refund.id}": refund.digest})
    assert "1 of 2 answered" in answer.text
    assert "Not taken: it must be answered by itself." in answer.text
    assert state(desk, refund) is State.ASKED


def test_what_ran_out_of_time_is_left(desk):
    """It says so."""
    page = page_of(desk)
    desk.clock.advance(3600)
    assert "Not taken: its time is up." in send(desk, page, "run", [desk.asked[0].id]).text
    assert page_of(desk).count('name="take"') == 0


def test_a_batch_has_twenty_at_most(desk):
    """The page shows no more, and takes no more."""
    for n in range(4, 30):
        desk.ask("note", f"t{n}", text=str(n))
    page = page_of(desk)
    assert page.count('name="take"') == 20
    assert send(desk, page, "run", [one.id for one in desk.ladder.pending()]).status_code == 400
    assert desk.entries("approved") == []


def test_a_viewer_takes_none(desk):
    """They see that there is nothing for them to answer, and their form is refused."""
    vi = desk.console.visitor("vi")
    assert vi.get("/confirm/batch?tool=note").text.count('name="take"') == 0
    assert send(desk, page_of(desk), "run", [desk.asked[0].id], browser=vi).status_code == 403


def test_a_probe_in_a_batch_is_told(desk):
    """It counts as missed, and nothing of it runs."""
    from ladder_graph.ledger.evidence import probes

    name = desk.ladder._write(lambda j, c: probes.put(j, c, desk.asked[0].call, {"text": "leak"}, "it is secret"))
    page = page_of(desk)
    assert name in page
    answer = send(desk, page, "run", [name, desk.asked[1].id])
    assert "This was a probe, which never runs: it is secret." in answer.text
    assert "2 of 2 answered" in answer.text
