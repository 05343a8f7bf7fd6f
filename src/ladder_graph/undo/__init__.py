"""Undo: made before the action, kept in the ledger, run from the artifact alone.

Adapters declare the undo of a tool in one line, below `@tool` or by `Ladder.declare`:

    from ladder_graph import undo

    @tool
    @undo.files("path")
    def write_file(path: str, text: str) -> str: ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ladder_graph.undo.running import prepare, touched, undo, undo_from

if TYPE_CHECKING:
    from ladder_graph.references import registered
    from ladder_graph.undo.apart import undo_apart
    from ladder_graph.undo.filesystem import files, sweep
    from ladder_graph.undo.flags import flag
    from ladder_graph.undo.git import git_tree
    from ladder_graph.undo.outboxes import Outbox, outbox, release_due
    from ladder_graph.undo.rehearsing import Rehearsal, rehearse
    from ladder_graph.undo.running import touched_from, word_of
    from ladder_graph.undo.sql import sql_rows
    from ladder_graph.undo.web import http_resource

__all__ = [
    "Outbox",
    "Rehearsal",
    "files",
    "flag",
    "git_tree",
    "http_resource",
    "outbox",
    "prepare",
    "registered",
    "rehearse",
    "release_due",
    "sql_rows",
    "sweep",
    "touched",
    "touched_from",
    "undo",
    "undo_apart",
    "undo_from",
    "word_of",
]

_HOMES = {
    "Outbox": "undo.outboxes", "Rehearsal": "undo.rehearsing", "files": "undo.filesystem", "flag": "undo.flags",
    "git_tree": "undo.git", "http_resource": "undo.web", "outbox": "undo.outboxes", "registered": "references",
    "rehearse": "undo.rehearsing", "release_due": "undo.outboxes", "sql_rows": "undo.sql", "sweep": "undo.filesystem",
    "touched_from": "undo.running", "undo_apart": "undo.apart", "word_of": "undo.running",
}  # fmt: skip
"""The module of each name that is loaded at its first use."""

# Out of the type checker's sight, to which every wrong name would otherwise be a right one.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load an adapter at its first use (PEP 562): most programs need one or two of them."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        thing = getattr(import_module(f"ladder_graph.{_HOMES[name]}"), name)
        globals()[name] = thing
        return thing
