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

    Example:
        >>> kinds({"type": "integer"}), kinds({}, True), kinds({"anyOf": [{"type": "string"}, {"type": "null"}]})
        (('integer',), ('boolean',), ('string', 'null'))
    """
    listed = schema.get("anyOf") or schema.get("oneOf") or [schema]
    found = []
    for one in listed if isinstance(listed, list) else []:
        kind = one.get("type") if isinstance(one, Mapping) else None
        found += [kind] if isinstance(kind, str) else list(kind) if isinstance(kind, list) else []
    return tuple(dict.fromkeys(map(str, found))) or (_kind_of(before),)


def wanted(schema: Schema, before: object = None) -> str:
    """What a field takes, in words.

    Example:
        >>> wanted({"type": "integer"}), wanted({"enum": ["EUR", "USD"]})
        ('a whole number', '"EUR" or "USD"')
    """
    if isinstance(choices := schema.get("enum"), list) and choices:
        return " or ".join(json.dumps(one, ensure_ascii=False) for one in choices)
    return " or ".join(_NAMES.get(kind, kind) for kind in kinds(schema, before))


def typed(text: str, schema: Schema, before: object = None) -> Any:
    """The value that somebody meant.

    Args:
        text: What they typed. Where the field takes text it is taken as it stands, whatever it looks like.
        schema: What the tool's schema says of the field; empty where nobody knows.
        before: The value that stands there now.

    Raises:
        Misfit: It is none that the field takes.

    Example:
        >>> typed("12", {"type": "integer"}), typed("12", {"type": "string"}), typed("null", {}, "EUR")
        (12, '12', 'null')
    """
    possible = kinds(schema, before)
    value: Any = text
    if "string" not in possible or (text == "null" and "null" in possible):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise Misfit(f"it takes {wanted(schema, before)}") from None
    choices = schema.get("enum")
    chosen = not isinstance(choices, list) or any(one == value and type(one) is type(value) for one in choices)
    if not chosen or not _fits(value, possible):
        raise Misfit(f"it takes {wanted(schema, before)}")
    return value


def _fits(value: object, possible: tuple[str, ...]) -> bool:
    kind = _kind_of(value)
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return kind in possible or (kind == "integer" and "number" in possible)


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
