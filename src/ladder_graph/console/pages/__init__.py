"""The pages, one module for each, and all their addresses in one list."""

from __future__ import annotations

from ladder_graph.console.entries import Entry
from ladder_graph.console.pages import action, cell, fingerprint, history, home, ladder, people

ENTRIES: tuple[Entry, ...] = (
    *home.ENTRIES, *ladder.ENTRIES, *cell.ENTRIES, *fingerprint.ENTRIES, *history.ENTRIES, *action.ENTRIES,
    *people.ENTRIES,
)  # fmt: skip
"""Every address of the console but those to sign in at."""
