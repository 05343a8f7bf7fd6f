"""Which tool a rehearsal calls: the original below every seal, in the version that a mount would see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.tools import tool as made_tool

from ladder_graph.hosts.fitting import version_of
from ladder_graph.hosts.sealing import seal_of


def original(tool: BaseTool | Callable[..., Any]) -> tuple[BaseTool, str]:
    """A tool as it runs once it is allowed, with its version.

    Args:
        tool: A tool, sealed or not, or a function to make one of.
    """
    plain = tool if isinstance(tool, BaseTool) else made_tool(tool)
    seal = seal_of(plain)
    found = plain if seal is None else seal.tool
    return found, version_of(found)
