"""What a tool's or a node's code reaches: what it closes over, what it is given, and what it names.

Nothing of it is run: no property, no `__getattr__`, no proxy. What code names is read from its bytecode, in functions
and comprehensions inside it too: globals, attributes of modules and objects that it reaches, modules that it imports.
What it works out at run time (a name, an agent that is built in the call, what somebody hands it) can't be seen.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from ladder_graph.hosts.contents import class_value, is_a
from ladder_graph.hosts.leading import Leads, enclosed_values, own

RUNS = frozenset({"invoke", "ainvoke", "batch", "abatch", "stream", "astream"})
"""How something is run by hand."""

Parts = Sequence[tuple[Any, Any]]
"""Things with the keys that they are known by."""

Within = Callable[[Any, Parts], Parts]
"""Which parts of a thing count."""


def key_of(thing: Any) -> Any:
    """What a thing is known by. A bound method is made anew by each who reads it."""
    return (id(thing.__func__), id(thing.__self__)) if type(thing) is types.MethodType else id(thing)


# --- a look --------------------------------------------------------------------------------------------------------


def code_of_tool(tool: BaseTool) -> list[Any]:
    """The functions of a tool that is a class, bound to it; none of LangChain's own."""
    found = [class_value(type(tool), name) for name in ("_run", "_arun")]
    return [types.MethodType(one, tool) for one in found if is_a(one, types.FunctionType) and own(one)]


class Look:
    """One look at a program, for one mount: each thing is looked at once, over all tools and nodes.

    What a thing reaches may change between two mounts, so nothing of it is kept for the next one.
    """

    def __init__(self) -> None:
        self.leads = Leads()
        self._parts: dict[Any, tuple[Any, Parts]] = {}  # With the things, whose ids would else be given to others.
        self._clear: dict[Any, dict[Any, int]] = {}
        self._found: dict[Any, tuple[Any, list[Any]]] = {}

    @property
    def visited(self) -> int:
        """How many things were looked into."""
        return len(self._parts)

    def found(self, thing: Any, kind: type, depth: int, within: Within | None = None) -> list[Any]:
        """Everything of a kind that a thing is, is made of or reaches, each once, but for what is inside agents.

        Level by level, so that what can be reached in several ways is met on the shortest. Where nothing is found, it
        is known of each thing on the way how far nothing is there, and none of it is gone through again.

        Args:
            thing: Where to begin.
            kind: What is looked for.
            depth: How many steps to go.
            within: Which parts of a thing count; all of them where nothing else is given.
        """
        sought = (kind, within)
        at = (sought, key_of(thing), depth)
        if at not in self._found:
            self._found[at] = (thing, self._walk(thing, kind, depth, within, self._clear.setdefault(sought, {})))
        return self._found[at][1]

    def _walk(self, thing: Any, kind: type, depth: int, within: Within | None, clear: dict[Any, int]) -> list[Any]:
        found: dict[Any, Any] = {}
        levels = {key_of(thing): 0}
        ways: dict[Any, Parts] = {}
        level = [(key_of(thing), thing)]
        for step in range(depth + 1):
            fresh = []
            for key, one in level:
                if is_a(one, kind):
                    found[key] = one
                if step == depth or clear.get(key, -1) >= depth - step or self.leads.kind(one).sort == "agent":
                    continue
                parts = self.parts(one)
                ways[key] = parts if within is None else within(one, parts)
                for part in ways[key]:
                    if part[0] not in levels:
                        levels[part[0]] = step + 1
                        fresh.append(part)
            level = fresh
        near = _distances(ways, found) if found else {}
        for key, step in levels.items():
            if near.get(key, depth + 1) > depth - step > clear.get(key, -1):
                clear[key] = depth - step
        return list(found.values())

    def parts(self, thing: Any) -> Parts:
        """What a container, a composed runnable, a function or an object that is called is made of."""
        key = key_of(thing)
        if key not in self._parts:
            within = {key_of(part): part for part in self._inside(thing) if self._worth(part)}
            self._parts[key] = (thing, tuple(within.items()))
        return self._parts[key][1]

    def _worth(self, thing: Any) -> bool:
        """Whether anything can be inside a thing."""
        kind = self.leads.kind(thing)
        if kind.sort == "object":
            return kind.called or "__wrapped__" in (space := kind.space(thing)) or "__call__" in space
        return kind.sort not in {"leaf", "class", "module"}

    def _inside(self, thing: Any) -> Iterable[Any]:
        kind = self.leads.kind(thing)
        match kind.sort:
            case "container":
                return self.leads.entries_of(thing)
            case "function":
                return self._enclosed(thing)
            case "method":
                return self._of_method(thing)
            case "partial":
                held = (*thing.args, *thing.keywords.values())
                handed = thing.func if type(thing.func) is types.FunctionType and own(thing.func) else None
                return (thing.func, *held, *(self.leads.named(handed, handed=held).values if handed and held else ()))
            case "runnable":
                run = [one for name in RUNS for one in self.leads.attribute(thing, name).values]
                return (
                    *kind.space(thing).values(),
                    *(one for one in run if type(one) is types.MethodType and own(one.__func__)),
                )
            case "object":
                around = kind.space(thing).get("__wrapped__")  # As `functools.lru_cache` leaves it.
                return (around, *self.leads.attribute(thing, "__call__").values)
        return ()

    def _of_method(self, method: types.MethodType) -> Iterator[Any]:
        of, function = method.__self__, method.__func__
        whole = is_a(of, Runnable) and not is_a(of, BaseTool)
        if whole:
            yield of
        if type(function) is not types.FunctionType:
            yield function
        elif own(function) or not whole:
            yield from self._enclosed(function, (of,))
            # A framework's methods, too, use what they keep under their names.
            space = self.leads.kind(of).space(of)
            yield from (space[name] for name in function.__code__.co_names if name in space)

    def _enclosed(self, function: types.FunctionType, of: tuple[Any, ...] = ()) -> Iterator[Any]:
        yield from enclosed_values(function)
        if own(function):
            yield from self.leads.named(function, of).values


def _distances(ways: dict[Any, Parts], found: Iterable[Any]) -> dict[Any, int]:
    """How many steps it is from each thing to the nearest of those that were found."""
    back: dict[Any, list[Any]] = {}
    for key, parts in ways.items():
        for part, _ in parts:
            back.setdefault(part, []).append(key)
    near = dict.fromkeys(found, 0)
    waiting = deque(near)
    while waiting:
        key = waiting.popleft()
        for one in back.get(key, ()):
            if one not in near:
                near[one] = near[key] + 1
                waiting.append(one)
    return near


_OPEN: ContextVar[list[Look]] = ContextVar("ladder_graph_look")


@contextmanager
def one_look() -> Iterator[Look]:
    """Look at each thing once while this is open; what is open already goes on."""
    if looks := _OPEN.get([]):
        yield looks[0]
        return
    looks = [Look()]
    token = _OPEN.set(looks)
    try:
        yield looks[0]
    finally:
        looks.clear()  # A task that was started meanwhile keeps this context, and must not go on with an old look.
        _OPEN.reset(token)


def reached(thing: Any, kind: type, depth: int, within: Within | None = None) -> list[Any]:
    """See `Look.found`; in the look that is open, or in one of its own."""
    with one_look() as look:
        return look.found(thing, kind, depth, within)
