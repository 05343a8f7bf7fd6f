"""What an agent has to hear of its drafts and suggestions, and whether its conversation holds it. On a cursor each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.people import draft_statements as sql

_ENDS = frozenset({"done", "failed", "unknown", "undone", "undo_conflict", "undo_failed", "declined", "refused",
                   "expired"})  # fmt: skip
"""What an accepted draft's call comes to; before, there may be more to tell."""
_TAKEN = frozenset({"accepted", "part", "edited"})


@dataclass(frozen=True, slots=True)
class Due:
    """What an agent has to hear of one action."""

    action: str
    tool: str
    word: str
    """What became of it, in words of the ledger: the same word isn't told twice."""
    last: bool
    """Nothing more can come of it."""
    row: Mapping[str, Any]
    """What there is to say."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an agent was told of one action, and perhaps never heard."""

    action: str
    note: str
    """The id of the message."""
    place: str
    """Where its conversation stood then, and which task of it told it."""
    last: bool
    """There is nothing more to tell."""
    due: Due


def put(cursor: Cursor, call: Call) -> None:
    """There is something to tell about an action."""
    cursor.execute(sql.PUT_NOTICE, {
        "action": call.key, "agent": call.agent, "thread": call.thread, "said": "", "note": "", "checkpoint": "",
        "told_us": None, "closed": False,
    })  # fmt: skip


def silent(cursor: Cursor, agent: str, thread: str) -> int | None:
    """How long an agent's chain was as there was nothing to hear for it in a thread; None where there may be."""
    found = cursor.execute(sql.ANY_NOTICE, {"agent": agent, "thread": thread}).fetchone()
    return (found["end"] or 0) if found["any"] is None else None


def of_thread(cursor: Cursor, agent: str, thread: str) -> tuple[list[Due], list[Told]]:
    """What an agent has to hear in a thread, and what it was told without being known to have heard it."""
    due: list[Due] = []
    told: list[Told] = []
    whose = {"agent": agent, "thread": thread}
    for found in cursor.execute(sql.NOTICES, whose).fetchall():
        row = dict(found)
        one = Due(row["action"], row["tool"], *_word(row), row)
        if not one.word:
            continue
        if row["said"] == one.word and not row["note"]:
            continue  # It heard of it, and there may be more to come.
        if row["said"] == one.word:
            told.append(Told(one.action, row["note"], row["checkpoint"], one.last, one))
        else:
            due.append(one)
    return due, told


def _word(row: Mapping[str, Any]) -> tuple[str, bool]:
    """What became of an action, and whether that is the last of it."""
    if row["draft"] is None:
        return str(row["verdict"]), True
    if row["draft"] in _TAKEN:
        ran = str(row["ran"] or "")
        return (f"{row['draft']} {ran}", True) if ran in _ENDS else (str(row["draft"]), False)
    return ("", False) if row["draft"] == "waiting" else (str(row["draft"]), True)


def tell(cursor: Cursor, due: Sequence[Due], note: str, place: str, us: int) -> bool:
    """The agent is being told; whether its conversation keeps it shows at its next turn.

    Returns:
        Whether all of it is news still: another task may have told it meanwhile.
    """
    for one in due:
        before = {f"b_{name}": one.row[name] for name in ("said", "note", "checkpoint")}
        new = {"said": one.word, "note": note, "checkpoint": place, "told_us": us, "closed": False}
        cursor.execute(sql.TOLD, {"b_action": one.action, **before, **new})
        if cursor.rowcount != 1:
            return False
    return True


def heard(cursor: Cursor, one: Told) -> None:
    """Its conversation holds what it was told."""
    cursor.execute(sql.HEARD, {"b_action": one.action, "b_note": one.note, "note": "", "closed": one.last})
