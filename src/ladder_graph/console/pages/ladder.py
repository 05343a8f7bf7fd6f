"""Who may do what: each agent with each tool, where it really stands, and how much of the next rung is earned."""

from __future__ import annotations

from dataclasses import dataclass

from ladder_graph.console.addresses import segment
from ladder_graph.console.answers import Answer, Shown
from ladder_graph.console.cells import Placed, placed
from ladder_graph.console.entries import Entry
from ladder_graph.console.visitor import Visitor
from ladder_graph.fingerprint import diff
from ladder_graph.ledger.gate.acts import environment_key

LEGEND = (
    "says what it would do", "prepares, you use it", "asks before each call", "runs inside limits",
    "runs, can be undone", "runs, you read after",
)  # fmt: skip
"""What each rung is, in a few words, from the lowest up."""


@dataclass(frozen=True, slots=True)
class Line:
    """One agent's line of the matrix."""

    agent: str
    made_of: str
    """The beginning of the key of what proposes its calls; empty before the first."""
    changed: bool
    """It isn't what its rungs were granted to."""
    fingerprint: str
    """The address of that page."""
    cells: dict[str, list[Placed]]
    """Tool to its cells: one, or one for each scope."""


def matrix(visitor: Visitor) -> Answer:
    """All agents and tools that somebody may see."""
    found = placed(visitor)
    tools = sorted({one.cell.tool for one in found})
    lines = [_line(visitor, agent, found) for agent in dict.fromkeys(one.cell.agent for one in found)]
    return Shown("ladder.html", {"lines": lines, "tools": tools, "legend": LEGEND})


def _line(visitor: Visitor, agent: str, found: list[Placed]) -> Line:
    pinned, now = visitor.ladder.environments(agent)
    cells: dict[str, list[Placed]] = {}
    for one in found:
        if one.cell.agent == agent:
            cells.setdefault(one.cell.tool, []).append(one)
    changed = pinned is not None and now is not None and bool(diff(pinned, now))
    return Line(
        agent, environment_key(now)[:8] if now is not None else "", changed, f"/fingerprint/{segment(agent)}", cells
    )


ENTRIES = (Entry("/ladder", show=matrix),)
