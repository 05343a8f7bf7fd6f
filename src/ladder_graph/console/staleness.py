"""Answers that come too late, twice, or for something else than what would run; none of them does anything."""

from __future__ import annotations

from ladder_graph.answers import same
from ladder_graph.console.answers import Answer, Moved
from ladder_graph.console.passages import Room
from ladder_graph.console.sheets import Filled, Notice, compared, found, sheet
from ladder_graph.console.visitor import Visitor
from ladder_graph.ledger.lists.cases import Case


def stale_answer(visitor: Visitor, case: Case, verdict: str) -> Answer | None:
    """What an answer comes to that is too late, or for something else; None where it can be taken.

    Args:
        visitor: Who answers.
        case: The question as it is now.
        verdict: What they say; empty where it is no answer.
    """
    asked = case.question
    if own(visitor, case, verdict):
        return Moved(f"/confirm/{asked.id}")  # A second click on what has been taken already.
    if case.next and (not case.open or verdict == "approve"):
        return _instead(visitor, case)
    if not case.open:
        return sheet(visitor, case, Filled.of(visitor), Notice(_who(case)), 409)
    if visitor.ladder.clock() >= asked.expires_at:
        text = "Its time was up before your answer came. It is declined, and nothing ran."
        return sheet(visitor, case, Filled.of(visitor), Notice(text), 409)
    if visitor.form.get("seen") != asked.digest:
        text = "Your answer was for something else than what would run, and was refused. This is what would run:"
        return sheet(visitor, case, Filled.of(visitor), Notice(text), 409)
    return None


def own(visitor: Visitor, case: Case, verdict: str) -> bool:
    """Whether this very answer was taken from this person before.

    Args:
        visitor: Who answers.
        case: The question as it is now.
        verdict: What they say.
    """
    mine, given = same(visitor.person.name), case.question.decision
    if given is not None:
        return same(given.by.name) == mine and (given.verdict == verdict or bool(case.probe))
    return verdict == "approve" and any(same(vote.by.name) == mine for vote in case.question.votes)


def _who(case: Case) -> str:
    given = case.question.decision
    if given is None:
        return "Its time was up before your answer came. Nothing ran."
    return f"{given.by.name} has answered meanwhile, so your answer was not taken. Look at what came of it."


def _instead(visitor: Visitor, case: Case) -> Answer:
    """The question that was asked in this one's place, with what is different."""
    now = found(visitor, case.next)
    before, after = case.question.call.arguments, now.question.call.arguments
    hidden = bool(visitor.withheld(now.question.call.tool))
    changes = () if hidden else compared(before, after, Room())
    given = case.question.decision
    by = f"{given.by.name} put other arguments in" if given is not None and given.verdict == "edit" else ""
    why = by or ("its arguments changed" if changes else "the tool, its rule or its undo changed")
    asked = now.open and visitor.ladder.clock() < now.question.expires_at
    what = "This is what is asked now:" if asked else "This took its place, and is not asked any more:"
    text = f"While you looked at it, {why}. Your answer was refused. {what}"
    return sheet(visitor, now, notice=Notice(text, changes), status=409)
