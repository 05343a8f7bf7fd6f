"""Actions as one list, the latest first, a page at a time: of some agents, of one tool, or in one state."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, bindparam, func, select, tuple_

from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.lists.pages import SIZE, Bound, Key, Lane, Page, Paging, Row, tools_by
from ladder_graph.ledger.lists.reading import Action, action_in
from ladder_graph.ledger.tables import rows
from ladder_graph.states import State

_action = table_of(rows.ActionRow)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which actions."""

    tool: str | None = None
    state: State | None = None
    """Only those that are in this state now: the one that came to it last is the first."""


def page(
    cursor: Cursor, agents: Sequence[str], sought: Sought, mark: str | None = None, size: int = SIZE
) -> Page[Action]:
    """One page of the actions of some agents.

    Args:
        cursor: Of one snapshot.
        agents: Whose.
        sought: Which of them.
        mark: Where the page begins, as an earlier one gave it.
        size: Actions at most.
    """
    lanes = [(agent, lane) for agent in agents for lane in _lanes(cursor, agent, sought)]
    tool = sought.tool
    found = Paging(
        f"actions {sought.state or ''}", rising=False, text_ids=True,
        fits=None if tool is None else lambda row: row.found["tool"] == tool,
    ).page(cursor, lanes, mark, size)  # fmt: skip
    return found.of([_read(cursor, row) for row in found.items])


def _read(cursor: Cursor, row: Row) -> Action:
    return action_in(cursor.execute(sql.ACTION, {"key": row.key.id}).fetchone())


def tools_of(cursor: Cursor, agent: str) -> list[str]:
    """The tools that an agent has called: one look into the index for each."""
    return tools_by(cursor, NEXT_TOOL, agent)


def _lanes(cursor: Cursor, agent: str, sought: Sought) -> list[Lane]:
    if sought.state is not None:
        return [_reading(agent, "state", str(sought.state))]
    tools = tools_of(cursor, agent) if sought.tool is None else [sought.tool]
    return [_reading(agent, "tool", tool) for tool in tools]


def _reading(agent: str, by: str, named: str) -> Lane:
    def lane(cursor: Cursor, bound: Bound) -> list[Row]:
        given = {"agent": agent, "named": named, "us": bound.us, "key": bound.id, "limit": bound.limit}
        found = cursor.execute(statement(by, rising=bound.rising), given).fetchall()
        return [Row(Key(row["us"], agent, row["key"]), row) for row in found]

    return lane


@functools.cache
def statement(by: str, *, rising: bool) -> Sql:
    """How the actions of an agent are read behind a bound.

    Args:
        by: tool or state.
        rising: Towards later moments.
    """
    us = _action.c.at_us if by == "tool" else _action.c.updated_us
    at, bound = tuple_(us, _action.c.key), tuple_(bindparam("us", type_=BigInteger), bindparam("key"))
    query = (
        select(us.label("us"), _action.c.key, _action.c.tool)
        .where(_action.c.agent == bindparam("agent"), _action.c[by] == bindparam("named"))
        .where(at > bound if rising else at < bound)
        .order_by(*((us, _action.c.key) if rising else (us.desc(), _action.c.key.desc())))
    )
    return Sql.of(query.limit(bindparam("limit", type_=BigInteger)))


NEXT_TOOL = Sql.of(
    select(func.min(_action.c.tool))
    .where(_action.c.agent == bindparam("agent"))
    .where(_action.c.tool > bindparam("tool"))
)
