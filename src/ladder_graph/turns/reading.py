"""An undo and a draft of a call, made for what the tool's own code will read of it, whatever its schema changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.drafting import Drawn
from ladder_graph.steps import Undrawn, Unprepared
from ladder_graph.tools import Declaration
from ladder_graph.turns.deciding import Fitting
from ladder_graph.turns.workspace import compose, rendered
from ladder_graph.undo import prepare


def draft_of(call: Call, declaration: Declaration, fitted: Fitting) -> Drawn | Undrawn:
    """The draft of a call; the rendered call where nobody can tell what the tool will read.

    Args:
        call: The call, as it was proposed.
        declaration: Its tool's.
        fitted: Types arguments by the tool's schema.
    """
    read = fitted(call, call.arguments, strict=False)
    if isinstance(read, str):
        return replace(rendered(call, f"It can't be drawn: {read}"), confined=declaration.confined)
    return compose(read, declaration)


def undo_of(call: Call, declaration: Declaration, fitted: Fitting) -> dict[str, Any] | Unprepared:
    """The undo of a call; none where nobody can tell what the tool will read, since it would be for another thing."""
    read = fitted(call, call.arguments, strict=False)
    return Unprepared(read) if isinstance(read, str) else prepare(read, declaration)
