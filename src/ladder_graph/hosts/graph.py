"""`wrap`: the tool node of a graph becomes the gate, and six rung nodes stand behind it.

Where a conditional edge leads to the tools, calls are routed inside that edge, which costs no superstep; a gate node
routes whatever arrives by another way. One call per task, always. The given graph is left as it is.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_type_hints, is_typeddict

from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig
from langchain_core.runnables.retry import RunnableRetry
from langgraph.graph import END, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Send

from ladder_graph.errors import MountError, NoCheckpointer
from ladder_graph.hosts.capture import Capture
from ladder_graph.hosts.nested import gated_tools, holds_tools
from ladder_graph.hosts.nodes import GateNode, Mount, RungNode
from ladder_graph.hosts.proposals import messages_of, proposals
from ladder_graph.hosts.toolhost import outside
from ladder_graph.scale import Rung
from ladder_graph.tools import declaration_of

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

Compiled = CompiledStateGraph[Any, Any, Any, Any]
HOST = "host"
"""Says that a LangGraph server or a parent graph brings the checkpointer."""


def wrap(ladder: Ladder, graph: Any, *, checkpointer: Any, agent: str) -> Compiled:
    """See `Ladder.wrap`."""
    compiled = graph if isinstance(graph, CompiledStateGraph) else None
    if compiled is None and not isinstance(graph, StateGraph):
        raise MountError(f"a {type(graph).__name__} can't be wrapped; give a StateGraph or a compiled one")
    own = compiled.checkpointer if compiled is not None else None
    keeper = own if checkpointer is None else None if checkpointer == HOST else checkpointer
    can_ask = checkpointer == HOST or keeper not in {None, False}
    if not can_ask:
        _refuse_without_checkpointer(ladder)
    capture = Capture()
    built = gated(ladder, graph, agent=agent, can_ask=can_ask, capture=capture, checkpointer=keeper)
    return built.with_config(callbacks=[capture])


def gated(ladder: Ladder, graph: Any, *, agent: str, can_ask: bool, capture: Capture, checkpointer: Any) -> Compiled:
    """Rebuild a graph with gates in place of its tool nodes; subgraphs too."""
    compiled = graph if isinstance(graph, CompiledStateGraph) else None
    builder = _copied(compiled.builder if compiled is not None else graph)
    _gate_subgraphs(ladder, builder, agent=agent, can_ask=can_ask, capture=capture)
    places = [name for name, spec in builder.nodes.items() if _tool_node(name, spec.runnable) is not None]
    if not places and not any(isinstance(spec.runnable, CompiledStateGraph) for spec in builder.nodes.values()):
        raise MountError(
            f"the graph {agent} has no ToolNode, so there is nothing to gate; a node that runs tools by itself must "
            f"hand its calls to a ToolNode"
        )
    renamed: dict[str, list[str]] = {}
    for place in places:
        names = _names(builder, place, alone=len(places) == 1)
        mount = _mount(ladder, builder, place, names, agent=agent, can_ask=can_ask, capture=capture)
        _rewire(builder, place, mount)
        renamed[place] = list(names.values())
    if compiled is None:
        return builder.compile(checkpointer=checkpointer)
    rebuilt = builder.compile(
        checkpointer=checkpointer, store=compiled.store, cache=compiled.cache, name=compiled.name,
        debug=compiled.debug, transformers=list(compiled.stream_transformers),
        interrupt_before=_stops(compiled.interrupt_before_nodes, renamed),
        interrupt_after=_stops(compiled.interrupt_after_nodes, renamed),
    )  # fmt: skip
    return rebuilt.with_config(compiled.config) if compiled.config else rebuilt


def _refuse_without_checkpointer(ladder: Ladder) -> None:
    asking = [
        tool for tool, rule in ladder.policy.tools.items()
        if Rung.CONFIRM <= min(rule.rung, rule.ceiling) and not rule.read_only
    ]  # fmt: skip
    if asking:
        raise NoCheckpointer(
            f"{', '.join(asking)} may have to ask a person, and the graph has no checkpointer to wait with; pass "
            f"wrap(graph, checkpointer=...), or checkpointer=\"host\" where a server or a parent graph brings one"
        )


def _copied(builder: StateGraph[Any, Any, Any, Any]) -> StateGraph[Any, Any, Any, Any]:
    """A builder that can be changed without touching the caller's."""
    if any(isinstance(spec.runnable, RungNode) for spec in builder.nodes.values()):
        raise MountError("this graph is under a ladder already; wrap the original one")
    new = copy.copy(builder)
    new.nodes = {name: replace(spec) for name, spec in builder.nodes.items()}
    new.edges, new.waiting_edges = set(builder.edges), set(builder.waiting_edges)
    new.branches = defaultdict(dict, {start: dict(branches) for start, branches in builder.branches.items()})
    new.compiled = False
    return new


def _tool_node(name: str, runnable: Any) -> ToolNode | None:
    """The ToolNode in a node, or None; one that is wrapped in something that repeats effects is refused by name."""
    inner = runnable
    while isinstance(inner, RunnableBinding):
        if isinstance(inner, RunnableRetry) and isinstance(inner.bound, ToolNode):
            raise MountError(f"the node {name} retries its ToolNode, which would run effects again; use ToolRetryMiddleware")
        inner = inner.bound
    if not isinstance(inner, ToolNode) and isinstance(getattr(inner, "runnable", None), ToolNode):
        raise MountError(f"the node {name} has a fallback around its ToolNode; take it off, the gate answers failures")
    return inner if isinstance(inner, ToolNode) else None


def _names(builder: StateGraph[Any, Any, Any, Any], place: str, *, alone: bool) -> dict[Rung, str]:
    """The rung nodes' names: the words, unless the graph has several tool nodes or uses a word itself."""
    plain = alone and not any(rung.word in builder.nodes for rung in Rung)
    return {rung: rung.word if plain else f"{place}.{rung.word}" for rung in Rung}


def _mount(
    ladder: Ladder, builder: StateGraph[Any, Any, Any, Any], place: str, names: dict[Rung, str], *, agent: str,
    can_ask: bool, capture: Capture,
) -> Mount:  # fmt: skip
    runnable: Runnable[Any, Any] = builder.nodes[place].runnable  # type: ignore[assignment]  # a ToolNode is one
    original = _tool_node(place, runnable)
    assert original is not None  # noqa: S101  # it was found there a moment ago

    def nest(graph: Compiled, name: str) -> Compiled:
        return gated(ladder, graph, agent=f"{agent}/{name}", can_ask=can_ask, capture=capture, checkpointer=None)

    node = gated_tools(original, nest)
    if node is not original and runnable is not original:
        raise MountError(f"the node {place} has a config around a ToolNode whose tools run agents; take the config off")
    for tool in original.tools_by_name.values():
        ladder.seat(tool.name, declaration_of(tool), agent=agent, can_ask=can_ask, host=outside(tool))
    return Mount(
        ladder=ladder, agent=agent, capture=capture, node=runnable if node is original else node,
        tools=dict(node.tools_by_name), open_ended=node._wrap_tool_call is not None or node._awrap_tool_call is not None,  # noqa: SLF001  # no public way to tell
        messages_key=node._messages_key, names=names, schema=_schema(builder),  # noqa: SLF001  # as above
    )  # fmt: skip


def _schema(builder: StateGraph[Any, Any, Any, Any]) -> Any:
    """What makes the tools' state; None where it is a plain dict."""
    schema = builder.state_schema
    return None if is_typeddict(schema) or schema is dict or not get_type_hints(schema) else schema


def _rewire(builder: StateGraph[Any, Any, Any, Any], place: str, mount: Mount) -> None:
    """Put the gate where the tool node stood, and the rungs behind it, with the tool node's own ways onwards."""
    joined = [end for starts, end in builder.waiting_edges if place in starts]
    if joined:
        raise MountError(f"the node {joined[0]} waits for {place} together with others, which six rungs can't stand in for")
    spec = builder.nodes[place]
    edges = sorted(end for start, end in builder.edges if start == place)
    branches = builder.branches.pop(place, {})
    builder.edges = {(start, end) for start, end in builder.edges if start != place}
    for start, arriving in builder.branches.items():
        builder.branches[start] = {
            name: branch if branch.ends is not None and place not in branch.ends.values()
            else branch._replace(path=GatedEdge(branch.path, branch.ends, place, mount), ends=_with(branch.ends, mount))
            for name, branch in arriving.items()
        }  # fmt: skip
    ends = {*mount.names.values(), *edges, *(end for b in branches.values() for end in (b.ends or {}).values())}

    def onwards(state: Any, config: RunnableConfig) -> list[Any]:
        ways: list[Any] = list(edges)
        for branch in branches.values():
            ways += _resolved(branch.path.invoke(state, config), branch.ends)
        return [way for way in ways if way != END]

    plain = replace(spec, retry_policy=None, cache_policy=None, error_handler_node=None)
    builder.nodes[place] = replace(plain, runnable=GateNode(mount, onwards, place), ends=tuple(sorted(ends)))
    for rung, name in mount.names.items():
        builder.nodes[name] = replace(plain, runnable=RungNode(mount, rung, name))
        builder.edges |= {(name, end) for end in edges}
        if branches:
            builder.branches[name] = dict(branches)


def _with(ends: dict[Any, str] | None, mount: Mount) -> dict[Any, str] | None:
    return None if ends is None else {**ends, **{name: name for name in mount.names.values()}}


def _resolved(result: Any, ends: dict[Any, str] | None) -> list[Any]:
    results = result if isinstance(result, list | tuple) else [result]
    return [one if isinstance(one, Send) or ends is None else ends[one] for one in results]


@dataclass(frozen=True)
class GatedEdge(Runnable[Any, Any]):
    """A conditional edge that led to the tools: its answer, with each call sent to its rung instead."""

    path: Runnable[Any, Any]
    ends: dict[Any, str] | None
    place: str
    mount: Mount

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: A002  # LangChain's name
        """Route as the graph's author did, then route the calls."""
        return self._routed(self.path.invoke(input, config), input, config or {})

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: A002  # LangChain's name
        """As `invoke`."""
        return self._routed(await self.path.ainvoke(input, config), input, config or {})

    def _routed(self, result: Any, state: Any, config: RunnableConfig) -> list[Any]:
        key = self.mount.messages_key
        routed: list[Any] = []
        for way in result if isinstance(result, list | tuple) else [result]:
            sent = isinstance(way, Send)
            if (way.node if sent else (self.ends or {}).get(way, way)) != self.place:
                routed.append(way)
                continue
            found = proposals(way.arg if sent else state, key)
            sends = [self.mount.send(proposal, messages_of(state, key), config) for proposal in found]
            routed += sends or [way]
        return routed


def _gate_subgraphs(
    ladder: Ladder, builder: StateGraph[Any, Any, Any, Any], *, agent: str, can_ask: bool, capture: Capture
) -> None:
    """Gate the graphs that stand as nodes; one that is hidden in a function is refused by name."""
    for name, spec in builder.nodes.items():
        runnable: Any = spec.runnable
        if isinstance(runnable, CompiledStateGraph):
            if holds_tools(runnable):
                inner = gated(
                    ladder, runnable, agent=f"{agent}/{name}", can_ask=can_ask, capture=capture,
                    checkpointer=runnable.checkpointer,
                )  # fmt: skip
                builder.nodes[name] = replace(spec, runnable=inner)
        elif not isinstance(runnable, ToolNode) and holds_tools(runnable):
            raise MountError(
                f"the node {name} runs another agent inside a function, where its tools can't be gated; add that "
                f"agent to the graph as a node, or wrap it first"
            )


def _stops(nodes: Any, renamed: dict[str, list[str]]) -> Any:
    """`interrupt_before` and `interrupt_after`, for the rungs where they named the tool node."""
    if isinstance(nodes, str):
        return nodes
    return [new for node in nodes for new in (node, *renamed.get(node, ()))] or None
