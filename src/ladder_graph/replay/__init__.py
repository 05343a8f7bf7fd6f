"""Recorded runs, held against policies: what they would have let through, and what asked. Nothing runs."""

from __future__ import annotations

from ladder_graph.replay.board import Board, Row
from ladder_graph.replay.decider import Decider
from ladder_graph.replay.references import REFERENCES
from ladder_graph.replay.traces import Run, TracedCall

__all__ = ["REFERENCES", "Board", "Decider", "Row", "Run", "TracedCall"]
