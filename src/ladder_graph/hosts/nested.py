"""Agents inside agents: finding the graphs that a tool or a node's function runs, and gating them where they stand.

deepagents' `task` tool, the nodes of langgraph-supervisor, `graph.as_tool()` and hand-written delegating tools and
nodes keep their graphs in closures. They are rebuilt around gated copies; nothing of the caller's is changed.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from langgraph.pregel.protocol import PregelProtocol

from ladder_graph.errors import MountError
from ladder_graph.hosts.contents import is_a, space_of
from ladder_graph.hosts.leading import globals_named, own
from ladder_graph.hosts.naming import names_of
from ladder_graph.hosts.reaching import RUNS, Parts, code_of_tool, one_look, reached
from ladder_graph.hosts.sealing import copied_node, seal_of
from ladder_graph.hosts.surrounding import ladders_around

Compiled = CompiledStateGraph[Any, Any, Any, Any]
Builder = StateGraph[Any, Any, Any, Any]
Nest = Callable[[Compiled, str], Compiled]
"""Gates one inner graph, under a name."""
Counts = Callable[[ToolNode], bool]
"""Says which ToolNodes matter."""

DEEPEST = 6
"""How many closures deep graphs are looked for."""

BUILT_LATER = "__deepagents_subagent_response_format"
"""A setting that makes deepagents build a sub-agent anew at run time, where it can't be gated."""

FIRST = (
    'put it under the ladder first, by ladder.wrap(agent, checkpointer="host"), and use what comes back in its place'
)
"""What to do about an agent that can't be gated where it is."""

ITSELF = "let it run what this mount returns, under a name that is bound afterwards"
"""What to do about an agent that runs itself, or one around it."""

UNNAMED = "LangGraph"
"""What LangGraph calls a graph that nobody named."""

FUNCTIONS = ("func", "afunc")
"""Where LangChain's and LangGraph's runnables around functions keep them."""


def bare(node: ToolNode) -> bool:
    """Whether no ladder's middleware stands around a ToolNode's calls."""
    return not any(True for _ in ladders_around(node))


def holds_tools(thing: Any, counts: Counts = bare) -> bool:
    """Whether a graph, or a function around one, runs tools that no gate sees.

    Args:
        thing: Where to look.
        counts: Which ToolNodes matter.
    """
    return any(
        counts(spec.runnable)
        if isinstance(spec.runnable, ToolNode)
        else spec.runnable is not thing and holds_tools(spec.runnable, counts)
        for graph in _graphs(thing, DEEPEST)
        for spec in graph.builder.nodes.values()
    )


def runs_tools_by_hand(thing: Any) -> bool:
    """Whether a node runs a ToolNode that it reaches itself, so that the graph's edges never see the calls."""
    if isinstance(thing, CompiledStateGraph):
        return False
    return bool(reached(thing, ToolNode, DEEPEST, _run_by))


def _run_by(thing: Any, parts: Parts) -> Parts:
    """What a thing may run by hand. A function that runs nothing may call one that does."""
    if is_a(thing, ToolNode):
        return ()
    code = getattr(thing, "__code__", None) if is_a(thing, types.FunctionType, types.MethodType) else None
    if code is None or not RUNS.isdisjoint(names_of(code).attributes if own(thing) else code.co_names):
        return parts
    return [part for part in parts if is_a(part[1], types.FunctionType, types.MethodType)]


def gated_tools(
    node: ToolNode, nest: Nest, counts: Counts | None = None, *, around: Sequence[Builder] = ()
) -> ToolNode:
    """The same ToolNode, with every agent that its tools run put under the ladder.

    Args:
        node: The ToolNode.
        nest: Puts one agent under it.
        counts: Says of a ToolNode of such an agent whether it isn't yet; that no gate sees it, where nothing is given.
        around: The graph that it stands in, and those around that.

    Raises:
        MountError: A tool runs an agent in a way that can't be rebuilt; the message names it.
    """
    left = counts or unguarded
    changed = {
        name: _rebuilt(tool, nest, left, around)
        for name, tool in node.tools_by_name.items()
        if holds_ungated_agents(tool, left)
    }
    if not changed:
        return node
    new = copied_node(node)
    new._tools_by_name = {**node.tools_by_name, **changed}  # noqa: SLF001  # it has no public setter
    return new


def holds_ungated_agents(tool: BaseTool, counts: Counts | None = None) -> bool:
    """Whether a tool runs agents whose own tools no gate sees. Guarded ones bring their gates with them.

    Args:
        tool: The tool.
        counts: Which ToolNodes of such an agent matter instead.
    """
    with one_look():
        return any(holds_tools(part, counts or unguarded) for part in parts_of(tool))


def agents_within(thing: Any) -> Iterator[Compiled]:
    """Every graph that a tool runs, or that another thing is or holds."""
    for part in parts_of(thing) if isinstance(thing, BaseTool) else (thing,):
        yield from _graphs(part, DEEPEST)


def unguarded(node: ToolNode) -> bool:
    """Whether a ToolNode holds a tool that brings no gate of its own, and no ladder's middleware is around it."""
    seals = [seal_of(tool) for tool in node.tools_by_name.values()]
    return bare(node) and any(seal is None or seal.gate is None for seal in seals)


def parts_of(tool: BaseTool) -> tuple[Any, ...]:
    """What a tool runs or holds: its functions, its fields, its private attributes and its class's own code."""
    return (*space_of(tool).values(), *code_of_tool(tool))


def gated_node(name: str, runnable: Any, nest: Nest, *, around: Sequence[Builder] = ()) -> Any:
    """The same node of a graph, with every agent that its function runs put under the ladder.

    Args:
        name: The node's name.
        runnable: What it runs.
        nest: Puts one agent under it.
        around: The graph that it stands in, and those around that.

    Raises:
        MountError: It runs an agent in a way that can't be rebuilt; the message names it.
    """
    swap = _Swap(nest, f"the node {name}", around)
    rebuilt = swap.of(runnable, name, DEEPEST)
    swap.refuse_left(graph for graph in _graphs(rebuilt, DEEPEST) if holds_tools(graph, unguarded))
    return rebuilt


def _rebuilt(tool: BaseTool, nest: Nest, counts: Counts, around: Sequence[Builder]) -> BaseTool:
    """A copy of a tool whose functions run gated graphs."""
    swap = _Swap(nest, f"the tool {tool.name}", around)
    if not isinstance(tool, StructuredTool):
        found = (graph for graph in agents_within(tool) if holds_tools(graph, counts))
        swap.refuse_left(found, f" ({type(tool).__name__})")
        return tool
    rebuilt = tool.model_copy(
        update={
            "func": swap.of(tool.func, tool.name, DEEPEST),
            "coroutine": swap.of(tool.coroutine, tool.name, DEEPEST),
        }
    )
    swap.refuse_left(graph for graph in agents_within(rebuilt) if holds_tools(graph, counts))
    return rebuilt


@dataclass(frozen=True, slots=True)
class _Swap:
    """Puts gated graphs in the place of those that a thing holds."""

    nest: Nest
    whose: str
    """The tool or node that they are for, in words."""
    around: Sequence[Builder]
    """The graph that it belongs to, and those around that."""
    memo: dict[int, Any] = field(default_factory=dict)
    looked: dict[int, tuple[Compiled, bool]] = field(default_factory=dict)

    def refuse_left(self, found: Iterable[Compiled], kind: str = "") -> None:
        """Refuse an agent that stands where nothing can be put in its place."""
        graph = next(iter(found), None)
        if graph is not None:
            which = "" if graph.name == UNNAMED else f", {graph.name},"
            raise MountError(
                f"{self.whose}{kind} runs an agent{which} that could not be gated where it is kept; "
                f"{self._way_out(graph)}"
            )

    def _to_gate(self, thing: Any, depth: int) -> bool:
        """Whether there is an agent with tools in a thing; each agent is looked through once."""
        for graph in _graphs(thing, depth):
            if id(graph) not in self.looked:
                self.looked[id(graph)] = (graph, holds_tools(graph))
            if self.looked[id(graph)][1]:
                return True
        return False

    def _way_out(self, graph: Compiled) -> str:
        return ITSELF if any(graph.builder is one for one in self.around) else FIRST

    def of(self, thing: Any, name: str, depth: int) -> Any:
        """The same thing with each graph in it gated; the thing itself where there is none.

        Args:
            thing: The thing.
            name: What an agent in it is called.
            depth: How deep to look.
        """
        if id(thing) in self.memo:
            return self.memo[id(thing)]
        if depth < 0 or not self._to_gate(thing, depth):
            return thing
        if isinstance(thing, types.FunctionType):
            return self._function(thing, name, depth)
        self.memo[id(thing)] = self._changed(thing, name, depth - 1)
        return self.memo[id(thing)]

    def _changed(self, thing: Any, name: str, depth: int) -> Any:
        match thing:
            case CompiledStateGraph():
                if any(thing.builder is one for one in self.around):
                    raise MountError(f"{self.whose} runs the agent that it belongs to, or one around it; {ITSELF}")
                return self.nest(thing, name)
            case RunnableBindingBase():
                return thing.model_copy(update={"bound": self.of(thing.bound, name, depth)})
            case Runnable() if functions := [one for one in FUNCTIONS if one in vars(thing)]:
                new = copy.copy(thing)
                for one in functions:
                    setattr(new, one, self.of(vars(thing)[one], name, depth))
                return new
            case types.MethodType() if isinstance(thing.__self__, CompiledStateGraph):
                return getattr(self.of(thing.__self__, name, depth), thing.__name__)
            case functools.partial():
                given = {key: self.of(value, name, depth) for key, value in thing.keywords.items()}
                return functools.partial(
                    self.of(thing.func, name, depth), *(self.of(one, name, depth) for one in thing.args), **given
                )
            case dict():
                return {
                    key: self.of(value, _label(thing, key, name) if isinstance(value, Runnable) else name, depth)
                    for key, value in thing.items()
                }
            case list() | tuple() | set() | frozenset():
                make = getattr(type(thing), "_make", type(thing))  # A named tuple takes its parts one by one.
                return make(self.of(value, name, depth) for value in thing)
        raise MountError(f"{self.whose} keeps an agent in a {type(thing).__name__}, where it can't be gated; {FIRST}")

    def _function(self, function: types.FunctionType, name: str, depth: int) -> types.FunctionType:
        named = globals_named(function) if own(function) else []
        for graph in (one for one in named if is_a(one, CompiledStateGraph) and holds_tools(one)):
            raise MountError(
                f"{self.whose} runs an agent from a module's global, where it can't be gated; {self._way_out(graph)}"
            )
        old = function.__closure__ or ()
        # A variable that other functions share stays the same one, unless an agent is in it.
        swapped = {
            id(cell): cell for cell in old if id(cell) not in self.memo and self._to_gate(_content(cell), depth - 1)
        }
        self.memo.update({key: types.CellType() for key in swapped})
        cells = tuple(self.memo.get(id(cell), cell) for cell in old)
        new = types.FunctionType(
            function.__code__, function.__globals__, function.__name__, function.__defaults__, cells or None
        )
        new.__kwdefaults__, new.__dict__ = function.__kwdefaults__, dict(function.__dict__)
        new.__annotations__, new.__doc__, new.__qualname__ = (
            function.__annotations__,
            function.__doc__,
            function.__qualname__,
        )
        # Functions may refer to each other in a circle, so the new one is known before its cells are filled.
        self.memo[id(function)] = new
        new.__defaults__ = self.of(function.__defaults__, name, depth - 1)
        new.__kwdefaults__ = self.of(function.__kwdefaults__, name, depth - 1)
        for key, cell in swapped.items():
            self.memo[key].cell_contents = self.of(cell.cell_contents, name, depth - 1)
        return new


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None  # An empty cell: a name that is bound later, or never.


def _label(holder: dict[Any, Any], key: Any, name: str) -> str:
    """What an agent in a dict is called: by the name beside it, as deepagents has it, or by its key."""
    beside = holder.get("name")
    if isinstance(beside, str):
        return beside
    return key if isinstance(key, str) else name


def elsewhere(thing: Any) -> Iterator[PregelProtocol[Any, Any, Any, Any]]:
    """Every agent that a thing is or runs and that no gate can be put into: on a server, or made of functions.

    Args:
        thing: Where to look.
    """
    return (found for found in _agents(thing, DEEPEST) if not isinstance(found, CompiledStateGraph))


def _graphs(thing: Any, depth: int) -> Iterator[Compiled]:
    """Every graph that a thing is, holds or names."""
    return (found for found in _agents(thing, depth) if isinstance(found, CompiledStateGraph))


def _agents(thing: Any, depth: int) -> list[Any]:
    return reached(thing, PregelProtocol, depth)
