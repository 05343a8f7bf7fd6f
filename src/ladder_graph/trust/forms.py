"""What arguments look like: whether two calls are of one form, and what an editor changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zlib import crc32

_WORD = 16
"""Characters up to which a text that is one word counts by its value, as `staging` does."""

_LARGE = 1e15
"""From here on a number's size doesn't matter any more."""

_DEEPEST = 8
"""Levels of nesting that are looked at. What lies deeper is of one form, and an edit there is one that matters."""

_NEVER = "."
"""Names no argument, so that no policy can name it."""


def signature(arguments: Any) -> int:
    """A number that is the same for arguments of the same form: names, types, and values by their rough size.

    It is the same in every process, unlike `hash`. Arguments that are no JSON have one form.

    Example:
        >>> one, two = {"to": "ana@shop.example", "n": 3}, {"to": "bob@shop.example", "n": 7}
        >>> signature(one) == signature(two), signature(one) == signature({"to": "ana@shop.example", "n": 300})
        (True, False)
    """
    try:
        return crc32(_form(arguments, 0).encode("utf-8", "surrogatepass"))
    except TypeError:  # Names of several types have no order.
        return 0


def _form(value: Any, depth: int) -> str:
    kind = type(value)  # Quicker than a match, and what was parsed from JSON has no other types.
    if kind is str:
        return value if len(value) <= _WORD and value.isidentifier() else f"s{len(value).bit_length()}"
    if kind is int or kind is float:
        size = abs(value)
        return f"{'-' if value < 0 else ''}{len(str(int(size))) if size < _LARGE else 'n'}"
    if depth == _DEEPEST:
        return "..."
    if kind is dict:
        return "{" + ",".join([f"{name}:{_form(value[name], depth + 1)}" for name in sorted(value)]) + "}"
    if kind is list or kind is tuple:
        return f"[{len(value).bit_length()}{_form(value[0], depth + 1) if value else ''}]"
    return str(value) if value is None or kind is bool else kind.__name__


def reworded(before: Mapping[str, Any], after: Mapping[str, Any], cosmetic: Iterable[str]) -> bool:
    """Whether an editor changed no more than may be reworded.

    Args:
        before: The arguments that were asked about.
        after: The arguments that the editor put in.
        cosmetic: The arguments that may be reworded; dots lead into nested ones.

    Example:
        >>> old = {"to": "ana@shop.example", "message": {"subject": "Hi", "text": "..."}}
        >>> new = {"to": "ana@shop.example", "message": {"subject": "Hello", "text": "..."}}
        >>> reworded(old, new, ["message.subject"]), reworded(old, new, ["message.text"])
        (True, False)
    """
    may = frozenset(cosmetic)
    return all(any(path in may for path in paths) for paths in _changed(before, after, ()))


def _changed(before: Any, after: Any, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Each change, as the dotted paths of what it lies in, the outermost first."""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        if not same(before, after):
            yield above
        return
    for name in {*before, *after}:
        if len(above) == _DEEPEST or not isinstance(name, str) or "." in name:
            path = _NEVER
        else:
            path = f"{above[-1]}.{name}" if above else name
        if name not in before or name not in after:
            yield (*above, path)
        elif path is not _NEVER:
            yield from _changed(before[name], after[name], (*above, path))
        elif not same(before[name], after[name]):
            yield (*above, path)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same, with their types: true is not 1."""
    if one is other:
        return True
    try:
        return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return False
