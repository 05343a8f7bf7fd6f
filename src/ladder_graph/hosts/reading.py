"""What a tool's own code will read of a call: what its schema makes of the arguments, in JSON and by the call's names.

Nothing is dumped: a secret's stars and an author's own form of a value are not what the code reads. What JSON has no
form for, as a date, stays as the call has it.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from pathlib import PurePath
from typing import Any, NoReturn

from langchain_core.tools import BaseTool, InjectedToolArg
from pydantic import BaseModel, RootModel, create_model
from pydantic.fields import FieldInfo

from ladder_graph.errors import ArgumentsError
from ladder_graph.hosts.spellings import Way, ways_of

_BYTES = (bytes, bytearray, memoryview)
_NOTHING: Any = object()
"""The call has nothing in this place."""


class Untold(ArgumentsError):
    """What the tool's code will read can't be told before it runs."""


def as_read(tool: BaseTool, schema: type[BaseModel], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the tool's code will read them, by the names that the call has.

    What the schema finds under another name, as a validator may put it there, comes by its own.

    Args:
        tool: The tool.
        schema: The whole schema of its arguments.
        arguments: The call's.

    Raises:
        Untold: A validator looks at what only the graph fills in, or what it makes of the arguments has no form in
            JSON that they could be held against.
    """
    filled_in = _injected(tool, schema)
    # A copy, since a validator may take apart what it is given.
    given = copy.deepcopy({name: value for name, value in arguments.items() if name not in filled_in})
    try:
        made = _open(schema, filled_in).model_validate({**given, **dict.fromkeys(filled_in, _Unseen())})
        read = _of_fields(made, arguments, filled_in)
    except Untold:
        raise
    except Exception as wrong:  # a validator of the tool author's may raise anything
        raise Untold(f"what {tool.name} will read can't be told: {type(wrong).__name__}: {wrong}") from wrong
    return read


def _injected(tool: BaseTool, schema: type[BaseModel]) -> frozenset[str]:
    """The fields of a tool's schema that the graph fills in.

    LangChain leaves these out of what it asks a model for, and with them some that are called by another name.
    """
    asked: Any = tool.tool_call_schema
    left_out = schema.model_fields.keys() - getattr(asked, "model_fields", {}).keys()
    return frozenset(name for name in left_out if _is_marked(schema.model_fields[name]))


def _is_marked(field: FieldInfo) -> bool:
    marks = [one if isinstance(one, type) else type(one) for one in field.metadata]
    return field.validation_alias is None or any(issubclass(one, InjectedToolArg) for one in marks)


class _Unseen:
    """Stands for what the graph will fill in; a validator that looks into it can't be run before the tool."""

    def _look(self, *_: Any) -> NoReturn:
        raise Untold("a validator looks at what only the graph fills in")

    __getattr__ = __getitem__ = __iter__ = __len__ = __contains__ = __bool__ = __eq__ = __call__ = _look
    __hash__ = None  # type: ignore[assignment]


@functools.lru_cache(maxsize=1024)
def _open(schema: type[BaseModel], filled_in: frozenset[str]) -> type[BaseModel]:
    """The schema with its author's validators, and anything in the places that the graph fills in."""
    if not filled_in:
        return schema
    anything: Any = dict.fromkeys(filled_in, (Any, None))
    made: type[BaseModel] = create_model(schema.__name__, __base__=schema, **anything)
    return made


def _in_json(made: Any, given: Any) -> Any:
    """What a schema made of a value, where JSON has it as it is; else the value as it was given."""
    made = made.value if isinstance(made, Enum) else made
    if made is None or type(made) in (bool, int) or (type(made) is float and math.isfinite(made)):
        return made
    if isinstance(made, str | PurePath):
        return str.__str__(made) if isinstance(made, str) else str(made)
    if isinstance(made, RootModel):
        return _in_json(made.root, given)
    try:
        return _within(made, given)
    except Untold:
        if given is _NOTHING or isinstance(given, Mapping | list | tuple):
            raise
        return given


def _within(made: Any, given: Any) -> Any:
    """As above, of what holds other values."""
    match made:
        case Mapping():
            return _of_mapping(made, given if isinstance(given, Mapping) else {})
        case AbstractSet():
            return _of_set(made, given)
        case Sequence() if not isinstance(made, _BYTES):
            paired = isinstance(given, list | tuple) and len(given) == len(made)
            return [_in_json(*both) for both in zip(made, given if paired else [_NOTHING] * len(made), strict=True)]
    if isinstance(given, Mapping) and _fields_of(made):
        return _of_fields(made, given)
    if given is _NOTHING and isinstance(made, BaseModel):
        return _of_fields(made, {})
    if given is _NOTHING:
        raise Untold(f"JSON has no form for the {type(made).__name__} that a schema makes of the arguments")
    return given


def _of_mapping(made: Mapping[Any, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    if all(isinstance(key, str) and not isinstance(key, Enum) for key in made):
        return {key: _in_json(value, given.get(key, _NOTHING)) for key, value in made.items()}
    if len(made) != len(given):
        raise Untold("a schema makes fewer or other keys of a mapping than the call has")
    # Keys that JSON hasn't, as numbers, are made one after the other.
    return {key: _in_json(value, given[key]) for key, value in zip(given, made.values(), strict=True)}


def _of_set(made: AbstractSet[Any], given: Any) -> Any:
    """The members, in the order in which they were given."""
    try:
        members = [_in_json(one, _NOTHING) for one in made]
    except Untold:
        if isinstance(given, list | tuple) and len({repr(one) for one in given}) == len(made):
            return given
        raise
    place = {repr(one): n for n, one in enumerate(given)} if isinstance(given, list | tuple) else {}
    return sorted(members, key=lambda one: (place.get(repr(one), len(place)), repr(one)))


def _fields_of(made: Any) -> Mapping[str, FieldInfo | None]:
    """The fields of a model, of a dataclass of pydantic's, and of any other one."""
    fields: Any = getattr(type(made), "__pydantic_fields__", None)
    if fields is None and dataclasses.is_dataclass(made):
        fields = {one.name: None for one in dataclasses.fields(made)}
    return fields or {}


def _of_fields(made: Any, given: Mapping[str, Any], but: Iterable[str] = ()) -> dict[str, Any]:
    """What was given, with what was made of it in the same places."""
    found, taken = dict(given), dict[Way, Any]()
    filled: Any = getattr(made, "model_fields_set", ())
    for name, field in _fields_of(made).items():
        if name in but or not hasattr(made, name):
            continue
        way = next((one for one in ways_of(name, field) if _at(given, one) is not _NOTHING), None)
        if way is not None:
            value = _in_json(getattr(made, name), _at(given, way))
            if taken.setdefault(way, value) != value:
                raise Untold(f"a schema makes several things of {way[0]}, {name} among them")
            _put(found, way, value)
        elif name in filled:
            found[name] = _in_json(getattr(made, name), _NOTHING)
    for name, value in (getattr(made, "__pydantic_extra__", None) or {}).items():
        found[name] = _in_json(value, given.get(name, _NOTHING))
    return found


def _at(given: Any, way: Way) -> Any:
    """What stands at the end of a way."""
    for step in way:
        if isinstance(given, str):
            return _NOTHING
        try:
            given = given[step]
        except (LookupError, TypeError):
            return _NOTHING
    return given


def _put(found: Any, way: Way, value: Any) -> None:
    """Put a value at the end of a way, which is there; what it leads through is copied first."""
    for step in way[:-1]:
        found[step] = copy.copy(found[step])
        found = found[step]
    found[way[-1]] = value
