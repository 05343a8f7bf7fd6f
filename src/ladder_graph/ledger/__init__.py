"""The ledger: what happened, chained by hash, and what the gate must look up before it lets a call act."""

from __future__ import annotations

from ladder_graph.ledger.actions import Refused
from ladder_graph.ledger.chain import Verification
from ladder_graph.ledger.draft_reading import Draft
from ladder_graph.ledger.journal import Journal
from ladder_graph.ledger.reading import Action, Entry, Reading
from ladder_graph.ledger.reported import Digest, Item, Report
from ladder_graph.ledger.store import Store

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
]
