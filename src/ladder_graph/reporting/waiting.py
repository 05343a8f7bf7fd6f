"""What people are told of a question or a draft that waits: no argument of any call, but who, until when, and where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ladder_graph.policy.questioning import Wait
from ladder_graph.wording import inert


@dataclass(frozen=True, slots=True)
class Waiting:
    """Everything about a question or a draft that a message may say."""

    agent: str
    tool: str
    impact: str
    labels: Sequence[str] = ()
    """What whoever says yes must hold."""
    console: str | None = None
    """Where the console is."""
    question: str = ""
    """The question's id."""
    draft: str = ""
    """The key of the drafted action; the digest of what it holds stands beside it."""
    shown: str = ""
    """The digest of the draft, as it was when it was told of."""
    kind: str = ""
    """What was drafted, by its drafter's name."""
    may_answer: Sequence[str] = ()
    """Names and `role:…`; empty where anybody who is named may."""
    quorum: int = 1
    not_requester: bool = False
    expires: dt.datetime | None = None
    """When a question that nobody answers is declined; None for a draft, which waits on."""
    to: str = ""
    """Whom it was handed to."""
    by: str = ""
    """Who handed it over."""


def message(event: Wait, of: Waiting) -> dict[str, Any]:
    """One message, as it is kept until it is sent.

    Args:
        event: What is told.
        of: Of what.
    """
    link = link_to(of)
    shows = f"ladder drafts show {of.draft[:12]}" if of.draft else "ladder inbox"
    lines = [_first(event, of), *_rest(of), link or f"`{shows}` shows it."]
    about = {"draft": of.draft, "shown": of.shown} if of.draft else {
        "question": of.question, "may_answer": list(of.may_answer), "quorum": of.quorum,
        "expires_at": None if of.expires is None else of.expires.isoformat(),
    }  # fmt: skip
    handed = {"to": of.to, "by": of.by} if of.to else {}
    return {
        "event": event, "agent": of.agent, "tool": of.tool, "impact": of.impact, "labels": list(of.labels), **about,
        **handed, "link": link, "title": _title(event, of), "text": "\n".join(lines),
    }  # fmt: skip


def link_to(of: Waiting) -> str | None:
    """The page of the question or the draft; None where nobody says where the console is."""
    page = f"drafts/{quote(of.draft, safe='')}" if of.draft else f"confirm/{quote(of.question, safe='')}"
    return None if of.console is None else f"{of.console.rstrip('/')}/{page}"


def _title(event: Wait, of: Waiting) -> str:
    agent, tool = inert(of.agent), inert(of.tool)
    return {
        "asked": f"{agent} asks to run {tool}",
        "passed": f"{agent} asks to run {tool}: handed to {inert(of.to)}",
        "expiring": f"{agent} asks to run {tool}: half the time is over",
        "drafted": f"{agent} drafted a call of {tool}",
    }[event]


def _first(event: Wait, of: Waiting) -> str:
    asks = f"{inert(of.agent)} asks to run {inert(of.tool)}. Impact: {inert(of.impact)}."
    match event:
        case "passed":
            return f"{asks} {inert(of.by)} handed it to {inert(of.to)}."
        case "expiring":
            return f"{asks} Half the time is over, and it isn't decided."
        case "drafted":
            said = f"{inert(of.agent)} drafted a call of {inert(of.tool)} ({inert(of.kind)})."
            return f"{said} Impact: {inert(of.impact)}."
        case _:
            return asks


def _rest(of: Waiting) -> list[str]:
    several = "s" * (len(of.labels) > 1)
    held = f" with the label{several} {' and '.join(map(inert, of.labels))}" if of.labels else ""
    if of.draft:
        return [f"It waits until somebody{held} decides. Nothing of it runs or is sent before."]
    named = " or ".join(map(inert, of.may_answer)) or "anybody whom the policy lets answer"
    lines = [f"{named} may answer{',' * bool(held)}{held}."]
    if of.quorum > 1:
        lines.append(f"{of.quorum} different people must approve.")
    if of.not_requester:
        lines.append("Whoever's run proposed it may not approve it.")
    until = "" if of.expires is None else f" by {of.expires:%Y-%m-%d %H:%M} UTC"
    return [*lines, f"Without an answer{until} it is declined: it doesn't run, and the agent is told so."]
