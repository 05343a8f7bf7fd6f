"""Agents inside agents: finding the graphs that a tool or a node's function runs, and gating them where they stand.

deepagents' `task` tool, the nodes of langgraph-supervisor, `graph.as_tool()` and hand-written delegating tools and
nodes keep their graphs in closures. They are rebuilt around gated copies; nothing of the caller's is changed.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from langgraph.pregel.protocol import PregelProtocol

from ladder_graph.errors import MountError
from ladder_graph.hosts.sealing import copied_node, seal_of
from ladder_graph.hosts.surrounding import ladders_around

Compiled = CompiledStateGraph[Any, Any, Any, Any]
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

FUNCTIONS = ("func", "afunc")
"""Where LangChain's and LangGraph's runnables around functions keep them."""

RUNS = {"invoke", "ainvoke", "batch", "abatch", "stream", "astream"}
"""How something is run by hand."""


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


def runs_tools_by_hand(thing: Any, depth: int = DEEPEST) -> bool:
    """Whether a node runs a ToolNode that it holds itself, so that the graph's edges never see the calls."""
    if depth < 0 or isinstance(thing, CompiledStateGraph):
        return False
    match thing:
        case ToolNode():
            return True
        case types.FunctionType() | types.MethodType():
            return bool(RUNS & set(thing.__code__.co_names)) and any(
                isinstance(value, ToolNode) for value in (*_globals_named(thing), *_enclosed_values(thing))
            )
        case _:
            return any(runs_tools_by_hand(part, depth - 1) for part in _inside(thing))


def gated_tools(node: ToolNode, nest: Nest, counts: Counts | None = None) -> ToolNode:
    """The same ToolNode, with every agent that its tools run put under the ladder.

    Args:
        node: The ToolNode.
        nest: Puts one agent under it.
        counts: Says of a ToolNode of such an agent whether it isn't yet; that no gate sees it, where nothing is given.

    Raises:
        MountError: A tool runs an agent in a way that can't be rebuilt; the message names it.
    """
    left = counts or unguarded
    changed = {
        name: _rebuilt(tool, nest, left)
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
    return any(holds_tools(part, counts or unguarded) for part in (*_functions(tool), *vars(tool).values()))


def agents_within(thing: Any) -> Iterator[Compiled]:
    """Every graph that a tool runs, or that another thing is or holds."""
    for part in (*_functions(thing), *vars(thing).values()) if isinstance(thing, BaseTool) else (thing,):
        yield from _graphs(part, DEEPEST)


def unguarded(node: ToolNode) -> bool:
    """Whether a ToolNode holds a tool that brings no gate of its own, and no ladder's middleware is around it."""
    seals = [seal_of(tool) for tool in node.tools_by_name.values()]
    return bare(node) and any(seal is None or seal.gate is None for seal in seals)


def _functions(tool: BaseTool) -> tuple[Any, ...]:
    return (tool.func, tool.coroutine) if isinstance(tool, StructuredTool) else ()


def gated_node(name: str, runnable: Any, nest: Nest) -> Any:
    """The same node of a graph, with every agent that its function runs put under the ladder.

    Args:
        name: The node's name.
        runnable: What it runs.
        nest: Puts one agent under it.

    Raises:
        MountError: It runs an agent in a way that can't be rebuilt; the message names it.
    """
    rebuilt = _Swap(nest, f"the node {name}").of(runnable, name, DEEPEST)
    if holds_tools(rebuilt, unguarded):
        raise MountError(f"the node {name} runs an agent that could not be gated where it is kept; {FIRST}")
    return rebuilt


def _rebuilt(tool: BaseTool, nest: Nest, counts: Counts) -> BaseTool:
    """A copy of a tool whose functions run gated graphs."""
    if not isinstance(tool, StructuredTool):
        raise MountError(
            f"the tool {tool.name} ({type(tool).__name__}) runs an agent whose tools can't be gated from here; {FIRST}"
        )
    swap = _Swap(nest, f"the tool {tool.name}")
    rebuilt = tool.model_copy(
        update={
            "func": swap.of(tool.func, tool.name, DEEPEST),
            "coroutine": swap.of(tool.coroutine, tool.name, DEEPEST),
        }
    )
    if holds_ungated_agents(rebuilt, counts):
        raise MountError(f"the tool {tool.name} runs an agent that could not be gated where it is kept; {FIRST}")
    return rebuilt


@dataclass(frozen=True, slots=True)
class _Swap:
    """Puts gated graphs in the place of those that a thing holds."""

    nest: Nest
    whose: str
    """The tool or node that they are for, in words."""
    memo: dict[int, Any] = field(default_factory=dict)

    def of(self, thing: Any, name: str, depth: int) -> Any:
        """The same thing with each graph in it gated; the thing itself where there is none.

        Args:
            thing: The thing.
            name: What an agent in it is called.
            depth: How deep to look.
        """
        if id(thing) in self.memo:
            return self.memo[id(thing)]
        if depth < 0 or not any(True for _ in _graphs(thing, depth)):
            return thing
        if isinstance(thing, types.FunctionType):
            return self._function(thing, name, depth)
        self.memo[id(thing)] = self._changed(thing, name, depth - 1)
        return self.memo[id(thing)]

    def _changed(self, thing: Any, name: str, depth: int) -> Any:
        match thing:
            case CompiledStateGraph():
                return self.nest(thing, name) if holds_tools(thing) else thing
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
            case list() | tuple():
                return type(thing)(self.of(value, name, depth) for value in thing)
        raise MountError(f"{self.whose} keeps an agent in a {type(thing).__name__}, where it can't be gated; {FIRST}")

    def _function(self, function: types.FunctionType, name: str, depth: int) -> types.FunctionType:
        if any(holds_tools(graph) for graph in _globals(function)):
            raise MountError(f"{self.whose} runs an agent from a module's global, where it can't be gated; {FIRST}")
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
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
        for cell, old in zip(cells, function.__closure__ or (), strict=True):
            try:
                cell.cell_contents = self.of(old.cell_contents, name, depth - 1)
            except ValueError:
                continue  # An empty cell: a name that is never bound.
        return new


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
    return (found for found in _met(thing, DEEPEST) if not isinstance(found, CompiledStateGraph))


def _graphs(thing: Any, depth: int) -> Iterator[Compiled]:
    """Every graph inside a thing: itself, in containers, in what a function closes over."""
    return (found for found in _met(thing, depth) if isinstance(found, CompiledStateGraph))


def _met(thing: Any, depth: int) -> Iterator[PregelProtocol[Any, Any, Any, Any]]:
    """Every agent inside a thing, of whatever kind.

    Level by level, so that what can be reached in several ways is met on the shortest, and nothing is cut off too soon.
    """
    seen: set[int] = set()
    level = [thing]
    for _ in range(depth + 1):
        fresh = [found for found in level if id(found) not in seen]
        seen.update(map(id, fresh))
        yield from {id(found): found for found in fresh if isinstance(found, PregelProtocol)}.values()
        level = [inner for found in fresh if not isinstance(found, PregelProtocol) for inner in _inside(found)]


def _inside(thing: Any) -> Iterator[Any]:
    """What a container, a composed runnable or a function is made of."""
    match thing:
        case dict():
            yield from thing.values()
        case list() | tuple():
            yield from thing
        case str() | bytes() | type() | BaseChatModel() | BaseTool():
            return  # The parts of the last two aren't steps; a tool's own agents are looked for where it is mounted.
        case types.FunctionType():
            yield from _enclosed(thing)
        case types.MethodType() if isinstance(thing.__self__, Runnable):
            yield thing.__self__
        case types.MethodType():
            yield from _enclosed(thing.__func__)
            yield from _named_in(thing.__func__, vars_of(thing.__self__))
        case functools.partial():
            yield from (thing.func, *thing.args, *thing.keywords.values())
        case Runnable():
            yield from vars(thing).values()
        case _ if isinstance(called := vars(type(thing)).get("__call__"), types.FunctionType):
            yield from _enclosed(called)
            yield from _named_in(called, vars_of(thing))


def vars_of(thing: Any) -> dict[str, Any]:
    """An object's own attributes, as far as they can be had without running any code of it."""
    return getattr(thing, "__dict__", {}) if not isinstance(thing, type) else {}


def _named_in(function: Any, space: dict[str, Any]) -> Iterator[Any]:
    """What a function's code names of a space: the attributes that a method uses, or a module's globals."""
    names = getattr(getattr(function, "__code__", None), "co_names", ())
    return (space[name] for name in names if name in space)


def _enclosed(function: Any) -> Iterator[Any]:
    yield from _enclosed_values(function)
    yield from (
        *(getattr(function, "__defaults__", None) or ()),
        *(getattr(function, "__kwdefaults__", None) or {}).values(),
    )
    # A graph in a module's global is as ungated as one in a closure, and so is one that a function beside it uses.
    for value in _globals_named(function):
        beside = isinstance(value, types.FunctionType) and value.__module__ == function.__module__
        if beside or isinstance(value, PregelProtocol):
            yield value


def _globals(function: Any) -> list[Compiled]:
    return [value for value in _globals_named(function) if isinstance(value, CompiledStateGraph)]


def _globals_named(function: Any) -> list[Any]:
    return list(_named_in(function, getattr(function, "__globals__", {})))


def _enclosed_values(function: Any) -> Iterator[Any]:
    """The variables of the functions around it."""
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue  # An empty cell: a name that is never bound.
