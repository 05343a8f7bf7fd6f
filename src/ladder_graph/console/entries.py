"""What an address of the console is: who may look, who may act, and what does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ladder_graph.console.answers import Answer
from ladder_graph.console.visitor import Visitor
from ladder_graph.policy.console import Access

Page = Callable[[Visitor], Answer]
"""Makes the answer to one request, in a thread of its own."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One address. There is none without an access, so none can be forgotten."""

    path: str
    """From the console's root, with `{name}` for what varies."""
    show: Page | None = None
    """What a GET shows."""
    take: Page | None = None
    """What a POST does; its form was checked before."""
    looks: Access = Access.VIEWER
    """What it takes to look, with any agent. A page about one agent asks again for that one."""
    acts: Access = Access.REVIEWER
    """What it takes to act."""
