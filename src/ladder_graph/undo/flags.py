"""`flag`: the undo of a tool that sets a feature flag or any other named value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ladder_graph.errors import LadderError, UndoConflict
from ladder_graph.references import register, registered, resolve, unportable
from ladder_graph.telling import Change
from ladder_graph.tools import Arguments, Declaration


def flag(
    argument: str,
    *,
    get: Callable[[str], Any],
    set: Callable[[str, Any], Any],  # noqa: A002  # the pair is named so everywhere
    version: Callable[[str], Any] | None = None,
    value: str | None = None,
) -> Declaration:
    """Undo for a tool that sets the named value of some service: a feature flag, a setting, a weight.

    The undo sets the old value again, if the value is still the one that the action left. With `version`, a value that
    somebody set to the same again after the action is a conflict, too.

    Limits: between the look and the setting lies a moment in which somebody else may set it; a service that compares
    and sets in one step should declare its own undo with `@reversible(conditional=True)`. What else the service does
    when a value changes isn't undone.

    Args:
        argument: The argument that holds the flag's name.
        get: Name to value, a JSON value. None stands for a flag that isn't set.
        set: Sets a name to a value, or takes it away where the value is None.
        version: Name to something that changes whenever anybody sets it.
        value: The argument that holds the new value: whoever is asked sees it beside the one of now.

    Raises:
        LadderError: A function can't be run by another process: it must stand at the top of a module.
    """
    named = {"get": _portable("get", get), "set": _portable("set", set)}
    if version is not None:
        named["version"] = _portable("version", version)

    def prepare(arguments: Arguments) -> dict[str, Any]:
        name = arguments.get(argument)
        if not isinstance(name, str) or not name:
            raise LadderError(f"{name!r} is no name of a flag")
        return {"name": name, "was": get(name), **named}

    def foresee(arguments: Arguments) -> list[Change]:
        name = str(arguments.get(argument))
        after = None if value is None else _words(arguments.get(value))
        return [Change(f"flag {name}", _words(get(name)), after)]

    return Declaration(
        prepare=prepare, undo=put_back, fingerprint=present, conditional=True,
        resource=lambda state: f"flag:{state['name']}", foresee=foresee,
    )  # fmt: skip


def _words(value: Any) -> str:
    return "not set" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _portable(use: Any, function: Callable[..., Any]) -> str:
    why = unportable(function)
    # While its own module is still being imported, a function can't be found there yet.
    if why and "can't be found" not in why:
        raise LadderError(f"flag({use}=...): {why}")
    return register(use, function)


@registered("fingerprint")
def present(state: Any) -> str:
    """The value, and its version where that is known."""
    value = resolve("get", state["get"])(state["name"])
    version = resolve("version", state["version"])(state["name"]) if "version" in state else None
    return json.dumps([value, version], sort_keys=True)


@registered("undo")
def put_back(state: Any, after: str | None) -> bool:
    """Set the old value again.

    Returns:
        Whether it was another one.

    Raises:
        UndoConflict: Somebody set it after the action.
        LadderError: It was set, and has another value all the same.
    """
    now = present(state)
    was = json.dumps(state["was"], sort_keys=True)
    if _value(now) == was:
        return False
    if after is not None and now != after:
        raise UndoConflict(f"{state['name']} was set by somebody else after the action")
    resolve("set", state["set"])(state["name"], state["was"])
    if _value(present(state)) != was:
        raise LadderError(f"{state['name']} was set back, and still has another value")
    return True


def _value(fingerprint: str) -> str:
    # As text: to Python, true and 1 are equal.
    return json.dumps(json.loads(fingerprint)[0], sort_keys=True)
