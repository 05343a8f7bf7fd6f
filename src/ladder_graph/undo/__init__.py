"""Undo: made before the action, kept in the ledger, run from the artifact alone."""

from __future__ import annotations

from ladder_graph.undo.running import prepare, touched, undo

__all__ = ["prepare", "touched", "undo"]
