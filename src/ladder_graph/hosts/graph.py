"""`wrap`: the tool node of a graph becomes the gate, and six rung nodes stand behind it.

Where a conditional edge leads to the tools, calls are routed inside that edge, which costs no superstep; a gate node
routes whatever arrives by another way. One call per task, always. The given graph is left as it is.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.config import merge_configs
from langchain_core.runnables.retry import RunnableRetry
from langchain_core.tools import BaseTool
from langgraph.channels import LastValue
from langgraph.constants import START
from langgraph.graph import StateGraph
from langgraph.graph._branch import BranchSpec
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from pydantic import BaseModel

from ladder_graph.errors import MountError, NoCheckpointer
from ladder_graph.hosts.byhand import ByHand
from ladder_graph.hosts.capture import Capture
from ladder_graph.hosts.channels import spare
from ladder_graph.hosts.conversation import READ
from ladder_graph.hosts.edges import GatedEdge, Meanwhile, Onwards
from ladder_graph.hosts.handovers import leaves
from ladder_graph.hosts.hearing import HearingNode, models_of
from ladder_graph.hosts.kept import Keeper
from ladder_graph.hosts.making import make_of
from ladder_graph.hosts.mount import Mount
from ladder_graph.hosts.nested import (
    Counts,
    Nest,
    bare,
    elsewhere,
    gated_node,
    gated_tools,
    holds_tools,
    runs_tools_by_hand,
    unguarded,
)  # fmt: skip
from ladder_graph.hosts.nodes import GateNode, HandlerNode, RungNode
from ladder_graph.hosts.one_call import leaves_the_loop
from ladder_graph.hosts.outward import outward
from ladder_graph.hosts.provider import ProviderTools
from ladder_graph.hosts.reaching import one_look
from ladder_graph.hosts.reviewers import hooked, tell_of_reviews
from ladder_graph.hosts.sealing import in_place, sealed_node
from ladder_graph.hosts.seating import seat
from ladder_graph.hosts.wrapped import WrappedGraph, set_like
from ladder_graph.ladder.environments import Make
from ladder_graph.routing import may_ask
from ladder_graph.scale import Rung

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

Compiled = CompiledStateGraph[Any, Any, Any, Any]
Builder = StateGraph[Any, Any, Any, Any]
HOST = "host"
"""Says that a LangGraph server or a parent graph brings the checkpointer."""


@dataclass(frozen=True, slots=True)
class Site:
    """What all mounts of one `wrap` share, in the graph itself and in those inside it."""

    ladder: Ladder
    capture: Capture
    by_hand: ByHand
    can_ask: bool
    """A checkpointer will be there."""
    apart: set[str] = field(default_factory=set)
    """The tool nodes that calls may come to by a step between, which another process may take."""
    forgets: str = ""
    """The agent inside that starts over at each answer, since it was compiled with `checkpointer=False`."""
    around: tuple[Builder, ...] = ()
    """The graph that is being gated, and those around it, as they were given."""


def wrap(ladder: Ladder, graph: Any, *, checkpointer: Any, agent: str) -> Compiled:
    """See `Ladder.wrap`."""
    compiled = graph if isinstance(graph, CompiledStateGraph) else None
    if compiled is None and not isinstance(graph, StateGraph):
        raise MountError(
            f"a {type(graph).__name__} can't be wrapped; give a StateGraph or a compiled one. An agent of @entrypoint "
            f"has no tool node: guard its tools, and call each in a @task that is given the call"
        )
    own = compiled.checkpointer if compiled is not None else None
    keeper = own if checkpointer is None else None if checkpointer == HOST else checkpointer
    can_ask = checkpointer == HOST or not (keeper is None or keeper is False)
    site = Site(ladder, Capture(ladder.masks), ByHand(ladder, agent), can_ask=can_ask)
    with one_look():
        built = gated(site, graph, agent=agent, checkpointer=keeper)
    handlers: list[BaseCallbackHandler] = [site.capture, ProviderTools(ladder, agent, site.capture), site.by_hand]
    handlers += [Keeper(ladder, site.capture)] if site.apart else []
    config = merge_configs(built.config, {"callbacks": handlers})
    return WrappedGraph(**{**vars(built), "config": config})


def gated(site: Site, graph: Any, *, agent: str, checkpointer: Any) -> Compiled:
    """Rebuild a graph with gates in place of its tool nodes; subgraphs too."""
    compiled = graph if isinstance(graph, CompiledStateGraph) else None
    given = compiled.builder if compiled is not None else graph
    builder, site = copied(given), replace(site, around=(*site.around, given))
    make = make_of(builder)
    inside = _gate_subgraphs(site, builder, agent)
    places = [name for name, spec in builder.nodes.items() if tool_node(name, spec.runnable) is not None]
    if not places and not inside:
        raise MountError(
            f"the graph {agent} has no ToolNode, so there is nothing to gate; a node that runs tools by itself must "
            f"hand its calls to a ToolNode"
        )
    models: dict[str, Mount] = {}
    for place in places:
        names = _names(builder, place, alone=len(places) == 1)
        if not _comes_at_once(builder, place):
            site.apart.add(f"{agent}.{place}")
        asking = models_of(builder, place)
        mount = _mount(site, builder, place, names, agent, make, hears=bool(asking))
        models |= dict.fromkeys(asking, mount)
        _rewire(builder, place, mount)
    for name, spec in builder.nodes.items():
        if places and spec.is_error_handler:
            builder.nodes[name] = replace(spec, runnable=HandlerNode(spec.runnable, _reader(builder, name)))
    for name, mount in models.items():
        runnable: Any = builder.nodes[name].runnable
        hearing = HearingNode(runnable, site.ladder, agent, mount.messages_key)
        builder.nodes[name] = replace(builder.nodes[name], runnable=hearing)
    if compiled is None:
        return spare(builder.compile(checkpointer=checkpointer))
    _give_policies(builder, compiled)
    rebuilt = builder.compile(
        checkpointer=checkpointer, store=compiled.store, cache=compiled.cache, name=compiled.name,
        debug=compiled.debug, transformers=list(compiled.stream_transformers),
    )  # fmt: skip
    return set_like(compiled, spare(rebuilt))


def _give_policies(builder: Builder, compiled: Compiled) -> None:
    """Give the policies of a whole graph to its nodes, but for those of ours: see `_rewire`."""
    for name, spec in builder.nodes.items():
        if not isinstance(spec.runnable, GateNode | RungNode):
            builder.nodes[name] = replace(
                spec, retry_policy=spec.retry_policy or compiled.retry_policy or None,
                cache_policy=spec.cache_policy or compiled.cache_policy,
            )  # fmt: skip


def _refuse_without_checkpointer(site: Site, tools: Iterable[BaseTool]) -> None:
    asking = ", ".join(tool.name for tool in tools if may_ask(site.ladder.policy.rule(tool.name), outward(tool)))
    if asking and site.forgets:
        raise NoCheckpointer(
            f"{asking} may have to ask a person, and the agent {site.forgets} was compiled with checkpointer=False, so "
            f"that it starts over at each answer and asks again; compile it without that"
        )
    if asking:
        raise NoCheckpointer(
            f"{asking} may have to ask a person, and the graph has no checkpointer to wait with; pass "
            f'wrap(graph, checkpointer=...), or checkpointer="host" where a server or a parent graph brings one'
        )


def _nest(site: Site, agent: str) -> Nest:
    """Gates the graphs inside an agent. Each keeps its own checkpointer, and with it what it remembers."""

    def nest(graph: Compiled, name: str) -> Compiled:
        inner = f"{agent}/{name}"
        lost = site.can_ask and graph.checkpointer is False
        return gated(
            replace(site, can_ask=False, forgets=inner) if lost else site, graph, agent=inner,
            checkpointer=graph.checkpointer,
        )  # fmt: skip

    return nest


def copied(builder: Builder) -> Builder:
    """A builder that can be changed without touching the caller's."""
    if any(isinstance(spec.runnable, RungNode) for spec in builder.nodes.values()):
        raise MountError("this graph is under a ladder already; wrap the original one")
    new = copy.copy(builder)
    new.nodes = {name: replace(spec) for name, spec in builder.nodes.items()}
    new.edges, new.waiting_edges = set(builder.edges), set(builder.waiting_edges)
    new.branches = defaultdict(dict, {start: dict(branches) for start, branches in builder.branches.items()})
    if not builder.compiled:
        new.compile()
    # Compiling gave each node what `set_node_defaults` says, once; the rungs must not get it.
    new._node_defaults = type(builder._node_defaults)()  # noqa: SLF001  # it has no public reset
    new.compiled = False
    return new


def tool_node(name: str, runnable: Any) -> ToolNode | None:
    """The ToolNode in a node, or None; one that is wrapped in something that repeats effects is refused by name."""
    inner = runnable
    while isinstance(inner, RunnableBindingBase):
        if isinstance(inner, RunnableRetry) and isinstance(inner.bound, ToolNode):
            raise MountError(
                f"the node {name} retries its ToolNode, which would run effects again; use ToolRetryMiddleware"
            )
        inner = inner.bound
    if not isinstance(inner, ToolNode) and isinstance(getattr(inner, "runnable", None), ToolNode):
        raise MountError(f"the node {name} has a fallback around its ToolNode; take it off, the gate answers failures")
    return inner if isinstance(inner, ToolNode) else None


def _names(builder: Builder, place: str, *, alone: bool) -> dict[Rung, str]:
    """The rung nodes' names: the words, unless the graph has several tool nodes or uses a word itself."""
    plain = alone and not any(rung.word in builder.nodes for rung in Rung)
    return {rung: rung.word if plain else f"{place}.{rung.word}" for rung in Rung}


def _mount(
    site: Site, builder: Builder, place: str, names: dict[Rung, str], agent: str, make: Make, *, hears: bool
) -> Mount:
    runnable: Runnable[Any, Any] = builder.nodes[place].runnable  # type: ignore[assignment]  # a ToolNode is one
    original = tool_node(place, runnable)
    assert original is not None  # noqa: S101  # it was found there a moment ago
    if not bare(original):
        raise MountError(
            f"the tools of {agent} have a ladder's middleware around them already; wrap the agent without it, or use "
            f"the agent as it is"
        )
    if not site.can_ask:
        _refuse_without_checkpointer(site, original.tools_by_name.values())
    node = gated_tools(original, _nest(site, agent), around=site.around)
    key: str = node._messages_key  # noqa: SLF001  # no public way to tell
    if isinstance(builder.channels.get(key), LastValue):
        raise MountError(
            f"the state's {key} has no reducer, so parallel answers can't be put together; use add_messages"
        )
    for tool in original.tools_by_name.values():
        seat(site.ladder, tool, agent=agent, can_ask=site.can_ask)
    tell_of_reviews(agent, hooked(builder), original.tools_by_name)
    return Mount(
        ladder=site.ladder, agent=agent, can_ask=site.can_ask, capture=site.capture,
        node=in_place(runnable, sealed_node(node)), place=place, tools=dict(node.tools_by_name),
        open_ended=node._wrap_tool_call is not None or node._awrap_tool_call is not None,  # noqa: SLF001  # as above
        messages_key=key, names=names, state=_reader(builder, place), nests=node is not original,
        root="__root__" in builder.channels, branches=bool(builder.branches.get(place)),
        one_question=site.ladder.policy.ask == "one", by_hand=site.by_hand, make=make, hears=hears,
        meanwhile=(f"{place}.meanwhile",) if any(spec.defer for spec in builder.nodes.values()) else (),
        aside=frozenset(name for name, tool in node.tools_by_name.items() if leaves_the_loop(node, tool)),
        leaving=frozenset(name for name, tool in original.tools_by_name.items() if leaves(tool)),
    )  # fmt: skip


def _comes_at_once(builder: Builder, place: str) -> bool:
    """Whether calls are always routed in the task that asked the model, so that nobody else ever has to know of it.

    They are where only conditional edges lead to the tools, from nodes that nothing leads to but the start and the
    tools themselves: what such a node hands on, it has just made.
    """
    starts = {
        start for start, found in builder.branches.items() if any(_may_lead(one, place) for one in found.values())
    }
    if START in starts or any(end == place for _, end in builder.edges):
        return False
    if any(place in (spec.ends or ()) for spec in builder.nodes.values()):
        return False
    leading = {start for start, end in builder.edges if end in starts}
    leading |= {
        start
        for start, found in builder.branches.items()
        if any(_may_lead(one, end) for one in found.values() for end in starts)
    }
    return leading <= {START, place, *(starts if len(starts) == 1 else ())}


def _may_lead(branch: BranchSpec, place: str) -> bool:
    return branch.ends is None or place in branch.ends.values()


def _reader(builder: Builder, place: str) -> Callable[[RunnableConfig], Any]:
    """Reads the state as a node is given it: the keys of its own schema, and an instance of it where it is a class."""
    schema: Any = builder.nodes[place].input_schema
    keys = list(builder.schemas[schema])
    made = schema if isinstance(schema, type) and (issubclass(schema, BaseModel) or is_dataclass(schema)) else None

    def read(config: RunnableConfig) -> Any:
        reading, fresh = config.get("configurable", {}).get(READ), False
        if keys == ["__root__"]:
            return reading("__root__", fresh) if reading else []
        values: dict[str, Any] = reading(keys, fresh) if reading else {}
        return values if made is None else made(**values)

    return read


def _rewire(builder: Builder, place: str, mount: Mount) -> None:
    """Put the gate where the tool node stood, and the rungs behind it, with the tool node's own ways onwards."""
    joined = [end for starts, end in builder.waiting_edges if place in starts]
    if joined:
        raise MountError(
            f"the node {joined[0]} waits for {place} together with others, which six rungs can't stand in for"
        )
    for start, arriving in builder.branches.items():
        # What arrives from outside is no state yet; the gate will see the state.
        if start != START:
            builder.branches[start] = {name: _gated(branch, mount) for name, branch in arriving.items()}
    spec = builder.nodes[place]
    edges = sorted(end for start, end in builder.edges if start == place)
    onwards = {name: b._replace(path=Onwards(b.path)) for name, b in builder.branches.pop(place, {}).items()}
    rungs = {name: name for name in mount.names.values()}
    # A tool node's policies are for running tools; the ledger says what may be tried again.
    plain = replace(spec, retry_policy=None, cache_policy=None)
    builder.nodes[place] = replace(plain, runnable=GateNode(mount, place), ends=(*rungs, *mount.meanwhile))
    builder.nodes |= {name: replace(plain, runnable=Meanwhile(), ends=()) for name in mount.meanwhile}
    builder.edges = {(start, end) for start, end in builder.edges if start != place}
    builder.branches[place] = dict(onwards)
    plainly = {"onwards": BranchSpec(Onwards(edges=edges), {end: end for end in edges})} if edges else {}
    builder.branches[place] |= plainly
    for rung, name in mount.names.items():
        builder.nodes[name] = replace(plain, runnable=RungNode(mount, rung, name), ends=())
        if mount.one_question:
            # A call that comes back to the gate must not go on as well.
            onwards |= plainly
        else:
            builder.edges |= {(name, end) for end in edges}
        if onwards:
            builder.branches[name] = dict(onwards)


def _gated(branch: BranchSpec, mount: Mount) -> BranchSpec:
    """A conditional edge with the calls routed in it, where it may lead to the tools at all."""
    if branch.ends is None:
        return branch._replace(path=GatedEdge(branch.path, None, mount))
    if mount.place not in branch.ends.values():
        return branch
    ends: dict[Any, str] = {**branch.ends, **{name: name for name in (*mount.names.values(), *mount.meanwhile)}}
    return branch._replace(path=GatedEdge(branch.path, branch.ends, mount), ends=ends)


def _gate_subgraphs(site: Site, builder: Builder, agent: str) -> bool:
    """Gate the graphs that stand as nodes or are run by one; what can't be gated is refused by name.

    Returns:
        Whether there is any graph with tools inside, gated now or before.
    """
    found, nest = False, _nest(site, agent)
    for name, spec in builder.nodes.items():
        runnable: Any = spec.runnable
        if isinstance(runnable, CompiledStateGraph):
            found = found or is_gated(runnable) or holds_tools(runnable, lambda node: not bare(node))
            if holds_tools(runnable):
                found = True
                builder.nodes[name] = replace(spec, runnable=nest(runnable, name))
        elif tool_node(name, runnable) is None:
            if holds_tools(runnable, unguarded):
                found = True
                builder.nodes[name] = replace(spec, runnable=gated_node(name, runnable, nest, around=site.around))
            refuse_hidden(name, builder.nodes[name].runnable)
    return found


def refuse_hidden(name: str, runnable: Any, counts: Counts = unguarded) -> None:
    """Refuse a node, other than a ToolNode, that runs tools where nothing of ours can stand.

    Args:
        name: The node's name.
        runnable: What it runs.
        counts: Which ToolNodes of an agent inside it matter.

    Raises:
        MountError: It does.
    """
    if away := sorted({type(found).__name__ for found in elsewhere(runnable)}):
        raise MountError(
            f"the node {name} runs a {' and a '.join(away)}, whose tools can't be gated from here; put a ladder on it "
            f"where its tools are, and call it from here by a tool, so that the hand-over stands on a rung"
        )
    if holds_tools(runnable, counts):
        raise MountError(
            f"the node {name} runs another agent inside a function, where its tools can't be gated; add that "
            f"agent to the graph as a node, or wrap it first"
        )
    if runs_tools_by_hand(runnable):
        raise MountError(
            f"the node {name} runs a ToolNode by itself, where its calls can't be gated; add the ToolNode to the "
            f"graph as a node of its own"
        )


def is_gated(graph: Compiled) -> bool:
    """Whether a graph is under a ladder, somewhere in it."""
    return any(
        isinstance(spec.runnable, RungNode)
        or (isinstance(spec.runnable, CompiledStateGraph) and is_gated(spec.runnable))
        for spec in graph.builder.nodes.values()
    )
