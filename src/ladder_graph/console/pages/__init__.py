"""The pages, one module for each, and all their addresses in one list."""

from __future__ import annotations

from ladder_graph.console.entries import Entry
from ladder_graph.console.pages import (
    action,
    batch,
    cell,
    confirmations,
    draft,
    drafts,
    editing,
    fingerprint,
    history,
    home,
    ladder,
    passage,
    people,
    question,
    report,
    reports,
)

ENTRIES: tuple[Entry, ...] = (
    *home.ENTRIES,
    *confirmations.ENTRIES,
    # Before the pages of single questions: no question has such an id.
    *batch.ENTRIES,
    *question.ENTRIES,
    *editing.ENTRIES,
    *passage.ENTRIES,
    *drafts.ENTRIES,
    *draft.ENTRIES,
    *reports.ENTRIES,
    *report.ENTRIES,
    *ladder.ENTRIES,
    *cell.ENTRIES,
    *fingerprint.ENTRIES,
    *history.ENTRIES,
    *action.ENTRIES,
    *people.ENTRIES,
)
"""Every address of the console but those to sign in at."""
