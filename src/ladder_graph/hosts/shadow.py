"""`shadow`: a graph as it is, with somebody beside its tool nodes who sees each call begin and end.

The compiled graph is copied with all it has: nodes, edges, channels, checkpointer, time-outs. Only its ToolNodes are
copies of a class of their own, which does what the original's does and tells of it. No node, no edge and no superstep
is added, so that the graph's streams, checkpoints and drawings are what they were.
"""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode

from ladder_graph.errors import MountError
from ladder_graph.hosts.foreseeing import Place
from ladder_graph.hosts.graph import Builder, Compiled, copied, is_gated, refuse_hidden, tool_node
from ladder_graph.hosts.making import make_of
from ladder_graph.hosts.nested import gated_tools, holds_tools, unguarded
from ladder_graph.hosts.reaching import one_look
from ladder_graph.hosts.sealing import copied_node, in_place
from ladder_graph.hosts.seating import know
from ladder_graph.hosts.shadowing import ShadowCapture, Shadowing

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

BESIDE = "_ladder_beside"
"""Where a ToolNode keeps who is beside it."""


@dataclass(frozen=True, slots=True)
class _Site:
    """What all places of one `shadow` share."""

    ladder: Ladder
    capture: ShadowCapture
    shadowing: Shadowing
    around: tuple[Builder, ...] = ()
    """The graph that gets its shadow, and those around it."""

    def unseen(self, node: ToolNode) -> bool:
        """Whether this shadow isn't beside a ToolNode yet, and no gate of its own stands there."""
        return unguarded(node) and all(one is not self.shadowing for one, _ in vars(node).get(BESIDE, ()))


def shadow(ladder: Ladder, graph: Any, *, agent: str) -> Compiled:
    """See `Ladder.shadow`."""
    if isinstance(graph, StateGraph):
        graph = copied(graph).compile()
    if not isinstance(graph, CompiledStateGraph):
        raise MountError(f"a {type(graph).__name__} can't have a shadow; give a StateGraph or a compiled one")
    if is_gated(graph):
        raise MountError("this graph is under a ladder already; put the shadow beside the original one")
    shadowing = ladder.shadowing
    site = _Site(ladder, ShadowCapture(shadowing, ladder), shadowing)
    with one_look():
        return _shadowed(site, graph, agent).with_config(callbacks=[site.capture])


def _shadowed(site: _Site, graph: Compiled, agent: str) -> Compiled:
    """A copy of a graph with the shadow beside its tool nodes; subgraphs too."""
    site = replace(site, around=(*site.around, graph.builder))
    make, changed = make_of(graph.builder), dict[str, Any]()
    for name, node in graph.nodes.items():
        bound: Any = node.bound
        original = tool_node(name, bound)
        if isinstance(bound, CompiledStateGraph):
            if holds_tools(bound, site.unseen):
                changed[name] = _shadowed(site, bound, f"{agent}/{name}")
        elif original is not None:
            changed[name] = in_place(bound, _seen(site, original, agent, make))
        else:
            refuse_hidden(name, bound, site.unseen)
    if not changed:
        raise MountError(f"the graph {agent} has no ToolNode, so there is nothing to see beside it")
    nodes = {name: _with(node, changed[name]) if name in changed else node for name, node in graph.nodes.items()}
    builder = copy.copy(graph.builder)
    builder.nodes = {
        name: replace(spec, runnable=changed[name]) if name in changed else spec for name, spec in builder.nodes.items()
    }
    return graph.copy({"nodes": nodes, "builder": builder})


def _with(node: Any, bound: Any) -> Any:
    graphs = {"subgraphs": [bound]} if isinstance(bound, CompiledStateGraph) else {}
    return node.copy({"bound": bound, **graphs})


def _seen(site: _Site, node: ToolNode, agent: str, make: Any) -> ToolNode:
    """A copy of a ToolNode that tells of each call, and of those of the agents that its tools run."""
    for tool in node.tools_by_name.values():
        know(site.ladder, tool, agent=agent)
    inner = gated_tools(
        node, lambda graph, name: _shadowed(site, graph, f"{agent}/{name}"), site.unseen, around=site.around
    )
    new = copied_node(inner)
    open_ended = node._wrap_tool_call is not None or node._awrap_tool_call is not None  # noqa: SLF001  # no public way to tell
    place = Place(agent, dict(node.tools_by_name), open_ended, make, site.capture)
    vars(new)[BESIDE] = (*vars(node).get(BESIDE, ()), (site.shadowing, place))
    if BESIDE not in vars(node):
        new.__class__ = _telling(type(node))
    return new


@functools.cache
def _telling(kind: type[ToolNode]) -> type[ToolNode]:
    """A class of ToolNodes that do what those of a class do, and tell of it."""

    class Telling(kind):  # type: ignore[misc,valid-type]  # a class that is only known here
        def _run_one(self, call: Any, input_type: Any, tool_runtime: Any) -> Any:
            sightings = _began(self, call, tool_runtime)
            try:
                output = super()._run_one(call, input_type, tool_runtime)
            except BaseException as wrong:
                _ended(sightings, wrong=wrong)
                raise
            _ended(sightings, output)
            return output

        async def _arun_one(self, call: Any, input_type: Any, tool_runtime: Any) -> Any:
            sightings = _began(self, call, tool_runtime)
            try:
                output = await super()._arun_one(call, input_type, tool_runtime)
            except BaseException as wrong:
                _ended(sightings, wrong=wrong)
                raise
            _ended(sightings, output)
            return output

    Telling.__name__, Telling.__qualname__, Telling.__doc__ = kind.__name__, kind.__qualname__, kind.__doc__
    return Telling


def _began(node: ToolNode, call: Any, runtime: Any) -> list[tuple[Shadowing, Any]]:
    return [(beside, beside.began(place, call, runtime.config)) for beside, place in vars(node)[BESIDE]]


def _ended(sightings: list[tuple[Shadowing, Any]], output: Any = None, wrong: BaseException | None = None) -> None:
    for beside, sighting in sightings:
        beside.ended(sighting, output, wrong)
