"""What a gate found out about a call and its rung needs: the route, and all that it was found by."""

from __future__ import annotations

from typing import NamedTuple

from ladder_graph.flow import Gate, Routed
from ladder_graph.turns.turn import Turn


class Found(NamedTuple):
    """The route of a call, found a moment ago in this process."""

    routed: Routed
    """The rung, what was settled, and what that was found by."""
    gate: Gate
    """What decided about it."""
    turn: Turn
    """What looked into the ledger for it, and goes on with the call in its rung."""
