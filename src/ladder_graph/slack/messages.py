"""A question as a message in Slack: with every argument and two buttons, or with the link alone. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ladder_graph.calls import normalise
from ladder_graph.facts import Question
from ladder_graph.slack.signature import word
from ladder_graph.wording import inert

TEXT = 3000
"""Characters that Slack takes in a block's text."""
BLOCKS = 50
"""Blocks that Slack takes in a message."""
TOTAL = 12_000
"""Characters of arguments that somebody can be expected to read in a message."""
DECLINED = "declined in Slack"
"""The reason that the agent reads after a no from there."""
ELSEWHERE = "It isn't shown or answered here. Look at it in the console, or with `ladder pending`."
RUN, DECLINE = "ladder_run", "ladder_decline"
"""The ids of the two buttons."""

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a message needs beside its question."""

    secret: str = ""
    """The app's signing secret; without one there are no buttons."""
    link: str = ""
    """Where the question stands in the console; empty where that has no address."""
    answerable: bool = False
    """The tool's rule takes answers from Slack."""


def message(question: Question, setting: Setting) -> dict[str, Any]:
    """The message about a question, as Slack takes it.

    Args:
        question: What is asked.
        setting: What is known beside it.
    """
    title = f"{question.call.agent} asks to run {question.call.tool}"
    shown = arguments(question) if setting.secret and setting.answerable else None
    if shown is None:
        blocks = [_plain(title), _plain(ELSEWHERE), _facts(question)]
    else:
        blocks = [_plain(title), *shown, _facts(question), _buttons(question, setting.secret)]
    if setting.link:
        blocks.append(_linked(setting.link))
    return {"text": escaped(inert(title))[:TEXT], "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def arguments(question: Question) -> list[Block] | None:
    """Every argument as it is, a block each; None where one doesn't fit, or something in it can't be seen."""
    found: list[str] = []
    for name, value in question.call.arguments.items():
        text = f"{name}: {json.dumps(normalise(value), ensure_ascii=False)}"
        # JSON spells control characters out; such a text is for a page that says what they are.
        if inert(text) != text or "\\u00" in text or len(escaped(text)) > TEXT:
            return None
        found.append(text)
    names = (question.call.tool, question.call.agent)
    if any(inert(name) != name for name in names) or sum(map(len, found)) > TOTAL or len(found) > BLOCKS - 6:
        return None
    return [_plain(text) for text in found] or [_plain("It has no arguments.")]


def over(question: Question, said: str) -> dict[str, Any]:
    """What the message becomes once its question is answered: no buttons, and who said what."""
    title = f"{question.call.agent} asked to run {question.call.tool}"
    return {
        "replace_original": True, "text": escaped(inert(f"{title}: {said}"))[:TEXT],
        "blocks": [_plain(title), *(arguments(question) or []), _plain(said)],
    }  # fmt: skip


def aside(text: str) -> dict[str, Any]:
    """What only the one who pressed a button reads; the message stays."""
    return {
        "response_type": "ephemeral", "replace_original": False, "text": escaped(inert(text))[:TEXT],
        "blocks": [_plain(text)],
    }  # fmt: skip


def escaped(text: str) -> str:
    """A text in which nothing is a mention, a link or a command to Slack.

    Example:
        >>> escaped("<!channel> & co")
        '&lt;!channel&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> Block:
    cut = escaped(inert(text))
    return {"type": "section", "text": _text(cut if len(cut) <= TEXT else f"{escaped(inert(text)[: TEXT // 6])} …")}


def _text(text: str) -> Block:
    # Emoji names would be drawn otherwise, and `:` is in every argument.
    return {"type": "plain_text", "text": text, "emoji": False}


def _facts(question: Question) -> Block:
    lines = [
        f"You are asked because {question.reasons}.",
        f"Impact: {question.impact}. Without an answer by {question.expires_at:%Y-%m-%d %H:%M %Z} it is declined.",
        f"Question {question.id}, digest {question.digest[:16]}.",
    ]
    if question.quorum > 1:
        lines.insert(1, f"{question.quorum} different people must approve; {len(question.votes)} did so far.")
    if question.not_requester:
        lines.insert(1, "Whoever's run proposed it may not approve it.")
    return {"type": "section", "text": _text("\n".join(escaped(inert(line)) for line in lines)[:TEXT])}


def _buttons(question: Question, secret: str) -> Block:
    """Neither is coloured or comes with a default; a no from here has a fixed reason, which it says."""
    return {
        "type": "actions", "block_id": "ladder",
        "elements": [
            _button(RUN, "Run once", "approve", question, secret),
            _button(DECLINE, f"Decline: “{DECLINED}”", "decline", question, secret),
        ],
    }  # fmt: skip


def _button(name: str, label: str, verdict: str, question: Question, secret: str) -> Block:
    value = {"q": question.id, "d": question.digest, "w": word(secret, verdict, question.id, question.digest)}
    return {
        "type": "button", "action_id": name, "text": _text(label),
        "value": json.dumps(value, separators=(",", ":")),
    }  # fmt: skip


def _linked(link: str) -> Block:
    told: Sequence[Block] = [{"type": "mrkdwn", "text": f"<{escaped(link)}|Open it in the console>"}]
    return {"type": "context", "elements": told}
