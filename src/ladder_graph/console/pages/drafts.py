"""The drafts workspace: what waits for somebody, oldest first, and what became of the others."""

from __future__ import annotations

from ladder_graph.console.answers import Answer, Shown
from ladder_graph.console.changes import WORDS
from ladder_graph.console.entries import Entry
from ladder_graph.console.visitor import Visitor
from ladder_graph.ledger import Draft
from ladder_graph.ledger.lists.draft_reading import STATES
from ladder_graph.turns.deciding import uncleared

SIZE = 25
"""Drafts on one page."""
DECIDED = tuple(state for state in STATES if state != "waiting")


def drafts(visitor: Visitor) -> Answer:
    """A page of drafts: those that wait, or those that were decided."""
    done = visitor.query.get("show") == "decided"
    found, after = _page(visitor, DECIDED if done else ("waiting",))
    lines = [(one, _withheld(visitor, one)) for one in found]
    return Shown("drafts.html", {
        "lines": lines, "after": after, "done": done, "now": visitor.ladder.clock(), "words": WORDS,
        "first": not visitor.query.get("after"), "count": visitor.counts()["drafts"],
    })  # fmt: skip


def _page(visitor: Visitor, states: tuple[str, ...]) -> tuple[list[Draft], str]:
    """The drafts of a page, and after which one the next begins; empty on the last."""
    after = visitor.query.get("after") or None
    found = visitor.ladder.drafts(states=states, limit=SIZE + 1, after=after, sees=visitor.sees())
    return found[:SIZE], found[SIZE - 1].action.key if len(found) > SIZE else ""


def _withheld(visitor: Visitor, draft: Draft) -> bool:
    return bool(uncleared(visitor.policy, draft.action.tool, visitor.person, draft.labels))


ENTRIES = (Entry("/drafts", show=drafts),)
