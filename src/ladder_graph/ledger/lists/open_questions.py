"""Open questions as one list, the one that expires soonest first: a page of them, where one stands, how many wait."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Select, Table, bindparam, func, literal_column, select, tuple_

from ladder_graph.facts import Question
from ladder_graph.ledger.actions import questions
from ladder_graph.ledger.actions.lifecycle import call_of
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.lists.pages import COUNTED, SIZE, Bound, Count, Key, Lane, Page, Paging, Row, tools_by
from ladder_graph.ledger.tables import rows

_question: Table = table_of(rows.QuestionRow)


@dataclass(frozen=True, slots=True)
class Waits:
    """Which open questions."""

    tool: str | None = None
    """Only this tool's."""
    tools: Callable[[str], bool] | None = None
    """Only those of tools for which this holds."""
    fits: Callable[[tuple[Any, ...]], bool] | None = None
    """Only those whose columns of `TERMS` are like this."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one question stands among those that wait."""

    ahead: Count
    """How many expire before it."""
    count: Count
    """How many wait, itself included while it is open."""
    previous: str | None
    """The id of the one before it."""
    next: str | None
    """The id of the one after it."""

    def __str__(self) -> str:
        position = Count(self.ahead.least + 1, self.ahead.exact)
        return f"{position} of {self.count}"


EVERY = Waits()
"""All of them."""


def page(
    cursor: Cursor, agents: Sequence[str], waits: Waits = EVERY, mark: str | None = None, size: int = SIZE
) -> Page[Question]:
    """One page of the open questions of some agents.

    Args:
        cursor: Of one snapshot.
        agents: Whose.
        waits: Which of them.
        mark: Where the page begins, as an earlier one gave it.
        size: Questions at most.
    """
    found = _paging(waits).page(cursor, _lanes(cursor, agents, waits), mark, size)
    items = [question_at(cursor, row.key.id) for row in found.items]
    if mark is None and waits.fits is not None and (found.next is None or found.looked_us is not None):
        known = Count(len(found.items), exact=found.next is None)  # All of them were looked at, or enough.
    else:
        known = count(cursor, agents, waits)
    return found.of([one for one in items if one is not None], known)


def count(cursor: Cursor, agents: Sequence[str], waits: Waits = EVERY) -> Count:
    """How many wait; up to a thousand of them are counted."""
    return _counted(cursor, agents, waits, None)


def place(cursor: Cursor, agents: Sequence[str], question: str, waits: Waits = EVERY) -> Place | None:
    """Where a question stands among the open ones, also once it isn't open any more; None where there is none.

    Args:
        cursor: Of one snapshot.
        agents: Whose questions they are.
        question: Its id.
        waits: Which of them count.
    """
    row = cursor.execute(BY_ID, {"id": question}).fetchone()
    if row is None:
        return None
    key, lanes, paging = Key(row["expires_us"], row["agent"], row["id"]), _lanes(cursor, agents, waits), _paging(waits)
    after, before = (
        next((str(one.key.id) for one in paging.behind(cursor, lanes, key, rising=rising)), None)
        for rising in (True, False)
    )
    ahead = _counted(cursor, agents, waits, key)
    return Place(ahead, count(cursor, agents, waits), before, after)


def question_at(cursor: Cursor, question: int | str) -> Question | None:
    """One question by its whole id, whatever became of it."""
    row = cursor.execute(BY_ID, {"id": question}).fetchone()
    action = None if row is None else cursor.execute(sql.ACTION, {"key": row["action"]}).fetchone()
    if action is None:
        return None
    return questions.question_of(row, call_of(action), action["why"], questions.votes(cursor, row))


def _paging(waits: Waits) -> Paging:
    fits = waits.fits
    return Paging(
        "questions",
        rising=True,
        text_ids=True,
        fits=None if fits is None else lambda row: fits(tuple(row.found)[-len(TERMS) :]),
    )


def _lanes(cursor: Cursor, agents: Sequence[str], waits: Waits) -> list[tuple[str, Lane]]:
    """The open questions of each agent, and only of the tools that are asked for."""
    if waits.tool is None and waits.tools is None:
        return [(agent, _reading(agent, None)) for agent in agents]
    return [(agent, _reading(agent, tool)) for agent in agents for tool in _wanted(cursor, agent, waits)]


def _wanted(cursor: Cursor, agent: str, waits: Waits) -> list[str]:
    named = [waits.tool] if waits.tool is not None else tools_of(cursor, agent)
    return [tool for tool in named if waits.tools is None or waits.tools(tool)]


def tools_of(cursor: Cursor, agent: str) -> list[str]:
    """The tools of an agent that questions are open about: one look into the index for each."""
    return tools_by(cursor, NEXT_TOOL, agent)


def _reading(agent: str, tool: str | None) -> Lane:
    def lane(cursor: Cursor, bound: Bound) -> list[Row]:
        given = {"agent": agent, "us": bound.us, "id": bound.id, "limit": bound.limit, "tool": tool}
        found = cursor.execute(statement(of_tool=tool is not None, rising=bound.rising), given).fetchall()
        return [Row(Key(row["expires_us"], agent, row["id"]), row) for row in found]

    return lane


def _counted(cursor: Cursor, agents: Sequence[str], waits: Waits, before: Key | None) -> Count:
    """How many there are, or how many stand before a key."""
    total, exact, paging = 0, True, _paging(waits)
    narrow = waits.tool is not None or waits.tools is not None
    for agent in agents:
        for tool in _wanted(cursor, agent, waits) if narrow else [None]:
            bound = paging.bound(agent, before, rising=False)
            given = {"agent": agent, "tool": tool, "us": bound.us, "id": bound.id}
            alike = cursor.execute(counting(of_tool=tool is not None), given).fetchall()
            looked = sum(row["found"] for row in alike)
            fitting = sum(row["found"] for row in alike if waits.fits is None or waits.fits(tuple(row)[: len(TERMS)]))
            # Of more than are counted it isn't known whether they fit, where all that were counted don't.
            total, exact = total + fitting, exact and (looked <= COUNTED or looked == fitting)
            if total > COUNTED:
                return Count.of(total)
    return Count(total, exact)


def _open(query: Select[Any], *, of_tool: bool) -> Select[Any]:
    query = query.where(_question.c.agent == bindparam("agent"), _question.c.state == literal_column("'open'"))
    return query.where(_question.c.tool == bindparam("tool")) if of_tool else query


TERMS = ("may_answer", "impact", "quorum", "not_requester", "requester", "requester_auth", "passed_to")
"""The columns of a question by which it is told who may say yes."""
_COLUMNS = [_question.c[name] for name in TERMS]
_KEY = tuple_(_question.c.expires_us, _question.c.id)
_BOUND = tuple_(bindparam("us", type_=BigInteger), bindparam("id"))


@functools.cache
def statement(*, of_tool: bool, rising: bool) -> Sql:
    """How the open questions of an agent are read behind a bound.

    Args:
        of_tool: Only those of one tool.
        rising: Towards those that expire later.
    """
    order = (_question.c.expires_us, _question.c.id)
    query = _open(select(_question.c.expires_us, _question.c.id, *_COLUMNS), of_tool=of_tool).where(
        _KEY > _BOUND if rising else _KEY < _BOUND
    )
    query = query.order_by(*(order if rising else (column.desc() for column in order)))
    return Sql.of(query.limit(bindparam("limit", type_=BigInteger)))


@functools.cache
def counting(*, of_tool: bool) -> Sql:
    """How they are counted, up to one more than is counted: how many there are on the same terms."""
    some = (
        _open(select(*_COLUMNS), of_tool=of_tool)
        .where(_KEY < _BOUND)
        .order_by(_question.c.expires_us, _question.c.id)
        .limit(COUNTED + 1)
        .subquery()
    )
    terms = [some.c[name] for name in TERMS]
    return Sql.of(select(*terms, func.count().label("found")).group_by(*terms))


BY_ID = Sql.of(select(_question).where(_question.c.id == bindparam("id")))
NEXT_TOOL = Sql.of(
    select(func.min(_question.c.tool))
    .where(_question.c.agent == bindparam("agent"), _question.c.state == literal_column("'open'"))
    .where(_question.c.tool > bindparam("tool"))
)
