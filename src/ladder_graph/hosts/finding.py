"""Which ladder a graph is under, whichever mount put it there."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from langchain_core.runnables.base import RunnableBindingBase
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode

from ladder_graph.errors import MountError
from ladder_graph.hosts.nodes import GateNode
from ladder_graph.hosts.sealing import seal_of

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

DEEPEST = 12
"""How many closures deep a ladder's middleware is looked for: others stand around it."""


def mounted(graph: Any) -> tuple[Ladder, str]:
    """The ladder that a graph is under, and the name that it acts under there.

    Args:
        graph: What `wrap` returned, or an agent with the ladder's middleware or with guarded tools.

    Raises:
        MountError: It is under none, or under more than one.
    """
    found = (
        {} if not isinstance(graph, CompiledStateGraph) else {id(one): (one, agent) for one, agent in _mounts(graph)}
    )
    if len(found) != 1:
        what = "more than one ladder" if found else "no ladder"
        raise MountError(
            f"this {type(graph).__name__} is under {what}; name the graph that ladder.wrap returned, or one made with "
            f"ladder.middleware"
        )
    ladder, agent = next(iter(found.values()))
    # Agents inside are named after the outer one.
    return ladder, agent.partition("/")[0] if agent.startswith(f"{ladder.policy.agent}/") else agent


def _mounts(graph: CompiledStateGraph[Any, Any, Any, Any]) -> Iterator[tuple[Ladder, str]]:
    for spec in graph.builder.nodes.values():
        runnable: Any = spec.runnable
        while isinstance(runnable, RunnableBindingBase):
            runnable = runnable.bound
        match runnable:
            case GateNode():
                yield runnable.mount.ladder, runnable.mount.agent
            case CompiledStateGraph():
                yield from _mounts(runnable)
            case ToolNode():
                yield from _of_tools(runnable)


def _of_tools(node: ToolNode) -> Iterator[tuple[Ladder, str]]:
    for wrapper in (node._wrap_tool_call, node._awrap_tool_call):  # noqa: SLF001  # no public way to tell
        yield from _held(wrapper, DEEPEST)
    for tool in node.tools_by_name.values():
        seal = seal_of(tool)
        if seal is not None and seal.gate is not None:
            yield from _held(seal.gate, 1)


def _held(thing: Any, depth: int) -> Iterator[tuple[Ladder, str]]:
    """The ladders in a composed wrapper: each is a method of middleware, or a function around others."""
    if depth < 0:
        return
    if isinstance(thing, types.MethodType):
        yield from _held(thing.__self__, depth)
    elif isinstance(thing, types.FunctionType):
        for cell in thing.__closure__ or ():
            yield from _held(cell.cell_contents, depth - 1)
    elif hasattr(thing, "ladder") and hasattr(thing, "agent"):
        yield thing.ladder, thing.agent
