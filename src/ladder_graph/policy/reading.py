"""Reading a policy: every mistake at once, each as one line with its place, what is wrong and what was expected.

What is a mistake is decided by the model alone; pydantic's own list of errors is put into words here.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ladder_graph.errors import PolicyError
from ladder_graph.policy.fields import describe
from ladder_graph.policy.lines import Keys, lines_of, nearest_line
from ladder_graph.policy.mistakes import BESIDE, Mistake
from ladder_graph.policy.model import Policy
from ladder_graph.policy.places import follow, kinds
from ladder_graph.policy.remnants import mistakes
from ladder_graph.scale import Rung

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "datetime_type": "a date and time without quotes, as 2026-11-23T09:00:00Z",
}
"""What was expected, by pydantic's name for the mistake."""
_LIMITS = {
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must hold at least {min_length} entry",
    "string_too_short": "must have at least {min_length} character",
    "string_too_long": "must have at most {max_length} characters",
}
M = TypeVar("M", bound=BaseModel)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WHERE = re.compile(r"(?s)(.*) \(at (?:line (\d+), column (\d+)|end of document)\)")


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """Read a policy from a TOML file. Relative paths in it are taken from the directory that the file is in.

    Args:
        path: The file, usually `ladder.toml`.

    Raises:
        PolicyError: It can't be read, or it has mistakes; each is listed with its line.
    """
    return read_file(path, Policy).anchored(Path(path).absolute().parent)


def read_file(path: str | os.PathLike[str], model: type[M]) -> M:
    """Read a strict model from a TOML file.

    Args:
        path: The file.
        model: What it holds.

    Raises:
        PolicyError: It can't be read, or it has mistakes; each is listed with its line.
    """
    source = os.fspath(path)
    text = _text(source)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise PolicyError([_syntax(str(wrong), source, text)], source) from None
    except (ValueError, RecursionError) as wrong:
        raise PolicyError([f"{source}: not valid TOML: {wrong}"], source) from None
    return _validated(data, source, lines_of(text), model)


def policy_of(data: Mapping[str, Any], source: str) -> Policy:
    """Make a policy from a mapping, as strictly as from a file.

    Args:
        data: What a policy file would hold.
        source: What to call it in messages.

    Raises:
        PolicyError: It has mistakes; all of them are listed.

    Example:
        >>> policy_of({"tools": {"send": {"rugn": "confirm"}}}, "here").agent
        Traceback (most recent call last):
        ...
        ladder_graph.errors.PolicyError: here: 1 problem, nothing was loaded
        here: tools.send.rugn: unknown key; did you mean 'rung'? known keys: rung, ceiling, ...
    """
    return _validated(data, source, {}, Policy)


# --- the file ------------------------------------------------------------------------------------------------------


def _text(source: str) -> str:
    try:
        path = Path(source)
        if path.exists() and not path.is_file():
            raise PolicyError([f"{source}: is no file; name the policy file itself"], source)
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        raise PolicyError([f"{source}: there is no such file; `ladder init` writes one"], source) from None
    except UnicodeDecodeError as wrong:
        line, column = _position(wrong.object[: wrong.start].decode())
        problem = f"{source}:{line}:{column}: not UTF-8: the byte 0x{wrong.object[wrong.start]:02x}; save it as UTF-8"
        raise PolicyError([problem], source) from None
    except (OSError, ValueError) as wrong:
        raise PolicyError([f"{source}: can't be read: {getattr(wrong, 'strerror', None) or wrong}"], source) from None


def _syntax(message: str, source: str, text: str) -> str:
    found = _WHERE.fullmatch(message)
    if found is None:
        return f"{source}: not valid TOML: {message}"
    line, column = (int(found[2]), int(found[3])) if found[2] else _position(text)
    return f"{source}:{line}:{column}: not valid TOML: {found[1][:1].lower()}{found[1][1:]}"


def _position(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - before.rfind("\n")


# --- the mistakes --------------------------------------------------------------------------------------------------


def _validated(data: object, source: str, lines: dict[Keys, int], model: type[M]) -> M:
    try:
        return model.model_validate(dict(data) if isinstance(data, Mapping) else data)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False)
    found = dict.fromkeys(_problem(error, model) for error in errors if error["type"] != "mistakes")
    spanning = [
        one.below(follow(error["loc"], model).path)
        for error in errors
        if error["type"] == "mistakes"
        for one in error["ctx"]["found"]
    ]
    if isinstance(data, Mapping):
        spanning += mistakes(model, data, [path for path, _ in found])
    found |= dict.fromkeys(_told(one, lines) for one in spanning)
    if not lines:
        raise PolicyError([f"{source}: {_spell(path)}: {text}" for path, text in found], source)
    placed = sorted((nearest_line(lines, path), f"{_spell(path)}: {text}") for path, text in found)
    raise PolicyError([f"{source}:{line}: {text}" for line, text in placed], source)


def _told(mistake: Mistake, lines: dict[Keys, int]) -> tuple[Keys, str]:
    """A mistake that spans several keys as a path in the policy and a sentence."""
    path, text, other = mistake
    if not other:
        return path, text
    first, second = sorted((path, other), key=lambda one: nearest_line(lines, one))
    # Both may end alike, as people.ana.slack and people.bo.slack do: what tells the one from the other is its name.
    apart = next(key for key, its in zip(first, second, strict=False) if key != its)
    name = repr(apart) if isinstance(apart, str) else _spell((apart,))
    return second, text.replace(BESIDE, f"{name} on line {nearest_line(lines, first)}" if lines else name)


def _problem(error: ErrorDetails, model: type[BaseModel]) -> tuple[Keys, str]:
    """One of pydantic's errors as a path in the policy and a sentence."""
    about_a_key = error["loc"][-1:] == ("[key]",) and error["type"] != "extra_forbidden"
    place = follow(error["loc"][:-1] if about_a_key else error["loc"], model)
    given, context = error["input"], error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            astray = model is Policy and len(place.path) == 1 and isinstance(given, Mapping)
            hint = f"; the rule of a tool stands under tools, as in [tools.{place.path[0]}]" if astray else ""
            return place.path, _unknown("key", place.path[-1], place.known) + hint
        case "union_tag_invalid":
            kind = given.get("kind") if isinstance(given, Mapping) else given.kind
            return (*place.path, "kind"), _unknown_kind(kind, kinds(place.here))
        case "union_tag_not_found":
            return place.path, f"its kind is missing; known kinds: {', '.join(kinds(place.here))}"
        case "missing":
            return place.path, f"this key is missing; known keys: {', '.join(place.known)}"
        case "literal_error":
            near = _near(given, get_args(place.here))
            return place.path, f"expected {context['expected']}, found {describe(given)}{near}"
        case "value_error":
            near = _near(given, [rung.word for rung in Rung]) if place.here is Rung else ""
            return place.path, f"{context['error']}{near}"
        case kind if kind in _EXPECTED:
            return place.path, f"expected {_EXPECTED[kind]}, found {describe(given)}"
        case kind if kind in _LIMITS:
            return place.path, f"{_LIMITS[kind].format(**context)}, found {describe(given)}"
        case _:
            return place.path, f"{error['msg']}, found {describe(given)}"


def _unknown(what: str, name: object, known: Iterable[str]) -> str:
    plural = f"known {what.partition(' ')[0]}s: {', '.join(known)}"
    near = _near(name, known)
    return f"unknown {what}{near} {plural}" if near else f"unknown {what}; {plural}"


def _unknown_kind(kind: object, known: tuple[str, ...]) -> str:
    return (
        _unknown(f"kind {kind!r}", kind, known) if isinstance(kind, str) else f"expected text, found {describe(kind)}"
    )


def _near(name: object, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.lower(), list(known), 1) if isinstance(name, str) else []
    return f"; did you mean {near[0]!r}?" if near and near[0] != name else ""


def _spell(path: Keys) -> str:
    """A path as one writes it: `tools."send mail".bounds[0].limit`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if _BARE.fullmatch(step) else f".{json.dumps(step, ensure_ascii=False)}"
    return text.removeprefix(".") or "policy"
