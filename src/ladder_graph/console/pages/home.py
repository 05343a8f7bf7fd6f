"""The way in: what waits goes first."""

from __future__ import annotations

from ladder_graph.console.answers import Answer, Said, Shown
from ladder_graph.console.entries import Entry
from ladder_graph.console.visitor import Visitor


def home(visitor: Visitor) -> Answer:
    """Where everything is, with what waits."""
    return Shown("home.html", {"counts": visitor.counts()})


def counts(visitor: Visitor) -> Answer:
    """What waits, for the page's own script."""
    return Said(visitor.counts())


ENTRIES = (Entry("/", show=home), Entry("/counts", show=counts))
