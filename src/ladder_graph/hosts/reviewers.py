"""LangChain's human-in-the-loop middleware in an agent that is gated: it asks before the gate, and edits behind it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

log = logging.getLogger("ladder_graph")

_LANGCHAINS = "HumanInTheLoopMiddleware"
"""The class, by its name, since LangChain needn't be there."""


def reviewed(middleware: object) -> frozenset[str]:
    """The tools that a person is asked about there; none of any other middleware."""
    named = getattr(middleware, "interrupt_on", None)
    if not isinstance(named, Mapping) or not any(kind.__name__ == _LANGCHAINS for kind in type(middleware).__mro__):
        return frozenset()
    return frozenset(name for name, entry in named.items() if entry is not False)


def hooked(builder: Any) -> list[Any]:
    """What the nodes of a graph are methods of: the middleware of an agent whose hooks stand as nodes."""
    return [getattr(getattr(spec.runnable, "func", None), "__self__", None) for spec in builder.nodes.values()]


def tell_of_reviews(agent: str, behind: Iterable[object], tools: Collection[str] | None = None) -> None:
    """Say which tools a person is asked about twice. It is no error: nothing runs that wasn't approved here.

    Args:
        agent: Whose middleware it is.
        behind: The middleware behind the gate.
        tools: The tools behind it; None where they aren't known.
    """
    named = {name for one in behind for name in reviewed(one) if tools is None or name in tools}
    if named:
        log.warning(
            "%s has LangChain's human-in-the-loop middleware behind the gate, for %s: what a person approves there is "
            "asked here again where the policy asks, and what is edited there is refused here. Take it out; `ladder "
            "init --app` writes a policy under which the same calls ask",
            agent,
            ", ".join(sorted(named)),
        )
