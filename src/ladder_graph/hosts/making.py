"""What an agent is made of beside its model: the code of its tools, its middleware with their settings, its graph.

Each is a digest that another process makes alike: of source text, names and plain values, never of addresses. A
framework's own code stands for itself by its name, since its version is told apart.
"""

from __future__ import annotations

import ast
import enum
import functools
import re
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool, StructuredTool, Tool
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from pydantic import BaseModel

from ladder_graph.calls import digest_of
from ladder_graph.errors import ArgumentsError
from ladder_graph.hosts.parsing import parsed
from ladder_graph.hosts.sealing import seal_of
from ladder_graph.ladder.environments import Make
from ladder_graph.references import code_of, reference

FRAMEWORKS = frozenset({
    "langchain", "langchain_classic", "langchain_community", "langchain_core", "langchain_mcp_adapters", "langgraph",
    "langgraph_api", "langgraph_sdk", "langgraph_supervisor", "langgraph_swarm", "deepagents",
})  # fmt: skip
"""Packages whose functions are known by name. Not by how a name begins: many name their own files `langgraph_app`."""

_GROUND = frozenset({"abc", "builtins", "collections", "pydantic", "typing"})
"""Where else the classes below a tool's or a middleware's come from."""

DEEPEST = 12
"""How many closures deep middleware is looked for."""

SHORT = 12
"""Characters of the digest of a middleware's settings."""


def body_of(function: Any) -> str:
    """A function's source text without its docstring; its import path where it has no source.

    Args:
        function: A function, a method, or any callable.
    """
    return _without_docstring(code_of(function))


# A tool that brings its own gate is looked at with each of its calls.
@functools.lru_cache(maxsize=1024)
def _without_docstring(source: str) -> str:
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError):
        return source  # Such as a lambda in the middle of a line.
    body = tree.body[0] if isinstance(tree, ast.Module) and tree.body else None
    if not isinstance(body, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or ast.get_docstring(body) is None:
        return source
    said, lines = body.body[0], source.splitlines()
    alone = len(body.body) == 1 or body.body[1].lineno > (said.end_lineno or said.lineno)
    # On one line with code it stays: what is cut out is whole lines.
    whole = alone and lines[said.lineno - 1].lstrip()[:1] in "\"'rRuU"
    return "\n".join([*lines[: said.lineno - 1], *lines[said.end_lineno :]]) if whole else source


def tool_code(tool: BaseTool) -> str:
    """A digest of a tool's code, its docstring left out: what the model is shown is told apart from what is run."""
    seal = seal_of(tool)
    original = tool if seal is None else seal.tool
    return digest_of("code", *(body_of(function) for function in functions_of(original)))


def functions_of(tool: BaseTool) -> list[Any]:
    """What a tool runs: its functions, and the classes that its author made it of."""
    functions = [tool.func, tool.coroutine] if isinstance(tool, StructuredTool | Tool) else []
    return [*(function for function in functions if function is not None), *_own_code(type(tool))]


def _own_code(kind: type) -> Iterator[Any]:
    """A class and those below it, but for a framework's; their functions where they can't be read, as in a notebook."""
    for one in kind.__mro__:
        if _own(one):
            functions = [found for found in vars(one).values() if isinstance(found, types.FunctionType) and _own(found)]
            yield from functions if code_of(one) == reference(one) else [one]


# --- middleware --------------------------------------------------------------------------------------------------


def listed(middleware: Iterable[Any]) -> tuple[str, ...]:
    """Each middleware as its class and a digest of its settings, in the order of their names."""
    return tuple(sorted(f"{type(one).__name__}:{_settings(one)[:SHORT]}" for one in middleware))


def _settings(one: Any) -> str:
    kind = type(one)
    code = _decorated(kind) if _frameworks(kind.__module__) else [code_of(one) for one in _own_code(kind)]
    try:
        held = _plain(getattr(one, "__dict__", {}), DEEPEST)
        return digest_of("middleware", kind.__module__, kind.__qualname__, held, *code)
    except ArgumentsError:  # A text that JSON has no form for; the rest still counts.
        return digest_of("middleware", kind.__module__, kind.__qualname__)


def _decorated(kind: type) -> list[str]:
    """The code of the functions that a framework has made a class of, as `@wrap_tool_call` does; none in its own."""
    level, found = list[Any](vars(kind).values()), dict[str, None]()
    for _ in range(DEEPEST):
        functions = [one for one in level if isinstance(one, types.FunctionType)]
        own = [one for one in functions if _own(one)]
        found |= dict.fromkeys(map(body_of, own))
        level = [inner for one in functions if one not in own for inner in _inside(one)]
    return list(found)


def _plain(value: Any, depth: int) -> Any:
    """A setting as JSON: plain values as they are, code as its text, everything else by its class."""
    match value:
        case enum.Enum() | int() | float():
            return repr(value)
        case str() | None:
            return value
        case re.Pattern():
            return value.pattern
        case type():
            return value.__qualname__
        case types.FunctionType() | types.MethodType():
            return value.__qualname__ if _frameworks(value.__module__) else body_of(value)
        case _:
            return type(value).__qualname__ if depth == 0 else _parts(value, depth - 1)


def _parts(value: Any, depth: int) -> Any:
    """A setting that is made of others; an object of a class that isn't known stands for itself by the class."""
    kind = type(value).__qualname__
    match value:
        case BaseTool():
            return [value.name, tool_code(value)]
        case BaseLanguageModel():
            return [kind, _plain(value._identifying_params, depth)]  # noqa: SLF001  # LangChain's own name for them
        case BaseModel():
            return [kind, _plain(dict(value), depth)]
        case Mapping():
            return {str(key): _plain(value[key], depth) for key in sorted(value, key=str)}
        case list() | tuple():
            return [_plain(one, depth) for one in value]
        case set() | frozenset():
            return sorted(repr(_plain(one, depth)) for one in value)
        case _:
            return kind


def _middleware_in(things: Iterable[Any]) -> list[Any]:
    """Every middleware whose methods these functions are, or close over; each once."""
    langchain = sys.modules.get("langchain.agents.middleware")
    if langchain is None:
        return []  # It is an extra; a graph that has middleware has loaded it.
    found: dict[int, Any] = {}
    seen: set[int] = set()
    level = list(things)
    for _ in range(DEEPEST):
        fresh = [thing for thing in level if id(thing) not in seen]
        seen.update(map(id, fresh))
        found |= {id(thing): thing for thing in fresh if isinstance(thing, langchain.AgentMiddleware)}
        level = [inner for thing in fresh for inner in _inside(thing)]
    return list(found.values())


def _inside(thing: Any) -> Iterator[Any]:
    match thing:
        case types.MethodType():
            yield thing.__self__
            yield thing.__func__
        case types.FunctionType():
            yield getattr(thing, "__wrapped__", None)
            for cell in thing.__closure__ or ():
                try:
                    yield cell.cell_contents
                except ValueError:
                    continue  # An empty cell: a name that is never bound.
        case functools.partial():
            yield from (thing.func, *thing.args)
        case list() | tuple():
            yield from thing
        case ToolNode():
            yield from (thing._wrap_tool_call, thing._awrap_tool_call)  # noqa: SLF001  # no public way to tell
        case Runnable() if not isinstance(thing, CompiledStateGraph | BaseLanguageModel):
            # Not `getattr`: some runnables look for a name they lack in what they hold, type hints and all.
            yield from (vars(thing).get(name) for name in ("func", "afunc", "bound"))


# --- the graph ---------------------------------------------------------------------------------------------------


def make_of(builder: StateGraph[Any, Any, Any, Any]) -> Make:
    """What a graph is made of around its models.

    Args:
        builder: The graph as its author made it.
    """
    found = _middleware_in(spec.runnable for spec in builder.nodes.values())
    ours = [one for one in found if not type(one).__module__.startswith("ladder_graph.")]
    return Make(listed(ours), _graph(builder))


def _graph(builder: StateGraph[Any, Any, Any, Any]) -> str:
    nodes = [[name, _node(spec.runnable)] for name, spec in sorted(builder.nodes.items())]
    edges = sorted([start, end] for start, end in builder.edges)
    joined = sorted([*sorted(starts), end] for starts, end in builder.waiting_edges)
    branches = [
        [start, name, _node(branch.path), sorted((branch.ends or {}).values())]
        for start, arriving in sorted(builder.branches.items())
        for name, branch in sorted(arriving.items())
    ]
    return digest_of("graph", nodes, edges, joined, branches)


def _node(runnable: Any) -> str:
    if isinstance(runnable, CompiledStateGraph):
        return _graph(runnable.builder)
    function = vars(runnable).get("func") or vars(runnable).get("afunc")
    if function is None or isinstance(runnable, ToolNode):
        return type(runnable).__qualname__
    plain = function.func if isinstance(function, functools.partial) else function
    if _frameworks(getattr(plain, "__module__", None)):
        return str(getattr(plain, "__qualname__", type(plain).__qualname__))
    if isinstance(plain, types.FunctionType | types.MethodType | types.BuiltinFunctionType | type):
        return body_of(plain)
    # An object that is called: what it holds may be something else at each start, or after each call.
    return digest_of("node", *map(body_of, _own_code(type(plain))))


def _own(made: Any) -> bool:
    """Whether somebody wrote it for this agent."""
    return not _frameworks(made.__module__) and _package(made.__module__) not in _GROUND


def _frameworks(module: str | None) -> bool:
    return _package(module) in FRAMEWORKS


def _package(module: str | None) -> str:
    """The package of a module; empty where there is none, as of a function that `exec` made."""
    return (module or "").partition(".")[0]
