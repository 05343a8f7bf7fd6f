"""The channels that lead to the rungs. Only what is sent comes there, so nothing is ever in them."""

from __future__ import annotations

from typing import Any, Self

from langgraph.channels import EphemeralValue
from langgraph.graph.state import CompiledStateGraph

from ladder_graph.hosts.nodes import RungNode

Compiled = CompiledStateGraph[Any, Any, Any, Any]


class NeverWritten(EphemeralValue[Any]):
    """One that stands for its own copy as long as nothing is in it.

    LangGraph copies all channels whenever an edge or a tool looks at the state, several times a call.
    """

    __slots__ = ()

    def copy(self) -> Self:
        """Itself, where a copy would be empty like it."""
        return super().copy() if self.is_available() else self


def spare(graph: Compiled) -> Compiled:
    """The same graph, with such channels before its rungs."""
    for node in graph.nodes.values():
        if isinstance(node.bound, RungNode):
            for name in node.triggers:
                if type(channel := graph.channels[name]) is EphemeralValue:
                    kept = NeverWritten(channel.typ, channel.guard)
                    kept.key = channel.key
                    graph.channels[name] = kept
    return graph
