"""Recorded runs, held against policies: what they would have let through, and what asked. Nothing runs."""

from __future__ import annotations

from ladder_graph.replay.board import Board, Row
from ladder_graph.replay.coverage import Coverage
from ladder_graph.replay.decider import Decider, Judged
from ladder_graph.replay.formats import read
from ladder_graph.replay.references import REFERENCES
from ladder_graph.replay.traces import CRITICAL, Decided, Run, TracedCall

__all__ = [
    "CRITICAL",
    "REFERENCES",
    "Board",
    "Coverage",
    "Decided",
    "Decider",
    "Judged",
    "Row",
    "Run",
    "TracedCall",
    "read",
]
