"""How the texts that a person took go back into the arguments of a call. Pure.

A recipe is plain JSON, kept with the draft, so that the command line and the console can follow it where the tool
itself isn't known. `form` says which of these it is; custom drafters may use any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from email.utils import getaddresses
from typing import Any

from ladder_graph.drafting import keyed, unified, written
from ladder_graph.drafting.drawn import Drawn, Piece
from ladder_graph.errors import DraftRefused

Arguments = Mapping[str, Any]
Recipe = Mapping[str, Any]


def mapped(drawn: Drawn, arguments: Arguments, pieces: Sequence[Piece]) -> dict[str, Any]:
    """The arguments with which the call makes these texts.

    Args:
        drawn: The draft.
        arguments: The call's own.
        pieces: The draft's pieces, with the texts that a person took.

    Raises:
        DraftRefused: There is no way back from a text of this draft to arguments.
    """
    form = _FORMS.get(str(drawn.recipe.get("form", "")))
    if form is None:
        raise DraftRefused("nothing says how a part of this draft becomes arguments; accept it whole, or reject it")
    return {**arguments, **form(drawn.recipe, arguments, pieces)}


def _text(recipe: Recipe, arguments: Arguments, pieces: Sequence[Piece]) -> dict[str, Any]:
    """`text`: one argument is the text of one piece."""
    del arguments
    wanted = recipe.get("piece", pieces[0].name if pieces else "")
    return {recipe["argument"]: next((one.text or "" for one in pieces if one.name == wanted), "")}


def _mail(recipe: Recipe, arguments: Arguments, pieces: Sequence[Piece]) -> dict[str, Any]:
    """`mail`: headers and a body, each with its argument."""
    found: dict[str, Any] = {recipe["body"]: next((one.text or "" for one in pieces if one.name == "body"), "")}
    said = _headers(next((one.text or "" for one in pieces if one.name == "headers"), ""))
    for header, name in recipe["headers"].items():
        if header not in said:
            if name in arguments and header in recipe.get("drawn", ()):
                found[name] = [] if isinstance(arguments[name], list | tuple) else None
            continue
        value = said[header]
        found[name] = _addresses(value) if isinstance(arguments.get(name), list | tuple) else value
    return found


def _headers(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.split("\n"):
        name, apart, value = line.partition(": ")
        if not line:
            continue
        if not apart or name in found:
            raise DraftRefused(f"{line[:80]!r} is no header, or one that stands there twice")
        written.plain_header(name, value)
        found[name] = value
    return found


def _addresses(value: str) -> list[str]:
    return [f"{name} <{address}>" if name else address for name, address in getaddresses([value])]


def _files(recipe: Recipe, arguments: Arguments, pieces: Sequence[Piece]) -> dict[str, Any]:
    """`files`: one argument maps paths to texts; a file that would go is null."""
    del arguments
    return {recipe["argument"]: {one.name: one.text for one in pieces if one.text != one.base}}


def _file(recipe: Recipe, arguments: Arguments, pieces: Sequence[Piece]) -> dict[str, Any]:
    """`file`: one argument is a path, and another the whole text."""
    return _text(recipe, arguments, pieces)


def _diff(recipe: Recipe, arguments: Arguments, pieces: Sequence[Piece]) -> dict[str, Any]:
    """`diff`: one argument is a unified diff."""
    del arguments
    return {recipe["argument"]: unified.diff(pieces)}


def _settings(recipe: Recipe, arguments: Arguments, pieces: Sequence[Piece]) -> dict[str, Any]:
    """`settings`: one argument is the text of a configuration file, or the mapping itself."""
    del arguments
    values = keyed.nested(pieces[0].text or "")
    kind = recipe.get("format", "object")
    return {recipe["argument"]: values if kind == "object" else written.settings(values, kind)}


def _merge(recipe: Recipe, arguments: Arguments, pieces: Sequence[Piece]) -> dict[str, Any]:
    """`merge`: one argument holds what to change, and null for what goes (RFC 7396)."""
    del arguments
    return {recipe["argument"]: merge_patch(keyed.nested(pieces[0].base or ""), keyed.nested(pieces[0].text or ""))}


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What turns one mapping into the other (RFC 7396).

    Example:
        >>> merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 2, "d": 4}})
        {'a': None, 'b': {'d': 4}}
    """
    found: dict[str, Any] = dict.fromkeys(name for name in before if name not in after)
    for name, value in after.items():
        old = before.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            if old != value:
                found[name] = merge_patch(old, value)
        elif name not in before or old != value:
            found[name] = value
    return found


def merged(before: Any, patch: Any) -> Any:
    """A value with a merge patch applied (RFC 7396).

    Example:
        >>> merged({"a": 1, "b": 2}, {"a": None, "c": {"d": None, "e": 3}})
        {'b': 2, 'c': {'e': 3}}
    """
    if not isinstance(patch, Mapping):
        return patch
    found = dict(before) if isinstance(before, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


_FORMS: dict[str, Callable[[Recipe, Arguments, Sequence[Piece]], dict[str, Any]]] = {
    "text": _text, "mail": _mail, "files": _files, "file": _file, "diff": _diff, "settings": _settings,
    "merge": _merge,
}  # fmt: skip
