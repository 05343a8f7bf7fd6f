"""The ladder: what builders hold in their hands, in parts that stand on each other; `Ladder` is the last of them."""

from __future__ import annotations

from ladder_graph.ladder.whole import Ladder

__all__ = ["Ladder"]
