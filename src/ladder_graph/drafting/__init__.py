"""Drafters: what a call would become, held against what is there now, without sending or applying anything.

    from ladder_graph import drafted_by
    from ladder_graph.drafting import patch

    @tool
    @drafted_by(patch("diff", root="."))
    def apply_patch(diff: str) -> str: ...

A drafter captures what is there (the base) when the draft is made, says what it would become, and how the changes that
a person takes go back into the call's arguments. Nothing a model wrote leads it out of the root it was declared with.
"""

from __future__ import annotations

from ladder_graph.drafting.branches import pull_request
from ladder_graph.drafting.changes import Change, Line, applied, changes_of
from ladder_graph.drafting.drawn import Drafter, Drawn, Piece
from ladder_graph.drafting.mails import email
from ladder_graph.drafting.patches import patch
from ladder_graph.drafting.requests import http
from ladder_graph.drafting.settings import config
from ladder_graph.drafting.statements import sql
from ladder_graph.drafting.texts import text

__all__ = [
    "Change",
    "Drafter",
    "Drawn",
    "Line",
    "Piece",
    "applied",
    "changes_of",
    "config",
    "email",
    "http",
    "patch",
    "pull_request",
    "sql",
    "text",
]
