"""Which tool a rehearsal calls: the original below every seal, in the version that a mount would see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.tools import tool as made_tool

from ladder_graph.errors import ArgumentsError, LadderError
from ladder_graph.hosts.fitting import complaint_about, read_by, version_of
from ladder_graph.hosts.sealing import seal_of


def original(tool: BaseTool | Callable[..., Any]) -> tuple[BaseTool, str]:
    """A tool as it runs once it is allowed, with its version.

    Args:
        tool: A tool, sealed or not, or a function to make one of.

    Raises:
        LadderError: No tool can be made of it.
    """
    try:
        plain = tool if isinstance(tool, BaseTool) else made_tool(tool)
    except (ValueError, TypeError) as wrong:
        name = getattr(tool, "__name__", type(tool).__name__)
        raise LadderError(f"no tool can be made of {name}: {wrong}") from wrong
    seal = seal_of(plain)
    found = plain if seal is None else seal.tool
    return found, version_of(found)


def fit(tool: BaseTool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Let nothing be tried with arguments that the tool doesn't take: that says nothing about its undo.

    Returns:
        What the tool's own code will read of them.

    Raises:
        ArgumentsError: They don't fit its schema, or what it makes of them can't be told.
    """
    if (complaint := complaint_about(tool, dict(arguments))) is not None:
        raise ArgumentsError(" ".join(complaint.split()))
    return read_by(tool, arguments)
