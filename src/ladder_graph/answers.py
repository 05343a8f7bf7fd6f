"""Reading answers: every shape that known inboxes send, and whether this answer may decide this question. Pure.

What can't be understood is a complaint, and the question is asked again. It is never taken as yes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ladder_graph.calls import canonical, normalise, restore
from ladder_graph.errors import ArgumentsError
from ladder_graph.facts import Arrival, Decision, Means, Person, Question, Verdict

_VERDICTS: dict[str, Verdict] = {
    # LangChain's own words, ours, and those of Agent Inbox.
    "approve": "approve", "accept": "approve",
    "reject": "decline", "decline": "decline", "ignore": "decline",
    "edit": "edit",
    "respond": "respond", "response": "respond",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signature:
    """What an inbox signed an answer with."""

    key: str
    """The key's id in the policy."""
    at: int
    """When, in seconds since the epoch."""
    mac: str
    """HMAC-SHA256 in hex."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered, before it is known whether it may count."""

    verdict: Verdict
    by: str | None = None
    """The name the answer itself claims."""
    reason: str = ""
    """Why; for `respond`, the text for the model."""
    typed: str | None = None
    """What was typed to confirm the fact that matters."""
    digest: str | None = None
    """The digest of what the person was shown, where the inbox sends it back."""
    question: str | None = None
    """The id of the question that it is for, where the inbox sends it back."""
    nonce: str | None = None
    """The question's random word, where the inbox sends it back."""
    tool: str | None = None
    """The tool, where the inbox sends the action back."""
    arguments: Mapping[str, Any] | None = None
    """For `edit`, what to run instead; for `approve`, what the inbox says is approved."""
    signature: Signature | None = None
    """What it was signed with, if it was."""
    looked: float | None = None
    """Seconds that the person looked at the question; None where that wasn't measured."""
    characters: int | None = None
    """How much there was to read."""
    fault: str = ""
    """`policy` for a no whose reason lies outside the agent."""
    shown: str = ""
    """The digest of the briefing that the person was shown."""
    input: Means = ""
    """What they answered with."""
    batch: str = ""
    """What is the same for all questions that were answered at once."""

    @property
    def named(self) -> bool:
        """Whether it says which question it is for."""
        return self.digest is not None or self.question is not None or self.nonce is not None


def read(raw: object) -> Answer | str:
    """Understand an answer.

    Args:
        raw: `{"type": "approve", "by": …}`, `{"decisions": [one]}` (LangChain, agent-chat-ui), where the name may stand
            beside the list, a list of one HumanResponse (Agent Inbox), or one of the bare words.

    Returns:
        The answer, or a complaint in words.
    """
    beside: Mapping[str, object] = {}
    if isinstance(raw, Mapping) and isinstance(raw.get("decisions"), list | tuple):
        beside, raw = ({"by": raw["by"]} if "by" in raw else {}), raw["decisions"]
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
    return _read(_VERDICTS[kind], {**beside, **raw})


def _read(verdict: Verdict, raw: Mapping[Any, Any]) -> Answer | str:
    tool, arguments = _action(raw)
    if verdict == "approve" and arguments is None:
        arguments = _bare(raw)
    reason = _text(raw, "reason") or _text(raw, "message") or _text(raw, "args") or ""
    if verdict == "edit" and arguments is None:
        return f"an edit must bring the new arguments; {EDIT}"
    if verdict == "respond" and not reason:
        return 'a response must bring a text for the model: {"type": "respond", "by": "your name", "message": "…"}'
    signature = _signature(raw.get("signed"))
    if isinstance(signature, str):
        return signature
    return Answer(
        verdict=verdict, by=_text(raw, "by"), reason=reason, typed=_exact(raw, "typed"), digest=_text(raw, "digest"),
        question=_text(raw, "question"), nonce=_text(raw, "nonce"), tool=tool, arguments=arguments, signature=signature,
    )  # fmt: skip


HOW = 'answer {"type": "approve", "by": "your name"} or {"type": "decline", "by": "your name", "reason": "why"}'
"""How to answer, for the complaints."""

EDIT = '{"type": "edit", "by": "your name", "edited_action": {"name": "the tool", "args": {…}}}'
"""How to edit, for the complaints."""


CARRIED = ("edited_action", "args")
"""Where an answer carries an action."""


def _action(raw: Mapping[Any, Any]) -> tuple[str | None, Mapping[str, Any] | None]:
    """The action that an answer carries: LangChain's `edited_action`, or the `args` of Agent Inbox."""
    for place in CARRIED:
        found = raw.get(place)
        if isinstance(found, Mapping) and isinstance(found.get("args"), Mapping):
            named = found.get("name", found.get("action"))
            return named if isinstance(named, str) else None, found["args"]
    return None, None


def _bare(raw: Mapping[Any, Any]) -> Mapping[str, Any] | None:
    """Arguments that stand by themselves where an action should: a yes that means them is no yes to others."""
    return next((found for place in CARRIED if isinstance(found := raw.get(place), Mapping) and found), None)


def _signature(raw: object) -> Signature | str | None:
    if raw is None:
        return None
    found = raw if isinstance(raw, Mapping) else {}
    key, at, mac = _text(found, "key"), found.get("at"), _text(found, "mac")
    if key is None or mac is None or not isinstance(at, int) or isinstance(at, bool):
        return 'its signature is incomplete; it must hold "key", "at" in whole seconds, and "mac"'
    return Signature(key, at, mac)


def _text(raw: Mapping[Any, Any], key: str) -> str | None:
    value = _exact(raw, key)
    return value.strip() or None if value is not None else None


def _exact(raw: Mapping[Any, Any], key: str) -> str | None:
    """A text as it came, but for half surrogate pairs, which no ledger can hold."""
    value = raw.get(key)
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else None


def same(name: str) -> str:
    """A name in a form in which one person can't be two by the way they are written."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def retyped(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Edited arguments in which what a form made of them is what it was before it went through the form.

    An inbox that knows only text fields sends `3` as `"3"`, and a list as its JSON; and what JSON has no form for is
    shown with a tag (`{"$int": "…"}`), which comes back.

    Example:
        >>> retyped({"amount": 3, "to": "ana", "tags": ["a"]}, {"amount": "4", "to": "5", "tags": '["b"]'})
        {'amount': 4, 'to': '5', 'tags': ['b']}
    """
    try:
        return {name: _retyped(before.get(name), value) if name in before else value for name, value in after.items()}
    except (ArgumentsError, RecursionError):
        return dict(after)


def _retyped(before: Any, after: Any) -> Any:
    if after == normalise(before):
        return before
    if not isinstance(after, str):
        return _untagged(after)
    if isinstance(before, str):
        return after
    try:
        found = json.loads(after)
    except ValueError:
        return after
    numbers = isinstance(before, int | float) and isinstance(found, int | float)
    both = type(found) is type(before) or (numbers and bool not in {type(found), type(before)})
    return found if both else after


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and str(next(iter(value))).startswith("$"):
        try:
            return restore(value)
        except (ValueError, TypeError, ArithmeticError):
            return value
    return {name: _untagged(entry) for name, entry in value.items()}


# --- whether it was meant for this question -----------------------------------------------------------------------

REPEATED = dt.timedelta(seconds=0.25)
"""Within this time after a question was asked, the words of the last answer are a second click on that one."""

HASTY = dt.timedelta(seconds=1)
"""Within this time nobody has read a question whose impact is above low."""

NAME_IT = "answer again, or name the question: ladder_graph.answer_to builds an answer from the interrupt"


def premature(
    question: Question, answer: Answer, person: Person, arrival: Arrival, now: dt.datetime, last: Decision | None
) -> str | None:
    """Why an answer that doesn't say which question it is for can't be meant for this one; None where it may be.

    A double click sends the same answer twice, and by the time the second one comes in, the next question may be open.

    Args:
        question: The one that is open.
        answer: The answer.
        person: Who gave it.
        arrival: How it came.
        now: The moment.
        last: The last answer that was taken in this thread.
    """
    if answer.named or arrival.by_id:
        return None
    if arrival.started is not None and arrival.started < question.asked_at:
        return f"the answer was sent before this question was asked, and can't be meant for it; {NAME_IT}"
    if answer.verdict not in _YES:
        return None
    age = now - question.asked_at
    if question.impact != "low" and age < HASTY:
        return f"the answer came within a second, when nobody can have read the question; {NAME_IT}"
    if last is None or last.verdict not in _YES or (last.by.name, last.reason) != (person.name, answer.reason):
        return None
    if now - max(question.asked_at, last.at) < REPEATED:
        return (
            f"the answer repeats the last one, right after this question was asked, as a second click does; {NAME_IT}"
        )
    return None


_YES = frozenset({"approve", "edit"})


# --- whether it counts -------------------------------------------------------------------------------------------


def objection(
    question: Question, answer: Answer, person: Person | None, now: dt.datetime,
    able: Callable[[Collection[str]], Collection[str]] = set,
) -> str | None:  # fmt: skip
    """Why this answer may not decide this question; None where it may.

    Args:
        question: What was asked; for an edit, with the edited call in place of the first.
        answer: What was answered.
        person: Who it is, as far as the host knows.
        now: The moment.
        able: The names behind what `confirm.by` lists, with the roles looked up.
    """
    complaint = _misses(question, answer)
    if complaint is not None:
        return complaint
    if person is None or not person.name:
        return f"nobody's name is on the answer; {HOW}"
    if now >= question.expires_at:
        return "the question has expired, which counts as no"
    if answer.verdict not in question.decisions:
        return f"{answer.verdict} is not allowed here, only {' or '.join(question.decisions)}"
    if answer.verdict == "decline":
        return None
    listed = outsider(question, person, able)
    if listed is not None or answer.verdict == "respond":
        return listed
    return _one_too_many(question, person) or _untyped(question, answer)


def _misses(question: Question, answer: Answer) -> str | None:
    """Why the answer isn't for this question, where it says which one it is for."""
    if answer.question is not None and answer.question != question.id:
        return "the answer is for another question than the one that is open; look at it again"
    if answer.digest is not None and answer.digest != question.digest:
        return "the answer is for other arguments than the ones that would run; look at them again"
    if answer.nonce is not None and hashlib.sha256(answer.nonce.encode()).hexdigest() != question.nonce:
        return "the answer names a word that this question didn't give out; look at it again"
    if answer.tool is not None and answer.tool != question.call.tool:
        return f"the answer is for {answer.tool}, and {question.call.tool} is asked about"
    if answer.verdict == "approve" and answer.arguments is not None:
        shown = retyped(question.call.arguments, answer.arguments)
        if not _equal(shown, question.call.arguments):
            return f"the approval carries other arguments than the ones that were asked about; to change them, {EDIT}"
    return None


def _equal(one: Any, other: Any) -> bool:
    try:
        return canonical(one) == canonical(other)
    except ArgumentsError:
        return False


def outsider(question: Question, person: Person, able: Callable[[Collection[str]], Collection[str]]) -> str | None:
    """Why this person may not let this call run, whatever they say; None where they may."""
    if question.may_answer and person.name not in able(question.may_answer):
        return f"{person.name} may not approve this; {' or '.join(question.may_answer)} may"
    if question.impact != "low" and person.auth == "unverified":
        return _unchecked(question, person, f"the impact is {question.impact}")
    if question.quorum > 1 and person.auth == "unverified":
        return _unchecked(question, person, f"{question.quorum} different people must approve")
    if not question.not_requester:
        return None
    if question.requester is None:
        return (
            "nobody knows whose run proposed this call, and whoever that was may not approve it. Run the agent on a "
            'server that authenticates its users, or give config["configurable"]["ladder_requester"]; decline this one'
        )
    if person.auth == "unverified":
        return _unchecked(question, person, "whoever asked for it may not approve it")
    if same(person.name) == same(question.requester.name):
        return f"{person.name} may not approve this: their own run proposed it; somebody else must"
    return None


def _unchecked(question: Question, person: Person, why: str) -> str:
    return (
        f"nobody checked that this is {person.name}, and {why}; approve with `ladder approve {question.id}`, or "
        f"through a server that authenticates its users"
    )


def _one_too_many(question: Question, person: Person) -> str | None:
    if any(same(vote.by.name) == same(person.name) for vote in question.votes):
        left = question.quorum - len(question.votes)
        return f"{person.name} has approved already; {left} more {'person' if left == 1 else 'people'} must"
    return None


def _untyped(question: Question, answer: Answer) -> str | None:
    if question.to_type is None:
        return None
    if not question.typed_value:
        return f"the call has no {question.to_type} to type, so nobody can approve it; decline it"
    if not question.is_typed(answer.typed):
        return f"to approve, type the {question.to_type} exactly: {question.typed_value}"
    return None
