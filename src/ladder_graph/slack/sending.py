"""Sending questions to Slack, from the rows that were written with them; and saying there what became of one."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ladder_graph.errors import LadderError
from ladder_graph.facts import Question
from ladder_graph.ledger import slack as notices
from ladder_graph.ledger.questions import micros
from ladder_graph.slack.messages import Setting, message

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder
    from ladder_graph.policy import Policy

log = logging.getLogger("ladder_graph")

POST = "https://slack.com/api/chat.postMessage"
TIMEOUT = 10.0
"""Seconds that Slack may take."""


class NotSent(LadderError):
    """Slack didn't take a message. The text holds no secret: neither address nor token."""


def setting(policy: Policy, question: Question) -> Setting:
    """What the message about a question needs beside it.

    Args:
        policy: The policy in force.
        question: What is asked.
    """
    rule = policy.rule(question.call.tool)
    fit = "slack" in rule.confirm.via and rule.impact == question.impact == "low" and not rule.labels
    base = (policy.console.url or "").rstrip("/")
    return Setting(
        os.environ.get(policy.slack.signing_secret_env or "", ""), f"{base}/confirm/{question.id}" if base else "",
        fit and question.to_type is None,
    )  # fmt: skip


def send(policy: Policy, said: Mapping[str, Any]) -> None:
    """Send a message to where the policy says.

    Raises:
        NotSent: Slack can't be reached, or didn't take it.
    """
    slack = policy.slack
    token, hook = os.environ.get(slack.token_env or "", ""), os.environ.get(slack.webhook_env or "", "")
    if token and slack.channel:
        answer = _post(POST, {**said, "channel": slack.channel}, {"Authorization": f"Bearer {token}"})
        if not answer.get("ok"):
            raise NotSent(f"Slack didn't take the message: {str(answer.get('error', 'no reason'))[:80]}")
    elif hook:
        _post(hook, said)
    else:
        raise NotSent("the variable with Slack's webhook or token isn't set")


def reply(address: str, said: Mapping[str, Any]) -> None:
    """Say what became of an answer where Slack wants it; what goes wrong is logged, for the answer stands."""
    try:
        _post(address, said)
    except NotSent as wrong:
        log.warning("Slack was not told what became of an answer: %s", wrong)


def deliver(ladder: Ladder) -> int:
    """Send the questions that are due; how many were sent.

    Each is in one process's hand for a minute. One that can't be sent is tried again until its question is over.
    """
    now = micros(ladder.clock())
    if not ladder.store.glance(lambda cursor: notices.due(cursor, now)):
        return 0
    return sum(_delivered(ladder, one, tries) for one, tries in ladder.store.write(
        lambda cursor: notices.take(cursor, now), durable=False
    ))  # fmt: skip


def _delivered(ladder: Ladder, question: str, tries: int) -> bool:
    policy = ladder.refresh()
    try:
        asked = ladder.question(question)
        if asked.decision is None and not asked.expired:
            send(policy, message(asked, setting(policy, asked)))
    except NotSent as wrong:
        later = micros(ladder.clock()) + notices.later(tries)
        ladder.store.write(lambda cursor: notices.put_off(cursor, question, later), durable=False)
        log.warning("question %s was not sent to Slack: %s", question, wrong)
        return False
    except LadderError:
        asked = None  # It was used, or asked anew, which has a row of its own.
    ladder.store.write(lambda cursor: notices.done(cursor, question), durable=False)
    return asked is not None


def _post(address: str, said: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    import httpx

    try:
        answer = httpx.post(address, json=said, headers=headers, timeout=TIMEOUT, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as wrong:
        raise NotSent(f"Slack can't be reached: {type(wrong).__name__}") from None
    if answer.status_code != httpx.codes.OK:
        raise NotSent(f"Slack answered {answer.status_code}")
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
