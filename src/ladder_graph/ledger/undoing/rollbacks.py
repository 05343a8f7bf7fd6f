"""What a thread did since one of its actions, for rolling it back; and what came of that, on record."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, case, func, literal_column, or_, select

from ladder_graph.facts import Known
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables import rows
from ladder_graph.states import State
from ladder_graph.unwinding import Member

_action = table_of(rows.ActionRow)
_entry = table_of(rows.EntryRow)
_part = table_of(rows.PartRow)
_under = _part.alias("under")

_started = _entry.c.kind == literal_column("'started'")
_ended = _entry.c.kind.in_([literal_column("'done'"), literal_column("'undoing'")])
_entries = and_(_entry.c.action == _action.c.key, or_(_started, _ended))
_columns = [_action.c[name] for name in ("key", "tool", "state", "owner", "fence", "call_id", "checkpoint")]
_STARTED = Sql.of(
    select(
        *_columns,
        func.length(_action.c.artifact).label("prepared"),
        func.min(case((_started, _entry.c.at_us))).label("began"),
        func.min(case((_started, _entry.c.n))).label("place"),
        func.min(case((_ended, _entry.c.at_us))).label("ended"),
        func.min(case((_ended, _entry.c.n))).label("end"),
        func.min(_part.c.whole).label("whole"),
        func.min(_under.c.rest).label("rest"),
    )
    .select_from(
        _action.join(_entry, _entries)
        .outerjoin(_part, _part.c.whole == _action.c.key)
        .outerjoin(_under, _under.c.part == _action.c.key)
    )
    .where(_action.c.thread == bindparam("thread"))
    .group_by(*_columns, _action.c.artifact)
)
"""Every action of a thread that was started, with its first start, and where it took effect with that."""
_WAITING = Sql.of(
    select(*(_action.c[name] for name in ("key", "at_us", "call_id", "checkpoint")))
    .where(_action.c.thread == bindparam("thread"))
    .where(_action.c.state.in_([literal_column("'asked'"), literal_column("'approved'")]))
)
_HEARD = Sql.of(select(_action.c.at_us).where(_action.c.key == bindparam("key")))
_FORKED = Sql.of(
    select(func.max(_entry.c.at_us).label("at"))
    .where(_entry.c.action == bindparam("key"), _entry.c.kind == literal_column("'forked'"))
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Since:
    """What a thread did from one of its actions on."""

    members: tuple[Member, ...]
    """The actions that were started, in the order of their effects."""
    waiting: tuple[str, ...]
    """The keys of those that wait for an answer, or to run after one."""
    forked: bool
    """The conversation was forked before this action, and nothing was started since."""


def task_of(checkpoint: str) -> str:
    """The id of the outer graph's task in which a call inside another graph was made; empty for one of its own.

    Args:
        checkpoint: The one that the call's task went on from, as the ledger has it.
    """
    return checkpoint.partition("@")[2].partition("|")[0].rpartition(":")[2]


def since(
    cursor: Cursor, journal: Journal, known: Known, together: Collection[str] = (), tasks: Collection[str] = ()
) -> Since:
    """What the thread of an action did from that on, the action included, and what its message has proposed with it.

    Args:
        cursor: In a snapshot.
        journal: The moment and the process.
        known: The action.
        together: The ids of the calls that are gone with its message, where its conversation is at hand.
        tasks: The ids of the outer graph's tasks that are gone, with all that was called in them.
    """
    thread, key = known.call.thread, known.call.key
    found = cursor.execute(_STARTED, {"thread": thread}).fetchall()
    order = {row["key"]: (row["began"], row["place"]) for row in found}
    heard: int = cursor.execute(_HEARD, {"key": key}).fetchone()["at_us"]

    def with_it(row: Any) -> bool:
        """Whether a call was proposed by the message that is gone, or made in a task that is."""
        return (
            row["call_id"] in together
            or task_of(row["checkpoint"]) in tasks
            or bool(known.checkpoint and row["checkpoint"] == known.checkpoint)
        )

    first = min([order.get(key, (heard, 0)), *(order[row["key"]] for row in found if with_it(row))])
    # Of a call that goes by a part first, the part and the rest have the effect.
    acted = [row for row in found if row["whole"] is None or journal.running(row)]
    later = sorted((row for row in acted if order[row["key"]] >= first), key=_effect)
    members = [
        Member(
            action=row["key"], tool=row["tool"], n=n, state=State(row["state"]), prepared=bool(row["prepared"]),
            running=journal.running(row), rest=row["rest"] or "",
        )
        for n, row in enumerate(later, 1)
    ]  # fmt: skip
    asked = cursor.execute(_WAITING, {"thread": thread}).fetchall()
    waiting = [row["key"] for row in asked if row["at_us"] >= min(heard, first[0]) or with_it(row)]
    at = cursor.execute(_FORKED, {"key": key}).fetchone()["at"]
    forked = at is not None and all(order[one.action][0] <= at for one in members)
    return Since(tuple(members), tuple(waiting), forked)


def _effect(row: Any) -> tuple[int, int]:
    """By what an action is ordered: its end where it can be undone, else its start, as in a scope."""
    by_end = row["prepared"] and row["ended"] is not None
    return (row["ended"], row["end"]) if by_end else (row["began"], row["place"])
