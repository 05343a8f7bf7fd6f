"""Which arguments of a tool could carry something out: those that say where to, or to whom.

A tool that only reads changes nothing, and yet a URL that it fetches may hold whatever the agent has read before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, Tool

_OUTWARD = re.compile(
    r"(?:^|_)(?:ur[il]|href|link|host|hostname|domain|endpoint|webhook|callback|address|e?mail|recipient|receiver|server|"
    r"site|website|proxy|phone|channel|upload|destination)s?(?:_|$)|^(?:to|cc|bcc)$"
)
"""Names of arguments that say where something goes, or to whom."""
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|-")
_FORMATS = frozenset(
    "uri url uri-reference iri iri-reference uri-template email idn-email hostname idn-hostname ipv4 ipv6".split()  # noqa: SIM905  # one line
)
_DEEPEST = 4
"""Tables within tables that are looked into."""


def outward(tool: BaseTool) -> tuple[str, ...]:
    """The arguments of a tool that could carry something out: text that says where to, or to whom.

    They are told by their names and JSON Schema formats, so that a tool author need not think of it; an argument under
    another name is found only where the rule says `egress`. Dots lead into nested ones.
    """
    schema = _schema(tool)
    return tuple(sorted(set(_outward(schema, "", schema))))


def _schema(tool: BaseTool) -> dict[str, Any]:
    """What a model may fill in. Made of a signature, LangChain's schema tells of more than that."""
    if isinstance(tool, Tool) and tool.args_schema is None:
        return {"properties": tool.args}
    schema: Any = tool.tool_call_schema
    try:
        found: dict[str, Any] = schema if isinstance(schema, dict) else schema.model_json_schema()
    except Exception:  # noqa: BLE001  # a schema of the author's that JSON Schema has no form for: the names are left
        return {"properties": {name: {} for name in tool.args}}
    if tool.args_schema is not None:
        return found
    configs = _configs(tool)
    own = {name: one for name, one in _mapping(found.get("properties")).items() if name not in configs}
    return {**found, "properties": own}


def _configs(tool: BaseTool) -> set[str]:
    """The arguments that LangChain puts the run's config into, whatever was sent."""
    try:
        hints = get_type_hints(tool._run)  # noqa: SLF001  # a class of tools has its signature there
    except Exception:  # noqa: BLE001  # a tool author's annotations; what can't be read is looked at
        return set()
    return {name for name, hint in hints.items() if hint is RunnableConfig or RunnableConfig in get_args(hint)}


def _outward(part: Any, path: str, root: dict[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The paths of such arguments in a part of a schema; a part inside itself is looked at once."""
    part, seen = _followed(part, root, seen)
    if part is None or path.count(".") > _DEEPEST:
        return
    if path and _places(path, part, root):
        yield path
    for name, inner in _mapping(part.get("properties")).items():
        yield from _outward(inner, f"{path}.{name}".lstrip("."), root, seen)
    for inner in (part.get("items"), *_choices(part)):
        if inner is not None:
            yield from _outward(inner, path, root, seen)


def _followed(
    part: Any, root: dict[str, Any], seen: frozenset[str]
) -> tuple[dict[str, Any] | None, frozenset[str]]:  # fmt: skip
    """What a part stands for, with the references on the way; None where it leads back to one of them.

    What can't be found, or is no table, may be anything.
    """
    while isinstance(part, dict) and isinstance(reference := part.get("$ref"), str):
        if reference in seen:
            return None, seen
        seen, part = seen | {reference}, _at(reference, root)
    return _mapping(part), seen


def _at(reference: str, root: dict[str, Any]) -> Any:
    """What stands at a reference inside the schema; None where that is nowhere."""
    here: Any = root
    for step in reference.removeprefix("#/").split("/"):
        here = here.get(step) if isinstance(here, dict) else None
    return here


def _mapping(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _choices(part: dict[str, Any]) -> list[Any]:
    lists = (part.get(key) for key in ("anyOf", "oneOf", "allOf", "prefixItems"))
    return [inner for found in lists if isinstance(found, list) for inner in found]


def _places(path: str, part: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether an argument says where to, and may be any text."""
    name = _HUMPS.sub("_", path.rpartition(".")[2]).lower()
    return (part.get("format") in _FORMATS or _OUTWARD.search(name) is not None) and _any_text(part, root)


def _any_text(part: Any, root: dict[str, Any], seen: frozenset[str] = frozenset()) -> bool:
    """Whether a value may hold text that isn't one of a list. What isn't said may."""
    part, seen = _followed(part, root, seen)
    if part is None:
        return False
    if "enum" in part or "const" in part:
        return False
    if choices := _choices(part):
        return any(_any_text(inner, root, seen) for inner in choices)
    kinds = part.get("type") or "string"
    named = {kinds} if isinstance(kinds, str) else set(kinds)
    listed = "array" in named and _any_text(part.get("items", {}), root, seen)
    return "string" in named or listed or ("object" in named and not part.get("properties"))
