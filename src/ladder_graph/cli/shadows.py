"""What a shadow has seen: which calls of an agent in production would have asked, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import typer

from ladder_graph.cli.options import Json
from ladder_graph.cli.place import place_of

if TYPE_CHECKING:
    from ladder_graph.ledger.evidence.shadows import Shadowed, ShadowTally


class ShadowReasonDocument(TypedDict):
    """Why calls of one tool would not have run unasked."""

    verdict: str
    """asked, held or refused."""
    code: str
    """The reason's code; `policy` where the policy's own rung is the reason."""
    calls: int


class ShadowToolDocument(TypedDict):
    """What would have become of the calls of one tool."""

    agent: str
    tool: str
    calls: int
    free: int
    """Would have run without anybody being asked."""
    asked: int
    """Would have asked."""
    held: int
    """Would only have been suggested or drafted."""
    refused: int
    """Would not have been considered."""
    failed: int
    """Raised, or answered with an error."""
    unended: int
    """It isn't known what became of them."""
    reasons: list[ShadowReasonDocument]


class ShadowDocument(TypedDict):
    """What shadows took down: `ladder shadow --json`."""

    calls: int
    lost: int
    """Calls and endings that were not taken down."""
    tools: list[ShadowToolDocument]


def shadow(ctx: typer.Context, *, json: Json = False) -> None:
    """Show what the gate would have decided about the calls of an agent that has a shadow."""
    from ladder_graph.cli import screen
    from ladder_graph.ledger.evidence.shadows import VERDICTS

    with place_of(ctx).looking() as ladder:
        found = ladder.shadowed()
    if json:
        screen.document(_document(found))
        return
    out = screen.Screen()
    if not found.tools:
        out.note("No shadow has taken anything down; Ladder.shadow(graph) puts one beside a graph.")
        return
    out.line(said(found))
    for agent in dict.fromkeys(one.agent for one in found.tools):
        own = [one for one in found.tools if one.agent == agent]
        out.heading(agent)
        out.columns([_row(one) for one in own], ("tool", "calls", *VERDICTS, "failed", "why not unasked"))
    if found.lost:
        out.gap()
        out.note(f"{found.lost} calls and endings were not taken down: the ledger didn't take them in time")


def said(found: Shadowed) -> str:
    """What shadows took down, in one line."""
    verdicts = {"asked": "would have asked", "held": "would have been held", "refused": "would have been refused"}
    parts = [f"{count} {words}" for one, words in verdicts.items() if (count := found.came_to(one))]  # type: ignore[arg-type]  # they are verdicts
    calls = sum(one.calls for one in found.tools)
    return f"in shadow: {', '.join([f'{calls} call' + 's' * (calls != 1), *parts])}"


def _row(one: ShadowTally) -> list[Any]:
    from ladder_graph.ledger.evidence.shadows import VERDICTS

    why = ", ".join(f"{code} {count}" for (_, code), count in one.reasons.most_common(_SHOWN))
    counts = [*(one.verdicts[each] for each in VERDICTS), one.failed]
    return [one.tool, str(one.calls), *(str(count or "-") for count in counts), why]


_SHOWN = 3
"""Reasons that are shown of each tool, the most frequent ones."""


def _document(found: Shadowed) -> ShadowDocument:
    tools: list[ShadowToolDocument] = [
        {
            "agent": one.agent, "tool": one.tool, "calls": one.calls, "free": one.verdicts["free"],
            "asked": one.verdicts["asked"], "held": one.verdicts["held"], "refused": one.verdicts["refused"],
            "failed": one.failed, "unended": one.unended,
            "reasons": [
                {"verdict": verdict, "code": code, "calls": count}
                for (verdict, code), count in sorted(one.reasons.items())
            ],
        }
        for one in found.tools
    ]  # fmt: skip
    return {"calls": sum(one.calls for one in found.tools), "lost": found.lost, "tools": tools}
