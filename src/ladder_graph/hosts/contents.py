"""Reading objects without running any code of theirs: no property, no `__getattr__`, no proxy, no metaclass."""

from __future__ import annotations

import datetime as dt
import decimal
import functools
import gc
import pathlib
import re
import types
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langgraph.pregel.protocol import PregelProtocol
from pydantic import BaseModel

MOST = 1000
"""How many entries of a container are looked at: those are agents by their names, and not somebody's rows."""

Sort = Literal["leaf", "class", "module", "container", "function", "method", "partial", "agent", "runnable", "object"]
"""What can be inside a thing."""

_SORTS: dict[type, Sort] = {
    **dict.fromkeys(
        (
            str, bytes, bytearray, int, float, complex, type(None), dt.date, dt.time, dt.timedelta, dt.tzinfo,
            decimal.Decimal, uuid.UUID, pathlib.PurePath, re.Pattern, types.CodeType, types.BuiltinFunctionType,
            types.WrapperDescriptorType, types.MethodDescriptorType, types.GetSetDescriptorType, BaseChatModel,
            BaseTool,
        ),
        "leaf",
    ),
    **dict.fromkeys((dict, types.MappingProxyType, list, tuple, set, frozenset, deque), "container"),
    type: "class", types.ModuleType: "module", types.FunctionType: "function", types.MethodType: "method",
    functools.partial: "partial", PregelProtocol: "agent", Runnable: "runnable",
}  # fmt: skip
"""What isn't made of steps is a leaf; a tool's own agents are looked for where it is mounted."""

_BY_ID = {id(kind): sort for kind, sort in _SORTS.items()}  # A class's own hash may be anybody's code.

_mro: Any = type.__dict__["__mro__"].__get__
_dict: Any = type.__dict__["__dict__"].__get__
"""A class's own, past its metaclass."""


def is_a(thing: Any, *kinds: type) -> bool:
    """As `isinstance`, which asks an object and its class, and would run a proxy's code."""
    return any(one is kind for one in _mro(type(thing)) for kind in kinds)


class Kind:
    """What one class says of its instances; read once in each look, since a class may change.

    Args:
        of: The class.
    """

    __slots__ = ("called", "names", "of", "place", "private", "sort", "values")

    def __init__(self, of: type) -> None:
        line = _mro(of)
        self.of, self.values = of, dict[str, Any]()
        self.sort: Sort = next((_BY_ID[id(one)] for one in line if id(one) in _BY_ID), "object")
        place = class_value(of, "__dict__")
        self.place: Any = place if type(place) in {types.GetSetDescriptorType, types.MemberDescriptorType} else None
        self.private = any(one is BaseModel for one in line)
        self.names = frozenset[str]().union(*(_dict(one) for one in line))
        self.called = class_value(of, "__call__") is not None

    def space(self, thing: Any) -> dict[str, Any]:
        """An instance's own attributes."""
        found = self.place.__get__(thing) if self.place is not None else None
        space: dict[str, Any] = found if isinstance(found, dict) else {}
        if self.private:
            # One that was never filled, as by `__new__`, has none.
            with suppress(AttributeError):
                return {**space, **(object.__getattribute__(thing, "__pydantic_private__") or {})}
        return space

    def value(self, name: str) -> Any:
        """What the class has under a name."""
        if name not in self.values:
            self.values[name] = class_value(self.of, name) if name in self.names else None
        return self.values[name]


def space_of(thing: Any) -> dict[str, Any]:
    """An object's own attributes, as far as they can be had without running any code of it."""
    return Kind(type(thing)).space(thing)


def class_value(kind: type, name: str) -> Any:
    """What a class has under a name, as it stands there; None where there is nothing."""
    return next((_dict(one)[name] for one in _mro(kind) if name in _dict(one)), None)


def class_values(kind: type, name: str) -> list[Any]:
    """The same, with what its parents have, as `super` comes to it."""
    return [_dict(one)[name] for one in _mro(kind) if name in _dict(one)]


def entries_of(thing: Any) -> list[Any] | None:
    """What a container holds, as far as it is looked at; None of what is no container."""
    if type(thing) is types.MappingProxyType:
        held = gc.get_referents(thing)  # By itself it would ask what it stands for, which may do anything.
        return entries_of(held[0]) if held and is_a(held[0], dict) else []
    if is_a(thing, dict):
        return list(islice(dict.values(thing), MOST))
    for one in (list, tuple, set, frozenset, deque):
        if is_a(thing, one):
            return list(islice(one.__iter__(thing), MOST))  # Not that of a class made of it, as above.
    return None


def bound(value: Any, thing: Any) -> Iterator[Any]:
    """What an attribute of a class is to an instance; a property is read by its code, see `getter`."""
    kind = type(value)
    if kind is types.FunctionType:
        yield types.MethodType(value, thing)
    elif kind is staticmethod:
        yield value.__func__
    elif kind is classmethod:
        yield types.MethodType(value.__func__, thing if is_a(thing, type) else type(thing))
    elif kind is types.MemberDescriptorType:  # One of `__slots__`.
        with suppress(AttributeError):
            yield value.__get__(thing)
    elif getter(value) is None:
        yield value


def getter(value: Any) -> Any:
    """The function that works out a property; None of anything else."""
    get = value.fget if type(value) is property else value.func if type(value) is functools.cached_property else None
    return get if type(get) is types.FunctionType else None
