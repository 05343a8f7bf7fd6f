"""Taking a LangChain tool under a ladder: everything that a mount finds around it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_core.tools import BaseTool

from ladder_graph.hosts.fitting import fitting, schema_of, version_of
from ladder_graph.hosts.handovers import hands_over, runs_elsewhere
from ladder_graph.hosts.making import tool_code
from ladder_graph.hosts.outward import outward
from ladder_graph.hosts.sealing import filled_in
from ladder_graph.hosts.toolhost import outside
from ladder_graph.ladder.seats import Seat
from ladder_graph.tools import Declaration, declaration_of
from ladder_graph.waiting import waits

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder


def seat(ladder: Ladder, tool: BaseTool, *, agent: str, can_ask: bool) -> None:
    """Take a tool under a ladder, with everything that is known of it here."""
    waits()  # Its source is read.
    ladder.seat(
        tool.name, _declared(tool), agent=agent, can_ask=can_ask, code=tool_code(tool), **_found(tool)
    )  # fmt: skip


UNKNOWN = Declaration(confined="only middleware of its graph knows it")
"""What is known of a tool that a graph is not made with."""


def seated(ladder: Ladder, tool: BaseTool) -> Seat:
    """What a mount would find around a tool, where questions can wait; the ladder isn't told.

    Args:
        ladder: Whose policy and declarations.
        tool: The tool.
    """
    return Seat(ladder.declared(tool.name, _declared(tool)), can_ask=True, **_found(tool))


def _declared(tool: BaseTool) -> Declaration:
    """What a tool declares, and by its signature."""
    filled = sorted(filled_in(tool))
    said = f"its graph fills in {', '.join(filled)}" if filled else ""
    return replace(declaration_of(tool), confined=said) if said else declaration_of(tool)


def _found(tool: BaseTool) -> dict[str, Any]:
    return {
        "host": outside(tool), "version": version_of(tool), "fitted": fitting(tool), "outward": outward(tool),
        "schema": schema_of(tool), "hands_over": hands_over(tool), "elsewhere": runs_elsewhere(tool),
    }  # fmt: skip


def know(ladder: Ladder, tool: BaseTool, *, agent: str) -> None:
    """Take down a tool's code before its first call, so that it belongs to the environment from the first one on."""
    waits()  # As above.
    ladder.know(tool.name, declaration_of(tool), agent=agent, code=tool_code(tool))
