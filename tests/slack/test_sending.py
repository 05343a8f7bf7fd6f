"""Sending to Slack: whatever keeps a question from it keeps no other message, and is said without a secret."""

from __future__ import annotations

import datetime as dt
import json

import httpx
import pytest
import respx
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph.cli.hearing import examine
from ladder_graph.slack.sending import reply
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, agent_of, on
from tests.slack import test_answers
from tests.slack.test_answers import HOOK, REPLY, policy_of

stage = test_answers.stage

TOKEN = "xoxb-s3cret-é"  # noqa: S105  # of the tests


@pytest.mark.parametrize(
    ("slack", "why"), [({"webhook_env": "HOOK"}, "ImportError"), ({"token_env": "TOKEN"}, "UnicodeEncodeError")]
)
def test_what_can_not_be_sent_to_slack_keeps_nothing_else(stage, monkeypatch, tmp_path, slack, why):
    """A proxy that this process can't use, a token that fits into no header: the file is told, and the doctor why."""
    monkeypatch.setenv("TOKEN", TOKEN)
    if "webhook_env" in slack:
        monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    file = tmp_path / "told.jsonl"
    stage.ladder.policy = policy_of(
        slack={"channel": "C01", "signing_secret_env": "SECRET", **slack},
        questions={"notify": [{"kind": "file", "path": str(file), "on": ["asked"]}]},
    )
    for value in "123":
        graph = stage.ladder.wrap(
            agent_of([calls("a", {"x": value}), "Done."], [stage.world.tool("a")]), checkpointer=InMemorySaver()
        )
        graph.invoke(GO, on(value))
    assert stage.ladder.send_messages() == 3
    assert len([json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]) == 3
    untold = stage.ladder.untold()
    assert {(one.channel, one.tries, one.error) for one in untold} == {("slack", 1, f"Slack can't be reached: {why}")}
    found = next(one for one in examine(stage.ladder) if one.about == "notices")
    assert (found.verdict, why in found.points[-1].text) == ("wrong", True)
    assert "s3cret" not in str(found)
    monkeypatch.setenv("TOKEN", "xoxb-1")
    monkeypatch.delenv("ALL_PROXY", raising=False)
    stage.clock.advance(30)
    with respx.mock(assert_all_called=False) as there:
        there.post(HOOK).mock(return_value=httpx.Response(200))
        there.post("https://slack.com/api/chat.postMessage").mock(return_value=httpx.Response(200, json={"ok": True}))
        assert stage.ladder.send_messages() == 3
    assert stage.ladder.untold() == []


def test_slack_is_asked_no_sooner_than_it_says_and_gets_every_question(stage):
    """It takes one a second, and tells whoever is quicker when to come back: about in their order, and none is left."""
    for number in range(12):
        graph = stage.ladder.wrap(
            agent_of([calls("a", {"x": str(number)}), "Done."], [stage.world.tool("a")]), checkpointer=InMemorySaver()
        )
        graph.invoke(GO, on(str(number)))
        stage.clock.advance(0.001)
    asked, began = [one.id for one in stage.ladder.pending()], stage.clock()
    taken, refused, since = [], [], [began - dt.timedelta(hours=1)]

    def slack(request):
        stage.clock.advance(0.25)
        if stage.clock() < since[-1] + dt.timedelta(seconds=1):
            refused.append(request)
            return httpx.Response(429, headers={"Retry-After": "1"})
        since.append(stage.clock())
        taken.extend(one for one in asked if one in request.content.decode())
        return httpx.Response(200, text="ok")

    with respx.mock() as there:
        there.post(HOOK).mock(side_effect=slack)
        for _ in range(24):
            stage.ladder.send_messages()
            waiting = stage.ladder.untold()
            assert {one.tries for one in waiting} <= {0}
            assert {one.error for one in waiting} <= {"Slack answered 429, to be tried again in 1 s"}
            stage.clock.advance(1)
    assert (sorted(taken), len(taken)) == (sorted(asked), 12)
    assert max(abs(asked.index(one) - n) for n, one in enumerate(taken)) <= 2
    assert (since[-1] - began).total_seconds() < 24
    assert len(refused) <= len(taken)


@pytest.mark.parametrize("said", [{}, {"Retry-After": "soon"}])
def test_slack_that_does_not_say_when_is_tried_ever_more_seldom(stage, said):
    """As with whatever else goes wrong."""
    with respx.mock() as there:
        there.post(HOOK).mock(return_value=httpx.Response(429, headers=said))
        graph = stage.ladder.wrap(
            agent_of([calls("a", {"x": "1"}), "Done."], [stage.world.tool("a")]), checkpointer=InMemorySaver()
        )
        graph.invoke(GO, on("1"))
        for _ in range(40):
            stage.ladder.send_messages()
            stage.clock.advance(1)
        assert there.calls.call_count == 2
    assert [(one.tries, one.error) for one in stage.ladder.untold()] == [(2, "Slack answered 429")]


def test_a_reply_that_can_not_be_sent_is_logged(monkeypatch, caplog):
    """The answer stands, and whoever pressed sees no error of ours."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    reply(REPLY, {"text": "Run once."})
    assert "Slack can't be reached: ImportError" in caplog.text
