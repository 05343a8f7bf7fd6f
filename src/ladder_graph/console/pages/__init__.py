"""The pages, one module for each, and all their addresses in one list."""

from __future__ import annotations

from ladder_graph.console.entries import Entry
from ladder_graph.console.pages import home

ENTRIES: tuple[Entry, ...] = (*home.ENTRIES,)
"""Every address of the console but those to sign in at."""
