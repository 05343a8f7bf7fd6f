"""What is left of a table whose keys aren't all right: enough to find the mistakes that span several keys.

Pydantic looks whether the keys of a table fit together only once each of them is right, so those mistakes would come in
a second round. Here the validators of a table run on what is right in it. A key that isn't has no value, and a
validator that needs it ends there: no mistake is told that is only a consequence of another one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from ladder_graph.policy.fields import Strict
from ladder_graph.policy.lines import Keys
from ladder_graph.policy.mistakes import Mistake
from ladder_graph.policy.places import bare, kinds

_OPEN: Any = object()
"""Stands for the value of a key that isn't right, or that another one may be a slip for."""


def mistakes(model: type[BaseModel], data: Mapping[Any, Any], wrong: Iterable[Keys]) -> list[Mistake]:
    """The mistakes that span several keys, in data that has other ones too.

    Args:
        model: What the data should be.
        data: The data.
        wrong: Where its other mistakes are.
    """
    remnants = _Remnants(frozenset(path[:size] for path in wrong for size in range(len(path) + 1)))
    remnants.table(model, data, ())
    return remnants.found


class _Remnants:
    """Makes what is left of each table, and keeps what its validators find."""

    def __init__(self, around: frozenset[Keys]) -> None:
        self.found: list[Mistake] = []
        self._around = around
        """The places at which, or somewhere below which, a mistake is."""

    def table(self, model: type[BaseModel], data: Mapping[Any, Any], path: Keys) -> BaseModel:
        slips = {name for key in data for name in _near(key, model)}
        values = {}
        for name, field in model.model_fields.items():
            if name in data:
                values[name] = self._value(
                    bare(field.annotation), data[name], (*path, name), field.rebuild_annotation()
                )
            elif not field.is_required() and name not in slips:
                values[name] = field.get_default(call_default_factory=True)
        left = model.model_construct()
        left.__dict__.clear()
        left.__dict__.update({name: value for name, value in values.items() if value is not _OPEN})
        self.found += [mistake.below(path) for mistake in _validated(left)]
        return left

    def _value(self, here: Any, data: Any, path: Keys, annotation: Any) -> Any:
        """What a key holds, or `_OPEN`."""
        inner = bare((get_args(here) or (None,))[-1 if get_origin(here) is dict else 0])
        if isinstance(data, BaseModel):
            return data
        if _is_table(here):
            return self.table(here, data, path) if isinstance(data, Mapping) else _OPEN
        if get_origin(here) is dict and _is_table(inner):
            return self._tables(inner, data, path) if isinstance(data, Mapping) else _OPEN
        if get_origin(here) is tuple and kinds(inner):
            return self._entries(inner, data, path) if isinstance(data, list | tuple) else _OPEN
        return _OPEN if path in self._around else _read(annotation, data)

    def _tables(self, model: type[BaseModel], data: Mapping[Any, Any], path: Keys) -> Any:
        return {
            name: self._value(model, one, (*path, name), model)
            for name, one in data.items()
            if isinstance(name, str) and isinstance(one, Mapping | BaseModel)
        }

    def _entries(self, union: Any, data: Iterable[Any], path: Keys) -> Any:
        """The entries of a list, each in its place; one that isn't right is a table without keys there."""
        members: dict[str, type[BaseModel]] = {kinds(member)[0]: member for member in get_args(union)}
        entries = []
        for place, one in enumerate(data):
            here = (*path, place)
            kind = one.get("kind") if isinstance(one, Mapping) else None
            member = members.get(kind) if isinstance(kind, str) else None
            left = one if isinstance(one, BaseModel) else member and self.table(member, one, here)
            entries.append(Strict.model_construct() if left is None or here in self._around else left)
        return tuple(entries)


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _near(key: object, model: type[BaseModel]) -> Iterable[str]:
    """The keys that an unknown one may be a slip for."""
    known = list(model.model_fields)
    return difflib.get_close_matches(key.lower(), known) if isinstance(key, str) and key not in known else ()


def _read(annotation: Any, data: Any) -> Any:
    try:
        return TypeAdapter(annotation, config=Strict.model_config).validate_python(data)
    except ValidationError:
        return _OPEN


def _validated(left: BaseModel) -> Iterator[Mistake]:
    """What the validators of a table find, each by itself: pydantic stops at the first that finds something."""
    for name, validator in type(left).__pydantic_decorators__.model_validators.items():
        if validator.info.mode != "after":
            continue
        try:
            with suppress(AttributeError):  # Here, a key without a value.
                getattr(left, name)()
        except PydanticCustomError as wrong:
            yield from (wrong.context or {})["found"]
        except ValueError as wrong:
            yield Mistake((), str(wrong))
