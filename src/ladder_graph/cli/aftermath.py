"""The JSON of what comes after an action: windows, measurements, rehearsals, mistakes; as `cli.documents`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from ladder_graph.ladder.continuing import Resumption
    from ladder_graph.ladder.windows import Watched


class MeasuredDocument(TypedDict):
    """One measurement of a watched action."""

    check: int
    """Its place among the rule's checks."""
    at: str
    verdict: str
    """good, bad or inconclusive."""
    text: str


class ReportedDocument(TypedDict):
    """What was last said of one class of mistake in an action: part of `ladder show --json`."""

    mistake: str
    """The class; empty where none was named."""
    severity: str
    """S0 to S4."""
    anticipated: bool
    """The rule expected it."""
    reversed: bool
    """It was none after all."""
    closed: bool
    """Somebody has seen to it."""
    at: str
    by: str
    text: str


class WatchedDocument(TypedDict):
    """An action that is watched, is to be undone, or waits for a person: `ladder watched --json`."""

    action: str
    agent: str
    tool: str
    phase: str
    """armed (it hasn't finished), open, undo or held."""
    began: str
    until: str
    """When its window ends."""
    seconds_left: float
    """Until then; 0 where it is over."""
    good: int
    """How many measurements were good; so for the next two."""
    bad: int
    inconclusive: int
    why: str
    """What was found."""
    attempts: int
    """How often its undo was tried."""
    measured: list[MeasuredDocument]


class StepDocument(TypedDict):
    """One thing that was tried."""

    name: str
    """What must hold."""
    ok: bool
    text: str
    """What was found instead."""


class RehearsalDocument(TypedDict):
    """What came of trying an undo out: `ladder rehearse --json`."""

    tool: str
    version: str
    """The version of the tool that the result is for, as a digest."""
    passed: bool
    steps: list[StepDocument]
    untried: list[str]
    """What couldn't be tried, and why."""


class ResumptionDocument(TypedDict):
    """An answer that its thread hasn't gone on with yet: `ladder resumptions --json`."""

    question: str
    action: str
    agent: str
    tool: str
    thread: str
    answer: str
    """approve, decline, edit, respond, revoke or expire."""
    answered: str
    state: str
    """waiting, taken, heard or lost."""
    tries: int
    problem: str
    """Why it couldn't go on the last time."""
    next: str | None
    """When somebody looks next."""
    words: str
    """What happens next."""


def resumption(of: Resumption) -> ResumptionDocument:
    """An answer that a thread is to go on with, as JSON."""
    return {
        "question": of.question, "action": of.action, "agent": of.agent, "tool": of.tool, "thread": of.thread,
        "answer": of.why, "answered": moment(of.at), "state": of.state, "tries": of.tries, "problem": of.problem,
        "next": None if of.next is None else moment(of.next), "words": of.words,
    }  # fmt: skip


def watched(of: Watched, now: dt.datetime) -> WatchedDocument:
    """A watched action as JSON."""
    verdicts = [one.verdict for one in of.measured]
    return {
        "action": of.action, "agent": of.agent, "tool": of.tool, "phase": of.phase, "began": moment(of.began),
        "until": moment(of.until), "seconds_left": max(0.0, (of.until - now).total_seconds()),
        "good": verdicts.count("good"), "bad": verdicts.count("bad"), "inconclusive": verdicts.count("inconclusive"),
        "why": of.why, "attempts": of.attempts,
        "measured": [
            {"check": one.which, "at": moment(instant(one.at_us)), "verdict": one.verdict, "text": one.text}
            for one in of.measured
        ],
    }  # fmt: skip


def moment(at: dt.datetime) -> str:
    """A moment in ISO 8601, in UTC."""
    return at.astimezone(dt.UTC).isoformat()


def instant(us: int) -> dt.datetime:
    """A moment from microseconds since the epoch."""
    return dt.datetime.fromtimestamp(us / 1_000_000, tz=dt.UTC)
