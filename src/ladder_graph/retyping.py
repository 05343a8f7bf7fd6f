"""Reading what somebody typed into the field of an argument: by the tool's schema, and by what stood there. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_NAMES = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "array": "a list as JSON", "object": "a table as JSON", "null": "null",
}  # fmt: skip


class Misfit(ValueError):
    """What was typed is no value of this field; its text says what would be."""


def kinds(schema: Schema, before: object = None) -> tuple[str, ...]:
    """The JSON types that a field may have: by its schema, else that of the value that stands there.

    Args:
        schema: What the tool's schema says of the field; empty where nobody knows.
        before: The value that stands there now.

    Returns:
        None at all where neither says it: then the field takes anything.

    Example:
        >>> kinds({"type": "integer"}), kinds({}, True), kinds({"anyOf": [{"type": "string"}, {"type": "null"}]})
        (('integer',), ('boolean',), ('string', 'null'))
    """
    listed = schema.get("anyOf") or schema.get("oneOf") or [schema]
    found: list[str] = []
    for one in listed if isinstance(listed, list) else [{}]:
        kind = one.get("type") if isinstance(one, Mapping) else None
        said = [kind] if isinstance(kind, str) else list(kind) if isinstance(kind, list) else []
        if not said and before is None:
            return ()
        found += said or [_kind_of(before)]
    return tuple(dict.fromkeys(map(str, found)))


def wanted(schema: Schema, before: object = None) -> str:
    """What a field takes, in words.

    Example:
        >>> wanted({"type": "integer"}), wanted({"enum": ["EUR", "USD"]})
        ('a whole number', '"EUR" or "USD"')
    """
    if choices := choices_of(schema):
        return " or ".join(json.dumps(one, ensure_ascii=False) for one in choices)
    return " or ".join(_NAMES.get(kind, kind) for kind in kinds(schema, before)) or "JSON or text"


def typed(text: str, schema: Schema, before: object = None) -> Any:
    """The value that somebody meant.

    Args:
        text: What they typed. Where the field takes text it is taken as it stands, whatever it looks like, unless
            something else stands there that the field takes too.
        schema: What the tool's schema says of the field; empty where nobody knows.
        before: The value that stands there now.

    Raises:
        Misfit: It is none that the field takes.

    Example:
        >>> typed("12", {"type": "integer"}), typed("12", {"type": "string"}), typed("null", {}, "EUR")
        (12, '12', 'null')
    """
    for value in _readings(text, kinds(schema, before), before):
        if fits(value, schema, before):
            return value
    raise Misfit(f"it takes {wanted(schema, before)}")


def _readings(text: str, possible: tuple[str, ...], before: object) -> list[Any]:
    """What a text may mean, the likeliest first."""
    plain: list[Any] = [text] if not possible or "string" in possible else []
    try:
        parsed: list[Any] = [json.loads(text)]
    except (ValueError, RecursionError):
        return plain
    is_null = text == "null" and "null" in possible
    first = bool(possible) and not is_null and (before is None or isinstance(before, str))
    return [*plain, *parsed] if first else [*parsed, *plain]


def fits(value: object, schema: Schema, before: object = None) -> bool:
    """Whether a value is one that a field takes, as far as its kind and its choices go.

    Args:
        value: The value.
        schema: What the tool's schema says of the field; empty where nobody knows.
        before: The value that stands there now.
    """
    if choices := choices_of(schema):
        return any(one == value and type(one) is type(value) for one in choices)
    if isinstance(value, float) and not math.isfinite(value):
        return False
    kind, possible = _kind_of(value), kinds(schema, before)
    return not possible or kind in possible or (kind == "integer" and "number" in possible)


def choices_of(schema: Schema) -> list[Any]:
    """The values that a schema leaves to choose from; none where it takes others too."""
    listed = schema.get("enum")
    return listed if isinstance(listed, list) else [schema["const"]] if "const" in schema else []


def _kind_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case list() | tuple():
            return "array"
        case dict():
            return "object"
        case _:
            return "string"
