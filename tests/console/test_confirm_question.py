"""One question: what its page says, and what each button does."""

from __future__ import annotations

import re
from contextlib import closing

import pytest

from ladder_graph.console.fields import id_of
from ladder_graph.states import State
from tests.console.asking import REFUND, WORDS, Desk, press

RULES = {"refund": REFUND, "note": {"rung": "confirm"}}
RIGHT = {"decision": "run", "typed": "240"}


@pytest.fixture
def desk():
    """A desk at which a refund waits."""
    with closing(Desk(RULES)) as made:
        made.question = made.ask()
        made.to = f"/confirm/{made.question.id}"
        yield made


def test_the_page_is_in_the_order_of_thought(desk):
    """The question, what will run, what changes, how far it reaches, the way back, the agent's words, why it asks."""
    page = desk.console.visitor().get(desk.to).text
    headings = re.findall(r"<h[12][^>]*>([^<]+)", page)
    assert headings == [
        "Refund 240 EUR to Dana Novak?", "What will run", "What changes", "How far it reaches", "If it turns out wrong",
        "Why the agent wants this", "Why you are being asked", "Your decision",
    ]  # fmt: skip
    assert page.index("Nobody has checked them.") < page.index(WORDS)
    assert page.index("outside its bound") < page.index(WORDS)
    for said in (
        "pay_8Kq2",
        "written by the agent",
        "the tool&#39;s default",
        "refunded 240",
        "refund_cancel stops it",
    ):
        assert said in page


def test_decline_is_the_first_button_and_nothing_is_chosen(desk):
    """Enter would press the first submit button of the form; no field has the focus, none is filled in."""
    form = desk.console.visitor().get(desk.to).text.partition('<form method="post" action="/confirm/')[2]
    assert re.findall(r'<button[^>]*name="decision" value="(\w+)"', form)[:2] == ["decline", "run"]
    assert "Run the refund</button>" in form
    assert "autofocus" not in form
    assert 'name="typed" autocomplete="off" autocapitalize="none" spellcheck="false" value=""' in form


def test_the_clock_says_what_happens_at_zero(desk):
    """By the server's clock, with what a screen reader hears."""
    page = desk.console.visitor().get(desk.to).text
    assert 'data-deadline="2026-01-01T12:15:00+00:00" data-now="2026-01-01T12:00:00+00:00"' in page
    assert 'data-said="clock-said" data-over="The time is up. It is declined, and nothing ran."' in page
    assert '<p class="sr" id="clock-said" role="status">' in page
    assert "After that it is declined, not run" in page


def test_the_next_one_is_a_link(desk):
    """Its place among those that wait, and the one after it."""
    other = desk.ask("note", "t2", text="x")
    ana = desk.console.visitor()
    assert "1 of 2, soonest expiry first" in ana.get(desk.to).text
    assert f'<a href="/confirm/{other.id}">Next: Run note?</a>' in ana.get(desk.to).text
    assert "2 of 2" in ana.get(f"/confirm/{other.id}").text


def test_a_yes_lets_it_run_once_and_the_agent_goes_on(desk):
    """The page says who said it and what happens next; the thread runs the tool and comes to its end."""
    ana = desk.console.visitor()
    answer = press(ana, ana.get(desk.to).text, desk.to, **RIGHT, note="checked the invoice")
    assert (answer.status_code, answer.headers["location"]) == (303, desk.to)
    page = ana.get(desk.to).text
    assert "ana let it run on 1 January 2026" in page
    assert "It has not run yet." in page
    assert "checked the invoice" in page
    assert 'value="run"' not in page
    assert desk.go_on() == ["refunded"]
    assert desk.ran == [("refund", "pay_8Kq2", 240, "EUR", "duplicate charge", True, None)]
    assert "It ran once, and the agent has its result." in ana.get(desk.to).text


def test_a_no_needs_a_reason_which_the_agent_reads(desk):
    """Without one the page comes back, with everything that was typed."""
    ana = desk.console.visitor()
    page = ana.get(desk.to).text
    again = press(ana, page, desk.to, decision="decline", typed="24", note="  ")
    assert again.status_code == 422
    assert 'aria-invalid="true"' in again.text
    assert 'id="note-wrong">Say why not' in again.text
    assert 'value="24"' in again.text
    assert desk.ladder.question(desk.question.id).decision is None
    press(ana, page, desk.to, decision="decline", note="There was no second charge.")
    assert desk.go_on()[0].startswith("DECLINED by ana: There was no second charge.")
    assert desk.ran == []
    assert "ana declined it" in ana.get(desk.to).text


def test_a_no_that_is_not_the_agents_fault_is_kept_as_that(desk):
    """The checkbox says that the reason lies outside."""
    ana = desk.console.visitor()
    press(ana, ana.get(desk.to).text, desk.to, decision="decline", note="Not today.", fault="policy")
    assert desk.entries("declined")[-1]["fault"] == "policy"


@pytest.mark.parametrize("typed", ["", "24", "240.00", " 240", "yes"])
def test_what_must_be_typed_is_the_very_fact(desk, typed):
    """Anything else brings the page back with the mistake beside the field, and nothing of what was typed is lost."""
    ana = desk.console.visitor()
    again = press(ana, ana.get(desk.to).text, desk.to, decision="run", typed=typed, note="half a thought", text="draft")
    assert again.status_code == 422
    assert 'id="typed-wrong"' in again.text
    for kept in (f'value="{typed}"', "half a thought", "draft</textarea>"):
        assert kept in again.text
    assert desk.ladder.question(desk.question.id).decision is None


def test_a_value_that_is_no_text_is_typed_as_it_stands_there():
    """As JSON, and not as Python has it; the page says so."""
    with closing(Desk({"refund": {**REFUND, "confirm": {"type": "notify"}}})) as desk:
        ana, to = desk.console.visitor(), f"/confirm/{desk.ask(notify=True).id}"
        page = ana.get(to).text
        assert "As JSON, the way it stands above." in page
        assert press(ana, page, to, decision="run", typed="True").status_code == 422
        assert press(ana, page, to, decision="run", typed="true").status_code == 303


def test_high_impact_alone_wants_the_tools_name_and_low_impact_nothing():
    """What is asked for is the fact that matters, and only where the policy says so."""
    with closing(Desk({"note": {"rung": "confirm", "impact": "high"}, "refund": {"rung": "confirm"}})) as desk:
        note, refund, ana = desk.ask("note", "t2", text="x"), desk.ask(), desk.console.visitor()
        assert "To run it, type the tool&#39;s name" in ana.get(f"/confirm/{note.id}").text
        assert 'id="typed"' not in ana.get(f"/confirm/{refund.id}").text


def test_answering_in_the_tools_place(desk):
    """The agent goes on with that text, and nothing runs."""
    ana = desk.console.visitor()
    page = ana.get(desk.to).text
    assert press(ana, page, desk.to, decision="respond", text=" ").status_code == 422
    press(ana, page, desk.to, decision="respond", text="It was refunded by hand.")
    assert desk.go_on() == ["ANSWERED by ana, and refund did not run: It was refunded by hand."]
    assert desk.ran == []


def test_what_the_rule_leaves_out_is_not_offered():
    """No way to edit, to answer instead, or to let it run, where the rule doesn't have it."""
    with closing(Desk({"refund": {**REFUND, "confirm": {"decisions": ["decline"]}}})) as desk:
        question = desk.ask()
        ana, to = desk.console.visitor(), f"/confirm/{question.id}"
        page = ana.get(to).text
        assert re.findall(r'name="decision" value="(\w+)"', page) == ["decline", "pass"]
        assert press(ana, page, to, decision="run", typed="refund").status_code == 409
        assert press(ana, page, to, decision="edit").status_code == 403
        assert press(ana, page, to, decision="respond", text="x").status_code == 409
        assert desk.ladder.question(question.id).decision is None


PEOPLE = {"ana": {"console": "reviewer"}, "bo": {"console": "reviewer"}, "cy": {"console": "reviewer"}}


def test_a_question_is_passed_to_somebody_who_may_answer():
    """They are named on its page, the time runs on, and whoever may not answer it can't be chosen."""
    rule = {**REFUND, "confirm": {"by": ["ana", "bo"], "type": "amount", "expires": "15m"}}
    with closing(Desk({"refund": rule}, PEOPLE)) as desk:
        question = desk.ask()
        ana, to = desk.console.visitor("ana"), f"/confirm/{question.id}"
        page = ana.get(to).text
        assert re.findall(r"<option>(\w+)</option>", page) == ["bo"]
        assert press(ana, page, to, decision="pass").status_code == 422
        assert press(ana, page, to, decision="pass", to="cy").status_code == 409
        desk.clock.advance(60)
        assert press(ana, page, to, decision="pass", to="bo", note="you know Dana").status_code == 303
        bo = desk.console.visitor("bo")
        assert "ana handed it to bo, 1 January 2026, 12:01 UTC: you know Dana" in bo.get(to).text
        assert "14 min" in bo.get(to).text
        press(bo, bo.get(to).text, to, **RIGHT)
        assert desk.go_on() == ["refunded"]


def test_whoever_may_not_approve_may_still_decline():
    """The page says why not, and has no button for it; a form that has one is refused."""
    with closing(Desk({"refund": {**REFUND, "confirm": {"by": ["bo"], "type": "amount"}}}, PEOPLE)) as desk:
        question = desk.ask()
        ana, to = desk.console.visitor("ana"), f"/confirm/{question.id}"
        page = ana.get(to).text
        assert "You can't let it run: ana may not approve this; bo may." in page
        assert re.findall(r'name="decision" value="(\w+)"', page) == ["decline"]
        assert press(ana, page, to, **RIGHT).status_code == 409
        assert press(ana, page, to, decision="decline", note="wrong person").status_code == 303


def test_an_approval_is_taken_back_before_it_is_used(desk):
    """With a reason that the agent reads; once it ran, there is nothing to take back."""
    ana = desk.console.visitor()
    press(ana, ana.get(desk.to).text, desk.to, **RIGHT)
    page = ana.get(desk.to).text
    assert press(ana, page, desk.to, decision="revoke", note="").status_code == 422
    assert press(ana, page, desk.to, decision="revoke", note="wrong Dana").status_code == 303
    assert desk.go_on()[0].startswith("DECLINED by ana: wrong Dana")
    assert desk.ran == []
    late = desk.ask(thread="t9")
    to = f"/confirm/{late.id}"
    press(ana, ana.get(to).text, to, **RIGHT)
    page = ana.get(to).text
    desk.go_on("t9")
    assert press(ana, page, to, decision="revoke", note="too late").status_code == 409
    assert len(desk.ran) == 1


def test_a_quorum_is_told_and_counts_each_person_once():
    """How many have approved and who; the same person's second yes is a second click; the last one lets it run."""
    rule = {**REFUND, "confirm": {"quorum": 2, "type": "amount"}}
    with closing(Desk({"refund": rule}, PEOPLE)) as desk:
        question = desk.ask()
        ana, bo, to = desk.console.visitor("ana"), desk.console.visitor("bo"), f"/confirm/{question.id}"
        page = ana.get(to).text
        assert "0 of 2 have approved" in page
        assert [press(ana, page, to, **RIGHT).status_code for _ in range(2)] == [303, 303]
        page = ana.get(to).text
        assert "1 of 2 have approved: ana." in page
        assert "You have approved it; others must, too." in page
        assert 'value="run"' not in page
        press(ana, page, to, decision="revoke", note="let me look again")
        assert "0 of 2 have approved" in bo.get(to).text
        press(bo, bo.get(to).text, to, **RIGHT)
        cy = desk.console.visitor("cy")
        press(cy, cy.get(to).text, to, **RIGHT)
        assert desk.go_on() == ["refunded"]


def test_what_was_shown_and_how_it_was_come_to_is_recorded(desk):
    """The digest of the briefing, how much there was to read, how long it lay open, and by what it was answered."""
    ana = desk.console.visitor()
    shown = desk.ladder.briefing(desk.question.id, by=ana_of(desk))
    press(ana, ana.get(desk.to).text, desk.to, **RIGHT, input="keyboard", looked="0.0")
    said = desk.entries("approved")[-1]
    assert (said["shown"], said["characters"], said["input"]) == (shown.shown, shown.characters, "keyboard")
    assert said["looked"] == 0.0


def ana_of(desk):
    """Whom the console knows as ana."""
    from ladder_graph import Person

    return Person("ana", "console")


def test_nobody_has_looked_for_longer_than_the_page_lay_open(desk):
    """What a browser claims counts only where it is less than what the server saw; a page that isn't ours is none."""
    ana = desk.console.visitor()
    press(ana, ana.get(desk.to).text, desk.to, **RIGHT, looked="9999", before="9999")
    assert desk.entries("approved")[-1]["looked"] < 60
    other = desk.ask(thread="t2")
    to = f"/confirm/{other.id}"
    press(ana, ana.get(to).text, to, **{**RIGHT, "view": "forged", "input": "telepathy"})
    said = desk.entries("approved")[-1]
    assert said["looked"] == 0.0
    assert "shown" not in said
    assert "input" not in said


def test_a_probe_is_told_once_it_is_answered():
    """What was wrong with it, and that it never runs; before that its page is like any other."""
    probes = [{"arguments": {"text": "leak"}, "why": "it is secret"}]
    with closing(Desk({"note": {"rung": "confirm", "trust": {"probes": probes}}})) as desk:
        from ladder_graph.ledger.evidence import probes as put

        real = desk.ask("note", "t2", text="x")
        name = desk.ladder._write(lambda j, c: put.put(j, c, real.call, {"text": "leak"}, "it is secret"))
        ana, to = desk.console.visitor(), f"/confirm/{name}"
        page = ana.get(to).text
        assert "probe" not in page
        assert press(ana, page, to, decision="run").status_code == 303
        assert "This was a probe, which never runs: it is secret." in ana.get(to).text
        assert press(ana, page, to, decision="run").status_code == 303


def test_what_became_of_the_thread_is_told_truthfully(desk):
    """Nobody goes on with it here: the page says how it is done, and once it went on it says that."""
    ana = desk.console.visitor()
    press(ana, ana.get(desk.to).text, desk.to, **RIGHT)
    assert "Thread t1 goes on when a worker runs (ladder resume-worker MODULE:GRAPH)" in ana.get(desk.to).text
    desk.go_on()
    assert desk.ladder.actions()[-1].state is State.DONE


def test_where_the_thread_is_gone_on_with_here_the_tool_runs_by_itself(desk):
    """An answer on the page goes on with the waiting thread, and the agent comes to its end."""
    from ladder_graph.resuming import InProcess

    worker = desk.ladder.attach(InProcess(desk.graphs["t1"]))
    ana = desk.console.visitor()
    press(ana, ana.get(desk.to).text, desk.to, **RIGHT)
    worker.settle()
    desk.ladder.detach()
    assert desk.ran == [("refund", "pay_8Kq2", 240, "EUR", "duplicate charge", True, None)]
    assert desk.graphs["t1"].get_state({"configurable": {"thread_id": "t1"}}).next == ()
    assert "It ran once" in ana.get(desk.to).text


def test_it_is_all_the_same_on_postgresql(postgres, monkeypatch):
    """The list, a yes, an edit, a batch, and an answer that comes too late."""
    monkeypatch.setenv("CONSOLE_KEY", "k" * 64)
    with closing(Desk({"refund": REFUND, "note": {"rung": "confirm"}}, ledger=postgres, settings=KEY)) as desk:
        question, ana = desk.ask(), desk.console.visitor("ana")
        notes = [desk.ask("note", f"n{n}", text=str(n)) for n in range(2)]
        to = f"/confirm/{question.id}"
        assert "3 waiting" in ana.get("/confirm").text
        page = ana.get(to).text
        fields = press(ana, page, to, decision="edit").text
        look = press(ana, fields, f"{to}/edit", step="look", **{f"arg.{id_of('amount')}": "40"}).text
        assert press(ana, look, f"{to}/edit", step="run", typed="40").status_code == 303
        late = press(ana, page, to, **RIGHT)
        assert (late.status_code, "put other arguments in" in late.text) == (409, True)
        batch = ana.get("/confirm/batch?tool=note").text
        came = press(ana, batch, "/confirm/batch", decision="run", take=[one.id for one in notes])
        assert "2 of 2 answered" in came.text
        assert desk.go_on("n1") == ["noted"]
        assert "It ran once" in ana.get(f"/confirm/{notes[1].id}").text
        assert desk.go_on()[0].endswith("refunded")


KEY = {"key_env": "CONSOLE_KEY"}
