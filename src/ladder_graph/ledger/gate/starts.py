"""What was written down with the start of an action, and whether what is kept elsewhere is still that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, literal_column, select

from ladder_graph.calls import restore
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.proof.chain import payload_hash
from ladder_graph.ledger.tables import rows
from ladder_graph.ledger.watching.watches import Window, since, window_of
from ladder_graph.states import AT_WORK, UNDOABLE, State

_action = table_of(rows.ActionRow)
_entry = table_of(rows.EntryRow)
_payload = table_of(rows.PayloadRow)

_ARTIFACT = Sql.of(select(_action.c.artifact).where(_action.c.key == bindparam("key")))
_GIVEN = Sql.of(
    select(_payload.c.hash, _payload.c.salt, _payload.c.body)
    .join(_action, _action.c.payload == _payload.c.hash)
    .where(_action.c.key == bindparam("key"))
)
"""What an action was first written down with, its arguments among it; no row once they are erased."""
_entries = (
    select(_entry.c.n, _entry.c.at_us, _entry.c.kind, _entry.c.payload, _payload.c.salt, _payload.c.body)
    .join(_payload, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.action == bindparam("action"))
    .order_by(_entry.c.n.desc())
)
_started = _entry.c.kind == literal_column("'started'")
_STARTS = Sql.of(_entries.where(_started))
"""The starts of an action, the last one in front; a takeover is one too."""
_RUNS = Sql.of(
    _entries.where(_entry.c.kind.in_([literal_column(f"'{kind}'") for kind in ("started", "undoing", "done")]))
)
"""The same with its ends, and with its undos, of which some are takeovers."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What an undo needs beside the artifact."""

    genuine: bool
    """The artifact is the one that was stored with the claim."""
    after: str | None
    """The touched resource's fingerprint right after the action, where that was taken."""
    age: float
    """Seconds since the action was claimed, by whichever clock says more."""
    under: str = ""
    """A later action of its agent on the same resource, which may have had effect; empty where there is none."""
    untouched: bool = False
    """Something in between answered, and the tool never ran."""
    lost: bool = False
    """Its process died before it could say how it left things."""

    def lies_under(self, before: str | None, now: Callable[[], str | None]) -> bool:
        """Whether the later action may have had effect on what this one left, of which nobody knows how that was.

        Args:
            before: The fingerprint before the action; None where its undo has none.
            now: Tells it at this moment; None where nobody can.
        """
        return bool(self.under) and (self.lost if before is None else now() not in {None, before})


_STANDS = frozenset({*AT_WORK, *UNDOABLE, State.UNKNOWN})
"""The states in which an action took effect, or may have."""


def kept(cursor: Cursor, action: str, now: Moment) -> Kept:
    """What was stored beside the undo of an action."""
    row, said = cursor.execute(_ARTIFACT, {"key": action}).fetchone(), _said(cursor, action, "undo")
    if row is None or row["artifact"] is None or said is None or digest(row["artifact"]) != said.text:
        return Kept(genuine=False, after=None, age=0.0)
    window = window_of(cursor, action)
    # Not since it was asked about: it may have waited for its answer longer than it can be undone.
    wall = now.wall_us - said.at_us
    most = wall if window is None else max(wall, now.since(window.begun)[1])
    after = None if window is None else window.after
    under = "" if after is not None or window is None else _under(cursor, window, said.n)
    runs = [(row["kind"], json.loads(row["body"])) for row in cursor.execute(_RUNS, {"action": action}).fetchall()]
    untouched = any(kind == State.DONE and "untouched" in body for kind, body in runs)
    return Kept(genuine=True, after=after, age=most / rows.US, under=under, untouched=untouched, lost=_lost(runs))


def _lost(runs: list[tuple[str, dict[str, Any]]]) -> bool:
    """Whether it was somebody else who went on after the last start, the last entry in front."""
    lost = False
    for kind, body in runs:
        taken = "takeover" in body
        if kind == State.STARTED and not taken:
            break
        lost = taken
    return lost


def _under(cursor: Cursor, window: Window, n: int) -> str:
    """The later action that lies on one whose undo was stored with that entry."""
    later = (row["key"] for row in since(cursor, window, n) if State(row["state"]) in _STANDS)
    return next((key for key in later if made(cursor, key) > n), "")


@dataclass(frozen=True, slots=True)
class _Said:
    """One word of a start."""

    text: str
    at_us: int
    n: int


def _said(cursor: Cursor, action: str, name: str) -> _Said | None:
    """What the last start of an action says under a name; None where it says nothing, or was changed since."""
    for row in cursor.execute(_STARTS, {"action": action}).fetchall():
        if payload_hash(bytes(row["salt"]), row["body"]) != row["payload"]:
            return None
        body = json.loads(row["body"])
        if name in body:  # A takeover says nothing.
            return _Said(str(body[name]), row["at_us"], row["n"])
    return None


def taken_over(cursor: Cursor, action: str) -> bool:
    """Whether whoever is at an action took it over, to find out about it or undo it; it hasn't started over since."""
    for row in cursor.execute(_RUNS, {"action": action}).fetchall():
        if "takeover" in json.loads(row["body"]):
            return True
        if row["kind"] == State.STARTED:
            return False
    return False


def made(cursor: Cursor, action: str) -> int:
    """The number of the entry with which the undo of an action was stored; 0 where none was."""
    said = _said(cursor, action, "undo")
    return 0 if said is None else said.n


def authentic(cursor: Cursor, window: Window) -> bool:
    """Whether a window is watched by what was written down with the claim."""
    said = _said(cursor, window.action, "watch")
    return said is not None and said.text == digest(window.spec)


def arguments(cursor: Cursor, action: str) -> dict[str, Any] | None:
    """The arguments of an action, for its checks; empty once they are erased, None where they were changed since."""
    row = cursor.execute(_GIVEN, {"key": action}).fetchone()
    if row is None:
        return {}
    whole = payload_hash(bytes(row["salt"]), row["body"]) == row["hash"]
    return restore(json.loads(row["body"])["arguments"]) if whole else None


def digest(text: str) -> str:
    """By what an entry knows a text that is kept elsewhere."""
    return hashlib.sha256(text.encode()).hexdigest()
