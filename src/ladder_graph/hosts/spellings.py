"""The names by which a tool's schema takes its fields, and which of those in a call it would leave unread.

What a bound looks at is what a model wrote. A field that comes by two names at once, or by one that its schema doesn't
take, would be weighed by a value that the tool never gets.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError


def unread(schema: Any, arguments: dict[str, Any]) -> list[str]:
    """The names in a call that stand for a field of its tool's schema, and that pydantic would leave unread.

    Args:
        schema: A pydantic model, of either major version.
        arguments: The call's.
    """
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return _unread_of_old(schema, arguments)
    if not (names := _spellings(schema)):
        return []
    try:
        schema.model_validate(arguments, extra="forbid")
    except ValidationError as wrong:
        ignored = (error["loc"][-1] for error in wrong.errors() if error["type"] in _UNREAD)
        return sorted({str(name) for name in ignored if name in names})
    return []


_UNREAD = {"extra_forbidden", "unexpected_keyword_argument"}
"""What pydantic calls a key that it has no use for, in a model and in a dataclass."""


def aliases_of(schema: type[BaseModel]) -> set[str]:
    """The other names by which a schema takes its own fields, and not those of tables in it."""
    found = (field.validation_alias for field in schema.model_fields.values())
    return {
        name for alias in found if alias is not None
        for name in _first(alias if isinstance(alias, str) else alias.convert_to_aliases())
    }  # fmt: skip


@functools.lru_cache(maxsize=1024)
def _spellings(schema: type[BaseModel]) -> frozenset[str]:
    """All names of the fields that have more than one, in tables within tables too."""
    return frozenset(_named(schema.__pydantic_core_schema__))


def _named(core: Any) -> Iterator[str]:
    if isinstance(core, Mapping):
        fields = core.get("fields")
        for name, field in _fields(fields):
            others = set(_first(field.get("validation_alias") or ())) - {name}
            yield from {name, *others} if others else ()
        for inner in core.values():
            yield from _named(inner)
    elif isinstance(core, list | tuple):
        for inner in core:
            yield from _named(inner)


def _fields(fields: Any) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """The fields of a part of a schema of pydantic's core: a table of them, or a list where each has its name."""
    if isinstance(fields, Mapping):
        return [(name, field) for name, field in fields.items() if isinstance(field, Mapping)]
    listed = fields if isinstance(fields, list) else ()
    return [(field["name"], field) for field in listed if isinstance(field, Mapping) and "name" in field]


def _first(alias: Any) -> Iterator[str]:
    """Where each way to a field begins: an alias is a name, a path of names and places, or several of these."""
    if isinstance(alias, str):
        yield alias
    elif alias and isinstance(alias[0], str):
        yield alias[0]
    else:
        yield from (path[0] for path in alias)


def _unread_of_old(schema: Any, arguments: Mapping[str, Any]) -> list[str]:
    """As above, for the own fields of a model of pydantic's first version."""
    both = bool(getattr(getattr(schema, "__config__", None), "allow_population_by_field_name", False))
    fields = getattr(schema, "__fields__", {}).items()
    others = {name: field.alias for name, field in fields if field.alias != name and name in arguments}
    return sorted(name for name, alias in others.items() if alias in arguments or not both)
