"""Agents inside agents: finding the graphs that a tool or a function runs, and gating them where they stand.

deepagents' `task` tool, `graph.as_tool()` and hand-written delegating tools keep their graphs in closures. A tool is
rebuilt around gated copies; nothing of the caller's is changed.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode

from ladder_graph.errors import MountError
from ladder_graph.hosts.sealing import copied_node, seal_of

Compiled = CompiledStateGraph[Any, Any, Any, Any]
Nest = Callable[[Compiled, str], Compiled]
"""Gates one inner graph, under a name."""
Counts = Callable[[ToolNode], bool]
"""Says which ToolNodes matter."""

DEEPEST = 6
"""How many closures deep graphs are looked for."""

BUILT_LATER = "__deepagents_subagent_response_format"
"""A setting that makes deepagents build a sub-agent anew at run time, where it can't be gated."""

RUNS = {"invoke", "ainvoke", "batch", "abatch", "stream", "astream"}
"""How something is run by hand."""


def holds_tools(thing: Any, counts: Counts = lambda _: True) -> bool:
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
            return any(runs_tools_by_hand(part, depth - 1) for part in _parts(thing))


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
    """Whether a ToolNode holds a tool that brings no gate of its own."""
    seals = [seal_of(tool) for tool in node.tools_by_name.values()]
    return any(seal is None or seal.gate is None for seal in seals)


def _functions(tool: BaseTool) -> tuple[Any, ...]:
    return (tool.func, tool.coroutine) if isinstance(tool, StructuredTool) else ()


def _rebuilt(tool: BaseTool, nest: Nest, counts: Counts) -> BaseTool:
    """A copy of a tool whose functions run gated graphs."""
    if not isinstance(tool, StructuredTool):
        raise MountError(
            f"the tool {tool.name} ({type(tool).__name__}) runs an agent whose tools can't be gated from here; wrap "
            f"that agent first"
        )
    memo: dict[int, Any] = {}
    rebuilt = tool.model_copy(
        update={
            "func": _swapped(tool.func, nest, tool.name, DEEPEST, memo),
            "coroutine": _swapped(tool.coroutine, nest, tool.name, DEEPEST, memo),
        }
    )
    if holds_ungated_agents(rebuilt, counts):
        raise MountError(f"the tool {tool.name} runs an agent that could not be gated where it is kept; wrap it first")
    return rebuilt


def _swapped(thing: Any, nest: Nest, name: str, depth: int, memo: dict[int, Any]) -> Any:
    """The same thing with each graph in it gated; the thing itself where there is none."""
    if id(thing) in memo:
        return memo[id(thing)]
    if depth < 0 or not any(True for _ in _graphs(thing, depth)):
        return thing
    if isinstance(thing, CompiledStateGraph):
        memo[id(thing)] = nest(thing, name) if holds_tools(thing) else thing
    elif isinstance(thing, RunnableBindingBase):
        memo[id(thing)] = thing.model_copy(update={"bound": _swapped(thing.bound, nest, name, depth - 1, memo)})
    elif isinstance(thing, dict):
        memo[id(thing)] = {
            key: _swapped(
                value, nest, _label(thing, key, name) if isinstance(value, Runnable) else name, depth - 1, memo
            )
            for key, value in thing.items()
        }
    elif isinstance(thing, list | tuple):
        memo[id(thing)] = type(thing)(_swapped(value, nest, name, depth - 1, memo) for value in thing)
    elif isinstance(thing, types.FunctionType):
        return _swapped_function(thing, nest, name, depth, memo)
    else:
        raise MountError(
            f"the tool {name} keeps an agent in a {type(thing).__name__}, where it can't be gated; wrap it first"
        )
    return memo[id(thing)]


def _label(holder: dict[Any, Any], key: Any, name: str) -> str:
    """What an agent in a dict is called: by the name beside it, as deepagents has it, or by its key."""
    beside = holder.get("name")
    if isinstance(beside, str):
        return beside
    return key if isinstance(key, str) else name


def _swapped_function(
    function: types.FunctionType, nest: Nest, name: str, depth: int, memo: dict[int, Any]
) -> types.FunctionType:
    if any(holds_tools(graph) for graph in _globals(function)):
        raise MountError(
            f"the tool {name} runs an agent from a module's global, where it can't be gated; wrap it first"
        )
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
    memo[id(function)] = new
    for cell, old in zip(cells, function.__closure__ or (), strict=True):
        try:
            cell.cell_contents = _swapped(old.cell_contents, nest, name, depth - 1, memo)
        except ValueError:
            continue  # An empty cell: a name that is never bound.
    return new


def _graphs(thing: Any, depth: int) -> Iterator[Compiled]:
    """Every graph inside a thing: itself, in containers, in what a function closes over.

    Level by level, so that what can be reached in several ways is met on the shortest, and nothing is cut off too soon.
    """
    seen: set[int] = set()
    level = [thing]
    for _ in range(depth + 1):
        fresh = [found for found in level if id(found) not in seen]
        seen.update(map(id, fresh))
        yield from {id(found): found for found in fresh if isinstance(found, CompiledStateGraph)}.values()
        level = [inner for found in fresh if not isinstance(found, CompiledStateGraph) for inner in _inside(found)]


def _inside(thing: Any) -> Iterator[Any]:
    if isinstance(thing, types.FunctionType | types.MethodType):
        yield from _enclosed(thing)
    else:
        yield from _parts(thing)


def _parts(thing: Any) -> Iterator[Any]:
    """What a container, a composed runnable or a partial function is made of."""
    match thing:
        case dict():
            yield from thing.values()
        case list() | tuple():
            yield from thing
        case BaseChatModel() | BaseTool():
            return  # Their parts aren't steps; a tool's own agents are looked for where it is mounted.
        case Runnable():
            yield from vars(thing).values()
        case functools.partial():
            yield thing.func


def _enclosed(function: Any) -> Iterator[Any]:
    if isinstance(function, types.MethodType):
        function = function.__func__
    yield from _enclosed_values(function)
    # A graph in a module's global is as ungated as one in a closure.
    yield from _globals(function)


def _globals(function: Any) -> list[Compiled]:
    return [value for value in _globals_named(function) if isinstance(value, CompiledStateGraph)]


def _globals_named(function: Any) -> list[Any]:
    names = getattr(getattr(function, "__code__", None), "co_names", ())
    space = getattr(function, "__globals__", {})
    return [space[name] for name in names if name in space]


def _enclosed_values(function: Any) -> Iterator[Any]:
    """The variables of the functions around it."""
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue  # An empty cell: a name that is never bound.
