"""What a tool says of itself: how it is undone, drafted, probed.

A declaration sits on the tool's function, or is given by name for tools one doesn't own. It is a claim; whether
the rung that needs it is really ready is decided by `ladder_graph.routing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from importlib import import_module
from typing import Any, Literal, TypeVar

from ladder_graph.errors import PolicyError

ATTRIBUTE = "__ladder__"
"""Where a function carries its declaration."""

Arguments = Mapping[str, Any]
Found = Literal["happened", "absent", "cannot tell"]
"""What a probe may answer about an action in doubt."""
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Declaration:
    """Everything a tool may declare; nothing is assumed that isn't declared."""

    prepare: Callable[[Arguments], Any] | None = None
    """Arguments to a JSON artifact, made before the action, that holds what the undo needs. Changes nothing."""
    undo: Callable[[Any], None] | None = None
    """Puts things back from the artifact alone. Safe to call twice."""
    fingerprint: Callable[[Any], str] | None = None
    """The touched resource as it is now, from the artifact; it makes the undo conditional."""
    probe: Callable[[Arguments, str], Found] | None = None
    """Arguments and idempotency key to what became of an action in doubt."""
    drafter: Callable[[Arguments], str] | None = None
    """Arguments to the artifact itself, as text for the drafts workspace."""
    suffix: str = ".md"
    """The file name suffix of what the drafter makes."""
    idempotent: bool = False
    """The tool may be called again with the same arguments without a second effect."""
    version: str = ""
    """Changes whenever the tool does something else than before, where its own code doesn't show that: an approval is
    for one version."""

    @property
    def undo_reference(self) -> str:
        """The undo by import path, `module:qualname`; empty where none is declared. An approval is for one undo."""
        if self.undo is None:
            return ""
        named = self.undo if hasattr(self.undo, "__qualname__") else type(self.undo)
        return f"{named.__module__}:{named.__qualname__}"

    @property
    def reversible(self) -> bool:
        """Whether the undo can be made before the action and run from the artifact alone."""
        return self.prepare is not None and self.undo is not None

    def merged(self, other: Declaration) -> Declaration:
        """This declaration with whatever the other one says beyond the defaults."""
        said = {f.name: v for f in fields(other) if (v := getattr(other, f.name)) != f.default}
        return replace(self, **said)


NOTHING = Declaration()
"""A tool that declares nothing: it can't be undone, probed or drafted beyond its rendered call."""


def _declare(function: F, said: Declaration) -> F:
    setattr(function, ATTRIBUTE, getattr(function, ATTRIBUTE, NOTHING).merged(said))
    return function


def reversible(
    *,
    prepare: Callable[[Arguments], Any],
    undo: Callable[[Any], None],
    fingerprint: Callable[[Any], str] | None = None,
) -> Callable[[F], F]:
    """Declare how a tool's effect is undone. Stands below `@tool`, on the plain function.

    Args:
        prepare: Called with the arguments before the action; returns a JSON artifact and changes nothing. If it
            raises, the call doesn't run at rung 4.
        undo: Called with the artifact alone; puts things back. Calling it twice must be harmless.
        fingerprint: Called with the artifact; names the resource's present content, so that the undo keeps its
            hands off what somebody else changed meanwhile.

    Example:
        >>> shelf = {"a": 1}
        >>> @reversible(prepare=lambda args: shelf.copy(), undo=lambda old: shelf.update(old))
        ... def put(key: str, value: int) -> str:
        ...     shelf[key] = value
        ...     return "put"
        >>> declaration_of(put).reversible
        True
    """
    return lambda function: _declare(function, Declaration(prepare=prepare, undo=undo, fingerprint=fingerprint))


def drafted_by(drafter: Callable[[Arguments], str], *, suffix: str = ".md") -> Callable[[F], F]:
    """Declare what a tool's draft looks like. Stands below `@tool`, on the plain function.

    Args:
        drafter: Called with the arguments; returns the artifact as text, and sends or applies nothing.
        suffix: The file name suffix of the artifact, such as `".eml"` or `".patch"`.
    """
    return lambda function: _declare(function, Declaration(drafter=drafter, suffix=suffix))


def probed_by(probe: Callable[[Arguments, str], Found] | None = None, *, idempotent: bool = False) -> Callable[[F], F]:
    """Declare what is to be done about a call that started and whose outcome nobody knows.

    Args:
        probe: Called with the arguments and the idempotency key; says whether the effect `happened`, is `absent`,
            or that it `cannot tell`.
        idempotent: The tool may simply be called again.
    """
    return lambda function: _declare(function, Declaration(probe=probe, idempotent=idempotent))


def declaration_of(tool: object) -> Declaration:
    """What a tool, or the function behind it, declares; `NOTHING` where it says nothing."""
    for place in (tool, getattr(tool, "func", None), getattr(tool, "coroutine", None)):
        said = getattr(place, ATTRIBUTE, None)
        if isinstance(said, Declaration):
            return said
    return NOTHING


def declared_at(path: str) -> Declaration:
    """The declaration that a policy names for a tool one doesn't own.

    Args:
        path: `module:name` of a `Declaration`, or of a function or tool that carries one.

    Raises:
        PolicyError: Nothing can be imported from there, or it declares nothing.
    """
    module, _, name = path.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as wrong:
        raise PolicyError([f"undo = {path!r}: {wrong}"], "policy") from wrong
    said = found if isinstance(found, Declaration) else declaration_of(found)
    if not said.reversible:
        raise PolicyError(
            [f"undo = {path!r}: it declares no undo; name a Declaration(prepare=..., undo=...)"], "policy"
        )
    return said
