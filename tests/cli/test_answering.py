"""pending, approve, decline: a yes is for exactly what was shown, and is never the default."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys

import pytest

from ladder_graph import Ladder
from ladder_graph.testing import ScriptedModel
from tests.cli.terminal import Terminal

ME = pwd.getpwuid(os.getuid()).pw_name


def state_of(folder, tool):
    """Where the first call of a tool is."""
    ladder = Ladder(policy=folder / "ladder.toml")
    try:
        return next(action.state for action in ladder.actions() if action.tool == tool)
    finally:
        ladder.close()


def test_pending_shows_what_would_run(folder, ladder):
    """Each question is listed with its arguments, why it is asked, and what must be done to approve."""
    text = ladder("pending").stdout
    assert "shop asks to run refund" in text
    assert 'order       "4711"' in text
    assert re.search(r"in 5\d min it counts as a no", text)  # the day was made at the beginning of the session
    assert "type the order" in text
    assert text.index("run refund") < text.index("run close_ticket")


def test_nothing_waits(shop, ladder):
    """Where nothing waits, that is said."""
    shop.run(("read_stock", {"item": "tea"}))
    assert ladder("pending").stdout.strip() == "Nothing waits for an answer."


def test_a_question_is_approved_and_runs_once(shop, ladder, question):
    """An approved call runs once, when its thread is resumed, and who approved it is on record."""
    shop.run(("refund", {"order": "4711", "cents": 900}))
    text = ladder("approve", question("refund")[:8], "--typed", "4711", "--yes").stdout
    assert 'order       "4711"' in text
    assert f"approved by {ME}" in text
    assert shop.ran == []
    assert shop.resume("refund") == "refunded"
    assert shop.ran == ["refund 4711"]
    entry = next(one for one in ladder("log", "--json").document if one["kind"] == "approved")
    assert (entry["body"]["by"], entry["body"]["auth"]) == (ME, "os-user")


def test_a_yes_without_a_look_is_a_glance(shop, ladder, question):
    """With --yes nobody looked: no second is on record, and how much there was to read."""
    shop.run(("close_ticket", {"number": 7}))
    ladder("approve", question("close_ticket"), "--yes")
    entry = next(one for one in ladder("log", "--json").document if one["kind"] == "approved")
    assert entry["body"]["looked"] == 0
    assert 7 < entry["body"]["characters"] < 200


def test_an_edit_carries_the_look_too(shop, ladder, question):
    """Both the edited action and the one in its place say how long somebody looked."""
    shop.run(("close_ticket", {"number": 7}))
    ladder("edit", question("close_ticket"), "--set", "number=8", "--yes")
    found = [one["body"] for one in ladder("log", "--json").document if one["kind"] in {"edited", "approved"}]
    assert [one["looked"] for one in found] == [0, 0]


def test_after_an_edit_only_its_own_successor_is_named(shop, ladder, question):
    """A question of another thread, whose model gave its call the same id, isn't the one that others must approve."""
    text = shop.policy.read_text(encoding="utf-8").replace('type = "order", expires = "1h"', "quorum = 2")
    shop.policy.write_text(text, encoding="utf-8")
    shop.run(("refund", {"order": "4711", "cents": 900}))
    shop.model = ScriptedModel(answers=[])
    shop.run(("close_ticket", {"number": 7}))
    with shop.ladder() as mine:
        assert len({one.call.id for one in mine.pending()}) == 1
    refund = question("refund")
    said = ladder("edit", question("close_ticket"), "--set", "number=8", "--yes").stdout
    assert "must approve" not in said
    assert refund not in said
    said = ladder("edit", refund, "--set", "cents=800", "--typed", "refund", "--yes").stdout
    assert f"1 more person must approve question {question('refund')}." in said
    assert question("refund") != refund


def test_an_argument_that_the_tool_does_not_have(shop, ladder, question):
    """It is refused at once, and the question stays open; in the agent's process it would, with the answer spent."""
    shop.run(("close_ticket", {"number": 7}))
    name = question("close_ticket")
    said = " ".join(ladder("edit", name, "--set", "nmber=8", "--yes", code=2).stderr.split())
    assert "close_ticket has no argument nmber; it has number" in said
    assert question("close_ticket") == name


@pytest.mark.parametrize(
    ("change", "takes"),
    [("number=soon", "a whole number"), ("number=8.5", "a whole number"), ('number="8"', "a whole number")],
)  # fmt: skip
def test_a_value_that_the_tools_schema_refuses(shop, ladder, question, change, takes):
    """It is refused at once, and the question stays open."""
    shop.run(("close_ticket", {"number": 7}))
    name = question("close_ticket")
    said = " ".join(ladder("edit", name, "--set", change, "--yes", code=2).stderr.split())
    assert f"is nothing that close_ticket takes: number: it takes {takes}" in said
    assert question("close_ticket") == name


@pytest.mark.parametrize(("value", "sent"), [("0815", "0815"), ("17", "17"), ('"17"', "17"), ('"x', '"x')])
def test_a_text_stays_one_whatever_it_looks_like(shop, ladder, question, value, sent):
    """Where the schema takes text, a number is one too; quotes that make it JSON are no part of it."""
    shop.run(("refund", {"order": "4711", "cents": 900}))
    ladder("edit", question("refund"), "--set", f"order={value}", "--typed", sent, "--yes")
    shop.resume("refund")
    assert shop.ran == [f"refund {sent}"]


@pytest.mark.parametrize(("value", "sent"), [("17", 17), ("[1]", [1]), ("a b", "a b")])
def test_without_a_schema_a_value_is_guessed_by_what_stood_there(shop, ladder, question, monkeypatch, value, sent):
    """A text stays a text; anything else is JSON, or text where it is none."""
    monkeypatch.setattr("ladder_graph.hosts.fitting.schema_of", lambda tool: {})
    shop.run(("close_ticket", {"number": 7}), ("refund", {"order": "4711", "cents": 900}))
    ladder("edit", question("close_ticket"), "--set", f"number={value}", "--yes")
    ladder("edit", question("refund"), "--set", f"order={value}", "--typed", value, "--yes")
    with shop.ladder() as mine:
        ticket, refund = (one.body["arguments"] for one in mine.log() if one.kind == "edited")
    assert (ticket["number"], refund["order"]) == (sent, value)


def test_how_long_somebody_looked_is_on_record(folder, ladder, question):
    """From the question on the screen to the answer, at a terminal."""
    terminal = Terminal("approve", question("close_ticket"))
    terminal.until("Type yes or no:")
    terminal.type("yes\n")
    assert terminal.end() == 0
    entry = next(one for one in ladder("log", "--json").document if one["kind"] == "approved")
    assert entry["body"]["looked"] > 0


@pytest.mark.parametrize(("options", "fault"), [([], None), (["--not-the-agent"], "policy")])
def test_a_no_can_be_for_reasons_outside_the_agent(shop, ladder, question, options, fault):
    """It says so in the entry; any other no counts against the agent."""
    shop.run(("close_ticket", {"number": 7}))
    ladder("decline", question("close_ticket"), "--reason", "we are closed", *options)
    entry = next(one for one in ladder("log", "--json").document if one["kind"] == "declined")
    assert entry["body"].get("fault") == fault
    assert "looked" not in entry["body"]


def test_what_is_no_length_of_time_is_a_glance(shop, ladder, question):
    """A look that lasted for ever, or less than nothing, is none."""
    for seconds in (float("nan"), float("inf"), -1.0):
        shop.run(("close_ticket", {"number": 7}))
        with shop.ladder() as mine:
            mine.approve(question("close_ticket"), by="ana", looked=seconds, characters=-5)
            body = [entry for entry in mine.log() if entry.kind == "approved"][-1].body
        assert (body["looked"], body["characters"]) == (0, 0)


def test_who_approves_is_not_taken_from_the_environment(shop, ladder, question, monkeypatch):
    """LOGNAME, USER and their like don't make anybody somebody else."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "ana")
    shop.run(("close_ticket", {"number": 7}))
    ladder("approve", question("close_ticket"), "--yes")
    entry = next(one for one in ladder("log", "--json").document if one["kind"] == "approved")
    assert entry["body"]["by"] == ME


def test_a_question_is_declined_with_a_reason(shop, ladder, question):
    """A declined call doesn't run, and the agent reads who said no and why."""
    shop.run(("close_ticket", {"number": 7}))
    assert "declined by" in ladder("decline", question("close_ticket"), "--reason", "it is still open").stdout
    assert shop.resume("close_ticket").startswith(f"DECLINED by {ME}: it is still open")
    assert shop.ran == []
    assert "has answered already" in ladder("approve", ladder_question(shop), "--yes", code=2).stderr


def ladder_question(shop):
    """The id of the only question, whatever became of it."""
    with shop.ladder() as ladder:
        return next(entry.body["question"] for entry in ladder.log() if entry.kind == "question")


def test_declining_needs_a_reason(folder, ladder, question):
    """A no without a reason is a usage error, since the agent reads it."""
    assert "--reason" in ladder("decline", question("refund"), code=2).stderr


@pytest.mark.parametrize(
    ("command", "option"), [("decline", "--reason"), ("revoke", "--reason"), ("respond", "--text")]
)  # fmt: skip
def test_what_the_agent_reads_is_not_blank(folder, ladder, question, command, option):
    """Blanks are as good as nothing, here as in the console and the inbox; the question stays open."""
    for blank in ("", "  \t\n"):
        said = ladder(command, question("close_ticket"), option, blank, code=2).stderr
        assert option in said
        assert "it is blank" in said
    assert state_of(folder, "close_ticket") == "asked"


def test_the_wrong_value_approves_nothing(folder, ladder, question):
    """Where a value must be typed, another one is refused, and the question stays open."""
    assert "type the order exactly" in ladder("approve", question("refund"), "--typed", "4712", "--yes", code=2).stderr
    assert state_of(folder, "refund") == "asked"


def test_without_a_terminal_nothing_is_approved_by_a_pipe(folder, ladder, question):
    """A yes through a pipe is none: without a terminal only --yes approves, and a value is given by --typed."""
    command = [sys.executable, "-m", "ladder_graph.cli", "approve", question("close_ticket")]
    done = subprocess.run(command, input="yes\n", capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no terminal to ask on")
    refused = ladder("approve", question("refund"), "--yes", code=2).stderr
    assert "no terminal to ask on; look first, then give the order by --typed\n" in refused
    assert "give the order by --typed, with --yes" in ladder("approve", question("refund"), code=2).stderr
    assert state_of(folder, "close_ticket") == state_of(folder, "refund") == "asked"


def test_who_may_not_approve_is_told_before_being_asked(shop, ladder, question):
    """Somebody whom the policy doesn't name hears so at once, and the question stays open."""
    text = shop.policy.read_text(encoding="utf-8").replace('expires = "1h"', 'by = ["somebody.else"]')
    shop.policy.write_text(text, encoding="utf-8")
    shop.run(("refund", {"order": "4711", "cents": 900}))
    result = ladder("approve", question("refund"), code=2)
    assert f"{ME} may not approve this; somebody.else may" in result.stderr
    assert state_of(shop.folder, "refund") == "asked"


def test_an_expired_question_is_not_approved(shop, ladder, question):
    """A question whose time is up says so, and can't be approved any more."""
    text = shop.policy.read_text(encoding="utf-8").replace('expires = "1h"', 'expires = "1ms"')
    shop.policy.write_text(text, encoding="utf-8")
    shop.run(("refund", {"order": "4711", "cents": 900}))
    assert ladder("pending", "--json").document[0]["expired"]
    assert "expired, which counts as no" in ladder("pending").stdout
    assert "has expired" in ladder("approve", question("refund"), "--typed", "4711", "--yes", code=2).stderr


def test_what_cannot_be_typed_cannot_be_approved_by_typing(shop, ladder, question):
    """Where the argument that must be typed is empty, an empty line would be a yes, so nobody is asked to type it."""
    shop.run(("refund", {"order": "", "cents": 900}))
    assert "the call has no order to type" in ladder("approve", question("refund"), code=2).stderr
    assert state_of(shop.folder, "refund") == "asked"


def test_only_the_whole_word_approves(folder, question):
    """At a terminal an empty line approves nothing, nor does anything but the word; it is asked again."""
    terminal = Terminal("approve", question("close_ticket"))
    for times, nothing in enumerate(["\n", "y\n", "YES\n", " yes\n", "approve\n"], 1):
        terminal.until("Type yes or no:", times)
        terminal.type(nothing)
    terminal.until("Type yes or no:", times=6)
    assert state_of(folder, "close_ticket") == "asked"
    terminal.type("yes\n")
    assert terminal.end() == 0
    assert state_of(folder, "close_ticket") == "approved"


def test_a_no_at_the_terminal_leaves_the_question_open(folder, question):
    """`no` ends with code 1, and the question waits on; so do Ctrl-C and the end of the input."""
    for leave in (lambda t: t.type("no\n"), lambda t: t.type("\x04"), Terminal.interrupt):
        terminal = Terminal("approve", question("close_ticket"))
        terminal.until("Type yes or no:")
        leave(terminal)
        assert terminal.end() == 1
        assert "Nothing was done." in terminal.text
    assert state_of(folder, "close_ticket") == "asked"


def test_what_was_typed_ahead_answers_nothing(folder, question):
    """A yes that was typed before the question stood on the screen is forgotten."""
    terminal = Terminal("approve", question("close_ticket"), ahead="yes\nyes\n")
    terminal.until("Type yes or no:")
    assert state_of(folder, "close_ticket") == "asked"
    terminal.type("no\n")
    assert terminal.end() == 1
    assert state_of(folder, "close_ticket") == "asked"


def test_the_fact_that_matters_is_typed(folder, question):
    """Where the question asks for a value, typing exactly it approves, and an empty line asks again."""
    terminal = Terminal("approve", question("refund"))
    terminal.until("Type the order to approve:")
    terminal.type("\n")
    terminal.until("Type the order to approve:", times=2)
    assert state_of(folder, "refund") == "asked"
    terminal.type("4711\n")
    assert terminal.end() == 0
    assert state_of(folder, "refund") == "approved"


def test_whoever_answers_reads_what_happens_next(folder, ladder, question):
    """Nobody goes on with threads here, which is said after the answer and in the list, with what would."""
    name = question("close_ticket")
    said = " ".join(ladder("approve", name, "--yes").stdout.split())
    assert "goes on when a worker runs (ladder resume-worker MODULE:GRAPH), or at graph.invoke(None, config)" in said
    found = next(one for one in ladder("resumptions", "--json").document if one["question"].startswith(name[:8]))
    assert (found["tool"], found["answer"], found["state"]) == ("close_ticket", "approve", "waiting")
    listed = " ".join(ladder("resumptions", columns=200).stdout.split())
    assert name[:8] in listed
    assert "No worker lives." in listed
