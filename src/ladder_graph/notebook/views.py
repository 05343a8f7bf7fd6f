"""Which piece of markup stands for what: for one thing, and for a list of things of one kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ladder_graph.briefing import Briefing
from ladder_graph.errors import LadderError
from ladder_graph.explaining import Explanation
from ladder_graph.facts import Question
from ladder_graph.fingerprint import Change as Component
from ladder_graph.ladder import Ladder
from ladder_graph.ladder.assessing import Assessment
from ladder_graph.ladder.desk import Cell
from ladder_graph.ladder.lives import Life
from ladder_graph.ladder.pins import Difference
from ladder_graph.ledger import Action, Digest, Draft, Entry, Report, Verification
from ladder_graph.notebook import deeds, replayed, standings
from ladder_graph.notebook.markup import Html
from ladder_graph.replay.board import Board, Row
from ladder_graph.replay.coverage import Coverage
from ladder_graph.replay.differences import Change
from ladder_graph.replay.pareto import Front
from ladder_graph.replay.suggesting import Suggestion
from ladder_graph.trust.case import Certificate

ONE: dict[type, Callable[[Any], Html]] = {
    Action: deeds.action, Assessment: standings.assessment, Board: replayed.board, Briefing: deeds.briefing,
    Cell: standings.cell, Certificate: standings.certificate, Coverage: replayed.coverage,
    Difference: standings.difference, Digest: deeds.digest, Entry: deeds.entry, Explanation: standings.explanation,
    Front: replayed.front, Ladder: standings.ladder, Life: deeds.life, Question: deeds.question,
    Verification: deeds.verification,
}  # fmt: skip
"""What stands for one thing."""

MANY: dict[type, Callable[[Sequence[Any]], Html]] = {
    Action: deeds.actions, Assessment: standings.assessments, Cell: standings.cells, Change: replayed.changes,
    Component: standings.changes, Digest: deeds.digests, Draft: deeds.drafts, Entry: deeds.entries,
    Question: deeds.questions, Report: deeds.reports, Row: replayed.rows, Suggestion: replayed.suggestions,
}  # fmt: skip
"""What stands for a list of things of one kind."""


def view(shown: object) -> Html | None:
    """What stands for a thing or a list; None where nothing does.

    Args:
        shown: Anything.
    """
    if isinstance(shown, list | tuple):
        kinds = {type(one) for one in shown}
        many = MANY.get(kinds.pop()) if len(kinds) == 1 else None
        if many is not None:
            return many(shown)
        return ONE[type(shown[0])](shown[0]) if len(shown) == 1 and type(shown[0]) in ONE else None
    one = ONE.get(type(shown))
    if one is None and isinstance(shown, Ladder | Board):
        one = ONE[Ladder if isinstance(shown, Ladder) else Board]
    return None if one is None else one(shown)


def html(shown: object) -> Html:
    """The markup for something that a ladder or a replay gave, for a page of one's own.

    Args:
        shown: A ladder; what its methods return; a board, its rows, its coverage; or a list of one kind of these.

    Raises:
        LadderError: There is no picture of it.
    """
    found = view(shown)
    if found is None:
        raise LadderError(no_kind(shown, "be shown"))
    return found


def no_kind(given: object, what: str) -> str:
    """Why something can't be shown, with what can.

    Args:
        given: What somebody wanted.
        what: What was wanted of it.
    """
    if isinstance(given, list | tuple) and not given:
        return f"an empty list can't {what}: nobody knows what would be in it"
    if isinstance(given, list | tuple):
        named = f"a list of {', '.join(sorted({type(one).__name__ for one in given}))}"
    else:
        named = f"a {type(given).__name__}"
    known = ", ".join(sorted({one.__name__ for one in {*ONE, *MANY}}))
    return f"{named} can't {what}; give one of {known}, or a list of one kind of them"
