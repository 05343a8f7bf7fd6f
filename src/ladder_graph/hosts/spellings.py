"""The names by which a tool's schema takes its fields, and which of those in a call it would leave unread.

What a bound looks at is what a model wrote. A field that comes by two names at once, or by one that its schema doesn't
take, would be weighed by a value that the tool never gets.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel, ValidationError
from pydantic.fields import FieldInfo

Way = tuple[str | int, ...]
"""Where a field is found: an alias is a name, or a path of names and places."""


def unread(schema: Any, arguments: dict[str, Any]) -> list[str]:
    """The names in a call that stand for a field of its tool's schema, and that pydantic would leave unread.

    Args:
        schema: A pydantic model, of either major version.
        arguments: The call's. They fit the schema, but for what the graph fills in.
    """
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return _unread_of_old(schema, arguments)
    if not _aliased(schema):
        return []
    try:
        made = schema.model_validate(arguments)
    except ValidationError:  # It lacks what the graph fills in; its own fields can be looked at all the same.
        config = schema.model_config
        by_name = config.get("populate_by_name") or config.get("validate_by_name")
        return sorted(_own(schema.model_fields, arguments, lambda name, first: first != name or bool(by_name)))
    return sorted(set(_left(made, arguments)))


def aliases_of(schema: type[BaseModel]) -> set[str]:
    """The other names by which a schema takes its own fields, and not those of tables in it."""
    return {other for field in schema.model_fields.values() for other in _others(field)}


@functools.lru_cache(maxsize=1024)
def _aliased(schema: type[BaseModel]) -> bool:
    """Whether any field has another name, in tables within tables too."""
    return _mentioned(schema.__pydantic_core_schema__)


def _mentioned(core: Any) -> bool:
    if isinstance(core, Mapping):
        return "validation_alias" in core or any(map(_mentioned, core.values()))
    return isinstance(core, list | tuple) and any(map(_mentioned, core))


def _left(made: Any, given: Any) -> Iterator[str]:
    """What was left unread of what was given, beside what was made of it."""
    fields: Any = getattr(type(made), "__pydantic_fields__", None)  # Of a model, and of a dataclass of pydantic's.
    if fields is not None and isinstance(given, Mapping):
        known: Any = getattr(made, "model_fields_set", fields)
        yield from _own(fields, given, lambda name, _: name in known)
        for name, field in fields.items():
            for one in [one for one in (*_others(field), name) if one in given][:1]:
                yield from _left(getattr(made, name, None), given[one])
    elif isinstance(made, Mapping) and isinstance(given, Mapping):
        for key, one in made.items():
            yield from _left(one, given.get(key))
    elif isinstance(made, list | tuple) and isinstance(given, list | tuple):
        for one, other in zip(made, given, strict=False):
            yield from _left(one, other)


def _own(
    fields: Mapping[str, FieldInfo], given: Mapping[str, Any], taken: Callable[[str, str], bool]
) -> Iterator[str]:  # fmt: skip
    """The names of own fields that were left unread, of those that were given.

    Args:
        fields: The fields.
        given: What was given.
        taken: Whether anything was taken for the field of a name, by the first of its names that was given.
    """
    for name, field in fields.items():
        here = [one for one in dict.fromkeys((*_others(field), name)) if one in given]
        if here and field.validation_alias is not None:
            yield from here[1:] if taken(name, here[0]) else here


def ways_of(name: str, field: FieldInfo | None) -> list[Way]:
    """Each way to a field in what a schema is given, in the order in which they are tried; its own name comes last."""
    alias = None if field is None else field.validation_alias
    several = alias.choices if isinstance(alias, AliasChoices) else [] if alias is None else [alias]
    return [*(tuple(one.path) if isinstance(one, AliasPath) else (one,) for one in several), (name,)]


def _others(field: FieldInfo) -> list[str]:
    """Where each other way to a field begins."""
    return [str(way[0]) for way in ways_of("", field)[:-1]]


def _unread_of_old(schema: Any, arguments: Mapping[str, Any]) -> list[str]:
    """As above, for the own fields of a model of pydantic's first version."""
    both = bool(getattr(getattr(schema, "__config__", None), "allow_population_by_field_name", False))
    fields = getattr(schema, "__fields__", {}).items()
    others = {name: field.alias for name, field in fields if field.alias != name and name in arguments}
    return sorted(name for name, alias in others.items() if alias in arguments or not both)
