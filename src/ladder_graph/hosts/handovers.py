"""Tools that hand over to another agent, and do nothing else: known by the very code that they run.

A name or a word in a tool's metadata proves nothing, since an MCP server may say what it likes. A hand-over that
somebody wrote by hand isn't known, and gets an entry in the policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.graph.state import CompiledStateGraph

from ladder_graph.hosts.nested import elsewhere, parts_of
from ladder_graph.hosts.sealing import seal_of

COMMANDS = frozenset({"langgraph_supervisor.handoff", "langgraph_swarm.handoff"})
"""Modules whose tools return a `Command` for the parent graph."""

TASK = "deepagents.middleware.subagents"
"""The module of deepagents' `task`."""

BACKGROUND = "deepagents.middleware.async_subagents"
"""The module of the tools by which deepagents runs agents on a server."""


SENDING = ("start_async_task", "update_async_task")
"""Those among them that send work there."""


def hands_over(tool: BaseTool) -> bool:
    """Whether a tool only says which agent goes on, or runs agents that are all gated where this tool is mounted.

    Args:
        tool: The tool, with its own code or sealed.
    """
    original = _original(tool)
    module = _module(original)
    return module in COMMANDS or (
        module == TASK and original.name == "task" and all(map(_all_are_graphs, _functions(original)))
    )


def leaves(tool: BaseTool) -> bool:
    """Whether a tool's graph is left as soon as it has run, with whatever still waits beside it.

    Args:
        tool: The tool, with its own code or sealed.
    """
    return _module(_original(tool)) in COMMANDS


def runs_elsewhere(tool: BaseTool) -> str:
    """What a tool runs where no gate can be put, in words; empty where there is no such thing.

    Args:
        tool: The tool.
    """
    original = _original(tool)
    if _module(original) == BACKGROUND:
        return "agents on a server" if original.name in SENDING else ""
    found = {type(one).__name__ for part in parts_of(original) for one in elsewhere(part)}
    return " and ".join(f"a {kind}" for kind in sorted(found))


def _original(tool: BaseTool) -> BaseTool:
    seal = seal_of(tool)
    return tool if seal is None else seal.tool


def _functions(tool: BaseTool) -> list[Any]:
    return [one for one in (tool.func, tool.coroutine) if one] if isinstance(tool, StructuredTool) else []


def _module(tool: BaseTool) -> str:
    """The module that all code of a tool was written in; empty where that isn't one, or can't be told.

    `__module__` is no proof: `functools.wraps` lends it to any function.
    """
    found = {getattr(one, "__globals__", {}).get("__name__", "") for one in _functions(tool)}
    return found.pop() if len(found) == 1 else ""


def _all_are_graphs(function: Any) -> bool:
    """Whether every agent of a `task` tool is a graph, so that none of them is out of a gate's reach."""
    agents = list(_agents(function))
    return bool(agents) and all(isinstance(agent, CompiledStateGraph) for agent in agents)


def _agents(function: Any) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        for value in cell.cell_contents.values() if isinstance(cell.cell_contents, dict) else ():
            agent = value
            while isinstance(agent, RunnableBindingBase):
                agent = agent.bound
            if isinstance(agent, Runnable):
                yield agent
