"""Sending a question to Slack, and saying there what became of one."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ladder_graph.facts import Question
from ladder_graph.notifying.sending import NotSent, refused
from ladder_graph.slack.messages import Setting, message

if TYPE_CHECKING:
    from ladder_graph.policy import Policy

log = logging.getLogger("ladder_graph")

POST = "https://slack.com/api/chat.postMessage"
TIMEOUT = 10.0
"""Seconds that Slack may take."""


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
        Busy: Slack takes nothing more for a while.
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
        raise NotSent(unsendable(policy))


def unsendable(policy: Policy) -> str:
    """What keeps this process from sending to Slack; empty where nothing is known of. Nothing is sent."""
    slack = policy.slack
    if os.environ.get(slack.webhook_env or "") or (slack.channel and os.environ.get(slack.token_env or "")):
        return ""
    return "the variable with Slack's webhook or token isn't set"


def reply(address: str, said: Mapping[str, Any]) -> None:
    """Say what became of an answer where Slack wants it; what goes wrong is logged, for the answer stands."""
    try:
        _post(address, said)
    except NotSent as wrong:
        log.warning("Slack was not told what became of an answer: %s", wrong)


def tell(policy: Policy, question: Question) -> None:
    """Send a question to where the policy says, as it is now.

    Raises:
        Busy: Slack takes nothing more for a while.
        NotSent: Slack can't be reached, or didn't take it.
    """
    send(policy, message(question, setting(policy, question)))


def _post(address: str, said: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    import httpx

    try:
        answer = httpx.post(address, json=said, headers=headers, timeout=TIMEOUT, follow_redirects=False)
    except Exception as wrong:  # noqa: BLE001  # a proxy or a token that can't be used is no HTTPError
        raise NotSent(f"Slack can't be reached: {type(wrong).__name__}") from None
    if answer.status_code != httpx.codes.OK:
        raise refused("Slack", answer.status_code, answer.headers.get("Retry-After", ""))
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
