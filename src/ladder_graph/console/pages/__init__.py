"""The pages, one module for each, and all their addresses in one list."""

from __future__ import annotations

from ladder_graph.console.entries import Entry
from ladder_graph.console.pages import batch, confirmations, editing, home, passage, question

ENTRIES: tuple[Entry, ...] = (
    *home.ENTRIES,
    *confirmations.ENTRIES,
    # Before the pages of single questions: no question has such an id.
    *batch.ENTRIES,
    *question.ENTRIES,
    *editing.ENTRIES,
    *passage.ENTRIES,
)
"""Every address of the console but those to sign in at."""
