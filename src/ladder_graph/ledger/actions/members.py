"""Which scope a call belongs to: one row for each call, written with its question or its claim."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.ledger.database.cursor import Cursor, Read
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.tables.saga_rows import MemberRow, SagaRow
from ladder_graph.ledger.tables.watch_rows import WatchRow

_member, _saga, _watch = table_of(MemberRow), table_of(SagaRow), table_of(WatchRow)
_OF = Sql.of(
    select(_member.c.saga, _member.c.root, _member.c.n, _member.c.came).where(_member.c.action == bindparam("action"))
)
_put = insert(_member).values({column.name: bindparam(column.name) for column in _member.columns})
_PUT = Sql.of(
    _put.on_conflict_do_update(
        index_elements=["action"],
        set_={name: _put.excluded[name] for name in ("saga", "root", "n")},
        # What was started once keeps its place, whoever starts it over.
        where=_member.c.n.is_(None),
    )
)
_LAST = Sql.of(
    update(_saga)
    .where(_saga.c.id == bindparam("root"), _saga.c.steps > bindparam("n"))
    .where(select(_watch.c.action).where(_watch.c.action == bindparam("action")).exists())
    .values(steps=_saga.c.steps + 1)
    .returning(_saga.c.steps)
)
"""The next place, where others were given one since, and the action has an undo and so a window."""
_PLACE = Sql.of(update(_member).where(_member.c.action == bindparam("b_action")).values(n=bindparam("n")))


@dataclass(frozen=True, slots=True)
class Membership:
    """Where a call belongs."""

    saga: str
    root: str
    n: int | None
    """Its place in the order of the effects; None as long as it only waits for an answer."""
    came: str
    """What came of its undo; empty before."""


def of(cursor: Cursor, action: str) -> Membership | None:
    """The scope of an action; None where it belongs to none."""
    row = cursor.execute(*reading(action)).fetchone()
    return None if row is None else Membership(row["saga"], row["root"], row["n"], row["came"])


def reading(action: str) -> Read:
    """The query that `of` makes, to be asked ahead."""
    return _OF, {"action": action}


def put(cursor: Cursor, action: str, saga: str, root: str, n: int | None) -> None:
    """Write down that an action belongs to a scope; one that was started there stays where it is."""
    cursor.execute(_PUT, {"action": action, "saga": saga, "root": root, "n": n, "came": "", "text": ""})


def took_effect(cursor: Cursor, action: str) -> None:
    """A call has run, after those that ended while it did: where it can be undone, it is undone before them.

    What has no undo keeps the place of its start: of what hadn't ended by then, nothing was before it.
    """
    known = of(cursor, action)
    if known is None or known.n is None:
        return
    last = cursor.execute(_LAST, {"root": known.root, "n": known.n, "action": action}).fetchone()
    if last is not None:
        cursor.execute(_PLACE, {"b_action": action, "n": last["steps"]})


def inherit(cursor: Cursor, before: str, after: str) -> None:
    """The call that goes on in another's place belongs where that one did."""
    known = of(cursor, before)
    if known is not None:
        put(cursor, after, known.saga, known.root, None)
