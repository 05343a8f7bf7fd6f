"""What the code of functions leads to by the names in it, from what stands under them at this moment."""

from __future__ import annotations

import logging
import sys
import types
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import Runnable

from ladder_graph.hosts.contents import Kind, bound, class_value, class_values, entries_of, getter, is_a
from ladder_graph.hosts.making import FRAMEWORKS
from ladder_graph.hosts.naming import Path, names_of

DOTS = 4
"""How many dots deep attributes of variables are followed; those of a name are followed to its end."""

SMALL = 64
"""How many entries of a container are looked at, however many others were looked at before."""

ENTRIES = 100_000
"""How many entries of larger containers are looked at in one look."""

_FOREIGN = FRAMEWORKS | {"ladder_graph", "langsmith", "opentelemetry"}
"""Packages whose functions name no agent of anybody's; the last two stand around many of a framework's."""

_INSTALLED = ("site-packages", "dist-packages")
"""Where other people's modules lie."""

_MADE = ("__init__", "__new__", "__post_init__")
"""What runs when an object is made."""

_log = logging.getLogger(__name__)


def enclosed_values(function: Any) -> Iterator[Any]:
    """The variables of the functions around it, and its defaults."""
    yield from free_of(function).values()
    yield from _defaults(function)


def free_of(function: Any) -> dict[str, Any]:
    """The variables of the functions around it, by name."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue  # An empty cell: a name that is never bound.
    return found


def _defaults(function: Any) -> tuple[Any, ...]:
    return (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())


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


def imported(function: types.FunctionType, name: str) -> list[Any]:
    """A module that a function imports when it runs, and what that may stand for, as far as they are loaded."""
    around = str(function.__globals__.get("__package__") or "")
    places = (name, name.partition(".")[0], f"{around}.{name}".rstrip("."))
    return [sys.modules[place] for place in dict.fromkeys(places) if sys.modules.get(place) is not None]


# --- what names lead to ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Named:
    """What a dotted name or a whole function comes to."""

    values: list[Any] = field(default_factory=list)
    """Whatever is met on the way."""
    ends: list[Any] = field(default_factory=list)
    """What variables, entries and results may be, or come from."""
    given: set[str] = field(default_factory=set)
    """Attributes that the functions among them read of what they are handed."""

    def add(self, other: Named) -> None:
        """Take in what another one comes to."""
        self.values += other.values
        self.ends += other.ends
        self.given |= other.given


@dataclass(slots=True)
class _Entries:
    """The entries of a container, and of those in it."""

    attributes: dict[str, list[Any]] = field(default_factory=dict)
    """What they have of their own, by name."""
    kinds: dict[int, tuple[Kind, list[Any]]] = field(default_factory=dict)
    classes: list[Any] = field(default_factory=list)
    made: list[Any] = field(default_factory=list)
    """What runs when one of these classes is called."""
    names: set[str] = field(default_factory=set)
    """Which attributes there are."""
    found: dict[str, Named] = field(default_factory=dict)
    """What was asked for before."""


class Leads:
    """What names lead to, each worked out once for all functions."""

    def __init__(self) -> None:
        self._kinds: dict[int, Kind] = {}
        self._leaves: set[int] = set()
        # With the things, whose ids would else be given to others.
        self._functions: dict[tuple[int, int], tuple[Any, Any, Named]] = {}
        self._globals: dict[tuple[int, Path], Named] = {}
        self._attributes: dict[tuple[int, str], tuple[Any, Named]] = {}
        self._names: dict[int, tuple[Any, AbstractSet[str]]] = {}
        self._listed: dict[int, tuple[Any, list[Any]]] = {}
        self._entries: dict[int, tuple[Any, _Entries]] = {}
        self._homes: dict[int, tuple[Any, tuple[str, bool, bool]]] = {}
        self._left = ENTRIES

    def kind(self, thing: Any) -> Kind:
        """What its class says of a thing."""
        kind = self._kinds.get(id(type(thing)))
        if kind is None:
            of = type(thing)
            kind = self._kinds[id(of)] = Kind(of)
            if kind.sort == "leaf":
                self._leaves.add(id(of))
        return kind

    def _leads_to(self, function: types.FunctionType, other: types.FunctionType) -> bool:
        """Whether what another function names counts: what is installed beside the program is somebody else's."""
        package, counts, installed = self._home(other)
        return counts and (not installed or package == self._home(function)[0])

    def _home(self, function: types.FunctionType) -> tuple[str, bool, bool]:
        """The package of a function's module, whether it is the program's or a library's, and whether installed."""
        space = function.__globals__
        if id(space) not in self._homes:
            file = str(space.get("__file__") or "")
            installed = any(place in file for place in _INSTALLED)
            self._homes[id(space)] = (space, (_package(function), own(function), installed))
        return self._homes[id(space)][1]

    def entries_of(self, thing: Any) -> list[Any]:
        """What a container holds, as far as this look goes."""
        if id(thing) not in self._listed:
            self._listed[id(thing)] = (thing, self._allowed(thing, entries_of(thing) or []))
        return self._listed[id(thing)][1]

    def _allowed(self, thing: Any, entries: list[Any]) -> list[Any]:
        if len(entries) > SMALL:
            self._left -= len(entries)
            if self._left < 0:
                _log.debug("not looked at: all but %s of %s entries of a %s", SMALL, len(entries), type(thing).__name__)
                return entries[:SMALL]
        return entries

    # --- what a function names -----------------------------------------------------------------------------------

    def named(self, function: types.FunctionType, of: tuple[Any, ...] = (), handed: Iterable[Any] = ()) -> Named:
        """What a function names: globals, and attributes of these, of what it imports and of what it holds.

        Args:
            function: A function of the program's own.
            of: Whose method it is.
            handed: What it is given.
        """
        key = (id(function), id(of[0]) if of else 0)
        if key in self._functions and not handed:
            return self._functions[key][2]
        named = Named()
        if not handed:
            self._functions[key] = (function, of, named)  # It may come back to itself.
        names, free = names_of(function.__code__), free_of(function)
        attributes = set(names.loose if of else names.given)
        for path in names.paths:
            match path[0]:
                case "global":
                    named.add(self._of_global(function, path))
                case "free" if path[1] in free:
                    named.add(self._follow(function, [free[path[1]]], path))
                case "first" if of:
                    named.add(self._follow(function, [*of], path))
                case "module":
                    named.add(self._follow(function, imported(function, path[1]), path))
        # It may hand an object on to a function whose code names the attribute.
        further = self._through_variables([*named.ends, *_defaults(function), *handed], attributes | named.given)
        if of and "super" in names.globals:
            parents = [one for name in names.loose for one in class_values(type(of[0]), name)]
            further += [one for value in parents for one in bound(value, of[0])]
        named.values += self._led(function, further)
        return named

    def _of_global(self, function: types.FunctionType, path: Path) -> Named:
        """Functions of a module have most of their names in common."""
        space = function.__globals__
        key = (id(space), path)
        if key not in self._globals:
            roots = [space[path[1]]] if path[1] in space else []
            self._globals[key] = self._follow(function, roots, path)
        return self._globals[key]

    def _follow(self, function: types.FunctionType, values: list[Any], path: Path) -> Named:
        """What a dotted name comes to, from what stands at its beginning."""
        named = Named(values=[*values])
        for name in path[2]:
            before, values = values, []
            for one in before:
                found = self.attribute(one, name)
                named.values += found.values
                values += found.ends
                if self.kind(one).sort != "module" and any(map(_is_code, found.ends)):
                    named.ends.append(one)  # A method may return whose it is, or an entry.
        if path[3] != "written":
            ends = [one for one in values if path[3] != "asked" or self.kind(one).sort != "class"]
            named.ends += ends
            named.values += [made for one in ends if self.kind(one).sort == "class" for made in self._made(one)]
        for one in values:
            code = getattr(one, "__func__", one) if type(one) is types.MethodType else one
            if type(code) is types.FunctionType and self._leads_to(function, code):
                names = names_of(code.__code__)
                named.given |= names.loose if code is not one else names.given
        named.values = list(self._led(function, named.values))
        return named

    def _through_variables(self, values: list[Any], names: set[str]) -> list[Any]:
        """Attributes of what a variable may be, which its name doesn't tell: of all that may be put there."""
        met: list[Any] = []
        seen: dict[int, Any] = {}
        for _ in range(DOTS if names else 1):
            fresh = {id(one): one for one in values if id(one) not in seen and self.kind(one).sort not in BARE}
            seen |= fresh
            values = []
            for one in fresh.values():
                found = [self.attribute(one, name) for name in names & self._names_at(one)]
                if self.kind(one).sort == "container":
                    entries = self._entries_in(one)
                    met += entries.made
                    found += [self._of_entries(entries, name) for name in names & entries.names]
                for each in found:
                    met += each.values
                    values += each.ends
        return met

    def _names_at(self, thing: Any) -> AbstractSet[str]:
        """The names of a thing's attributes."""
        if id(thing) not in self._names:
            kind = self.kind(thing)
            names = Kind(thing).names if kind.sort == "class" else kind.names
            self._names[id(thing)] = (thing, names | kind.space(thing).keys())
        return self._names[id(thing)][1]

    def _led(self, function: types.FunctionType, named: Iterable[Any]) -> Iterator[Any]:
        """What is named, and of a function that is somebody else's only what it holds, as a decorator's does."""
        for value in named:
            code: Any = value
            if type(value) is types.MethodType and not is_a(value.__self__, Runnable):
                code = value.__func__
            if type(code) is types.FunctionType and not self._leads_to(function, code):
                yield from enclosed_values(code)
            else:
                yield value

    # --- attributes ----------------------------------------------------------------------------------------------

    def attribute(self, thing: Any, name: str) -> Named:
        """An object's attribute, read past every descriptor; of a property what its code comes to."""
        if self.kind(thing).sort in BARE:
            return _NOTHING
        key = (id(thing), name)
        if key not in self._attributes:
            self._attributes[key] = (thing, Named())  # A property may come back to itself.
            self._attributes[key] = (thing, self._read(thing, name))
        return self._attributes[key][1]

    def _read(self, thing: Any, name: str) -> Named:
        kind = self.kind(thing)
        if kind.sort == "class":
            value = class_value(thing, name)
            if value is None:
                return _NOTHING
            found = [*bound(value, thing)] if type(value) in {staticmethod, classmethod} else [value]
            return Named(found, found)
        space = kind.space(thing)
        if name in space:
            return Named([space[name]], [space[name]])
        value = None if kind.sort == "module" else kind.value(name)
        if value is None:
            return _NOTHING
        if (get := getter(value)) is not None:
            ends = self.named(get, (thing,)).ends if own(get) else []
            return Named([types.MethodType(get, thing)], ends)
        found = [*bound(value, thing)]
        return Named(found, found)

    def _made(self, kind: type) -> list[Any]:
        found = [class_value(kind, name) for name in _MADE]
        return [getattr(one, "__func__", one) if type(one) is staticmethod else one for one in found if one is not None]

    def _entries_in(self, container: Any) -> _Entries:
        """What is in a container, gone through once, whoever asks for what."""
        if id(container) not in self._entries:
            entries = _Entries()
            self._gather(container, entries, {})
            entries.made = [made for one in entries.classes for made in self._made(one)]
            entries.names = set(entries.attributes).union(*(kind.names for kind, _ in entries.kinds.values()))
            entries.names.update(*(self._names_at(one) for one in entries.classes))
            self._entries[id(container)] = (container, entries)
        return self._entries[id(container)][1]

    def _gather(self, container: Any, entries: _Entries, seen: dict[int, Any]) -> None:
        seen[id(container)] = container
        for one in self.entries_of(container):
            kind = self.kind(one)
            if kind.sort == "container" and id(one) not in seen and len(seen) <= SMALL:
                self._gather(one, entries, seen)
            if kind.sort == "class":
                entries.classes.append(one)
            elif kind.sort not in BARE:
                space = kind.space(one)
                if self._leaves.issuperset(map(id, map(type, [*space.values()]))):
                    space = {}
                for name in [*space]:
                    if (value := space.get(name)) is not None and self.kind(value).sort != "leaf":
                        entries.attributes.setdefault(name, []).append(value)
                if kind.sort != "module":
                    entries.kinds.setdefault(id(kind), (kind, []))[1].append(one)

    def _of_entries(self, entries: _Entries, name: str) -> Named:
        if name not in entries.found:
            own_ones = entries.attributes.get(name, [])
            named = entries.found[name] = Named([*own_ones], [*own_ones])
            for one in entries.classes:
                named.add(self.attribute(one, name))
            for kind, things in entries.kinds.values():
                if kind.value(name) is not None:
                    for one in things:
                        named.add(self.attribute(one, name))
        return entries.found[name]


BARE = frozenset({"leaf", "agent", "function", "method"})
"""What has no attributes that matter."""

_NOTHING = Named()


def _is_code(thing: Any) -> bool:
    return type(thing) in {types.MethodType, types.FunctionType, types.MethodDescriptorType}
