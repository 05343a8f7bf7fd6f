"""Questions in one line each, for lists and links; what somebody may not see is left out of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from ladder_graph.briefing import titled
from ladder_graph.console.passages import short
from ladder_graph.console.visitor import Visitor
from ladder_graph.facts import Question
from ladder_graph.ledger.actions import tellings
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.turns.deciding import uncleared

LONGEST = 160
"""Characters of a title in a list."""


@dataclass(frozen=True, slots=True)
class Headline:
    """One question in a list."""

    id: str
    title: str
    agent: str
    tool: str
    thread: str
    asked_at: dt.datetime
    expires_at: dt.datetime
    impact: str
    quorum: str
    """How far a quorum is, in words; empty where one yes is enough."""
    passed_to: str
    """Whom it was handed to; empty where nobody did."""
    withheld: tuple[str, ...]
    """Labels of what the tool touches that whoever looks doesn't hold; then there is no content here."""


def headlines(visitor: Visitor, questions: Iterable[Question]) -> list[Headline]:
    """Questions for a list, in one look at the ledger.

    Args:
        visitor: Who looks.
        questions: Which.
    """
    asked = list(questions)
    hidden = {one.id: _withheld(visitor, one) for one in asked}

    def titles(cursor: Cursor) -> dict[str, str]:
        found = {one.id: tellings.told_of(cursor, one.call.key, one.id) for one in asked if not hidden[one.id]}
        return {name: told.title for name, told in found.items() if told is not None}

    said = visitor.ladder.store.read(titles)
    return [_headline(one, said.get(one.id, ""), hidden[one.id]) for one in asked]


def headline(visitor: Visitor, question: Question) -> Headline:
    """One question for a link."""
    (found,) = headlines(visitor, [question])
    return found


def _withheld(visitor: Visitor, question: Question) -> tuple[str, ...]:
    tool = question.call.tool
    return tuple(visitor.withheld(tool)) if uncleared(visitor.policy, tool, visitor.person) else ()


def _headline(one: Question, title: str, hidden: tuple[str, ...]) -> Headline:
    call = one.call
    far = f"{len(one.votes)} of {one.quorum} have approved" if one.quorum > 1 else ""
    return Headline(
        one.id, short(titled(title, call.tool), LONGEST), short(call.agent, 80), short(call.tool, 80),
        short(call.thread, 80), one.asked_at, one.expires_at, one.impact, far, one.passed_to, hidden,
    )  # fmt: skip
