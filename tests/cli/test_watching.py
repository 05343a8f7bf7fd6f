"""watch, watched, keep, undo, extend, rehearse: an action after it ran, by real processes."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import json
import signal
import sys
from dataclasses import replace

import httpx
import pytest
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder
from ladder_graph.cli.aftermath import RehearsalDocument, WatchedDocument
from ladder_graph.testing import ScriptedModel, calls
from ladder_graph.tools import declaration_of
from tests.cli.press import LETTER_RULE, LETTERS, TOKEN, TOOLS, Press, line
from tests.cli.test_answering import ME


@pytest.fixture
def press(tmp_path, monkeypatch):
    """A press whose actions `ladder watch` must see through, in whose folder the test stands."""
    yield from _at(tmp_path, monkeypatch, "process")


@pytest.fixture
def written(tmp_path, monkeypatch):
    """The key of an action that is watched, after its agent, which watched for itself, was closed."""
    for _ in _at(tmp_path, monkeypatch, "thread"):
        assert _acted("after")
        with contextlib.closing(Ladder(policy="ladder.toml")) as ladder:
            (action,) = ladder.actions()
        yield action.key


def _at(folder, monkeypatch, watcher):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    found = Press(folder, watcher)
    yield found
    found.stop()
    for name in ("press_agent", "press_tools", "press_health"):
        sys.modules.pop(name, None)


def _acted(text):
    """Let an agent write the page in this process: whether it acted, or asked."""
    ladder, out = importlib.import_module("press_agent").act(text)
    ladder.close()
    return "__interrupt__" not in out


def state(ladder, key=""):
    """The state of an action; of the last one, if none is named."""
    key = key or ladder("log", "--json").document[-1]["action"]
    return ladder("show", key, "--json").document["state"]


def alert(**labels):
    """One alert that began now."""
    starts = dt.datetime.now(tz=dt.UTC).isoformat()
    return {"status": "firing", "labels": labels, "fingerprint": "f1", "startsAt": starts}


# --- processes -------------------------------------------------------------------------------------------------------


def test_the_watch_goes_on_when_the_agent_is_dead(press, ladder):
    """The agent acts and dies; the watcher keeps measuring, undoes on a bad measurement, and stops when it is told."""
    watcher = press.watch()
    line(watcher, "watching")
    assert press.act("after") == "acted"
    assert press.page.read_text() == "after"
    press.fall_sick()
    assert "press_health:fine was bad once" in line(watcher, "undo: write_page")
    line(watcher, "undone: write_page")
    assert press.page.read_text() == "before"
    watcher.send_signal(signal.SIGTERM)
    line(watcher, "stopped")
    assert watcher.wait(60) == 0
    assert state(ladder) == "undone"
    assert ladder("watched", "--json").document == []


def test_an_edit_of_the_policy_is_taken_up_by_who_watches(press, ladder):
    """Whole, and while nothing is due; one with mistakes, or with another ledger, is said and leaves it as it was."""
    watcher, before = press.watch(), press.policy.read_text()
    line(watcher, "watching")
    press.policy.write_text(before.replace("limit = 9", "limit = 8"))
    revision = line(watcher, "is in force from now on").partition("revision ")[2].split()[0]
    press.policy.write_text(before.replace("limit = 9", "limt = 8"))
    assert "limt" in line(watcher, "the policy stays as it was")
    press.policy.write_text(before.replace("ladder.db", "other.db"))
    assert "ledger can't change" in line(watcher, "the policy stays as it was")
    assert not (press.folder / "other.db").exists()
    press.policy.write_text(before.replace("limit = 9", "limit = 8"))
    assert press.act("after") == "acted"
    press.fall_sick()
    line(watcher, "undone: write_page")
    texts = [entry["body"]["text"] for entry in ladder("log", "--json").document if entry["kind"] == "policy"]
    assert [revision in text for text in texts] == [True, False, False]
    assert state(ladder) == "undone"


def test_an_alert_over_http_undoes(press, ladder):
    """An alert with the token is stored and undoes; one without is turned away; a later call asks while it fires."""
    watcher = press.watch("--listen", "0")
    url = line(watcher, "alerts are taken at").split()[-1]
    assert url.startswith("http://127.0.0.1:")
    assert _acted("after")
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    firing = alert(app="press")
    assert httpx.post(url, json=firing).status_code == 401
    assert httpx.post(url, json={"status": "odd"}, headers=bearer).status_code == 400
    assert httpx.post(url, json=firing, headers=bearer).status_code == 204
    assert "1 delivered, 1 new" in line(watcher, "alerts:")
    assert "the alert app=press fired" in line(watcher, "undo: write_page")
    line(watcher, "undone: write_page")
    assert press.page.read_text() == "before"
    assert httpx.post(url, json=firing, headers=bearer).status_code == 204
    assert "1 delivered, 0 new" in line(watcher, "alerts:")
    assert not _acted("again")
    assert "already" in ladder("pending").stdout
    assert len(ladder("status", "--json").document[0]["watchers"]) == 1
    watcher.send_signal(signal.SIGINT)
    assert watcher.wait(60) == 0


def test_an_incident_over_http_puts_a_tool_down(press, ladder):
    """With the token it counts, once, for whom the token is; the tool goes down before its next call."""
    watcher = press.watch("--listen", "0")
    url = line(watcher, "incidents are taken at").split()[-1]
    assert _acted("after")
    key = ladder("log", "--json").document[-1]["action"]
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    said = {"action": key, "severity": "S2", "class": "wrong_page", "text": "another page", "by": "ana"}
    assert httpx.post(url, json=said).status_code == 401
    assert httpx.post(url, json={**said, "severity": 2}, headers=bearer).status_code == 400
    assert httpx.post(url, json={**said, "action": "f" * 64}, headers=bearer).status_code == 404
    first = httpx.post(url, json=said, headers=bearer)
    assert (first.status_code, first.json()["new"], first.json()["demoted_to"]) == (200, True, "confirm")
    again = httpx.post(url, json=said, headers=bearer)
    assert (again.status_code, again.json()["new"], again.json()["demoted_to"]) == (200, False, None)
    (entry,) = [one for one in ladder("log", "--json").document if one["kind"] == "incident"]
    assert (entry["body"]["by"], entry["body"]["auth"]) == ("PRESS_TOKEN, for ana", "server")
    assert not _acted("again")
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(20) == 0


def test_it_says_whether_it_is_well_and_what_waits(press, ladder, monkeypatch):
    """Whoever listens answers `/healthz` to anybody, and `/metrics` to whoever has the token of the policy."""
    named = '[metrics]\ntoken_env = "FIGURES_TOKEN"\n\n[signals]'
    press.policy.write_text(press.policy.read_text().replace("[signals]", named))
    monkeypatch.setenv("FIGURES_TOKEN", "figures-of-some-length")
    watcher = press.watch("--listen", "0")
    url = line(watcher, "figures are told at").split()[-1]
    assert (found := httpx.get(url.replace("metrics", "healthz"))).status_code == 200, found.text
    assert httpx.get(url).status_code == 401
    assert _acted("after")
    page = httpx.get(url, headers={"Authorization": "Bearer figures-of-some-length"}).text
    assert 'ladder_watchers{ladder_state="alive"} 1' in page
    assert 'ladder_watches_open{gen_ai_agent_name="press",gen_ai_tool_name="write_page",ladder_phase="open"} 1' in page
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(20) == 0


def test_without_a_watcher_it_asks(press, ladder):
    """Where only `ladder watch` watches and none runs, the tool doesn't act unasked, and the doctor says why."""
    assert not _acted("after")
    (cell,) = ladder("status", "--json").document
    assert (cell["effective"], [one["code"] for one in cell["reasons"]]) == ("confirm", ["no_watcher"])
    found = {one["about"]: one for one in ladder("doctor", "--json", code=1).document}
    assert (found["watchers"]["verdict"], found["signals"]["verdict"]) == ("wrong", "note")
    assert {"text": found["write_page"]["points"][0]["text"], "advice": "run `ladder watch`"} in found["write_page"][
        "points"
    ]


@pytest.mark.parametrize(
    ("token", "options", "words"),
    [
        (None, ["--listen", "0"], "PRESS_TOKEN isn't set"),
        ("short", ["--listen", "0"], "has fewer than 16 characters"),
        (TOKEN, ["--listen", "here"], "names no port"),
        (TOKEN, ["--listen", "198.51.100.1:0"], "can't be listened at"),
    ],
)
def test_it_does_not_listen_without_a_token_or_a_place(press, ladder, monkeypatch, token, options, words):
    """What can't be listened with is said in words, before anything starts."""
    if token is not None:
        monkeypatch.setenv("PRESS_TOKEN", token)
    assert words in ladder("watch", *options, code=2).stderr


def test_no_token_is_named(press, ladder):
    """A policy that names no token takes no alerts, and its doctor says so."""
    press.policy.write_text(press.policy.read_text().replace('token_env = "PRESS_TOKEN"', ""))
    assert "token_env" in ladder("watch", "--listen", "0", code=2).stderr
    found = {one["about"]: one for one in ladder("doctor", "--json", code=1).document}
    assert found["signals"]["verdict"] == "wrong"


# --- people ----------------------------------------------------------------------------------------------------------


def test_once_does_what_is_due_and_ends(written, ladder, tmp_path):
    """`watch --once` measures what is due now, and undoes it where that is bad."""
    (tmp_path / "sick").touch()
    assert "undone: write_page" in ladder("watch", "--once").stdout
    assert (tmp_path / "page.html").read_text() == "before"
    assert state(ladder, written) == "undone"
    assert ladder("status", "--json").document[0]["watchers"] == []


def test_what_is_watched_is_listed_and_shown(written, ladder):
    """The list counts the measurements, the life of the action shows them, and status counts the windows."""
    (one,) = ladder("watched", "--json").document
    assert list(one) == list(WatchedDocument.__annotations__)
    assert (one["action"], one["tool"], one["phase"]) == (written, "write_page", "open")
    assert 0 < one["seconds_left"] <= 600
    assert len(one["measured"]) == one["good"] + one["bad"] + one["inconclusive"]
    text = ladder("watched").stdout
    assert "write_page" in text
    assert "No watcher lives" in text
    assert ladder("show", written, "--json").document["window"]["phase"] == "open"
    assert "Watched  open" in ladder("show", written).stdout
    assert ladder("status", "--json").document[0]["watched"] == 1
    assert "1 watched; no watcher lives" in ladder("status").stdout


def test_a_person_keeps_an_action(written, ladder, tmp_path):
    """Once it is kept nothing undoes it any more, and who kept it is on record."""
    assert f"kept by {ME}" in ladder("keep", written[:12], "--reason", "looks good").stdout
    assert ladder("watched", "--json").document == []
    (tmp_path / "sick").touch()
    ladder("watch", "--once")
    assert (tmp_path / "page.html").read_text() == "after"
    told = [one["body"] for one in ladder("log", "--json").document if one["kind"] == "told"]
    assert [(one["by"], one["reason"]) for one in told] == [(ME, "looks good")]
    assert "isn't watched" in ladder("keep", written, code=2).stderr


def test_an_agent_that_watches_for_itself_need_not_run_now(written, ladder):
    """With nothing left to watch, no watcher is only a note; with a window open, it is wrong."""
    found = {one["about"]: one for one in ladder("doctor", "--json", code=1).document}
    assert found["watchers"]["verdict"] == "wrong"
    assert "1 action to see through" in found["watchers"]["text"]
    ladder("keep", written)
    found = {one["about"]: one for one in ladder("doctor", "--json").document}
    assert (found["watchers"]["verdict"], found["write_page"]["verdict"]) == ("note", "note")


def test_a_person_undoes_an_action(written, ladder, tmp_path):
    """`undo` says what came of it, and a second one says that it can't be."""
    assert f"undone by {ME}" in ladder("undo", written[:12], "--reason", "a typo").stdout
    assert (tmp_path / "page.html").read_text() == "before"
    assert "can't be undone now: it is undone" in ladder("undo", written, code=2).stderr
    assert "no action" in ladder("undo", "ffff", code=2).stderr


def test_an_undo_that_finds_nothing_to_do_says_so(written, ladder, tmp_path):
    """Where things are as before already, there is nothing to undo."""
    (tmp_path / "page.html").write_text("before")
    assert "nothing to undo" in ladder("undo", written).stdout


def test_an_undo_that_meets_a_change_is_a_conflict(written, ladder, tmp_path):
    """What somebody changed meanwhile stays, the exit code is 1, and it waits for a person, as status says."""
    (tmp_path / "page.html").write_text("somebody else's")
    assert "conflict" in ladder("undo", written, code=1).stdout
    assert (tmp_path / "page.html").read_text() == "somebody else's"
    assert ladder("status", "--json").document[0]["held"] == [written]
    assert "Waiting for a person" in ladder("status").stdout
    found = {one["about"]: one for one in ladder("doctor", "--json", code=None).document}
    assert written[:8] in found["held"]["points"][0]["text"]


def test_an_undo_that_comes_too_late_says_so(press, ladder):
    """Past its ttl nothing is touched, and `undo` says that this is why."""
    tools = importlib.import_module("press_tools")
    press.policy.write_text(press.policy.read_text().replace('rung = "rollback"', 'rung = "bounded"'))
    with contextlib.closing(Ladder(policy="ladder.toml")) as mounted:
        mounted.declare("write_page", replace(declaration_of(tools.write_page.func), ttl=0.001))
        model = ScriptedModel(answers=[calls("write_page", {"path": str(press.page), "text": "after"}), "Done."])
        graph = mounted.wrap(create_agent(model, [tools.write_page], checkpointer=InMemorySaver()))
        graph.invoke({"messages": [("user", "Go.")]}, {"configurable": {"thread_id": "1"}})
        (action,) = mounted.actions()
    assert "too late" in ladder("undo", action.key, code=1).stdout
    assert press.page.read_text() == "after"


@pytest.mark.parametrize("command", [["watch"], ["rehearse", "press_tools:write_page", "--yes", "--args", "{}"]])
def test_a_ledger_in_memory_is_nobody_elses(press, ladder, command):
    """Where no other process sees the ledger, nothing is watched or kept in it."""
    press.policy.write_text(press.policy.read_text().replace("ladder.db", ":memory:"))
    assert "in the agent's memory" in ladder(*command, code=2).stderr


def test_a_person_watches_longer(written, ladder):
    """The end moves; an odd duration is said in words."""
    assert "is watched until" in ladder("extend", written, "--for", "2h").stdout
    (one,) = ladder("watched", "--json").document
    assert one["seconds_left"] > 7000
    assert "--for 'soon'" in ladder("extend", written, "--for", "soon", code=2).stderr


# --- messages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["ana", "nobody"])
def test_a_watcher_sends_what_is_due(press, ladder, to):
    """A message waits until it is due, and then it is sent; one that nobody knows of is shown to people."""
    (press.folder / "press_tools.py").write_text(TOOLS + LETTERS)
    press.policy.write_text(press.policy.read_text() + LETTER_RULE)
    tools = importlib.import_module("press_tools")
    with contextlib.closing(Ladder(policy="ladder.toml")) as mounted:
        model = ScriptedModel(answers=[calls("send_letter", {"to": to}), "Done."])
        graph = mounted.wrap(create_agent(model, [tools.send_letter], checkpointer=InMemorySaver()))
        graph.invoke({"messages": [("user", "Go.")]}, {"configurable": {"thread_id": "1"}})
    assert "sent" not in ladder("watch", "--once").stdout
    (message,) = (press.folder / "outbox" / "held").iterdir()
    message.write_text(json.dumps({**json.loads(message.read_text()), "due": 0}))
    told = ladder("watch", "--once").stdout
    cell = next(one for one in ladder("status", "--json").document if one["tool"] == "send_letter")
    if to == "ana":
        assert "sent: message" in told
        assert (press.folder / "sent").read_text() == "ana"
        assert cell["messages_in_doubt"] == []
    else:
        assert "in doubt: nobody knows" in told
        assert cell["messages_in_doubt"] == [str(press.folder / "outbox" / "in-doubt" / message.name)]
        assert "may have been sent" in ladder("status").stdout


# --- rehearsals ------------------------------------------------------------------------------------------------------


def rehearse(ladder, *options, code=0):
    """Rehearse the page's undo."""
    return ladder("rehearse", "press_tools:write_page", "--yes", *options, code=code)


def test_a_rehearsal_is_written_down_for_this_version(press, ladder):
    """The steps are shown and the result kept; the doctor sees whether it is for the tool as it is now."""
    arguments = '{"path": "page.html", "text": "tried"}'
    result = rehearse(ladder, "--args", arguments, "--foreign", "press_tools:somebody")
    assert "really calls the tool" in result.stderr
    assert "an undo after the call puts everything back" in result.stdout
    entry = ladder("log", "--json").document[-1]
    assert (entry["kind"], entry["body"]["passed"], entry["body"]["by"]) == ("rehearsed", True, ME)
    points = _points(ladder, "press_tools:write_page")
    assert any("with this very version, and passed" in text for text in points)
    # As a mount would have it.
    agent = importlib.import_module("press_agent")
    mounted, _ = agent.act("after")
    version = mounted.seat_of("press", "write_page").edition("write_page")
    mounted.close()
    assert entry["body"]["version"] == version


def test_a_rehearsal_that_fails_is_a_failure(press, ladder):
    """A call that changes nothing shows nothing: exit code 1, and the doctor says it."""
    arguments = '{"path": "page.html", "text": "before"}'
    document = rehearse(ladder, "--args", arguments, "--json", code=1).document
    assert list(document) == list(RehearsalDocument.__annotations__)
    assert not document["passed"]
    assert any("failed when it was rehearsed" in text for text in _points(ladder, "press_tools:write_page"))


def test_a_rehearsal_of_another_version_is_said(press, ladder):
    """After the tool's code has changed, its rehearsal speaks for another version."""
    rehearse(ladder, "--args", '{"path": "page.html", "text": "tried"}')
    file = press.folder / "press_tools.py"
    file.write_text(file.read_text().replace('return "written"', 'return "it is written"'))
    importlib.invalidate_caches()
    sys.modules.pop("press_tools")
    assert any("another version of the tool" in text for text in _points(ladder, "press_tools:write_page"))


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        ("press_tools:write_page", '{"path": "page.html"}', "text: Field required"),
        ("press_tools:somebody", "{}", "no tool can be made of somebody"),
        ("write_page", "{}", "'write_page' names no tool"),
    ],
)
def test_a_mistake_of_the_person_is_no_rehearsal(press, ladder, tool, arguments, why):
    """Nothing runs, what was written down before stays, and the mistake is said in a line."""
    rehearse(ladder, "--args", '{"path": "page.html", "text": "tried"}')
    told = ladder("rehearse", tool, "--args", arguments, "--yes", code=2)
    assert why in told.stderr.replace("\n", " ")
    assert [entry["body"]["passed"] for entry in ladder("log", "--json").document] == [True]


OTHER = """
from ladder_graph import undo

another = undo.files("path", largest="5MB")
"""
"""An undo that the policy may name instead of the tool's own."""


def test_an_agent_that_runs_stands_on_rollback_once_its_undo_was_rehearsed(press, ladder):
    """By default. `ladder rehearse` counts from the next call on; another undo in the policy must be rehearsed anew."""
    told = press.policy.read_text().replace('rehearsals = "advised"\n', "").replace("watcher", "# watcher")
    (press.folder / "press_undo.py").write_text(OTHER)
    for policy in (told, told.replace("[tools.write_page]", '[tools.write_page]\nundo = "press_undo:another"')):
        press.policy.write_text(policy)
        with contextlib.closing(importlib.import_module("press_agent").act("after")[0]) as mounted:
            assert _stands(mounted) == _stands(ladder) == ("bounded", ["not_rehearsed"])
            assert "no rehearsal of this undo" in ladder("status").stdout
            rehearse(ladder, "--args", '{"path": "page.html", "text": "tried"}')
            assert _stands(mounted) == _stands(ladder) == ("rollback", [])


def _stands(at):
    """The rung of the page, and why no higher: to an agent that runs, or to the command line."""
    if isinstance(at, Ladder):
        (cell,) = at.status()
        return cell.route.rung.word, [reason.code for reason in cell.route.reasons]
    (cell,) = at("status", "--json").document
    return cell["effective"], [reason["code"] for reason in cell["reasons"]]


@pytest.mark.parametrize("arguments", ["[1]", "{"])
def test_arguments_that_are_none_are_an_error(press, ladder, arguments):
    """What is no JSON object isn't called with."""
    assert "--args is no JSON" in rehearse(ladder, "--args", arguments, code=2).stderr
    assert press.page.read_text() == "before"


def _points(ladder, app):
    (press_tools, name) = app.split(":")
    module = importlib.import_module(press_tools)
    module.tools = [getattr(module, name)]
    found = ladder("doctor", "--app", f"{press_tools}:tools", "--json", code=None).document
    return [point["text"] for one in found if one["about"] == name for point in one["points"]]
