"""Answers that come too late, twice, at once, or for something else than what would run."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from ladder_graph.calls import Call
from ladder_graph.states import State
from tests.console.asking import REFUND, Desk, fields, pose, press
from tests.console.conftest import HOST

RIGHT = {"decision": "run", "typed": "240"}
PEOPLE = {"ana": {"console": "reviewer"}, "bo": {"console": "reviewer"}}


@pytest.fixture
def desk():
    """A desk at which a refund waits for two reviewers who look at it."""
    with closing(Desk({"refund": REFUND}, PEOPLE)) as made:
        made.question = made.ask()
        made.to = f"/confirm/{made.question.id}"
        made.ana, made.bo = made.console.visitor("ana"), made.console.visitor("bo")
        made.page = made.ana.get(made.to).text
        yield made


def test_a_second_click_is_harmless(desk):
    """The same form twice is one answer, and shows what came of it."""
    answers = [press(desk.ana, desk.page, desk.to, **RIGHT) for _ in range(3)]
    assert [(one.status_code, one.headers["location"]) for one in answers] == [(303, desk.to)] * 3
    assert len(desk.entries("approved")) == 1
    desk.go_on()
    assert press(desk.ana, desk.page, desk.to, **RIGHT).status_code == 303
    assert len(desk.ran) == 1


def test_a_second_click_answers_nothing_else(desk):
    """Once it is answered, its page has no button where the first click was, and the next one is a link."""
    other = desk.ask(thread="t2")
    press(desk.ana, desk.page, desk.to, **RIGHT)
    after = desk.ana.get(desk.to).text
    panel = after.partition('id="decision"')[2]
    assert f'<a href="/confirm/{other.id}">Next: Refund 240 EUR to Dana Novak?</a>' in panel
    assert panel.index("<details><summary>Take the approval back") < panel.index("<button")
    assert desk.ladder.question(other.id).decision is None


def test_somebody_else_was_quicker(desk):
    """The page says who and what, and the later answer does nothing."""
    press(desk.bo, desk.bo.get(desk.to).text, desk.to, decision="decline", note="no second charge")
    late = press(desk.ana, desk.page, desk.to, **RIGHT)
    assert late.status_code == 409
    assert "bo has answered meanwhile" in late.text
    assert "bo declined it on" in late.text
    assert "no second charge" in late.text
    assert len(desk.entries("approved")) == 0
    assert desk.ladder.actions()[-1].state is State.DECLINED


def test_one_answers_no_after_saying_yes(desk):
    """The other button on an old page changes nothing, and says so."""
    press(desk.ana, desk.page, desk.to, **RIGHT)
    again = press(desk.ana, desk.page, desk.to, decision="decline", note="oh no")
    assert again.status_code == 409
    assert "ana has answered meanwhile" in again.text


def test_two_reviewers_at_once_give_one_answer(desk):
    """Of many presses at the same moment one is taken, whoever's it is, and nothing fails."""
    pages = {name: getattr(desk, name).get(desk.to).text for name in ("ana", "bo")}
    barrier, came = threading.Barrier(8), []

    def work(name, filled):
        data = {**fields(pages[name], desk.to), **filled}
        barrier.wait()
        came.append(getattr(desk, name).client.post(desk.to, data=data, headers={"origin": HOST}).status_code)

    no = {"decision": "decline", "note": "no"}
    jobs = [threading.Thread(target=work, args=(("ana", RIGHT), ("bo", no))[n % 2]) for n in range(8)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert set(came) <= {303, 409}
    assert came.count(409) == 4
    assert len(desk.entries("approved")) + len(desk.entries("declined")) == 1


def test_two_of_a_quorum_at_once_both_count():
    """Neither is lost, and the call runs once."""
    with closing(Desk({"refund": {"rung": "confirm", "confirm": {"quorum": 2}}}, PEOPLE)) as desk:
        question = desk.ask()
        to, people = f"/confirm/{question.id}", [desk.console.visitor(name) for name in ("ana", "bo")]
        pages, barrier, came = [one.get(to).text for one in people], threading.Barrier(2), []

        def work(n):
            barrier.wait()
            came.append(press(people[n], pages[n], to, decision="run").status_code)

        jobs = [threading.Thread(target=work, args=(n,)) for n in range(2)]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
        assert came == [303, 303]
        assert desk.go_on() == ["refunded"]


def test_an_edit_meanwhile_shows_the_new_arguments(desk):
    """The answer is refused with 409, and the page is that of the new question, with old and new beside each other."""
    desk.ladder.edit(desk.question.id, {**desk.question.call.arguments, "amount": 24}, by="bo", typed="24")
    late = press(desk.ana, desk.page, desk.to, **RIGHT)
    assert late.status_code == 409
    assert "bo put other arguments in. Your answer was refused." in late.text
    assert "This took its place, and is not asked any more:" in late.text
    assert "This is what is asked now" not in late.text
    for said in ("You saw", "It is now", '<span class="value">240</span>', '<span class="value">24</span>'):
        assert said in late.text
    assert desk.go_on()[0].endswith("refunded")
    assert desk.ran == [("refund", "pay_8Kq2", 24, "EUR", "duplicate charge", True, None)]


def test_where_others_still_must_approve_the_new_arguments_can_be_answered_at_once():
    """The page of the new question has a decision of its own, for exactly these arguments."""
    with closing(Desk({"refund": {"rung": "confirm", "confirm": {"quorum": 2}}}, PEOPLE)) as desk:
        question = desk.ask()
        ana, to = desk.console.visitor("ana"), f"/confirm/{question.id}"
        page = ana.get(to).text
        desk.ladder.edit(question.id, {**question.call.arguments, "amount": 24}, by="bo")
        late = press(ana, page, to, decision="run")
        (now,) = desk.ladder.pending()
        assert late.status_code == 409
        assert "This is what is asked now:" in late.text
        assert press(ana, late.text, f"/confirm/{now.id}", decision="run").status_code == 303
        assert desk.go_on()[0].endswith("refunded")
        assert desk.ran[0][2] == 24


def test_the_agent_asks_something_else_under_the_same_call(desk):
    """Arguments that changed in the conversation are another question; the old one's form shows that one."""
    old = desk.question.call
    call = Call(old.agent, old.thread, old.id, old.tool, {**old.arguments, "amount": 9000}, old.env)
    desk.clock.advance(1)
    pose(desk.ladder, call)
    late = press(desk.ana, desk.page, desk.to, **RIGHT)
    assert late.status_code == 409
    assert "its arguments changed. Your answer was refused." in late.text
    assert '<span class="value">9000</span>' in late.text
    assert len(desk.entries("approved")) == 0


def test_another_digest_than_the_one_that_would_run_is_refused(desk):
    """Whatever a form claims that was shown; the page shows what would run."""
    for forged in ("", "0" * 64, desk.question.call.digest):
        late = press(desk.ana, desk.page, desk.to, **{**RIGHT, "seen": forged})
        assert late.status_code == 409
        assert "Your answer was for something else than what would run" in late.text
        assert '<span class="value">240</span>' in late.text
    assert desk.ladder.question(desk.question.id).decision is None


def test_the_form_of_one_question_answers_no_other(desk):
    """Neither its token nor its digest are good there."""
    other = desk.ask(thread="t2")
    data = {**fields(desk.page, desk.to), **RIGHT}
    sent = desk.ana.client.post(f"/confirm/{other.id}", data=data, headers={"origin": HOST})
    assert sent.status_code == 403
    token = fields(desk.ana.get(f"/confirm/{other.id}").text, f"/confirm/{other.id}")["form"]
    sent = desk.ana.client.post(f"/confirm/{other.id}", data={**data, "form": token}, headers={"origin": HOST})
    assert sent.status_code == 409
    assert desk.ladder.question(other.id).decision is None


def test_what_expires_while_it_is_open_is_declined_and_never_runs(desk):
    """The answer comes too late: the page says so, keeps nothing back, and has no button any more."""
    desk.clock.advance(15 * 60)
    late = press(desk.ana, desk.page, desk.to, **RIGHT, note="just in time")
    assert late.status_code == 409
    assert "Its time was up before your answer came. It is declined, and nothing ran." in late.text
    assert 'value="run"' not in late.text
    assert desk.go_on()[0].startswith("NOT RUN: nobody said in time")
    assert desk.ran == []
    after = desk.ana.get(desk.to).text
    assert "Nobody answered in time, which counts as no. Nothing ran." in after
    assert press(desk.ana, desk.page, desk.to, **RIGHT).status_code == 409


def test_there_is_no_other_decision(desk):
    """A button that the page doesn't have does nothing."""
    assert press(desk.ana, desk.page, desk.to, decision="maybe").status_code == 400
    assert press(desk.ana, desk.page, desk.to).status_code == 400
    assert desk.ladder.question(desk.question.id).decision is None


def test_a_question_that_is_none_is_not_there(desk):
    """Whatever its id looks like."""
    for name in ("0" * 16, "%25", desk.question.id[:6], "'; drop table question; --"):
        assert desk.ana.get(f"/confirm/{name}").status_code == 404
