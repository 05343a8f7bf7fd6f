"""From an answer to a decision: who gave it, whether it counts, and what it puts in place of the call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from ladder_graph import answers
from ladder_graph.calls import Call
from ladder_graph.errors import ArgumentsError
from ladder_graph.facts import Decision, Person, Question
from ladder_graph.ledger import Journal
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.policy import Policy


class Fitting(Protocol):
    """Makes a call with other arguments, typed by the tool's schema; or says why they don't fit."""

    def __call__(self, call: Call, arguments: Mapping[str, Any], *, strict: bool = True) -> Call | str:
        """The call; where it isn't `strict`, what the tool doesn't have is left to it, as it is when it runs."""


def edited(
    call: Call, answer: answers.Answer, fitted: Callable[[Call, Mapping[str, Any]], Call | str]
) -> Call | str:  # fmt: skip
    """The call that an answer wants to run: with the arguments that it puts in, or the one that was asked about.

    Args:
        call: What was asked about.
        answer: The answer.
        fitted: The host's own check.

    Returns:
        The call, or why its arguments can't be put in.
    """
    if answer.verdict != "edit" or answer.arguments is None:
        return call
    return fitted(call, answers.retyped(call.arguments, answer.arguments))


def unchecked(call: Call, arguments: Mapping[str, Any], *, strict: bool = True) -> Call | str:
    """As a host fits arguments, where the tool isn't known in this process; its schema is looked at when it runs."""
    del strict
    try:
        return replace(call, arguments=dict(arguments))
    except ArgumentsError as wrong:
        return f"{wrong}"


def decision_of(
    asked: Question, answer: answers.Answer, person: Person | None, now: dt.datetime, policy: Policy, after: Call
) -> Decision | str:
    """The decision that an answer is, or why it can't be taken.

    Args:
        asked: The question.
        answer: The answer to it.
        person: Who gave it, as far as is known.
        now: The moment.
        policy: Knows who has which role.
        after: The call that the answer wants to run. What must be typed is typed for this one.
    """
    complaint = answers.objection(replace(asked, call=after), answer, person, now, policy.able)
    if complaint is not None or person is None:
        return complaint or f"nobody's name is on the answer; {answers.HOW}"
    if answer.verdict != "decline" and (withheld := uncleared(policy, asked.call.tool, person)):
        return withheld
    given = Decision(
        answer.verdict, person, now, answer.reason, looked=answer.looked, characters=answer.characters,
        fault=answer.fault, shown=answer.shown, input=answer.input, batch=answer.batch,
    )  # fmt: skip
    if answer.verdict != "edit":
        return given
    return replace(given, verdict="approve") if after.key == asked.call.key else replace(given, successor=after)


def uncleared(policy: Policy, tool: str, person: Person, more: Iterable[str] = ()) -> str:
    """Why a person may not decide about what a tool touches, by its access labels; empty where they may.

    Args:
        policy: Knows who holds which label.
        tool: The tool.
        person: Who. A name that nobody checked holds none.
        more: Labels beside those of the tool's rule.
    """
    labels = list(dict.fromkeys([*policy.rule(tool).labels, *more]))
    if not labels:
        return ""
    if person.auth == "unverified":
        return f"nobody checked that this is {person.name}, and {tool} touches {', '.join(labels)}"
    held = policy.people[person.name].labels if person.name in policy.people else ()
    withheld = [label for label in labels if label not in held]
    return f"{person.name} may not decide about {tool}: it touches {', '.join(withheld)}" if withheld else ""


def taken_before(journal: Journal, cursor: Cursor, decision: Decision) -> str:
    """Why the call that a decision puts in place can't be put there; empty where it can."""
    after = decision.successor
    if after is None or journal.place(cursor, after) is None:
        return ""
    return "these arguments were asked about before, under the same call; approve or decline what is asked now"


def unpassable(asked: Question, person: Person, to: str, now: dt.datetime, policy: Policy) -> str:
    """Why this person may not hand a question to somebody; empty where they may try.

    Args:
        asked: The question.
        person: Who hands it over.
        to: The name of whoever shall answer.
        now: The moment.
        policy: Knows who has which role, and holds which label.
    """
    if asked.decision is not None:
        return f"{asked.decision.by.name} has answered already: {asked.decision.verdict}"
    if asked.expired or now >= asked.expires_at:
        return "the question has expired, which counts as no"
    barred = answers.outsider(asked, person, policy.able) or uncleared(policy, asked.call.tool, person)
    if barred:
        return barred
    if not to:
        return "say to whom it goes"
    if answers.same(to) == answers.same(person.name):
        return f"{to} has it already"
    if policy.people and to not in policy.people and to not in policy.able(asked.may_answer):
        return f"the policy knows nobody called {to}; it names {', '.join(sorted(policy.people))}"
    # Whoever they will be signed in as, they are taken for that person here.
    there = Person(to, "code")
    if any(answers.same(vote.by.name) == answers.same(to) for vote in asked.votes):
        return f"{to} has approved already; somebody else must"
    return answers.outsider(asked, there, policy.able) or uncleared(policy, asked.call.tool, there)


def unrevocable(asked: Question, person: Person, now: dt.datetime, policy: Policy) -> str:
    """Why this person may not take an approval back; empty where they may try."""
    if asked.expired or now >= asked.expires_at:
        return "the question has expired, which counts as no"
    decision = asked.decision
    if decision is None:
        return ""  # Only one's own yes can be taken back, and there may be none.
    if decision.verdict != "approve":
        return f"there is no approval to take back: {decision.by.name} has answered {decision.verdict}"
    approvers = {answers.same(one.by.name) for one in (decision, *asked.votes)}
    if answers.same(person.name) in approvers and person.auth != "unverified":
        return ""
    outsider = answers.outsider(replace(asked, not_requester=False), person, policy.able)
    return outsider or uncleared(policy, asked.call.tool, person)
