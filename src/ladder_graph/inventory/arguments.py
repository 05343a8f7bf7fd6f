"""Bounds that an argument's name and schema bring to mind. Suggestions for a person: a name proves nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_PLACES = frozenset({"url", "uri", "endpoint", "href", "link", "webhook"})
_PATHS = frozenset({"path", "file", "filename", "filepath", "dir", "directory", "folder"})
_MAILS = frozenset({"email", "emails", "mail", "mails", "recipient", "recipients"})
_MAIL_FIELDS = frozenset({"to", "cc", "bcc"})
_AMOUNTS = frozenset({"amount", "price", "cost", "total", "cents", "dollars", "quantity", "count", "sum", "budget"})
_PROGRAMS = frozenset({"sql", "command", "cmd", "script", "code", "shell"})
_LONGEST = 12
"""Values that a suggestion still lists."""


def suggested(arguments: Mapping[str, Any]) -> Iterator[str]:
    r"""Bounds as they stand in a policy, one for each argument that brings one to mind.

    Args:
        arguments: The properties of the tool's JSON Schema.

    Example:
        >>> print(*suggested({"to": {"type": "string"}, "cents": {"type": "integer"}, "text": {}}), sep="\n")
        { kind = "domain", argument = "to", domains = ["example.com"] }
        { kind = "range", argument = "cents", least = 0, most = 100 }
    """
    for name, schema in arguments.items():
        # Dots lead into nested arguments, so such a name means another one in a policy.
        if not name or not name.isprintable() or name != name.strip() or "." in name:
            continue
        fields = _fields(name, schema if isinstance(schema, Mapping) else {})
        if fields:
            kind, rest = fields
            yield f'{{ kind = "{kind}", argument = {_text(name)}, {rest} }}'


def programs(arguments: Mapping[str, Any]) -> list[str]:
    """Arguments that look like something to be run, which no bound on text holds."""
    return [name for name in arguments if _PROGRAMS & _words(name)]


def _fields(name: str, schema: Mapping[str, Any]) -> tuple[str, str] | None:
    words, types, form = _words(name), _types(schema), schema.get("format")
    values = schema.get("enum")
    if isinstance(values, list) and values and len(values) <= _LONGEST and all(map(_plain, values)):
        return "one_of", f"values = [{', '.join(map(_text, values))}]"
    if _may_be(types, "integer", "number") and words & _AMOUNTS:
        return "range", "least = 0, most = 100"
    if _may_be(types, "string", "array") and (form == "email" or words & _MAILS or name in _MAIL_FIELDS):
        return "domain", 'domains = ["example.com"]'
    if _may_be(types, "string") and (form in {"uri", "url"} or words & _PLACES):
        return "host", 'hosts = ["api.example.com"]'
    if _may_be(types, "string") and words & _PATHS:
        return "under", 'directory = "workspace"'
    return None


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORDS.findall(name))


def _types(schema: Mapping[str, Any]) -> set[str]:
    """The types that a value may have; none where the schema doesn't say."""
    said = schema.get("type")
    found = {said} if isinstance(said, str) else {one for one in said if isinstance(one, str)} if said else set()
    for other in (*(schema.get("anyOf") or ()), *(schema.get("oneOf") or ())):
        found |= _types(other) if isinstance(other, Mapping) else set()
    return found - {"null"}


def _may_be(types: set[str], *wanted: str) -> bool:
    return not types or bool(types & set(wanted))


def _plain(value: object) -> bool:
    return isinstance(value, bool | int) or (isinstance(value, str) and value.isprintable())


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
