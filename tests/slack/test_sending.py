"""Sending to Slack: whatever keeps a question from it keeps no other message, and is said without a secret."""

from __future__ import annotations

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


def test_a_reply_that_can_not_be_sent_is_logged(monkeypatch, caplog):
    """The answer stands, and whoever pressed sees no error of ours."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    reply(REPLY, {"text": "Run once."})
    assert "Slack can't be reached: ImportError" in caplog.text
