"""inbox: one question at a time, soonest expiry first. Enter decides nothing, and no decision brings up the next."""

from __future__ import annotations

import os
import pwd

import pytest

from ladder_graph.cli import inbox
from ladder_graph.cli.screen import Screen
from ladder_graph.facts import Person
from tests.cli.shop import builder
from tests.cli.terminal import Terminal

ME = pwd.getpwuid(os.getuid()).pw_name
MENU = "Type run, edit, respond, decline, pass, all, skip or quit: "


@pytest.fixture(autouse=True)
def _plain(monkeypatch):
    """Eighty columns and no colour, as over a slow line or for a screen reader."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")


@pytest.fixture
def desk(shop):
    """A shop in which a refund waits for an hour, and a ticket for a day."""
    shop.run(("close_ticket", {"number": 7}), ("refund", {"order": "4711", "cents": 900}))
    return shop


def entries(shop, kind):
    """What the ledger says of one kind."""
    with shop.ladder() as ladder:
        return [one.body for one in ladder.log() if one.kind == kind]


def waiting(work):
    """The question that comes up next, and how many are said to wait."""
    first, many = work._waiting()
    return first.id, str(many)


def test_the_soonest_comes_first_and_is_told_whole(desk):
    """The page's order: what will run, what changes, how far, if it turns out wrong, why, the decision."""
    inbox = Terminal("inbox")
    text = inbox.until(MENU)
    order = [
        "Run refund?", "What will run", "What changes", "How far it reaches", "If it turns out wrong",
        "Why you are asked", "Your decision", "1 of 2, soonest expiry first",
    ]  # fmt: skip
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    assert "written by the agent" in text
    assert "To be" not in text
    assert "\x1b" not in text
    assert max(map(len, text.replace("\r", "").splitlines())) <= 80
    inbox.type("quit\n")
    assert inbox.end() == 0
    assert not entries(desk, "approved")


def test_enter_decides_nothing(desk):
    """An empty line, a yes and a y are asked again."""
    inbox = Terminal("inbox")
    inbox.until(MENU)
    inbox.type("\n\ny\n")
    inbox.until(MENU, 4)
    inbox.type("yes\n")
    inbox.until(MENU, 5)
    inbox.type("quit\n")
    assert inbox.end() == 0
    assert not entries(desk, "approved")
    assert not entries(desk, "declined")


def test_it_runs_after_the_fact_was_typed(desk):
    """What must be typed is typed exactly; what was shown, for how long and by what is on record."""
    inbox = Terminal("inbox")
    inbox.until(MENU)
    inbox.type("run\n")
    inbox.until("type the order: ")
    inbox.type("4712\n")
    inbox.until("Not taken: to approve, type the order exactly: 4711.")
    inbox.until(MENU, 2)
    inbox.type("run\n")
    inbox.until("type the order: ", 2)
    inbox.type("4711\n")
    text = inbox.until("1 still waits. Type next or quit: ")
    assert f"approved by {ME}" in text
    assert "close_ticket" not in text
    inbox.type("\n")
    inbox.until("Type next or quit: ", 2)
    inbox.type("next\n")
    inbox.until("Run close_ticket?")
    inbox.until(MENU, 3)
    inbox.type("quit\n")
    assert inbox.end() == 0
    (body,) = entries(desk, "approved")
    assert (body["by"], body["input"], len(body["shown"])) == (ME, "keyboard", 64)
    assert body["looked"] > 0
    assert desk.resume("refund") == "refunded"


def test_a_no_needs_a_reason(desk):
    """An empty reason is asked for again; the agent reads the one that comes."""
    inbox = Terminal("inbox")
    inbox.until(MENU)
    inbox.type("decline\n")
    inbox.until("Why not? The agent reads it: ")
    inbox.type("\n")
    inbox.until("Why not? The agent reads it: ", 2)
    inbox.type("it is not theirs\n")
    inbox.until("Type next or quit: ")
    inbox.type("quit\n")
    assert inbox.end() == 0
    assert "it is not theirs" in desk.resume("refund")
    (body,) = entries(desk, "declined")
    assert (body["input"], body["reason"]) == ("keyboard", "it is not theirs")


def test_an_edit_is_typed_by_the_schema(desk):
    """A field takes what the tool's schema says; old and new stand together, with the new digest."""
    inbox = Terminal("inbox")
    inbox.until(MENU)
    inbox.type("edit\n")
    inbox.until("Which argument? Its name, or done: ")
    inbox.type("price\n")
    assert "It has no argument price." in inbox.until("Which argument? Its name, or done: ", 2)
    inbox.type("cents\n")
    inbox.until("cents becomes: ")
    inbox.type("much\n")
    assert "Not taken: it takes a whole number." in inbox.until("Which argument? Its name, or done: ", 3)
    inbox.type("cents\n")
    inbox.until("cents becomes: ", 2)
    inbox.type("500\n")
    inbox.until("Which argument? Its name, or done: ", 4)
    inbox.type("done\n")
    text = inbox.until("Type run to let this run instead, in your name, or back: ")
    assert "was   900" in text
    assert "now   500" in text
    assert ", before " in text
    inbox.type("run\n")
    inbox.until("type the order: ")
    inbox.type("4711\n")
    inbox.until("Type next or quit: ")
    inbox.type("quit\n")
    assert inbox.end() == 0
    assert desk.resume("refund").endswith("refunded")
    (body,) = entries(desk, "edited")
    assert (body["arguments"], body["input"]) == ({"cents": 500, "order": "4711"}, "keyboard")


def test_it_is_passed_on(desk):
    """The question goes to somebody else, and isn't brought up again here."""
    inbox = Terminal("inbox")
    inbox.until(MENU)
    inbox.type("pass\n")
    inbox.until("To whom? ")
    inbox.type("bo\n")
    inbox.until("A word with it, or - for none: ")
    inbox.type("your customer\n")
    inbox.until("Passed to bo. Its time runs on.")
    inbox.until("1 still waits. Type next or quit: ")
    inbox.type("quit\n")
    assert inbox.end() == 0
    (body,) = entries(desk, "passed")
    assert (body["to"], body["by"], body["reason"]) == ("bo", ME, "your customer")
    with desk.ladder() as ladder:
        assert {one.passed_to for one in ladder.pending()} == {"", "bo"}


def test_what_is_left_for_later_stays(desk):
    """Skipping brings up the next one, and at the end it is said how many were left."""
    inbox = Terminal("inbox")
    inbox.until(MENU)
    inbox.type("skip\n")
    inbox.until("Run close_ticket?")
    inbox.until(MENU, 2)
    inbox.type("skip\n")
    inbox.until("Nothing else waits for an answer. You left 2 for later.")
    assert inbox.end() == 0


def test_the_agent_is_answered(desk):
    """A text goes to the agent in the tool's place."""
    inbox = Terminal("inbox")
    inbox.until(MENU)
    inbox.type("respond\n")
    inbox.until("in the tool's place? ")
    inbox.type("ask them again\n")
    inbox.until("Type next or quit: ")
    inbox.type("quit\n")
    assert inbox.end() == 0
    assert "ask them again" in desk.resume("refund")


def test_what_waits_behind_others_is_found(shop, monkeypatch):
    """However many were handed on, left for later, or ran out of time before it; the count says that it isn't whole."""
    monkeypatch.setattr(inbox, "MOST", 2)
    shop.run(*(("close_ticket", {"number": number}) for number in range(8)))
    with shop.ladder() as ladder:
        asked = ladder.waiting().items
        work = inbox.Inbox(ladder, Person(ME), Screen())
        assert waiting(work) == (asked[0].id, "2+")
        for one in asked[:3]:
            ladder.pass_on(one.id, to="bo", by=ME)
        assert waiting(work) == (asked[3].id, "1+")
        work.skipped.update(one.id for one in asked[3:6])
        assert waiting(work) == (asked[6].id, "2")
        monkeypatch.setattr(ladder, "clock", lambda: asked[6].expires_at)
        assert waiting(work) == (asked[7].id, "1")
        monkeypatch.setattr(ladder, "clock", lambda: asked[7].expires_at)
        assert work._waiting() is None


def test_what_was_asked_anew_is_found_wherever_it_stands(shop, monkeypatch):
    """It expires later than others by now: it is shown, and isn't said to wait no more."""
    monkeypatch.setattr(inbox, "MOST", 1)
    shop.run(("refund", {"order": "4711", "cents": 900}), ("refund", {"order": "4712", "cents": 900}))
    with shop.ladder() as ladder:
        work = inbox.Inbox(ladder, Person(ME), Screen())
        before, _ = ladder.waiting().items
        work._show(before)
    shop.policy.write_text(shop.policy.read_text().replace('expires = "1h"', 'expires = "2h"'))
    with shop.ladder() as ladder:
        again = ladder.wrap(builder(shop.model, shop.ran), checkpointer=shop.saver)
        again.invoke(None, {"configurable": {"thread_id": "refund"}})
        work.ladder = ladder
        assert ladder.waiting(size=1).items[0].call.thread == "refund-2"
        assert not work._stale("it was asked anew")
        assert work.told.question == ladder.waiting().items[1]
        assert work.told.digest != before.digest


def test_what_was_answered_meanwhile_is_said(desk):
    """Somebody else was quicker: who, and what they said; nothing is taken from this one."""
    inbox = Terminal("inbox")
    inbox.until(MENU)
    with desk.ladder() as ladder:
        (asked,) = [one for one in ladder.pending() if one.call.tool == "refund"]
        ladder.decline(asked.id, by="bo", reason="no")
    inbox.type("decline\n")
    inbox.until("Why not? The agent reads it: ")
    inbox.type("late\n")
    inbox.until("Not taken: bo has answered already: decline.")
    inbox.until("It doesn't wait any more.")
    inbox.until("1 still waits. Type next or quit: ")
    inbox.type("quit\n")
    assert inbox.end() == 0


def test_what_is_asked_otherwise_by_now_is_shown(desk):
    """The rule was changed and the thread asked anew: the answer is refused, and the new question is shown."""
    inbox = Terminal("inbox")
    inbox.until(MENU)
    desk.policy.write_text(desk.policy.read_text().replace('expires = "1h"', 'expires = "2h"'))
    with desk.ladder() as ladder:
        (before,) = [one for one in ladder.pending() if one.call.tool == "refund"]
        again = ladder.wrap(builder(desk.model, desk.ran), checkpointer=desk.saver)
        again.invoke(None, {"configurable": {"thread_id": "refund"}})
        (now,) = [one for one in ladder.pending() if one.call.tool == "refund"]
    assert now.digest != before.digest
    inbox.type("run\n")
    inbox.until("type the order: ")
    inbox.type("4711\n")
    inbox.until("It is asked about otherwise now. This is what would run:")
    inbox.until(now.id)
    inbox.until(MENU, 2)
    inbox.type("quit\n")
    assert inbox.end() == 0


def test_leaving_decides_nothing(desk):
    """Ctrl-C in the middle of a reason leaves the question open."""
    inbox = Terminal("inbox")
    inbox.until(MENU)
    inbox.type("decline\n")
    inbox.until("Why not? The agent reads it: ")
    inbox.interrupt()
    inbox.until("Nothing was decided about this one.")
    assert inbox.end() == 1
    assert not entries(desk, "declined")


def test_without_a_terminal_it_says_what_scripts_take(desk, ladder):
    """A pipe can't look."""
    result = ladder("inbox", code=2)
    assert "`ladder pending --json` and `ladder approve` are for scripts" in result.stderr


def test_nothing_waits(shop):
    """Where nothing waits, that is said."""
    shop.run(("read_stock", {"item": "tea"}))
    inbox = Terminal("inbox")
    inbox.until("Nothing waits for an answer.")
    assert inbox.end() == 0


def test_who_may_not_answer_may_decline_and_pass_nothing(desk):
    """The menu holds only what this person may say; the rest is refused with the reason."""
    text = desk.policy.read_text().replace('type = "order"', 'type = "order", by = ["bo"]')
    desk.policy.write_text(text)
    desk.run(("refund", {"order": "9", "cents": 1}))
    inbox = Terminal("inbox")
    inbox.until("Type ")
    inbox.type("skip\n")
    inbox.until("Type decline, pass, all, skip or quit: ")
    inbox.type("run\n")
    inbox.until("may not approve this; bo may")
    inbox.until("Type decline, pass, all, skip or quit: ", 2)
    inbox.type("quit\n")
    assert inbox.end() == 0
