"""The ledger: what happened, chained by hash, and what the gate must look up before it lets a call act."""

from __future__ import annotations

from ladder_graph.ledger.actions.lifecycle import Refused
from ladder_graph.ledger.database.jobs import seen_through
from ladder_graph.ledger.database.store import Store
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.lists.draft_reading import Draft
from ladder_graph.ledger.lists.reading import Action, Entry, Reading
from ladder_graph.ledger.proof.chain import Verification
from ladder_graph.ledger.reports.reported import Digest, Item, Report

__all__ = [
    "Action",
    "Digest",
    "Draft",
    "Entry",
    "Item",
    "Journal",
    "Reading",
    "Refused",
    "Report",
    "Store",
    "Verification",
    "seen_through",
]
