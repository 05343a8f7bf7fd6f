"""Arguments as fields of a form: typed by the tool's schema where it is known, else by what the arguments are."""

from __future__ import annotations

import hashlib
import json
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ladder_graph.calls import normalise
from ladder_graph.console.passages import FOLDED
from ladder_graph.wording import inert

Kind = Literal["line", "text", "number", "choice", "json"]
"""What a field is on the page."""
State = Literal["value", "null", "out"]
"""What a field says of its argument: this value, null, or that it is left out."""

MOST = 100
"""Fields on one page; further arguments are opened one by one."""
_LINE = 120
"""Characters up to which a text is edited in one line."""
_LOCAL = "#/$defs/"
_DEEPEST = 16
"""References that are followed one after the other."""


@dataclass(frozen=True, slots=True)
class Field:
    """One argument, as a form has it."""

    name: str
    """The argument's."""
    id: str
    """Names its fields in the form: no argument's own name can be taken for another field."""
    kind: Kind
    text: str
    """What the field holds at first."""
    schema: Mapping[str, Any]
    """What the tool's schema says of it; empty where that isn't known."""
    value: Any = None
    """The argument as it was asked about."""
    state: State = "value"
    """What holds at first."""
    states: tuple[State, ...] = ("value",)
    """What it may be."""

    @property
    def hint(self) -> str:
        """What it takes, in words."""
        return _hint(self.kind, self.schema)

    @property
    def about(self) -> str:
        """What the tool's author says of it."""
        return str(self.schema.get("description") or "")[:300]

    @property
    def choices(self) -> tuple[str, ...]:
        """What there is to choose from, as JSON."""
        listed = [escaped(one) for one in _listed(self.schema)]
        return tuple(dict.fromkeys([*([self.text] if self.text else []), *listed]))


def fields_of(
    arguments: Mapping[str, Any], schema: Mapping[str, Any], opened: Iterable[str] = ()
) -> tuple[list[Field], list[str]]:
    """The fields for the arguments of a call, and for those that the tool would take beside them.

    Args:
        arguments: As they were asked about.
        schema: The tool's, as JSON Schema; empty where it isn't known.
        opened: Ids of fields that are wanted even though they are long, or come late.

    Returns:
        The fields, and the names of arguments that have none on this page and stay as they are.
    """
    wanted, made, kept = set(opened), list[Field](), list[str]()
    properties = schema.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    for name in [*arguments, *(name for name in known if name not in arguments)]:
        one = field_of(name, arguments, schema)
        fits = len(one.text) <= FOLDED and len(made) < MOST
        if fits or one.id in wanted:
            made.append(one)
        elif name in arguments:
            kept.append(name)
    return made, kept


def field_of(name: str, arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> Field:
    """The field for one argument.

    Args:
        name: Its name; the call may not have it yet.
        arguments: As they were asked about.
        schema: The tool's, as JSON Schema.
    """
    properties, needed = schema.get("properties"), schema.get("required")
    raw = properties.get(name) if isinstance(properties, Mapping) else None
    own, nullable = _resolved(raw, schema)
    there, value = name in arguments, arguments.get(name)
    required = isinstance(needed, list) and name in needed if schema else there
    states: list[State] = ["value"]
    states += ["null"] if nullable or (there and value is None) else []
    states += [] if required else ["out"]
    kind = _kind(value if there and value is not None else None, own)
    text = "" if not there or value is None else _text(kind, value)
    state: State = "out" if not there else "null" if value is None else "value"
    return Field(name, id_of(name), kind, text, own, value, state, tuple(states))


def id_of(name: str) -> str:
    """What names an argument's fields in a form."""
    return hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:16]


# --- what kind of field ------------------------------------------------------------------------------------------


def _resolved(raw: object, schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """What a schema says of one argument, with references followed, and whether null is one of its values."""
    found, nullable = raw, False
    for _ in range(_DEEPEST):
        if not isinstance(found, Mapping):
            return {}, nullable
        said: dict[str, Any] = {key: found[key] for key in ("description", "default") if key in found}
        union = next((found[key] for key in ("anyOf", "oneOf") if isinstance(found.get(key), list)), None)
        one = _reference(found.get("$ref"), schema)
        if union is not None:
            others = [each for each in union if not (isinstance(each, Mapping) and each.get("type") == "null")]
            nullable = nullable or len(others) < len(union)
            one = dict(others[0]) if len(others) == 1 and isinstance(others[0], Mapping) else {}
        if one is None:
            return found, nullable
        found = {**one, **said}
    return {}, nullable


def _reference(to: object, schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if not isinstance(to, str):
        return None
    defined = schema.get("$defs")
    found = defined.get(to.removeprefix(_LOCAL)) if isinstance(defined, Mapping) and to.startswith(_LOCAL) else None
    return found if isinstance(found, Mapping) else {}


def _kind(value: object, schema: Mapping[str, Any]) -> Kind:
    """By the value where there is one that its schema has no better field for; else by the schema."""
    listed = _listed(schema)
    if listed and (value is None or value in listed):
        return "choice"
    match value:
        case None:
            return _KINDS.get(str(schema.get("type")), "json" if schema.get("type") else "line")
        case bool():
            return "choice"
        case int() | float():
            return "number" if isinstance(normalise(value), int | float) else "json"
        case str() if _as_it_is(value):
            return "line" if len(value) <= _LINE and "\n" not in value else "text"
        case _:
            return "json"


_KINDS: dict[str, Kind] = {"string": "line", "integer": "number", "number": "number", "boolean": "choice"}


def _listed(schema: Mapping[str, Any]) -> list[Any]:
    """The values that a schema leaves to choose from."""
    if isinstance(listed := schema.get("enum"), list):
        return listed
    if "const" in schema:
        return [schema["const"]]
    return [True, False] if schema.get("type") == "boolean" else []


def _as_it_is(text: str) -> bool:
    """Whether a text comes back from a form as it went there: nothing hidden, and no line break of another kind."""
    return inert(text, "\n\t") == text


def _text(kind: Kind, value: Any) -> str:
    return value if kind in {"line", "text"} else escaped(value)


def escaped(value: Any) -> str:
    """A value as JSON that comes back from a form as it went there."""
    plain = json.dumps(normalise(value), ensure_ascii=False, indent=2 if isinstance(value, dict | list) else None)
    return "".join(one if one == "\n" or inert(one) == one else json.dumps(one)[1:-1] for one in plain)


def _hint(kind: Kind, schema: Mapping[str, Any]) -> str:
    """What a field takes, in words."""
    what = {
        "line": "text", "text": "text", "number": "a whole number" if schema.get("type") == "integer" else "a number",
        "choice": "one of these", "json": "JSON",
    }[kind]  # fmt: skip
    limits = [f"{words} {schema[key]}" for key, words in _LIMITS.items() if _is_number(schema.get(key))]
    return ", ".join([what, *limits])


_LIMITS = {
    "minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than", "exclusiveMaximum": "less than",
    "minLength": "characters at least", "maxLength": "characters at most",
}  # fmt: skip


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# --- reading what was put in ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Put:
    """What somebody put into one field."""

    state: State
    text: str
    plain: bool = True
    """The text is in the field's own kind, and not JSON."""


def read_put(field: Field, put: Put) -> tuple[Any, str]:
    """The value that was put into a field, and what is wrong with it; the very value, where nothing was changed.

    What was written into a field that is null or left out isn't guessed about: it is wrong until one of both goes.

    Args:
        field: The field.
        put: What is in it.
    """
    if put.state != "value":
        return None, "" if put.text in {"", field.text} else _UNSENT[put.state]
    if put.text == field.text and put.plain and field.state == "value":
        return field.value, ""
    if put.plain and field.kind in {"line", "text"}:
        return put.text, _beyond(put.text, field.schema)
    return _parsed(field, put.text)


_UNSENT = {
    state: f"this would not be sent: above stands “{word}”; choose “this value” there, or empty it here"
    for state, word in {"null": "null", "out": "left out"}.items()
}


def _parsed(field: Field, text: str) -> tuple[Any, str]:
    if field.kind == "choice" and not text:
        return None, "choose one of them"
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None, f"this is not {'a number' if field.kind == 'number' else 'JSON'}"
    if field.kind == "number" and not _is_number(value):
        return None, "this is not a number"
    if field.kind == "number" and field.schema.get("type") == "integer" and not isinstance(value, int):
        return None, "this is not a whole number"
    if field.kind == "choice" and text not in field.choices:
        return None, "this is not one of them"
    return value, _beyond(value, field.schema)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _beyond(value: Any, schema: Mapping[str, Any]) -> str:
    """Which limit of its schema a value is beyond, in words; empty where it is within."""
    size, bounds = (len(value), _LENGTHS) if isinstance(value, str) else (value, _SIZES)
    # A whole number of any length is finite, and one beyond every float can't be asked.
    if not _is_number(size) or (isinstance(size, float) and not math.isfinite(size)):
        return ""
    for key, beyond in bounds.items():
        limit = schema.get(key)
        if _is_number(limit) and beyond(size, limit):
            return f"this is beyond its limit: {_LIMITS[key]} {limit}"
    return ""


_LENGTHS: dict[str, Callable[[Any, Any], bool]] = {"minLength": operator.lt, "maxLength": operator.gt}
_SIZES: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": operator.lt, "maximum": operator.gt, "exclusiveMinimum": operator.le, "exclusiveMaximum": operator.ge,
}  # fmt: skip
