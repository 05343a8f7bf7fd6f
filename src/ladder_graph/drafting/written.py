"""Texts as formats want them: headers that hold nothing but themselves, and settings as TOML, YAML or JSON. Pure."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ladder_graph.errors import DraftRefused

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_COMMENT = re.compile(r"^\s*#", re.MULTILINE)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
LONGEST = {"yaml": 200_000, "toml": 1_000_000, "json": 2_000_000}
"""Characters of a file of settings that are read; beyond, reading it would hold up everybody else."""
FORMATS = {".toml": "toml", ".yaml": "yaml", ".yml": "yaml", ".json": "json"}
"""The format of a file of settings, by its suffix."""


def plain_header(name: str, value: str) -> None:
    """Make sure that a header is one header.

    Raises:
        DraftRefused: Its name is none, or its value would end it.
    """
    if not _TOKEN.fullmatch(name):
        raise DraftRefused(f"{name[:80]!r} is no name of a header")
    if _CONTROL.search(value):
        raise DraftRefused(f"the header {name} holds a line end or another control character, which would end it")


def comments(text: str) -> int:
    """How many lines of a file of settings are comments."""
    return len(_COMMENT.findall(text))


# --- settings ----------------------------------------------------------------------------------------------------


def parsed(text: str, kind: str) -> dict[str, Any]:
    """The settings in a text.

    Args:
        text: The text; an empty one holds none.
        kind: `toml`, `yaml` or `json`.

    Raises:
        DraftRefused: It can't be read, or two readers might read it differently.
    """
    if len(text) > LONGEST[kind]:
        raise DraftRefused(f"{len(text)} characters of {kind.upper()} are more than the {LONGEST[kind]} that are read")
    if not text.strip():
        return {}
    try:
        found = _READ[kind](text)
    except RecursionError as wrong:
        raise DraftRefused(f"the {kind.upper()} nests too deep") from wrong
    except ValueError as wrong:  # Both other readers' errors are such.
        raise DraftRefused(f"the {kind.upper()} can't be read: {wrong}") from wrong
    if not isinstance(found, dict):
        raise DraftRefused(f"the {kind.upper()} holds a {type(found).__name__}, and no settings")
    return found


def _json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key stands there twice")
        return found

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    return json.loads(text, object_pairs_hook=once, parse_constant=refuse)


def _yaml(text: str) -> Any:
    import yaml  # type: ignore[import-untyped]  # it has no types

    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError("it has aliases, by which a short text becomes an endless one")  # noqa: TRY004  # a value that isn't taken
        _keys_once(yaml.compose(text, Loader=yaml.SafeLoader))
        return yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        raise ValueError(str(wrong)) from wrong


def _keys_once(top: Any) -> None:
    import yaml

    waiting = [top]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(set(keys)) != len(keys):
                raise ValueError("a key stands there twice")
            waiting += [inner for pair in node.value for inner in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


_READ: dict[str, Callable[[str], Any]] = {"toml": tomllib.loads, "yaml": _yaml, "json": _json}


def settings(values: Mapping[str, Any], kind: str) -> str:
    """Settings as a text, in one canonical form.

    Raises:
        DraftRefused: The format has no form for a value.
    """
    if kind == "json":
        return json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    if kind == "yaml":
        import yaml

        return str(yaml.safe_dump(dict(values), allow_unicode=True, sort_keys=True, default_flow_style=False))
    return "".join(_table(values, ()))


def _table(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    plain = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    tables = {name: value for name, value in values.items() if isinstance(value, Mapping)}
    if path and (plain or not tables):
        yield f"[{'.'.join(map(_key, path))}]\n"
    for name, value in sorted(plain.items()):
        yield f"{_key(name)} = {_value(value)}\n"
    for n, (name, value) in enumerate(sorted(tables.items())):
        if n or plain:
            yield "\n"
        yield from _table(value, (*path, name))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _string(value: str) -> str:
    # A TOML string escapes as JSON does, but for DEL, which it must escape too.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case int():
            return str(value)
        case float():
            return repr(value) if math.isfinite(value) else {"inf": "inf", "-inf": "-inf"}.get(str(value), "nan")
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case Mapping():
            inner = ", ".join(f"{_key(name)} = {_value(one)}" for name, one in sorted(value.items()))
            return f"{{ {inner} }}" if inner else "{}"
        case _:
            raise DraftRefused(f"TOML has no form for {value!r}")
