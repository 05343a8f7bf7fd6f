"""Everything that somebody needs to decide about one question, in the order of thought. Pure: records and composing.

Facts come from the frozen call, the policy and the ledger, and from what the tool's author declared. The agent's own
words are quoted after them, and are marked as unchecked.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ladder_graph.calls import digest_of, normalise
from ladder_graph.facts import Question, Reason
from ladder_graph.scale import Rung
from ladder_graph.telling import Change, Check, Reach
from ladder_graph.wording import show

UNKNOWN = "unknown"
"""What is said where nobody knows; it never means no."""


@dataclass(frozen=True, slots=True)
class Given:
    """One argument."""

    name: str
    value: str
    """As JSON, verbatim, with nothing in it that acts or hides; empty where it is withheld."""
    source: str
    """Where it came from, in words; empty where that isn't known."""
    where: str
    """The same as a word (`ladder_graph.policy.sources.Where`); empty where that isn't known."""
    checks: tuple[Check, ...] = ()
    sent: bool = True
    """False for what the tool takes where the call says nothing: it isn't in the JSON that was hashed."""

    def document(self) -> dict[str, Any]:
        """It as JSON; by hand, since a call may have ten thousand of them."""
        return {
            "name": self.name, "value": self.value, "source": self.source, "where": self.where,
            "checks": [asdict(one) for one in self.checks], "sent": self.sent,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Past:
    """What became of the agent's last requests of this tool."""

    asked: int = 0
    ran: int = 0
    """Ran as asked, whatever came after."""
    edited: int = 0
    """Let run with other arguments."""
    declined: int = 0
    answered: int = 0
    """Answered in the tool's place."""
    expired: int = 0
    undone: int = 0
    """Ran as asked, and was put back."""
    failed: int = 0
    """Was tried, and changed nothing."""
    doubtful: int = 0
    """Was tried, and nobody knows whether it took effect."""
    approved: int = 0
    """Let run, and not over yet."""

    @property
    def words(self) -> str:
        """It as a sentence.

        Example:
            >>> Past(24, 22, 1, 1).words
            'Of its last 24 requests 22 ran as asked, 1 was edited, 1 was declined.'
            >>> Past(1, approved=1).words
            'Its last request: 1 is approved and not over yet.'
        """
        if not self.asked:
            return "It is its first request."
        parts = [
            f"{count} {one if count == 1 else several}"
            for count, one, several in (
                (self.ran, "ran as asked", "ran as asked"),
                (self.undone, "was undone", "were undone"),
                (self.failed, "failed and changed nothing", "failed and changed nothing"),
                (self.doubtful, "is in doubt", "are in doubt"),
                (self.approved, "is approved and not over yet", "are approved and not over yet"),
                (self.edited, "was edited", "were edited"),
                (self.declined, "was declined", "were declined"),
                (self.answered, "was answered by a person instead", "were answered by a person instead"),
                (self.expired, "expired", "expired"),
            )
            if count
        ]
        last = "Its last request:" if self.asked == 1 else f"Of its last {self.asked} requests"
        return f"{last} {', '.join(parts)}."


@dataclass(frozen=True, slots=True)
class Passing:
    """One handing over."""

    to: str
    by: str
    at: dt.datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What can be done if it turns out wrong."""

    sentences: tuple[str, ...]
    """The plan, in words."""
    rehearsed: str = ""
    """When and how the undo was last rehearsed, in words; empty where there is no undo."""
    passed: bool | None = None
    """Whether that went well; None where it never was."""
    until: str = ""
    """After which time it is too late, in words; empty where there is no such time, or no undo."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """What is known of one question, for one person."""

    question: Question
    title: str
    """The question in plain words."""
    deed: str
    """What a yes does, for the button."""
    asked: str
    """Who asks, since when, where and on whose behalf; that it has not run."""
    arguments: tuple[Given, ...]
    """What will run."""
    checks: tuple[Check, ...]
    """What was found of the call as a whole."""
    text: str
    """The JSON that was hashed; empty where values are withheld."""
    changes: tuple[Change, ...]
    """What changes."""
    changes_said: str
    """Who says so, or that nobody does."""
    trouble: tuple[str, ...]
    """What the tool's author wanted to say, and failed to."""
    reach: Reach
    """How far it reaches; each is said, and what nobody knows is `unknown`."""
    remedy: Remedy
    """If it turns out wrong."""
    words: str
    """The agent's own words. Nobody has checked them."""
    words_cut: int
    """Characters of these words that aren't here."""
    rung: Rung
    """Where the policy puts the tool."""
    reasons: tuple[Reason, ...]
    """Why somebody is asked."""
    past: Past
    """What became of its last requests of this tool."""
    at_zero: str
    """What happens when the time is up, in words."""
    barred: str = ""
    """Why this person may not approve it; empty where they may, or nobody is looking."""
    withheld: tuple[str, ...] = ()
    """Labels of what the tool touches that this person doesn't hold: then values are masked."""
    passed: tuple[Passing, ...] = ()
    """Who handed it to whom, oldest first."""
    missing: tuple[str, ...] | None = None
    """What the tool lacks for the next rung, in words; None where nobody has worked it out. It takes the whole chain,
    so whoever has an assessment at hand fills it in."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What the tool's schema says of each argument, as JSON Schema, for whoever puts others in; empty where that isn't
    known."""
    known: bool = True
    """Whether what was taken down at the asking is there; False where it was erased, or never taken."""

    @property
    def digest(self) -> str:
        """What a yes is for; it changes with the arguments, the tool, its rule and its undo."""
        return self.question.digest

    @property
    def shown(self) -> str:
        """The digest of all that is shown here, which is kept with the answer."""
        return digest_of("briefing", self.document())

    @property
    def characters(self) -> int:
        """How much of it must be read before anybody can answer."""
        named = sum(len(one.name) + len(one.value) for one in self.arguments if one.sent)
        changed = sum(len(one.thing) + len(one.before or "") + len(one.after or "") for one in self.changes)
        return named + changed + len(self.question.reasons)

    def left(self, now: dt.datetime) -> float:
        """Seconds left to answer; 0 where the time is up."""
        return max(0.0, (self.question.expires_at - now).total_seconds())

    def document(self) -> dict[str, Any]:
        """It as JSON, without what changes from moment to moment."""
        asked = self.question
        return {
            "question": asked.id, "action": asked.call.key, "digest": asked.digest, "title": self.title,
            "deed": self.deed, "asked": self.asked, "agent": asked.call.agent, "tool": asked.call.tool,
            "thread": asked.call.thread, "arguments": [one.document() for one in self.arguments],
            "checks": [asdict(one) for one in self.checks], "json": self.text,
            "changes": [asdict(one) for one in self.changes], "changes_said": self.changes_said,
            "trouble": list(self.trouble), "reach": asdict(self.reach), "remedy": asdict(self.remedy),
            "words": self.words, "words_cut": self.words_cut, "rung": self.rung.word,
            "reasons": [[one.code, one.text] for one in self.reasons], "past": self.past.words,
            "missing": None if self.missing is None else list(self.missing),
            "type_to_approve": asked.to_type, "may_answer": list(asked.may_answer),
            "decisions": list(asked.decisions), "quorum": asked.quorum,
            "approved_by": [vote.by.name for vote in asked.votes], "expires_at": asked.expires_at.isoformat(),
            "at_zero": self.at_zero, "barred": self.barred, "withheld": list(self.withheld),
            "passed": [{**asdict(one), "at": one.at.isoformat()} for one in self.passed],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a desk finds around a question, for the composing."""

    rung: Rung
    reasons: tuple[Reason, ...]
    past: Past = Past()
    money: tuple[str, ...] = ()
    """What is taken today of each sum of money that the call draws on, in words."""
    counted: tuple[Check, ...] = ()
    """What is left of each quota, in words."""
    egress: Literal["yes", "no", ""] = ""
    """Whether the policy says that something leaves our systems."""
    outward: tuple[str, ...] = ()
    """Arguments that could carry something out, by the tool's schema."""
    read_only: bool = False
    rehearsed_at: dt.datetime | None = None
    rehearsed_well: bool = False
    rehearsed_text: str = ""
    watched: str = ""
    """How the action is watched afterwards, in words; empty where it isn't."""
    withheld: tuple[str, ...] = ()
    barred: str = ""
    passed: tuple[Passing, ...] = field(default=())


def hashed(question: Question) -> str:
    """The JSON that was hashed for the call's digest, laid out for reading.

    The bytes under the hash are the same without the spaces, with sorted keys.
    """
    plain = ["lg1", "call", question.call.tool, normalise(question.call.arguments)]
    return json.dumps(plain, indent=2, ensure_ascii=False, sort_keys=True)


def masked(value: object, withheld: tuple[str, ...]) -> str:
    """A value as JSON, or nothing where it is withheld."""
    return "" if withheld else show(value)


def titled(text: str, tool: str) -> str:
    """The question in plain words: the tool's own, or the plainest."""
    return text or f"Run {tool}?"


def deed_of(text: str, tool: str) -> str:
    """What a yes does, for a button."""
    return text or f"Run {tool}"


def plain_reach(reach: Reach) -> Mapping[str, str]:
    """How far it reaches, by what is asked, in the order in which it is shown."""
    return {
        "People": reach.people, "Money": reach.money, "Leaves our systems": reach.outside,
        "Can be undone": reach.undone,
    }  # fmt: skip
