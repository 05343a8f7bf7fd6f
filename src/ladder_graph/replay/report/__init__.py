"""What was found in recorded runs, for people: as text, and as one page."""

from __future__ import annotations

from ladder_graph.replay.report.findings import Findings
from ladder_graph.replay.report.text import text

__all__ = ["Findings", "text"]
