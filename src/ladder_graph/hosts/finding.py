"""Which ladder a graph is under, whichever mount put it there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from langchain_core.runnables.base import RunnableBindingBase
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode

from ladder_graph.errors import MountError
from ladder_graph.hosts.nodes import GateNode
from ladder_graph.hosts.sealing import seal_of
from ladder_graph.hosts.surrounding import ladders_around, ladders_in

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder


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
    yield from ladders_around(node)
    for tool in node.tools_by_name.values():
        seal = seal_of(tool)
        if seal is not None and seal.gate is not None:
            yield from ladders_in(seal.gate, 1)
