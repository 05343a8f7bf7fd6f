"""What a tool's own code will read of a call: what its schema makes of the arguments, in JSON and by the call's names.

Nothing is dumped: a secret's stars and an author's own form of a value are not what the code reads. What JSON has no
form for, as a date, stays as the call has it.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
import math
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NoReturn, Optional, Union, get_args, get_origin, is_typeddict

from langchain_core.tools import BaseTool, InjectedToolArg
from pydantic import BaseModel, RootModel, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic.v1 import BaseModel as OldModel
from pydantic.v1 import ValidationError as OldValidationError
from pydantic.v1 import create_model as create_old_model

from ladder_graph.errors import ArgumentsError
from ladder_graph.hosts.spellings import Way, ways_of

_BYTES = (bytes, bytearray, memoryview)
Schema = type[BaseModel] | type[OldModel]
_NOTHING: Any = object()
"""The call has nothing in this place."""


class Untold(ArgumentsError):
    """What the tool's code will read can't be told before it runs."""


def as_read(tool: BaseTool, schema: Schema, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the tool's code will read them, by the names that the call has.

    What the schema finds under another name, as a validator may put it there, comes by its own. Where the schema runs
    code, they are read again for each kind of what the graph may fill in: what comes of that, or of chance, comes out
    otherwise.

    Args:
        tool: The tool.
        schema: The whole schema of its arguments, of either version of pydantic.
        arguments: The call's.

    Raises:
        Untold: A validator looks at what only the graph fills in, or what it makes of the arguments isn't the same
            each time, or has no form in JSON that they could be held against.
    """
    filled_in = _injected(tool, schema)
    given = {name: value for name, value in arguments.items() if name not in filled_in}
    try:
        read = _read(schema, given, dict.fromkeys(filled_in, _Unseen()))
        steady = not runs_code(schema) or all(one == read for one in _again(schema, given, filled_in))
    except Untold:
        raise
    except Exception as wrong:  # a validator of the tool author's may raise anything
        raise Untold(f"what {tool.name} will read can't be told: {type(wrong).__name__}: {wrong}") from wrong
    if not steady:
        raise Untold(f"what {tool.name} will read can't be told: a validator doesn't go by the arguments alone")
    return read


def _again(schema: Schema, given: Mapping[str, Any], filled_in: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What a schema makes of arguments with each kind of what the graph may fill in, and with nothing there."""
    fields = _fields_of(schema)
    found = {name: list(dict.fromkeys(_kinds(getattr(fields[name], "annotation", None)))) for name in filled_in}
    kinds = {name: [kind for kind in some if kind is not NoneType] or [str] for name, some in found.items()}
    for turn in range(max(map(len, kinds.values()), default=1)):
        yield _read(schema, given, {name: _lifelike(some[turn % len(some)]) for name, some in kinds.items()})
    optional = dict.fromkeys(name for name, some in found.items() if NoneType in some)
    if optional:
        # A schema that refuses a call without it keeps the tool from running, too.
        with contextlib.suppress(ValidationError, OldValidationError):
            yield _read(schema, given, {name: _lifelike(some[0]) for name, some in kinds.items()} | optional)


def _read(schema: Schema, given: Mapping[str, Any], filled_in: Mapping[str, Any]) -> dict[str, Any]:
    """What a schema makes of arguments, with stand-ins for what the graph fills in."""
    made: Any
    # A copy, since a validator may take apart what it is given.
    whole, opened = {**copy.deepcopy(dict(given)), **filled_in}, _open(schema, frozenset(filled_in))
    try:
        made = opened.model_validate(whole) if issubclass(opened, BaseModel) else opened.parse_obj(whole)
        read = _handed_on(made, _of_fields(made, given, filled_in), filled_in)
    finally:
        # A validator may have taken it for any other mistake, and gone on.
        if any(type(one) is _Unseen and one.looked for one in filled_in.values()):
            raise Untold(_LOOKS)
    return read


def _handed_on(made: Any, read: dict[str, Any], filled_in: Mapping[str, Any]) -> dict[str, Any]:
    """Without the fields that LangChain keeps from the tool: those that a dump of its schema leaves out."""
    fields = {name: field for name, field in _fields_of(type(made)).items() if name not in filled_in}
    if isinstance(made, OldModel):
        dumped = made.dict(exclude=set(filled_in))
    elif _dumps_otherwise(type(made)):
        dumped = made.model_dump(exclude=set(filled_in))
    else:
        return read
    kept = {way[0] for name, field in fields.items() if name in dumped for way in ways_of(name, field)}
    left_out = {way[0] for name, field in fields.items() if name not in dumped for way in ways_of(name, field)}
    return {name: value for name, value in read.items() if name in kept or name not in left_out}


def _dumps_otherwise(schema: type[BaseModel]) -> bool:
    hidden = any(one.exclude or one.exclude_if is not None for one in schema.model_fields.values())
    return hidden or bool(schema.__pydantic_decorators__.model_serializers)


def _injected(tool: BaseTool, schema: Schema) -> frozenset[str]:
    """The fields of a tool's schema that the graph fills in.

    LangChain leaves these out of what it asks a model for, and with them some that are called by another name.
    """
    fields, asked = _fields_of(schema), tool.tool_call_schema
    left_out = fields.keys() - (_fields_of(asked).keys() if isinstance(asked, type) else set())
    return frozenset(name for name in left_out if _is_marked(fields[name]))


def _is_marked(field: FieldInfo | None) -> bool:
    marks = [] if field is None else [one if isinstance(one, type) else type(one) for one in field.metadata]
    return field is None or field.validation_alias is None or any(issubclass(one, InjectedToolArg) for one in marks)


_LOOKS = "a validator looks at what only the graph fills in"


class _Unseen:
    """Stands for what the graph will fill in; a validator that looks into it can't be run before the tool.

    Args:
        kind: The class that it is to be taken for.
    """

    __slots__ = ("kind", "looked")
    kind: type | None
    looked: bool

    def __init__(self, kind: type | None = None) -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "looked", False)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return self.kind or type(self)

    def _look(self, *_: Any, **__: Any) -> NoReturn:
        object.__setattr__(self, "looked", True)
        raise Untold(_LOOKS)

    def _same(self, *_: Any) -> Any:
        return self

    def __repr__(self) -> str:
        # Whoever logs what a validator is given writes this, too. In an argument it comes out otherwise each time.
        return f"{uuid.uuid4().hex} stands for what the graph fills in"

    __copy__ = __deepcopy__ = _same
    __getattr__ = __setattr__ = __delattr__ = __dir__ = __call__ = __reduce_ex__ = __hash__ = __bool__ = _look
    __str__ = __format__ = __bytes__ = __fspath__ = __int__ = __float__ = __complex__ = __index__ = _look
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __enter__ = __aenter__ = __await__ = __aiter__ = _look
    __len__ = __iter__ = __next__ = __reversed__ = __contains__ = __getitem__ = __setitem__ = __delitem__ = _look
    __add__ = __sub__ = __mul__ = __matmul__ = __truediv__ = __floordiv__ = __mod__ = __divmod__ = __pow__ = _look
    __radd__ = __rsub__ = __rmul__ = __rmatmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rdivmod__ = _look
    __and__ = __or__ = __xor__ = __lshift__ = __rshift__ = __rand__ = __ror__ = __rxor__ = __rlshift__ = _look
    __rpow__ = __rrshift__ = __neg__ = __pos__ = __abs__ = __invert__ = __round__ = __trunc__ = _look


def _lifelike(kind: type) -> Any:
    """A stand-in that is taken for one of its kind: a text is one that no other call has."""
    return f"call_{uuid.uuid4().hex}" if kind is str else _Unseen(dict if is_typeddict(kind) else kind)


def _kinds(annotation: Any) -> Iterator[type]:
    """The classes that may stand where an annotation does; a text's and a mapping's where it doesn't say."""
    origin = get_origin(annotation)
    named = getattr(annotation, "__supertype__", None) or getattr(origin or annotation, "__value__", None)
    if named is not None:
        yield from _kinds(named)
    elif origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for one in get_args(annotation):
            yield from _kinds(one)
    elif origin is Literal:
        yield from map(type, get_args(annotation))
    else:
        kind = origin or annotation
        yield from (kind,) if isinstance(kind, type) and kind not in (Any, object) else (str, dict)


@functools.lru_cache(maxsize=1024)
def _open(schema: Schema, filled_in: frozenset[str]) -> Schema:
    """The schema with its author's validators, and anything in the places that the graph fills in."""
    if not filled_in:
        return schema
    anything: Any = dict.fromkeys(filled_in, (Any, None))
    make: Any = create_model if issubclass(schema, BaseModel) else create_old_model
    made: Schema = make(schema.__name__, __base__=schema, **anything)
    return made


@functools.lru_cache(maxsize=1024)
def runs_code(schema: Schema) -> bool:
    """Whether a schema calls functions when something is held against it: validators, defaults that are made."""
    return not issubclass(schema, BaseModel) or _calls(schema.__pydantic_core_schema__)


def _calls(core: Any) -> bool:
    if isinstance(core, Mapping):
        kind = str(core.get("type", ""))
        called = kind.startswith("function-") or kind == "call" or any(core.get(name) for name in _CALLED)
        return called or any(map(_calls, core.values()))
    return isinstance(core, list | tuple) and any(map(_calls, core))


_CALLED = ("default_factory", "post_init", "custom_init")
"""What names a function in a schema of pydantic's core, beside those of the kinds of schemas that are one."""


def _in_json(made: Any, given: Any) -> Any:
    """What a schema made of a value, where JSON has it as it is; else the value as it was given."""
    if type(made) is _Unseen:
        made._look()  # noqa: SLF001  # a validator has put it elsewhere
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
    if isinstance(given, Mapping) and _fields_of(type(made)):
        return _of_fields(made, given)
    if given is _NOTHING and isinstance(made, BaseModel | OldModel):
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


def _fields_of(kind: type) -> Mapping[str, FieldInfo | None]:
    """The fields of a model of either version, of a dataclass of pydantic's, and of any other one."""
    if issubclass(kind, OldModel):
        return {name: _of_today(field) for name, field in kind.__fields__.items()}
    fields: Any = getattr(kind, "__pydantic_fields__", None)
    if fields is None and dataclasses.is_dataclass(kind):
        fields = {one.name: None for one in dataclasses.fields(kind)}
    return fields or {}


def _of_today(field: Any) -> FieldInfo:
    """A field of pydantic's first version, with what of it counts here."""
    made = FieldInfo.from_annotation(field.outer_type_)
    made.validation_alias = field.alias if field.alias != field.name else None
    if field.allow_none:
        kind: Any = made.annotation
        made.annotation = Optional[kind]  # noqa: UP045  # not every kind has an operator for it
    return made


def _of_fields(made: Any, given: Mapping[str, Any], but: Iterable[str] = ()) -> dict[str, Any]:
    """What was given, with what was made of it in the same places."""
    found, taken = dict(given), dict[Way, Any]()
    old = isinstance(made, OldModel)
    filled: Any = getattr(made, "__fields_set__" if old else "model_fields_set", ())
    for name, field in _fields_of(type(made)).items():
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
    extra = _beside_fields(made) if old else getattr(made, "__pydantic_extra__", None) or {}
    for name, value in extra.items():
        found[name] = _in_json(value, given.get(name, _NOTHING))
    return found


def _beside_fields(made: OldModel) -> dict[str, Any]:
    return {name: value for name, value in vars(made).items() if name not in made.__fields__}


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
