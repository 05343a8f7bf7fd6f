"""A JSON Schema validator for what our schemas use; a keyword it doesn't know is an error, and never passed over."""

from __future__ import annotations

import re

SILENT = {"$schema", "$defs", "title", "description", "default"}
"""Keywords that say nothing about a value."""
TYPES = {
    "string": str, "boolean": bool, "integer": int, "number": int | float, "array": list, "object": dict,
}  # fmt: skip


def complaints(value, schema, root=None, at="$"):
    """What is wrong with a value, as a list of places; empty where it fits."""
    root = schema if root is None else root
    found = []
    for keyword, said in schema.items():
        found += _CHECKS[keyword](value, said, schema, root, at) if keyword not in SILENT else []
    return found


def _is(value, name):
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _said(fits, at):
    return [] if fits else [at]


def _object(value, said, schema, root, at):
    known = said if isinstance(value, dict) else {}
    return [one for key in known if key in value for one in complaints(value[key], known[key], root, f"{at}.{key}")]


def _others(value, said, schema, root, at):
    others = set(value) - set(schema.get("properties", ())) if isinstance(value, dict) else set()
    if said is False:
        return [f"{at}.{key}" for key in others]
    return [one for key in others for one in complaints(value[key], said, root, f"{at}.{key}")]


def _fitting(value, said, root, at):
    return sum(not complaints(value, one, root, at) for one in said)


_CHECKS = {
    "$ref": lambda value, said, schema, root, at: complaints(value, root["$defs"][said.rpartition("/")[2]], root, at),
    "type": lambda value, said, schema, root, at: _said(_is(value, said), at),
    "enum": lambda value, said, schema, root, at: _said(any(_same(value, one) for one in said), at),
    "const": lambda value, said, schema, root, at: _said(_same(value, said), at),
    "anyOf": lambda value, said, schema, root, at: _said(_fitting(value, said, root, at) > 0, at),
    "oneOf": lambda value, said, schema, root, at: _said(_fitting(value, said, root, at) == 1, at),
    "required": lambda value, said, schema, root, at: [f"{at}.{key}" for key in said if key not in value],
    "properties": _object,
    "additionalProperties": _others,
    "items": lambda value, said, schema, root, at: [
        one for n, inner in enumerate(value if isinstance(value, list) else ())
        for one in complaints(inner, said, root, f"{at}[{n}]")
    ],
    "minItems": lambda value, said, schema, root, at: _said(len(value) >= said, at),
    "minLength": lambda value, said, schema, root, at: _said(len(value) >= said, at),
    "minProperties": lambda value, said, schema, root, at: _said(len(value) >= said, at),
    "maxLength": lambda value, said, schema, root, at: _said(len(value) <= said, at),
    "pattern": lambda value, said, schema, root, at: _said(
        not isinstance(value, str) or re.search(said, value) is not None, at
    ),
    "minimum": lambda value, said, schema, root, at: _said(not _is(value, "number") or value >= said, at),
    "maximum": lambda value, said, schema, root, at: _said(not _is(value, "number") or value <= said, at),
    "exclusiveMinimum": lambda value, said, schema, root, at: _said(not _is(value, "number") or value > said, at),
    "exclusiveMaximum": lambda value, said, schema, root, at: _said(not _is(value, "number") or value < said, at),
}  # fmt: skip


def _same(value, said):
    return value == said and isinstance(value, bool) == isinstance(said, bool)
