"""Questions in Slack and the answers from there: every argument shown, a named person, what was shown, once."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import httpx
import pytest
import respx
from langgraph.checkpoint.memory import InMemorySaver
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ladder_graph import Ladder, Policy, PolicyError
from ladder_graph.console import create_app
from ladder_graph.slack.answering import LARGEST
from ladder_graph.slack.messages import DECLINE, RUN
from ladder_graph.slack.receiving import answers
from ladder_graph.slack.signature import sign
from ladder_graph.testing import FrozenClock, calls
from tests.hosts.graphs import GO, World, agent_of, on

SECRET = "a signing secret of slack's"  # noqa: S105  # of the tests
HOOK = "https://hooks.slack.com/services/T1/B1/x"
REPLY = "https://hooks.slack.com/actions/T1/1/y"
TOOLS = {
    "a": {"rung": "confirm", "confirm": {"via": ["slack"]}},
    "plain": {"rung": "confirm"},
    "two": {"rung": "confirm", "confirm": {"via": ["slack"], "quorum": 2}},
    "secret": {"rung": "confirm", "confirm": {"via": ["slack"]}, "labels": ["pii"]},
    "ben_only": {"rung": "confirm", "confirm": {"via": ["slack"], "by": ["ben"]}},
}
PEOPLE = {"ana": {"slack": "U0ANA", "labels": ["pii"]}, "ben": {"slack": "U0BEN"}, "cy": {}}


def policy_of(**changes):
    """The policy, with something in it changed."""
    return Policy.model_validate({
        "agent": "ops", "tools": TOOLS, "people": PEOPLE, "watcher": "process", "console": {"url": "https://ladder.example"},
        "slack": {"webhook_env": "HOOK", "signing_secret_env": "SECRET"}, **changes,
    })  # fmt: skip


class Stage:
    """An agent that asks, Slack's end of the wire, and the address that answers come to."""

    def __init__(self):
        self.world, self.clock = World(), FrozenClock()
        self.ladder = Ladder(policy=policy_of(), ledger=":memory:", clock=self.clock)
        self.client = TestClient(Starlette(routes=[answers(self.ladder)]))
        self.threads = 0

    def ask(self, tool="a", value="1"):
        """Let a tool ask, and send it; the question, and the message that Slack got."""
        self.threads += 1
        graph = self.ladder.wrap(
            agent_of([calls(tool, {"x": value}), "Done."], [self.world.tool(tool)]), checkpointer=InMemorySaver()
        )
        graph.invoke(GO, on(str(self.threads)))
        with respx.mock(assert_all_called=False) as slack:
            hook = slack.post(HOOK).mock(return_value=httpx.Response(200, text="ok"))
            self.ladder.send_messages()
            sent = [json.loads(call.request.content) for call in hook.calls]
        question = next(one for one in self.ladder.pending() if one.call.thread == str(self.threads))
        return question, sent

    def press(self, button, member="U0ANA", **changes):
        """Press a button; the status, and what Slack was told."""
        payload = {
            "type": "block_actions", "user": {"id": member}, "response_url": REPLY,
            "actions": [{"action_id": button["action_id"], "value": button["value"]}], **changes,
        }  # fmt: skip
        return self.post(urlencode({"payload": json.dumps(payload)}).encode())

    def post(self, body, *, stamp=None, signature=None):
        """Post a request as Slack does."""
        stamp = stamp or str(int(self.clock().timestamp()))
        self.clock.advance(1)
        headers = {
            "x-slack-request-timestamp": stamp, "x-slack-signature": signature or sign(SECRET, stamp, body),
            "content-type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        with respx.mock(assert_all_called=False) as slack:
            told = slack.post(REPLY).mock(return_value=httpx.Response(200))
            response = self.client.post("/slack/answers", content=body, headers=headers)
            assert response.content == b""
            return response.status_code, [json.loads(call.request.content) for call in told.calls]


@pytest.fixture
def stage(monkeypatch):
    """With the secrets in the environment."""
    monkeypatch.setenv("HOOK", HOOK)
    monkeypatch.setenv("SECRET", SECRET)
    return Stage()


def buttons_of(sent):
    """The buttons of a message, by their ids."""
    (message,) = sent
    found = [one for block in message["blocks"] if block["type"] == "actions" for one in block["elements"]]
    return {one["action_id"]: one for one in found}


def texts_of(message):
    """The texts of a message's blocks."""
    return [block["text"]["text"] for block in message["blocks"] if "text" in block]


def test_a_message_shows_every_argument_and_two_equal_buttons(stage):
    """In plain text, with why, until when, the digest and the link; neither button is coloured."""
    question, sent = stage.ask(value="<!channel> & *bold* :tada:")
    texts = texts_of(sent[0])
    assert 'x: "&lt;!channel&gt; &amp; *bold* :tada:"' in texts
    assert any("You are asked because" in text and question.digest[:16] in text for text in texts)
    assert all(
        block["text"]["type"] == "plain_text" and block["text"]["emoji"] is False
        for block in sent[0]["blocks"]
        if "text" in block
    )
    found = buttons_of(sent)
    assert set(found) == {RUN, DECLINE}
    assert not any("style" in one or "confirm" in one for one in found.values())
    assert f"https://ladder.example/confirm/{question.id}" in json.dumps(sent[0]["blocks"][-1])
    assert stage.ladder.send_messages() == 0


@pytest.mark.parametrize("value", ["x" * 3001, "&" * 700, "pay\u202e", "a\x1b[2J", "zero\u200bwidth"])
def test_what_does_not_fit_or_can_not_be_seen_is_only_linked(stage, value):
    """Then there are no buttons, and nothing of the arguments."""
    _, sent = stage.ask(value=value)
    assert buttons_of(sent) == {}
    assert value not in json.dumps(sent, ensure_ascii=False)
    assert "https://ladder.example/confirm/" in json.dumps(sent)


def test_what_has_labels_is_only_linked(stage):
    """Not everybody in a channel may see it."""
    _, sent = stage.ask("secret", value="4111 1111")
    assert buttons_of(sent) == {}
    assert "4111" not in json.dumps(sent)


def test_a_tool_whose_policy_says_nothing_is_not_sent(stage):
    """It is answered elsewhere."""
    assert stage.ask("plain")[1] == []


def test_yes(stage):
    """The person is the one whose member id it is; the message loses its buttons and says who it was."""
    question, sent = stage.ask()
    status, told = stage.press(buttons_of(sent)[RUN])
    assert status == 200
    decision = stage.ladder.question(question.id).decision
    assert (decision.verdict, decision.by.name, decision.by.auth) == ("approve", "ana", "slack")
    assert told[0]["replace_original"] is True
    assert buttons_of(told) == {}
    assert "ana let it run, once." in texts_of(told[0])
    assert stage.ladder.resumptions()[0].state == "waiting"


def test_no(stage):
    """The agent reads the fixed reason that the button says."""
    question, sent = stage.ask()
    button = buttons_of(sent)[DECLINE]
    assert "declined in Slack" in button["text"]["text"]
    stage.press(button)
    decision = stage.ladder.question(question.id).decision
    assert (decision.verdict, decision.reason) == ("decline", "declined in Slack")


def test_a_quorum_takes_two_people(stage):
    """One person's second press doesn't count; the message keeps its buttons until enough have said yes."""
    question, sent = stage.ask("two")
    run = buttons_of(sent)[RUN]
    _, told = stage.press(run)
    assert told[0]["response_type"] == "ephemeral"
    assert "1 more must approve" in texts_of(told[0])[0]
    stage.press(run)
    assert stage.ladder.question(question.id).decision is None
    _, told = stage.press(run, member="U0BEN")
    assert told[0]["replace_original"] is True


@pytest.mark.parametrize("member", ["U0EVE", "", "ana", "u0ana"])
def test_a_stranger_is_refused(stage, member):
    """A valid signature only proves that it was Slack."""
    question, sent = stage.ask()
    status, told = stage.press(buttons_of(sent)[RUN], member=member)
    assert status == 200
    assert told[0]["response_type"] == "ephemeral"
    assert stage.ladder.question(question.id).decision is None


def test_who_may_not_answer_is_told_so_alone(stage):
    """The rule names somebody else."""
    question, sent = stage.ask("ben_only")
    _, told = stage.press(buttons_of(sent)[RUN])
    assert told[0]["response_type"] == "ephemeral"
    assert "Nothing was done" in texts_of(told[0])[0]
    assert stage.ladder.question(question.id).decision is None


def forged(stage, sent):
    """Buttons that nobody of ours has made."""
    run, no = buttons_of(sent)[RUN], buttons_of(sent)[DECLINE]
    value = json.loads(run["value"])
    yield {**run, "value": no["value"]}
    yield {**run, "value": json.dumps({**value, "w": "0" * 32})}
    yield {**run, "value": json.dumps({**value, "d": "0" * 64})}
    yield {**run, "value": json.dumps({**value, "q": value["q"][:6]})}
    other, _ = stage.ask("plain")
    yield {**run, "value": json.dumps({**value, "q": other.id, "d": other.digest})}


def test_forged_buttons_are_refused(stage):
    """Another verdict, word, digest or question than the message was made with."""
    question, sent = stage.ask()
    for button in forged(stage, sent):
        status, told = stage.press(button)
        assert status == 200
        assert told[0]["response_type"] == "ephemeral"
    assert stage.ladder.question(question.id).decision is None
    assert len(stage.ladder.pending()) == 2


def test_an_old_message_answers_nothing(stage):
    """The question was answered elsewhere, and asked anew it has another digest or id."""
    question, sent = stage.ask()
    stage.ladder.decline(question.id, by="cy", reason="no")
    _, told = stage.press(buttons_of(sent)[RUN])
    assert "cy has answered already" in texts_of(told[0])[0]


def test_the_policy_of_now_counts(stage):
    """What was allowed when the message was sent, and isn't any more, is not taken."""
    question, sent = stage.ask()
    tools = {**TOOLS, "a": {"rung": "confirm"}}
    stage.ladder.policy = policy_of(tools=tools)
    _, told = stage.press(buttons_of(sent)[RUN])
    assert told[0]["response_type"] == "ephemeral"
    assert stage.ladder.question(question.id).decision is None


def test_a_replayed_request_does_nothing(stage):
    """Not in this process, and not in another one: the ledger remembers."""
    question, sent = stage.ask("two")
    button = buttons_of(sent)[RUN]
    payload = {
        "type": "block_actions", "user": {"id": "U0ANA"}, "response_url": REPLY,
        "actions": [{"action_id": button["action_id"], "value": button["value"]}],
    }  # fmt: skip
    body, stamp = urlencode({"payload": json.dumps(payload)}).encode(), str(int(stage.clock().timestamp()))
    assert len(stage.post(body, stamp=stamp)[1]) == 1
    again = stage.post(body, stamp=stamp)
    assert again == (200, [])
    assert len(stage.ladder.question(question.id).votes) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"", b"payload=", b"payload=%7B%7D", b"payload=[]", b"payload=" + b"[" * 50_000, b"\xff\xfe", b"other=1",
        b"payload=%7B%22type%22%3A%22view_submission%22%7D", b"payload={}&payload={}",
    ],
)  # fmt: skip
def test_what_is_no_button_of_ours_is_refused(stage, body):
    """Signed or not, it is nothing that could be an answer."""
    assert stage.post(body) == (400, [])


def test_other_shapes_are_refused(stage):
    """Several actions at once, another kind, another button."""
    question, sent = stage.ask()
    run = buttons_of(sent)[RUN]
    one = {"action_id": RUN, "value": run["value"]}
    assert stage.press(run, actions=[one, one])[0] == 400
    assert stage.press(run, type="view_submission")[0] == 400
    assert stage.press({**run, "action_id": "other"})[0] == 400
    assert stage.ladder.question(question.id).decision is None


def test_an_unsigned_request_is_refused_before_it_is_read(stage):
    """And so is a large one."""
    assert stage.post(b"payload=%7B%7D", signature="v0=00") == (401, [])
    assert stage.post(b"payload=%7B%7D", stamp="1") == (401, [])
    assert stage.post(b"x" * (LARGEST + 1)) == (413, [])


def test_without_a_secret_nothing_is_genuine(stage, monkeypatch):
    """An empty secret would sign anything."""
    monkeypatch.delenv("SECRET")
    stamp, body = str(int(stage.clock().timestamp())), b"payload=%7B%7D"
    assert stage.post(body, stamp=stamp, signature=sign("", stamp, body)) == (401, [])


def test_the_console_takes_them_too(stage):
    """At its own address, without a page, a cookie or an origin; any other form needs those."""
    question, sent = stage.ask()
    stage.client = TestClient(create_app(stage.ladder), base_url="https://ladder.example")
    assert stage.press(buttons_of(sent)[RUN])[0] == 200
    assert stage.ladder.question(question.id).decision.by.auth == "slack"
    assert stage.client.post("/signout").status_code == 403
    stage.client = TestClient(create_app(stage.ladder), base_url="https://elsewhere.example")
    other, _ = stage.ask()
    assert stage.client.post("/slack/answers").status_code == 421
    assert stage.ladder.question(other.id).decision is None


def test_a_reply_goes_to_slack_alone(stage):
    """What a request names as the place for the reply is called only where it is Slack's."""
    _, sent = stage.ask()
    status, told = stage.press(buttons_of(sent)[RUN], response_url="http://169.254.169.254/latest")
    assert (status, told) == (200, [])


def test_a_message_that_slack_does_not_take_is_sent_again(stage):
    """The row that was written with the question stays until it is sent; no address or token is in the log."""
    graph = stage.ladder.wrap(
        agent_of([calls("a", {"x": "1"}), "Done."], [stage.world.tool("a")]), checkpointer=InMemorySaver()
    )
    graph.invoke(GO, on("9"))
    with respx.mock() as slack:
        hook = slack.post(HOOK).mock(side_effect=[httpx.Response(500), httpx.ConnectError("no"), httpx.Response(200)])
        assert stage.ladder.send_messages() == 0
        assert stage.ladder.send_messages() == 0
        assert hook.call_count == 1
        stage.clock.advance(30)
        assert stage.ladder.send_messages() == 0
        stage.clock.advance(120)
        assert stage.ladder.send_messages() == 1
        assert hook.call_count == 3


def test_an_edited_call_that_needs_others_is_sent_too(stage):
    """It is another question, which the first message's buttons answer nothing of."""
    question, _ = stage.ask("two")
    stage.ladder.edit(question.id, {"x": "2"}, by="ana", reason="less")
    (asked,) = stage.ladder.pending()
    with respx.mock() as slack:
        hook = slack.post(HOOK).mock(return_value=httpx.Response(200))
        assert stage.ladder.send_messages() == 1
        sent = [json.loads(hook.calls.last.request.content)]
    assert 'x: "2"' in texts_of(sent[0])
    stage.press(buttons_of(sent)[RUN], member="U0BEN")
    assert stage.ladder.question(asked.id).decision.verdict == "approve"


def test_a_question_that_was_answered_elsewhere_is_not_sent(stage):
    """Its message waited; nothing goes to Slack, which would be refused here."""
    graph = stage.ladder.wrap(
        agent_of([calls("a", {"x": "1"}), "Done."], [stage.world.tool("a")]), checkpointer=InMemorySaver()
    )
    graph.invoke(GO, on("9"))
    stage.ladder.decline(stage.ladder.pending()[0].id, by="cy", reason="no")
    with respx.mock(assert_all_called=False) as slack:
        hook = slack.post(HOOK)
        assert stage.ladder.send_messages() == 0
        assert hook.call_count == 0
    assert stage.ladder.untold() == []


def test_what_waits_for_slack_holds_no_argument(stage):
    """It is read from the question when it is sent."""
    graph = stage.ladder.wrap(
        agent_of([calls("a", {"x": "s3cret"}), "Done."], [stage.world.tool("a")]), checkpointer=InMemorySaver()
    )
    graph.invoke(GO, on("9"))
    (waits,) = stage.ladder.untold()
    assert (waits.channel, waits.target) == ("slack", {"kind": "slack"})
    assert "s3cret" not in str(waits)


def test_whoever_watches_sends_to_slack(stage):
    """Not only a worker that goes on with threads."""
    stage.ladder.watcher.settle()
    graph = stage.ladder.wrap(
        agent_of([calls("a", {"x": "1"}), "Done."], [stage.world.tool("a")]), checkpointer=InMemorySaver()
    )
    graph.invoke(GO, on("9"))
    with respx.mock() as slack:
        hook = slack.post(HOOK).mock(return_value=httpx.Response(200))
        stage.clock.advance(10)
        stage.ladder.watcher.settle()
        assert hook.call_count == 1


def test_a_bot_token_posts_to_its_channel(stage, monkeypatch):
    """Slack says in the body whether it took the message."""
    monkeypatch.setenv("TOKEN", "xoxb-1")
    stage.ladder.policy = policy_of(slack={"token_env": "TOKEN", "channel": "C01", "signing_secret_env": "SECRET"})
    graph = stage.ladder.wrap(
        agent_of([calls("a", {"x": "1"}), "Done."], [stage.world.tool("a")]), checkpointer=InMemorySaver()
    )
    graph.invoke(GO, on("9"))
    with respx.mock() as slack:
        api = slack.post("https://slack.com/api/chat.postMessage").mock(
            side_effect=[
                httpx.Response(200, json={"ok": False, "error": "not_in_channel"}),
                httpx.Response(200, json={"ok": True}),
            ]
        )
        assert stage.ladder.send_messages() == 0
        stage.clock.advance(60)
        assert stage.ladder.send_messages() == 1
        request = api.calls.last.request
    assert json.loads(request.content)["channel"] == "C01"
    assert request.headers["authorization"] == "Bearer xoxb-1"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tools": {"a": {"rung": "confirm", "impact": "medium", "confirm": {"via": ["slack"]}}}}, "low impact only"),
        ({"tools": {"a": {"rung": "confirm", "confirm": {"via": ["slack"], "type": "x"}}}}, "nobody can type the x"),
        ({"slack": {"signing_secret_env": "SECRET"}}, "nowhere to send"),
        ({"slack": {"webhook_env": "HOOK"}}, "nobody could tell a genuine answer"),
        ({"people": {"cy": {}}, "tools": {"a": TOOLS["a"]}}, "nobody is known in Slack"),
        ({"people": {**PEOPLE, "dan": {"slack": "U0ANA"}}}, "would be both of them"),
    ],
)  # fmt: skip
def test_a_policy_that_contradicts_itself_is_refused(changes, said):
    """It is told where it stands, with what would be right."""
    with pytest.raises((PolicyError, ValueError), match=said):
        policy_of(**changes)
