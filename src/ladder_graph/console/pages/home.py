"""The way in: what waits goes first, then what went wrong, then whether the ledger is whole."""

from __future__ import annotations

from typing import Any

from ladder_graph.console.answers import Answer, Said, Shown
from ladder_graph.console.entries import Entry
from ladder_graph.console.telling import told
from ladder_graph.console.visitor import Visitor
from ladder_graph.ledger import Entry as Link
from ladder_graph.policy.console import Access

FELL = 6
"""Demotions that are listed."""
DOUBTFUL = 10
"""Actions in doubt that are listed."""
BACK = 50
"""Attestations that are looked through for the last time that the ledger was read back."""


def home(visitor: Visitor) -> Answer:
    """What waits, what is overdue, what fell, what is in doubt, and when the ledger was last read back."""
    ladder, sees = visitor.ladder, visitor.sees()
    fell = ladder.entries(kind="demoted", size=FELL, sees=sees).items
    doubt = ladder.in_doubt(most=DOUBTFUL, sees=sees)[:DOUBTFUL]
    context: dict[str, Any] = {
        "counts": visitor.counts(), "fell": [told(visitor, one) for one in fell], "doubt": doubt,
        "overdue": ladder.overdue(sees), "audit": _audit(visitor), "loose": ladder.reading.loose_ends(sees),
        "withheld": {one.key: visitor.withheld(one.tool) for one in doubt},
        # What was found wrong is said of every chain by its name.
        "names": visitor.may(Access.VIEWER),
    }  # fmt: skip
    return Shown("home.html", context)


def _audit(visitor: Visitor) -> Link | None:
    """The last time that the whole ledger was read back; reading it for a page would take too long."""
    found = visitor.ladder.entries(agent=visitor.policy.agent, kind="attested", size=BACK).items
    return next((one for one in found if one.body.get("what") == "audit" and one.body.get("ok") is not None), None)


def counts(visitor: Visitor) -> Answer:
    """What waits, for the page's own script."""
    return Said(visitor.counts())


ENTRIES = (Entry("/", show=home), Entry("/counts", show=counts))
