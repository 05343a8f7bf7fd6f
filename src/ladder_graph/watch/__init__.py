"""Health checks after an action: what they measure, and what counts as bad."""

from __future__ import annotations

from ladder_graph.watch.measuring import measure

__all__ = ["measure"]
