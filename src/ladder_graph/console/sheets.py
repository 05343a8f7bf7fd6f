"""What the page of one question says: the case in the order of thought, and the decision beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ladder_graph.answers import outsider, same
from ladder_graph.briefing import Briefing, Given, plain_reach
from ladder_graph.calls import canonical
from ladder_graph.console.afterwards import afterwards, decided
from ladder_graph.console.answers import Shown
from ladder_graph.console.attention import looked_before, view_of
from ladder_graph.console.fields import id_of
from ladder_graph.console.passages import Passage, Room
from ladder_graph.console.titles import Headline, headline
from ladder_graph.console.visitor import Visitor
from ladder_graph.errors import ArgumentsError
from ladder_graph.facts import Question
from ladder_graph.ledger.lists import cases
from ladder_graph.ledger.lists.cases import Case
from ladder_graph.ledger.lists.open_questions import Place
from ladder_graph.policy.console import Access
from ladder_graph.turns.deciding import uncleared, unpassable
from ladder_graph.wording import capital

ROWS = 200
"""Arguments on the page itself; the others are read on pages of their own."""


@dataclass(frozen=True, slots=True)
class Row:
    """One argument on the page."""

    given: Given
    value: Passage | None
    """None where it is withheld."""
    id: str
    """Names it in addresses."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One argument of two calls that isn't the same in both."""

    name: str
    before: Passage | None
    """None where the first call doesn't have it."""
    after: Passage | None


@dataclass(frozen=True, slots=True)
class Notice:
    """What must be said before everything else."""

    text: str
    changes: tuple[Compared, ...] = ()
    """What is different from what was on the page before."""


_FINE = dict.fromkeys(("form", "typed", "note", "text", "to"), "")


@dataclass(frozen=True, slots=True)
class Filled:
    """What somebody has put into the decision, so that nothing of it is lost, and what is wrong with it."""

    typed: str = ""
    note: str = ""
    text: str = ""
    to: str = ""
    outside: bool = False
    """The reason for a no lies outside the agent."""
    wrong: Mapping[str, str] = field(default_factory=lambda: _FINE)
    """Field to what is wrong with it; `form` for what is about no field."""

    @classmethod
    def of(cls, visitor: Visitor, **wrong: str) -> Filled:
        """What a form brought.

        Args:
            visitor: Who sent it.
            wrong: What is wrong with it, by field.
        """
        form = visitor.form
        outside = form.get("fault") == "policy"
        return cls(
            form.get("typed"), form.get("note"), form.get("text"), form.get("to"), outside, {**_FINE, **wrong}
        )  # fmt: skip

    @property
    def bad(self) -> bool:
        """Whether anything is wrong with it."""
        return any(self.wrong.values())


NOTHING = Filled()


def case_for(visitor: Visitor, access: Access = Access.VIEWER) -> Case:
    """The question that an address names, for somebody who may do this with its agent.

    Raises:
        Refusal: There is none, or none of theirs.
    """
    return found(visitor, visitor.params["question"], access)


def found(visitor: Visitor, question: str, access: Access = Access.VIEWER) -> Case:
    """One question by its whole id, for somebody who may do this with its agent.

    Raises:
        Refusal: There is none, or none of theirs.
    """
    case = visitor.ladder.store.read(lambda cursor: cases.case_of(cursor, question))
    if case is None:
        raise visitor.lost("There is no such question", "Its address may be incomplete.")
    visitor.need(access, case.question.call.agent)
    return case


def sheet(
    visitor: Visitor, case: Case, filled: Filled = NOTHING, notice: Notice | None = None, status: int = 200
) -> Shown:
    """The page of one question.

    Args:
        visitor: Who looks.
        case: The question.
        filled: What they have put into the decision already.
        notice: What must be said first.
        status: The HTTP status.
    """
    asked, ladder, person = case.question, visitor.ladder, visitor.person
    told, now = ladder.briefed(asked, by=person), ladder.clock()
    place = ladder.place_of(asked.id, sees=visitor.sees())
    late = case.open and now >= asked.expires_at
    room = Room()
    view = view_of(visitor, asked.id, told.shown, told.characters)
    reviewer = visitor.may(Access.REVIEWER, asked.call.agent)
    return Shown("question.html", {
        "case": case, "question": asked, "told": told, "now": now, "late": late, "rows": _rows(told, room),
        "more": max(0, len(told.arguments) - ROWS), "changes": _changes(told, room), "reach": _reach(told),
        "reasons": [room.text(capital(one.text)) for one in told.reasons],
        "words": room.text(told.words),
        "hashed": room.json(told.text), "place": place, "next": _next(visitor, _following(visitor, case, place)),
        "instead": _next(visitor, case.next), "filled": filled, "notice": notice, "view": view.sealed(visitor),
        "before": looked_before(visitor), "decided": decided(case),
        "afterwards": [] if told.withheld and case.probe else afterwards(visitor, case),
        "reviewer": reviewer, "acts": reviewer and case.open and not late and not told.withheld,
        "voted": voted(visitor, asked),
        "others": others(visitor, asked) if reviewer and case.open else [],
        "named": bool(visitor.policy.people), "may": allowed(visitor, asked) if case.open else frozenset(),
    }, status)  # fmt: skip


def allowed(visitor: Visitor, asked: Question) -> frozenset[str]:
    """What somebody may do with an open question beside declining it: approve, edit, respond, pass.

    Args:
        visitor: Who.
        asked: The question.
    """
    policy, person = visitor.policy, visitor.person
    if outsider(asked, person, policy.able) or uncleared(policy, asked.call.tool, person):
        return frozenset()
    said = {*asked.decisions, "pass"} - {"decline"}
    # Whoever has approved has said what is to run; others must say the same.
    return frozenset(said - ({"approve", "edit"} if voted(visitor, asked) else set()))


def voted(visitor: Visitor, asked: Question) -> bool:
    """Whether somebody is among those who have approved."""
    return any(same(vote.by.name) == same(visitor.person.name) for vote in asked.votes)


def _rows(told: Briefing, room: Room) -> list[Row]:
    values = told.question.call.arguments
    return [
        Row(given, None if told.withheld else _value(given, values, room), id_of(given.name))
        for given in told.arguments[:ROWS]
    ]


def _value(given: Given, values: Mapping[str, Any], room: Room) -> Passage:
    return room.value(values[given.name]) if given.sent and given.name in values else room.text(given.value)


def _changes(told: Briefing, room: Room) -> list[tuple[Passage, Passage | None, Passage | None]]:
    def text(one: str | None) -> Passage | None:
        return None if one is None else room.text(one)

    return [(room.text(one.thing), text(one.before), text(one.after)) for one in told.changes]


def _reach(told: Briefing) -> list[tuple[str, str, str]]:
    """How far it reaches: what, in a word, and a remark."""
    said = []
    for name, text in plain_reach(told.reach).items():
        word, _, remark = text.partition(":")
        said.append((name, word, remark.strip()))
    return said


def _following(visitor: Visitor, case: Case, place: Place | None) -> str | None:
    """The question after this one; after the last one that is answered, the first that still waits."""
    if place is None or place.next or case.open:
        return None if place is None else place.next
    return next((one.id for one in visitor.ladder.waiting(size=1, sees=visitor.sees()).items), None)


def _next(visitor: Visitor, question: str | None) -> Headline | None:
    """Another question, as a link says it."""
    if not question:
        return None
    case = visitor.ladder.store.read(lambda cursor: cases.case_of(cursor, question))
    if case is None or not visitor.may(Access.VIEWER, case.question.call.agent):
        return None
    return headline(visitor, case.question)


def others(visitor: Visitor, asked: Question) -> list[str]:
    """The people whom a question can be handed to, as the policy names them."""
    policy, now = visitor.policy, visitor.ladder.clock()
    return [name for name in sorted(policy.people) if not unpassable(asked, visitor.person, name, now, policy)]


def compared(before: Mapping[str, Any], after: Mapping[str, Any], room: Room) -> tuple[Compared, ...]:
    """The arguments that aren't the same in two calls.

    Args:
        before: Those of the first.
        after: Those of the second.
        room: Where they are shown.
    """
    names = [*before, *(name for name in after if name not in before)]
    return tuple(
        Compared(
            name, room.value(before[name]) if name in before else None,
            room.value(after[name]) if name in after else None,
        )
        for name in names if not _alike(name, before, after)
    )  # fmt: skip


def _alike(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    if name not in before or name not in after:
        return False
    try:
        return canonical(before[name]) == canonical(after[name])
    except ArgumentsError:
        return False
