"""What a tool says of itself: how it is undone, drafted, probed.

A declaration sits on the tool's function, or is given by name for tools one doesn't own. It is a claim; whether
the rung that needs it is really ready is decided by `ladder_graph.routing`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib import import_module
from typing import Any, Literal, TypeVar, get_args

from ladder_graph.calls import digest_of
from ladder_graph.drafting import Drafter
from ladder_graph.errors import PolicyError
from ladder_graph.policy.units import seconds
from ladder_graph.references import make_of, reference, register, unportable
from ladder_graph.telling import Change, Reach

ATTRIBUTE = "__ladder__"
"""Where a function carries its declaration."""

Arguments = Mapping[str, Any]
Found = Literal["happened", "absent", "cannot tell"]
"""What a probe may answer about an action in doubt."""
Kind = Literal["reversible", "compensable", "buffered", "idempotent", "read", "irreversible"]
"""What can be done about an effect: put back as it was; made good by another action; held back until a while has
passed; simply repeated; nothing needs to be done, since it only reads; nothing can be done."""
Canary = Callable[[Arguments], tuple[Arguments, Arguments] | None]
"""How a tool acts on a part first: from the arguments of a call to those of the part and those of the rest."""
Preview = Callable[[Arguments], Sequence[Change]]
"""From the arguments of a call to what it would change. It changes nothing."""
Worded = str | Callable[[Arguments], str]
"""A text with the arguments in braces, as `"Refund {amount}?"`, or a function that makes one of the arguments."""
F = TypeVar("F", bound=Callable[..., Any])

_UNDO = ("prepare", "undo", "fingerprint", "conditional", "kind", "ttl", "resource", "home", "foresee")
"""What belongs together: the parts of one undo never mix with those of another."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """Everything a tool may declare; nothing is assumed that isn't declared."""

    prepare: Callable[[Arguments], Any] | None = None
    """Arguments to a JSON artifact, made before the action, that holds what the undo needs. Changes nothing."""
    undo: Callable[..., Any] | None = None
    """Puts things back from the artifact alone. Safe to call twice."""
    fingerprint: Callable[[Any], str] | None = None
    """The touched resource as it is now, from the artifact; it makes the undo conditional."""
    conditional: bool = False
    """The undo makes sure by itself that it overwrites nobody's changes, under its own lock or transaction. It is
    called with the artifact and the fingerprint right after the action (None where that is unknown), returns whether
    there was anything to undo, and raises `UndoConflict`."""
    kind: Kind | None = None
    """What can be done about its effect; by default `"reversible"` with an undo, else `"irreversible"`."""
    ttl: float | None = None
    """Seconds, or such as `"24h"`: how long after the action the undo is still possible. None for ever."""
    resource: Callable[[Any], str] | None = None
    """From the artifact to a name of what is touched, such as `"file:/srv/x"`: undos of one resource run in reverse
    order."""
    home: str = ""
    """The module whose import makes this declaration; set by the decorators."""
    probe: Callable[[Arguments, str], Found] | None = None
    """Arguments and idempotency key to what became of an action in doubt."""
    drafter: Drafter | Callable[[Arguments], str] | None = None
    """Draws the draft (`ladder_graph.drafting`); or a function from arguments to the artifact as a text, which can only
    be accepted whole."""
    suffix: str = ".md"
    """The file name suffix of what a function makes."""
    idempotent: bool = False
    """The tool may be called again with the same arguments without a second effect."""
    canary: Canary | None = None
    """Arguments to those of a smaller first call and those of the rest; None where a call has no part worth trying.
    It changes nothing, and is asked in the agent's own process only."""
    title: Worded = ""
    """What is asked in plain words, as `"Refund {amount} to {customer}?"`."""
    deed: Worded = ""
    """What a yes does, as `"Run the refund"`."""
    preview: Preview | None = None
    """Arguments to what a call would change, for whoever is asked. Changes nothing."""
    foresee: Preview | None = None
    """The same as far as the undo can tell it; of an adapter. What the tool says itself goes before it."""
    reach: Reach | Callable[[Arguments], Reach] | None = None
    """How far a call reaches, or how that is told from the arguments."""
    remedy: Worded = ""
    """What to do if it turns out wrong, in words."""
    confined: str = ""
    """Why it runs nowhere but in its graph, in words; empty where it can run elsewhere too. Set by the mounts."""
    version: str = ""
    """Changes whenever the tool does something else than before, where its own code doesn't show that: an approval is
    for one version."""

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in get_args(Kind):
            raise PolicyError([f"kind = {self.kind!r}: expected one of {', '.join(get_args(Kind))}"], "Declaration")
        if self.ttl is not None:
            try:
                object.__setattr__(self, "ttl", seconds(self.ttl))
            except ValueError as wrong:
                raise PolicyError([f"ttl: {wrong}"], "Declaration") from wrong
        if self.kind == "idempotent":
            object.__setattr__(self, "idempotent", True)
        if self.undo is not None:
            register("undo", self.undo)
        if self.fingerprint is not None:
            register("fingerprint", self.fingerprint)

    def __call__(self, function: F) -> F:
        """Put this declaration on a tool's function, as a decorator below `@tool`."""
        said = self if self.undo is None or self.home else replace(self, home=function.__module__)
        return _declare(function, said)

    @property
    def nature(self) -> Kind:
        """What can be done about its effect, as declared or as follows from what is; without a word, nothing."""
        if self.kind is not None:
            return self.kind
        if self.prepare is not None and self.undo is not None:
            return "reversible"
        return "idempotent" if self.idempotent else "irreversible"

    @property
    def undo_reference(self) -> str:
        """The undo by import path, `module:qualname`; empty where none is declared. An approval is for one undo."""
        return "" if self.undo is None else reference(self.undo)

    @property
    def undo_edition(self) -> str:
        """What the undo is made of: references, code and settings of its parts, as a digest. A rehearsal is for one."""
        parts = (self.prepare, self.undo, self.fingerprint, self.resource)
        try:
            return _edition(parts, self.conditional, self.nature)
        except TypeError:  # One of them is an object that can't be a key.
            return _edition.__wrapped__(parts, self.conditional, self.nature)

    @property
    def reversible(self) -> bool:
        """Whether the undo can be made before the action and run from the artifact alone."""
        return self.prepare is not None and self.undo is not None and self.nature != "irreversible"

    @property
    def unportable(self) -> str:
        """Why another process couldn't run the undo, as a sentence; empty where it could."""
        return _unportable(self.undo, self.fingerprint) if self.reversible else "it declares no undo"

    @property
    def portable(self) -> bool:
        """Whether another process can run the undo from the artifact, as rung 4 needs it."""
        return not self.unportable

    def merged(self, other: Declaration) -> Declaration:
        """This declaration with whatever the other one says beyond the defaults. An undo replaces an undo whole."""
        said = {f.name: v for f in fields(other) if (v := getattr(other, f.name)) != f.default}
        if other.undo is not None:
            said |= {name: getattr(other, name) for name in _UNDO}
        return replace(self, **said)


@functools.lru_cache(maxsize=1024)
def _unportable(undo: Callable[..., Any] | None, fingerprint: Callable[..., Any] | None) -> str:
    reasons = ((name, unportable(part)) for name, part in (("undo", undo), ("fingerprint", fingerprint)) if part)
    return next((f"its {name} can't be run by another process: {why}" for name, why in reasons if why), "")


@functools.lru_cache(maxsize=1024)
def _edition(parts: tuple[Callable[..., Any] | None, ...], *settings: object) -> str:
    return digest_of("undo", *(make_of(part) for part in parts), *settings)


NOTHING = Declaration()
"""A tool that declares nothing: it can't be undone, probed or drafted beyond its rendered call."""


def _declare(function: F, said: Declaration) -> F:
    setattr(function, ATTRIBUTE, getattr(function, ATTRIBUTE, NOTHING).merged(said))
    return function


def reversible(
    *,
    prepare: Callable[[Arguments], Any],
    undo: Callable[..., Any],
    fingerprint: Callable[[Any], str] | None = None,
    probe: Callable[[Arguments, str], Found] | None = None,
    ttl: float | str | None = None,
    kind: Kind | None = None,
    resource: Callable[[Any], str] | None = None,
    conditional: bool = False,
    canary: Canary | None = None,
) -> Callable[[F], F]:
    """Declare how a tool's effect is undone. Stands below `@tool`, on the plain function.

    Another process runs the undo once the tool's own is gone, so for rung 4 `undo` and `fingerprint` must be
    functions at the top of a module; `prepare`, `probe` and `resource` may be anything.

    Args:
        prepare: Called with the arguments before the action; returns a JSON artifact and changes nothing. If it
            raises, the call doesn't run at rung 4.
        undo: Called with the artifact alone; puts things back. Calling it twice must be harmless.
        fingerprint: Called with the artifact; names the resource's present content, so that the undo keeps its
            hands off what somebody else changed meanwhile.
        probe: As in `probed_by`.
        ttl: How long after the action the undo is still possible, in seconds or as `"24h"`; None for ever.
        kind: What can be done about the effect; `"reversible"` by default.
        resource: Called with the artifact; names what is touched, as `"file:/srv/x"`.
        conditional: The undo compares and changes in one step: see `Declaration.conditional`.
        canary: Called with the arguments; returns those of a smaller first call and those of the rest, or None. The
            part runs first, and the rest only once the health checks of the rule have found the part good.

    Raises:
        PolicyError: The kind or the ttl is none.

    Example:
        >>> shelf = {"a": 1}
        >>> @reversible(prepare=lambda args: shelf.copy(), undo=lambda old: shelf.update(old))
        ... def put(key: str, value: int) -> str:
        ...     shelf[key] = value
        ...     return "put"
        >>> declaration_of(put).reversible, declaration_of(put).portable
        (True, False)
    """
    length: Any = ttl  # the declaration reads it
    return Declaration(
        prepare=prepare, undo=undo, fingerprint=fingerprint, probe=probe, ttl=length, kind=kind, resource=resource,
        conditional=conditional, canary=canary,
    )  # fmt: skip


def drafted_by(drafter: Drafter | Callable[[Arguments], str], *, suffix: str = ".md") -> Callable[[F], F]:
    """Declare what a tool's draft looks like. Stands below `@tool`, on the plain function.

    Args:
        drafter: One of `ladder_graph.drafting`, such as `email()` or `patch("diff", root=".")`, which a person can take
            in part. Or a function that is called with the arguments and returns the artifact as text, and sends or
            applies nothing.
        suffix: The file name suffix of what a function returns, such as `".eml"` or `".patch"`.
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


def presented_by(
    *,
    title: Worded = "",
    deed: Worded = "",
    preview: Preview | None = None,
    reach: Reach | Callable[[Arguments], Reach] | None = None,
    remedy: Worded = "",
) -> Callable[[F], F]:
    """Declare what whoever is asked is told about a call. Stands below `@tool`, on the plain function.

    It is asked once, when the question is, in the agent's own process and within five seconds; what fails or takes
    longer is said to have failed, and the question is asked all the same.

    Args:
        title: What is asked in plain words, as `"Refund {amount} to {customer}?"`, or a function of the arguments.
        deed: What a yes does, as `"Run the refund"`; it names the button.
        preview: Called with the arguments; returns what would change, thing by thing, and changes nothing.
        reach: How far a call reaches, or a function of the arguments that tells it.
        remedy: What to do if it turns out wrong, as `"refund_cancel stops it within 30 minutes"`.

    Example:
        >>> @presented_by(title="Close ticket {number}?", preview=lambda args: [Change("ticket", "open", "closed")])
        ... def close_ticket(number: int) -> str:
        ...     return "closed"
        >>> worded(declaration_of(close_ticket).title, {"number": 7})
        'Close ticket 7?'
    """
    return lambda function: _declare(
        function, Declaration(title=title, deed=deed, preview=preview, reach=reach, remedy=remedy)
    )


_SLOT = re.compile(r"\{(\w+)\}")


def worded(text: Worded, arguments: Arguments) -> str:
    """What a text says of a call: its slots filled, or made by its function."""
    if callable(text):
        return str(text(arguments))
    # No format string: what somebody wrote into an argument is never one.
    return _SLOT.sub(lambda slot: str(arguments.get(slot[1], slot[0])), text)


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
    return said if said.home else replace(said, home=module)
