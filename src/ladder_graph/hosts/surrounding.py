"""What stands around the calls of a ToolNode: the middleware of its agent, and a ladder's among it."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from langgraph.prebuilt import ToolNode

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

DEEPEST = 12
"""How many closures deep a ladder's middleware is looked for: others stand around it."""


def ladders_around(node: ToolNode) -> Iterator[tuple[Ladder, str]]:
    """The ladders whose middleware stands around a ToolNode's calls, and the names that it acts under.

    Args:
        node: The ToolNode.
    """
    for wrapper in (node._wrap_tool_call, node._awrap_tool_call):  # noqa: SLF001  # no public way to tell
        yield from ladders_in(wrapper, DEEPEST)


def ladders_in(thing: Any, depth: int) -> Iterator[tuple[Ladder, str]]:
    """The ladders in a composed wrapper: each is a method of middleware, or a function around others.

    Args:
        thing: The wrapper, or what it closes over.
        depth: How many closures deep to look.
    """
    if depth < 0:
        return
    if isinstance(thing, types.MethodType):
        yield from ladders_in(thing.__self__, depth)
    elif isinstance(thing, types.FunctionType):
        for cell in thing.__closure__ or ():
            yield from ladders_in(cell.cell_contents, depth - 1)
    elif hasattr(thing, "ladder") and hasattr(thing, "agent"):
        yield thing.ladder, thing.agent
