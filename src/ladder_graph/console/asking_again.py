"""Showing once more that it is you: raising a rung takes a sign-in of a moment ago, and nothing is lost on the way."""

from __future__ import annotations

from typing import Any

from ladder_graph.console.answers import Shown
from ladder_graph.console.visitor import Visitor


def asked_again(visitor: Visitor, to: str, **query: Any) -> Shown:
    """The page that says how, and leads back.

    Args:
        visitor: Who must show it.
        to: Where to go on, from the console's root.
        query: What was typed there, so that it stands there again.
    """
    back = visitor.path(to, **query).removeprefix(visitor.base)
    context = {"back": back, "name": visitor.person.name, "again": visitor.policy.console.again}
    return Shown("again.html", context, 403)
