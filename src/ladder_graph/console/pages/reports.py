"""Reports on what ran without asking: those that wait to be read, those that were, and what is gathered so far."""

from __future__ import annotations

from ladder_graph.console.answers import Answer, Shown
from ladder_graph.console.entries import Entry
from ladder_graph.console.visitor import Visitor
from ladder_graph.errors import UnknownPage, UnknownQuestion
from ladder_graph.ledger import Digest
from ladder_graph.ledger.lists.pages import NO_PAGE
from ladder_graph.ledger.reports.reported import Place
from ladder_graph.policy.console import Access

SIZE = 25
"""Reports on one page."""
_PLACES: dict[str, Place] = {"read": "read", "gathering": "gathering"}


def reports(visitor: Visitor) -> Answer:
    """A page of reports: the unread ones, unless others are asked for."""
    place = _PLACES.get(visitor.query.get("show", ""), "unread")
    found = visitor.ladder.digests(place, limit=SIZE + 1, before=_before(visitor), sees=visitor.sees())
    return Shown("reports.html", {
        "digests": found[:SIZE], "place": place, "now": visitor.ladder.clock(),
        "first": not visitor.query.get("before"),
        "before": found[SIZE - 1].id if len(found) > SIZE else "",
    })  # fmt: skip


def _before(visitor: Visitor) -> Digest | None:
    """The last one of the page before; None at the beginning.

    Raises:
        UnknownPage: There is none, or none that they may see.
    """
    asked = visitor.query.get("before", "")
    if not asked:
        return None
    try:
        found = visitor.ladder.digest(asked)
    except UnknownQuestion:
        raise UnknownPage(NO_PAGE) from None
    if not visitor.may(Access.VIEWER, found.agent):
        raise UnknownPage(NO_PAGE)
    return found


ENTRIES = (Entry("/reports", show=reports),)
