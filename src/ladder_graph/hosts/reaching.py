"""What a tool's or a node's code reaches: what it closes over, what it is given, and what it names.

Nothing of it is run: no property, no `__getattr__`, no proxy. What code names is read from its bytecode, in functions
and comprehensions inside it too: globals, attributes of modules and objects that it reaches, modules that it imports.
What it works out at run time (a name, an agent that is built in the call, what somebody hands it) can't be seen.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langgraph.pregel.protocol import PregelProtocol
from pydantic import BaseModel

from ladder_graph.hosts.making import FRAMEWORKS

MOST = 1000
"""How many entries of a container are looked at: those are agents by their names, and not somebody's rows."""

DOTS = 4
"""How many dots deep attributes are followed, as in `app.services.clerk.agent`."""

_LEAVES = (
    str, bytes, bytearray, int, float, complex, type(None), types.CodeType, types.BuiltinFunctionType,
    types.WrapperDescriptorType, types.MethodDescriptorType, types.GetSetDescriptorType, BaseChatModel, BaseTool,
)  # fmt: skip
"""What isn't made of steps; a tool's own agents are looked for where it is mounted."""

RUNS = frozenset({"invoke", "ainvoke", "batch", "abatch", "stream", "astream"})
"""How something is run by hand."""

_FOREIGN = FRAMEWORKS | {"ladder_graph", "langsmith", "opentelemetry"}
"""Packages whose functions name no agent of anybody's; the last two stand around many of a framework's."""

_INSTALLED = ("site-packages", "dist-packages")
"""Where other people's modules lie."""


def walked(thing: Any, depth: int, parts: Callable[[Any], Iterable[Any]] | None = None) -> Iterator[Any]:
    """Everything that a thing is made of or reaches, each once, but for what is inside agents.

    Level by level, so that what can be reached in several ways is met on the shortest, and nothing is cut off too soon.

    Args:
        thing: Where to begin.
        depth: How many steps to go.
        parts: What a thing is made of; all that can be seen where nothing else is given.
    """
    within = parts or inside
    seen: dict[Any, Any] = {}  # With the things, whose ids would else be given to others.
    level = [thing]
    for _ in range(depth + 1):
        fresh = []
        for found in level:
            key = _key(found)
            if key not in seen:
                seen[key] = found
                fresh.append(found)
        yield from fresh
        level = [inner for found in fresh if not is_a(found, PregelProtocol) for inner in within(found)]


def _key(thing: Any) -> Any:
    """What a thing is known by. A bound method is made anew by each who reads it."""
    return (id(thing.__func__), id(thing.__self__)) if type(thing) is types.MethodType else id(thing)


def is_a(thing: Any, kinds: Any) -> bool:
    """As `isinstance`, which asks an object for its class and would run a proxy's code."""
    return issubclass(type(thing), kinds)


def inside(thing: Any) -> Iterator[Any]:
    """What a container, a composed runnable, a function or an object that is called is made of."""
    kind = type(thing)
    if issubclass(kind, (*_LEAVES, type, types.ModuleType)):
        return
    if (entries := entries_of(thing)) is not None:
        yield from entries
    elif issubclass(kind, types.FunctionType):
        yield from _enclosed(thing)
    elif issubclass(kind, types.MethodType):
        yield from _of_method(thing)
    elif issubclass(kind, functools.partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif issubclass(kind, Runnable):
        yield from space_of(thing).values()
        yield from (one for one in _own_attributes(thing, RUNS) if type(one) is types.MethodType and own(one.__func__))
    else:
        if (around := space_of(thing).get("__wrapped__")) is not None:
            yield around  # As `functools.lru_cache` leaves it.
        yield from _own_attributes(thing, {"__call__"})


def entries_of(thing: Any) -> list[Any] | None:
    """What a container holds; None of what is no container."""
    kind = type(thing)
    if issubclass(kind, dict):
        return list(dict.values(thing))[:MOST]
    if kind is types.MappingProxyType:
        return list(thing.values())[:MOST]
    for one in (list, tuple, set, frozenset, deque):
        if issubclass(kind, one):
            return list(one.__iter__(thing))[:MOST]  # Not that of a class made of it, which may do anything.
    return None


def _of_method(method: types.MethodType) -> Iterator[Any]:
    of, function = method.__self__, cast("Any", method.__func__)
    whole = is_a(of, Runnable) and not is_a(of, BaseTool)
    if whole:
        yield of
    if not is_a(function, types.FunctionType):
        yield function
    elif own(function) or not whole:
        yield from _enclosed(function, (of,))
        # A framework's methods, too, use what they keep under their names.
        space = space_of(of)
        yield from (space[name] for name in function.__code__.co_names if name in space)


# --- functions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Names:
    """What code names, in functions inside it too."""

    globals: frozenset[str]
    attributes: frozenset[str]
    modules: frozenset[str]
    """What it imports when it runs."""


@functools.lru_cache(maxsize=4096)
def names_of(code: types.CodeType) -> Names:
    """What code names.

    Args:
        code: The code of a function.
    """
    own: dict[str, set[str]] = {"globals": set(), "attributes": set(), "modules": set()}
    for step in dis.get_instructions(code):
        if step.opcode in dis.hasname:
            own[_KINDS.get(step.opname, "attributes")].add(str(step.argval))
    if "getattr" in own["globals"]:
        own["attributes"] |= {one for one in code.co_consts if isinstance(one, str)}
    deeper = [names_of(one) for one in code.co_consts if isinstance(one, types.CodeType)]
    return Names(*(frozenset(own[kind]).union(*(getattr(one, kind) for one in deeper)) for kind in own))


_KINDS = {
    "LOAD_GLOBAL": "globals", "LOAD_NAME": "globals", "LOAD_FROM_DICT_OR_GLOBALS": "globals", "IMPORT_NAME": "modules",
}  # fmt: skip
"""What a name is to an instruction; to any other one it is an attribute's."""


def enclosed_values(function: Any) -> Iterator[Any]:
    """The variables of the functions around it, and its defaults."""
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue  # An empty cell: a name that is never bound.
    yield from getattr(function, "__defaults__", None) or ()
    yield from (getattr(function, "__kwdefaults__", None) or {}).values()


def globals_named(function: types.FunctionType) -> list[Any]:
    """The globals that a function names."""
    space = function.__globals__
    return [space[name] for name in names_of(function.__code__).globals if name in space]


def own(function: Any) -> bool:
    """Whether a function was written for this program: `__module__` is no proof, since `functools.wraps` lends it."""
    package = _package(function)
    return package not in _FOREIGN and package not in sys.stdlib_module_names


def _package(function: Any) -> str:
    return str(function.__globals__.get("__name__") or "").partition(".")[0]


def _leads_to(function: Any, other: types.FunctionType) -> bool:
    """Whether what another function names counts: what is installed beside the program is somebody else's."""
    if not own(other):
        return False
    file = str(other.__globals__.get("__file__") or "")
    return _package(other) == _package(function) or not any(place in file for place in _INSTALLED)


def _enclosed(function: types.FunctionType, of: tuple[Any, ...] = ()) -> Iterator[Any]:
    held = list(enclosed_values(function))
    yield from held
    if own(function):
        yield from named_by(function, (*of, *held))


def named_by(function: types.FunctionType, held: Iterable[Any] = ()) -> Iterator[Any]:
    """What a function names: globals, and attributes of these, of what it imports and of what it holds.

    Args:
        function: A function of the program's own.
        held: What it closes over, and whose method it is.
    """
    found = globals_named(function)
    yield from _led(function, found)
    roots = [*found, *held, *_imported(function)]
    attributes = set(names_of(function.__code__).attributes)
    # It may hand an object on to a function whose code names the attribute.
    for one in roots:
        if is_a(one, types.FunctionType) and _leads_to(function, one):
            attributes |= names_of(one.__code__).attributes
    seen: dict[int, Any] = {}
    for _ in range(DOTS):
        fresh = {id(one): one for one in _with_entries(roots) if id(one) not in seen}
        seen |= fresh
        roots = [inner for one in fresh.values() for inner in _own_attributes(one, attributes)]
        yield from _led(function, roots)


def _led(function: types.FunctionType, named: Iterable[Any]) -> Iterator[Any]:
    """What is named, and of a function that is somebody else's only what it holds: a decorator's holds one's own."""
    for value in named:
        code: Any = value.__func__ if type(value) is types.MethodType and not is_a(value.__self__, Runnable) else value
        if is_a(code, types.FunctionType) and not _leads_to(function, code):
            yield from enclosed_values(code)
        else:
            yield value


def _with_entries(things: Iterable[Any]) -> Iterator[Any]:
    for thing in things:
        yield thing
        yield from entries_of(thing) or ()


def _imported(function: types.FunctionType) -> Iterator[Any]:
    """The modules that it imports when it runs, as far as they are loaded."""
    around = str(function.__globals__.get("__package__") or "")
    for name in names_of(function.__code__).modules:
        for place in (name, name.partition(".")[0], f"{around}.{name}".rstrip(".")):
            if (module := sys.modules.get(place)) is not None:
                yield module


# --- attributes ----------------------------------------------------------------------------------------------------


def _own_attributes(thing: Any, names: Iterable[str]) -> Iterator[Any]:
    """An object's attributes of some names, read past every descriptor, and what runs when it is made or called."""
    kind = type(thing)
    if issubclass(kind, (*_LEAVES, PregelProtocol, types.FunctionType, types.MethodType)):
        return
    if issubclass(kind, type):
        for name in (*names, "__init__", "__new__", "__post_init__"):
            if (value := _of_class(thing, name)) is not None:
                yield from _bound(value, thing) if type(value) in {staticmethod, classmethod} else (value,)
        return
    space = space_of(thing)
    for name in names:
        if name in space:
            yield space[name]
        elif not issubclass(kind, types.ModuleType) and (value := _of_class(kind, name)) is not None:
            yield from _bound(value, thing)


def _of_class(kind: type, name: str) -> Any:
    return next((vars(one)[name] for one in kind.__mro__ if name in vars(one)), None)


def _bound(value: Any, thing: Any) -> Iterator[Any]:
    """What an attribute of a class is to an instance; a property's code is read, and not run."""
    kind = type(value)
    if kind is types.FunctionType:
        yield types.MethodType(value, thing)
    elif kind in {property, functools.cached_property}:
        get = value.fget if kind is property else value.func
        if type(get) is types.FunctionType:
            yield types.MethodType(get, thing)
    elif kind is staticmethod:
        yield value.__func__
    elif kind is classmethod:
        yield types.MethodType(value.__func__, thing if is_a(thing, type) else type(thing))
    elif kind is types.MemberDescriptorType:  # One of `__slots__`.
        with suppress(AttributeError):
            yield value.__get__(thing)
    else:
        yield value


def space_of(thing: Any) -> dict[str, Any]:
    """An object's own attributes, as far as they can be had without running any code of it."""
    kind = type(thing)
    place: Any = next((vars(one)["__dict__"] for one in kind.__mro__ if "__dict__" in vars(one)), None)
    plain = type(place) in {types.GetSetDescriptorType, types.MemberDescriptorType}
    found = place.__get__(thing) if plain else None
    space: dict[str, Any] = found if isinstance(found, dict) else {}
    if issubclass(kind, BaseModel):
        return {**space, **(object.__getattribute__(thing, "__pydantic_private__") or {})}
    return space


def code_of_tool(tool: BaseTool) -> list[Any]:
    """The functions of a tool that is a class, bound to it; none of LangChain's own."""
    found = [_of_class(type(tool), name) for name in ("_run", "_arun")]
    return [types.MethodType(one, tool) for one in found if is_a(one, types.FunctionType) and own(one)]
