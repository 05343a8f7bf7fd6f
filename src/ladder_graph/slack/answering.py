"""An answer from Slack: whose it is, whether it is theirs to give, and what they read then."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from ladder_graph.errors import LadderError
from ladder_graph.facts import Person, Question
from ladder_graph.ledger.access import slack as replays
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.slack.messages import DECLINE, DECLINED, RUN, arguments, aside, over
from ladder_graph.slack.signature import genuine, word

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

LARGEST = 1_048_576
"""Bytes of a request that are read; one holds the whole message that its button stood in."""
REPLIES = "https://hooks.slack.com/"
"""Where Slack wants replies; anything else that a request names is no address of Slack's."""
VERDICTS = {RUN: "approve", DECLINE: "decline"}

NOT_HERE = "This is not answered in Slack. Open it in the console, or use `ladder approve`."
NOT_YOU = "Nobody here knows you as somebody who answers. Nothing was done."
NOT_THIS = "What this message asks is not what is asked now. Nothing was done; look at it in the console."


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button that somebody pressed."""

    verdict: str
    member: str
    """Who pressed it, by their id in Slack."""
    question: str
    digest: str
    word: str
    reply_to: str
    """Where what came of it goes; empty where Slack named no place of its own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request comes to."""

    status: int
    """The HTTP status; never a word beside it."""
    reply_to: str = ""
    """Where `reply` goes."""
    reply: Mapping[str, Any] | None = None


def taken(ladder: Ladder, headers: Mapping[str, str], body: bytes) -> Outcome:
    """Take a request that says it is Slack's.

    It answers for the one who is known by the member's id, and only what their message showed.

    Args:
        ladder: The ladder whose question it is.
        headers: The request's, by their names in lower case.
        body: Its raw body.
    """
    policy, now = ladder.refresh(), ladder.clock()
    secret = os.environ.get(policy.slack.signing_secret_env or "", "")
    stamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
    if len(body) > LARGEST:
        return Outcome(413)
    if not genuine(secret, stamp, body, signature, now.timestamp()):
        return Outcome(401)
    pressed = read(body)
    if pressed is None:
        return Outcome(400)
    mark = hashlib.sha256(signature.encode()).hexdigest()
    if not ladder.store.write(lambda cursor: replays.first_time(cursor, mark, micros(now))):
        return Outcome(200)  # The very same request again: what it said was done or refused then.
    return Outcome(200, pressed.reply_to, _answered(ladder, pressed, secret))


def read(body: bytes) -> Pressed | None:
    """The button in a request; None where the request isn't one of ours."""
    try:
        (payload,) = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=4)["payload"]
        found = json.loads(payload)
        (action,) = found["actions"]
        value = json.loads(action["value"])
        texts = (found["user"]["id"], value["q"], value["d"], value["w"])
        verdict, kind, reply_to = VERDICTS[action["action_id"]], found["type"], found.get("response_url")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if kind != "block_actions" or not all(isinstance(text, str) and text.isascii() for text in texts):
        return None
    genuine_place = isinstance(reply_to, str) and reply_to.startswith(REPLIES)
    return Pressed(verdict, *texts, reply_to if genuine_place else "")


def _answered(ladder: Ladder, pressed: Pressed, secret: str) -> dict[str, Any]:
    """Answer in the name of whoever pressed it, and say what came of that; a refusal to them alone."""
    policy = ladder.policy
    name = next((name for name, one in policy.people.items() if one.slack == pressed.member), None)
    if name is None:
        return aside(NOT_YOU)
    made = word(secret, pressed.verdict, pressed.question, pressed.digest)
    if not hmac.compare_digest(made, pressed.word):
        return aside(NOT_THIS)
    person = Person(name, "slack")
    try:
        asked = ladder.question(pressed.question)
        if asked.id != pressed.question or asked.digest != pressed.digest:
            return aside(NOT_THIS)
        rule = policy.rule(asked.call.tool)
        fit = "slack" in rule.confirm.via and rule.impact == asked.impact == "low" and asked.to_type is None
        if not fit or rule.labels or arguments(asked) is None:
            return aside(NOT_HERE)
        done = _give(ladder, asked, pressed, person)
    except LadderError as refused:
        return aside(f"Nothing was done: {refused}")
    return over(asked, _said(done, name, pressed.verdict)) if done.decision is not None else _voted(done, name)


def _give(ladder: Ladder, asked: Question, pressed: Pressed, person: Person) -> Question:
    if pressed.verdict == "approve":
        return ladder.approve(asked.id, by=person, digest=pressed.digest)
    return ladder.decline(asked.id, by=person, reason=DECLINED)


def _said(done: Question, name: str, verdict: str) -> str:
    if done.probe:
        return f"This was a probe, which never runs: {done.probe}"
    return f"{name} let it run, once." if verdict == "approve" else f"{name} declined it: “{DECLINED}”."


def _voted(done: Question, name: str) -> dict[str, Any]:
    left = done.quorum - len(done.votes)
    return aside(f"{name}, your yes counts; {left} more must approve.")
