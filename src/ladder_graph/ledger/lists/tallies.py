"""How much there is, counted up to a thousand, and whose: what every page of a console asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, or_, select

from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.lists.pages import COUNTED, Count
from ladder_graph.ledger.tables import draft_rows, report_rows, rows

_head, _draft, _digest = (table_of(model) for model in (rows.HeadRow, draft_rows.DraftRow, report_rows.DigestRow))

CHAINS = Sql.of(
    select(_head.c.stream).where(
        or_(
            _head.c.stream == bindparam("agent"),
            func.substr(_head.c.stream, 1, func.length(bindparam("inside"))) == bindparam("inside"),
        )
    )
)


def _few(query: Select[Any]) -> Sql:
    return Sql.of(select(func.count()).select_from(query.limit(COUNTED + 1).subquery()))


_one: ColumnElement[int] = literal_column("1")
DRAFTS = _few(select(_one).where(_draft.c.agent == bindparam("agent"), _draft.c.state == literal_column("'waiting'")))
UNREAD = _few(
    select(_one)
    .where(_digest.c.agent == bindparam("agent"), _digest.c.ends_us <= bindparam("now"))
    .where(_digest.c.state.in_([literal_column(f"'{state}'") for state in ("gathering", "closed", "unread")]))
)
OVERDUE = _few(
    select(_one)
    .where(_digest.c.agent == bindparam("agent"), _digest.c.due_us <= bindparam("now"))
    .where(_digest.c.state.in_([literal_column(f"'{state}'") for state in ("gathering", "closed", "unread")]))
)


def chains(cursor: Cursor, agent: str) -> list[str]:
    """The agents that have a chain, of one and those inside it.

    Args:
        cursor: Of one snapshot.
        agent: Such as `ops`, for `ops/research` too.
    """
    found = cursor.execute(CHAINS, {"agent": agent, "inside": f"{agent}/"}).fetchall()
    return sorted(row[0] for row in found)


def length(cursor: Cursor, agent: str) -> int:
    """How many entries the chain of an agent has."""
    found = cursor.execute(sql.HEAD, {"stream": agent}).fetchone()
    return 0 if found is None else int(found[0])


def drafts(cursor: Cursor, agents: Sequence[str]) -> Count:
    """How many drafts wait."""
    return _counted(cursor, DRAFTS, agents)


def unread(cursor: Cursor, agents: Sequence[str], now_us: int) -> Count:
    """How many reports wait to be read: those whose period is over."""
    return _counted(cursor, UNREAD, agents, now=now_us)


def overdue(cursor: Cursor, agent: str, now_us: int) -> Count:
    """How many reports on an agent nobody has read in time."""
    return _counted(cursor, OVERDUE, [agent], now=now_us)


def _counted(cursor: Cursor, query: Sql, agents: Sequence[str], **given: int) -> Count:
    total = 0
    for agent in agents:
        total += cursor.execute(query, {"agent": agent, **given}).fetchone()[0]
        if total > COUNTED:
            break
    return Count.of(total)
