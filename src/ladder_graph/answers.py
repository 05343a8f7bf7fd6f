"""Reading answers: every shape that known inboxes send, and whether this answer may decide this question. Pure.

What can't be understood is a complaint, and the question is asked again. It is never taken as yes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from ladder_graph.steps import Person, Question, Verdict

_VERDICTS: dict[str, Verdict] = {
    # LangChain's own words, ours, and those of Agent Inbox.
    "approve": "approve", "accept": "approve",
    "reject": "decline", "decline": "decline", "ignore": "decline",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered, before it is known whether it may count."""

    verdict: Verdict
    by: str | None = None
    """The name the answer itself claims."""
    reason: str = ""
    typed: str | None = None
    """What was typed to confirm the fact that matters."""
    digest: str | None = None
    """The digest of what the person was shown, where the inbox sends it back."""


def read(raw: object) -> Answer | str:
    """Understand an answer.

    Args:
        raw: `{"type": "approve", "by": …}`, `{"decisions": [one]}` (LangChain, agent-chat-ui), a list of one
            HumanResponse (Agent Inbox), or one of the bare words.

    Returns:
        The answer, or a complaint in words.
    """
    if isinstance(raw, Mapping) and isinstance(raw.get("decisions"), list | tuple):
        raw = raw["decisions"]
    if isinstance(raw, list | tuple):
        if len(raw) != 1:
            return f"one answer was expected for one action, and {len(raw)} came"
        raw = raw[0]
    if isinstance(raw, str):
        raw = {"type": raw.strip().lower()}
    if not isinstance(raw, Mapping):
        return f"a {type(raw).__name__} is no answer; {HOW}"
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in _VERDICTS:
        return f"{kind!r} is no answer; {HOW}"
    return Answer(
        verdict=_VERDICTS[kind],
        by=_text(raw, "by"),
        reason=_text(raw, "reason") or _text(raw, "message") or _text(raw, "args") or "",
        typed=_exact(raw, "typed"),
        digest=_text(raw, "digest"),
    )


HOW = 'answer {"type": "approve", "by": "your name"} or {"type": "decline", "by": "your name", "reason": "why"}'
"""How to answer, for the complaints."""


def _text(raw: Mapping[object, object], key: str) -> str | None:
    value = _exact(raw, key)
    return value.strip() or None if value is not None else None


def _exact(raw: Mapping[object, object], key: str) -> str | None:
    """A text as it came, but for half surrogate pairs, which no ledger can hold."""
    value = raw.get(key)
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else None


def objection(question: Question, answer: Answer, person: Person | None, now: dt.datetime) -> str | None:
    """Why this answer may not decide this question; None where it may.

    Args:
        question: What was asked.
        answer: What was answered.
        person: Who it is, as far as the host knows.
        now: The moment.
    """
    if answer.digest is not None and answer.digest != question.digest:
        return "the answer is for other arguments than the ones that would run; look at them again"
    if person is None or not person.name:
        return f"nobody's name is on the answer; {HOW}"
    if now >= question.expires_at:
        return "the question has expired, which counts as no"
    if answer.verdict == "decline":
        return None
    return _may_not_approve(question, answer, person)


def _may_not_approve(question: Question, answer: Answer, person: Person) -> str | None:
    if question.may_answer and person.name not in question.may_answer:
        return f"{person.name} may not approve this; {' or '.join(question.may_answer)} may"
    if question.impact != "low" and person.auth == "unverified":
        return (
            f"nobody checked that this is {person.name}, and the impact is {question.impact}; approve with "
            f"`ladder approve {question.id}`, or through a server that authenticates its users"
        )
    if question.typed is not None and not question.typed_value:
        return f"the call has no {question.typed} to type, so nobody can approve it; decline it"
    if question.typed is not None and answer.typed != question.typed_value:
        return f"to approve, type the {question.typed} exactly: {question.typed_value}"
    return None
