"""The entries of several chains as one list, the latest first, a page at a time; and by what they are found.

| asked for | how it is found |
|---|---|
| one action | by the index of entries by action |
| a person | in `mention`, which is written with each entry that somebody made |
| a thread or a tool with few actions | by its actions |
| a kind that not every call leaves | by the index of those |
| a thread or a tool with many, an everyday kind, everything | along the chains; of 5,000 entries some will fit |

Whoever asks for the latest entries of a tool with many actions, and not for a page, gets what fits among the last 5,000
of each chain, and behind those what its actions say.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, literal_column, select, tuple_

from ladder_graph.answers import same
from ladder_graph.ledger.actions.questions import moment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.lists.pages import LOOKED, SIZE, Bound, Count, Key, Lane, Page, Paging, Row
from ladder_graph.ledger.lists.reading import Entry
from ladder_graph.ledger.tables import rows

_action, _entry, _head = (table_of(model) for model in (rows.ActionRow, rows.EntryRow, rows.HeadRow))
_mention, _payload = table_of(rows.MentionRow), table_of(rows.PayloadRow)

GATHERED = 1000
"""Actions of a tool up to which its entries are found by them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries."""

    action: str | None = None
    """The action's whole key."""
    tool: str | None = None
    thread: str | None = None
    person: str | None = None
    """Who made it, however they are written."""
    kind: str | None = None
    since_us: int | None = None
    """From this moment on."""
    until_us: int | None = None
    """Before this moment."""


def page(
    cursor: Cursor, streams: Sequence[str], wanted: Wanted, mark: str | None = None, size: int = SIZE
) -> Page[Entry]:
    """One page of the entries of some chains.

    Args:
        cursor: Of one snapshot.
        streams: The chains, by their agents.
        wanted: Which entries.
        mark: Where the page begins, as an earlier one gave it.
        size: Entries at most.
    """
    lanes = [(stream, lane) for stream in streams for lane in _lanes(cursor, stream, wanted)]
    fits = functools.partial(_fits, cursor, wanted)
    paging = Paging("entries", rising=False, since_us=wanted.since_us, until_us=wanted.until_us, fits=fits)
    found = paging.page(cursor, lanes, mark, size)
    count = _count(cursor, streams) if wanted == Wanted() else None
    return found.of([entry_of(cursor, row) for row in found.items], count)


def latest(cursor: Cursor, streams: Sequence[str], tool: str, limit: int, *, thread: str | None = None) -> list[Entry]:
    """The latest entries about a tool, newest last; however long the chains are, they are found by its actions.

    Args:
        cursor: Of one snapshot.
        streams: The chains, by their agents.
        tool: The tool.
        limit: Entries at most; as many rows are in memory, and not more than 5,000 beside them.
        thread: Only those of this LangGraph thread.
    """
    wanted = Wanted(tool=tool, thread=thread)
    lanes = [(stream, lane) for stream in streams for lane in _whole(cursor, stream, tool, thread)]
    rows = Paging("entries", rising=False).walk(cursor, lanes, None, limit, rising=False)
    fitting = (row for row in rows if _fits(cursor, wanted, row))
    return [entry_of(cursor, row) for row in itertools.islice(fitting, limit)][::-1]


def entry_of(cursor: Cursor, row: Row) -> Entry:
    """One entry, for people to read."""
    found, body = row.found, body_of(cursor, row)
    return Entry(
        agent=row.key.lane, n=int(row.key.id), at=moment(row.key.us), kind=found["kind"], action=found["action"],
        body=body, hash=found["hash"], tool=found["tool"] or str(body.get("tool", "")),
        thread=found["thread"] or str(body.get("thread", "")),
    )  # fmt: skip


def _fits(cursor: Cursor, wanted: Wanted, row: Row) -> bool:
    """Whether an entry is wanted, whichever way it was found."""
    found = row.found
    for name in ("kind", "thread", "action"):
        asked = getattr(wanted, name)
        if asked is not None and found[name] != asked:
            return False
    if wanted.tool in {None, found["tool"]}:
        return True
    if found["action"] or found["sort"] is None:
        return False  # Those about a tool and no single action come from `mention`.
    return found["sort"] == "tool" or body_of(cursor, row).get("tool") == wanted.tool


def body_of(cursor: Cursor, row: Row) -> dict[str, Any]:
    """What an entry says; empty once it was erased."""
    found = cursor.execute(BODY, {"stream": row.key.lane, "n": row.key.id}).fetchone()
    said: dict[str, Any] = {} if found is None or found["body"] is None else json.loads(found["body"])
    return said


def _count(cursor: Cursor, streams: Sequence[str]) -> Count:
    lengths = (cursor.execute(HEAD, {"stream": stream}).fetchone() for stream in streams)
    return Count(sum(found["n"] for found in lengths if found is not None), exact=True)


# --- where the rows come from -------------------------------------------------------------------------------------


def _lanes(cursor: Cursor, stream: str, wanted: Wanted) -> list[Lane]:
    """The narrowest way to the entries of one chain."""
    if wanted.action is not None:
        return [_reading("action", stream, action=wanted.action)]
    if wanted.person is not None:
        return [_reading("mention", stream, sort="person", name=same(wanted.person))]
    if wanted.thread is not None:
        few = _few(cursor, "thread", stream, wanted.thread)
        return [_reading("thread", stream, thread=wanted.thread) if few else _reading("chain", stream)]
    if wanted.tool is not None:
        few = _few(cursor, "tool", stream, wanted.tool)
        of_calls = _reading("tool", stream, tool=wanted.tool) if few else _reading("chain", stream)
        return [_reading("mention", stream, sort="tool", name=wanted.tool), of_calls]
    if wanted.kind is not None and wanted.kind not in rows.EVERYDAY:
        return [_reading("kind", stream, kind=wanted.kind)]
    return [_reading("chain", stream)]


def _reading(source: str, stream: str, **named: str) -> Lane:
    def lane(cursor: Cursor, bound: Bound) -> list[Row]:
        given = {"stream": stream, "us": bound.us, "n": bound.id, "limit": bound.limit, **named}
        found = cursor.execute(statement(source, rising=bound.rising), given).fetchall()
        return [Row(Key(row["at_us"], stream, row["n"]), row) for row in found]

    return lane


def _whole(cursor: Cursor, stream: str, tool: str, thread: str | None) -> list[Lane]:
    """The ways to all entries of one chain about a tool, or to those of a thread with few actions."""
    if thread is not None and _few(cursor, "thread", stream, thread):
        return [_reading("thread", stream, thread=thread)]
    by_actions = _reading("tool", stream, tool=tool)
    gathered = by_actions if _few(cursor, "tool", stream, tool) else _at_the_end_first(stream, tool, by_actions)
    return [_reading("mention", stream, sort="tool", name=tool), gathered]


def _at_the_end_first(stream: str, tool: str, by_actions: Lane) -> Lane:
    """What fits among the entries behind a bound, as far as is looked for one page, and then the tool's actions."""
    chain = _reading("chain", stream)

    def lane(cursor: Cursor, bound: Bound) -> list[Row]:
        looked = chain(cursor, replace(bound, limit=LOOKED))
        near = [row for row in looked if row.found["tool"] == tool][: bound.limit]
        if len(near) == bound.limit or len(looked) < LOOKED:
            return near
        last, left = looked[-1].key, bound.limit - len(near)
        return [*near, *by_actions(cursor, Bound(last.us, last.id, bound.rising, left))]

    return lane


def _few(cursor: Cursor, sort: str, stream: str, name: str) -> bool:
    """Whether there are so few actions of a tool, or of a thread, that their entries are gathered."""
    return len(cursor.execute(FEW[sort], {"stream": stream, "name": name}).fetchall()) <= GATHERED


HEAD = Sql.of(select(_head.c.n).where(_head.c.stream == bindparam("stream")))
BODY = Sql.of(
    select(_payload.c.body)
    .join(_entry, _entry.c.payload == _payload.c.hash)
    .where(_entry.c.stream == bindparam("stream"), _entry.c.n == bindparam("n"))
)


def _written_out(column: ColumnElement[str]) -> ColumnElement[str]:
    """A column in such a form that no index of it is used, as `_bare` does for numbers."""
    return column.concat(literal_column("''"))


def _of_agent(by: str) -> ColumnElement[bool]:
    """Whose an action is; of a thread all are looked at, since it has fewer than its agent."""
    whose = _written_out(_action.c.agent) if by == "thread" else _action.c.agent
    return whose == bindparam("stream")


FEW = {
    name: Sql.of(
        select(literal_column("1")).where(_of_agent(name), _action.c[name] == bindparam("name")).limit(GATHERED + 1)
    )
    for name in ("tool", "thread")
}
"""Actions of a tool, or of a thread, as many as are gathered, and one more."""


@functools.cache
def statement(source: str, *, rising: bool) -> Sql:
    """How rows of one chain are read behind a bound.

    Args:
        source: The way: chain, kind, action, mention, thread or tool.
        rising: Towards later moments.
    """
    table = _mention if source == "mention" else _entry
    at_us: ColumnElement[int] = table.c.at_us
    if source in {"action", "thread", "tool"}:
        # Without its index: what belongs to these few actions is sorted, and not looked for along the chain.
        at_us = _bare(at_us)
    bound = tuple_(bindparam("us", type_=BigInteger), bindparam("n", type_=BigInteger))
    behind = tuple_(at_us, table.c.n) > bound if rising else tuple_(at_us, table.c.n) < bound
    order = (at_us, table.c.n) if rising else (at_us.desc(), table.c.n.desc())
    query = _columns(source).where(behind).order_by(*order).limit(bindparam("limit", type_=BigInteger))
    return Sql.of(query)


def _columns(source: str) -> Select[Any]:
    """One way's tables, without the bound."""
    sort = _mention.c.sort if source == "mention" else literal_column("NULL").label("sort")
    found = select(
        _entry.c.at_us,
        _entry.c.n,
        _entry.c.kind,
        _entry.c.action,
        _action.c.tool,
        _action.c.thread,
        _entry.c.hash,
        sort,
    )
    stream: ColumnElement[str] = bindparam("stream")
    if source in {"thread", "tool"}:
        # Of the same call a shadow may have written in a chain of its own.
        named = _action.c.thread if source == "thread" else _action.c.tool
        return found.join(_action, _action.c.key == _entry.c.action).where(
            _of_agent(source), named == bindparam(source), _written_out(_entry.c.stream) == stream
        )  # fmt: skip
    if source == "mention":
        mine = and_(
            _mention.c.stream == stream, _mention.c.sort == bindparam("sort"), _mention.c.name == bindparam("name")
        )
        entry = and_(_entry.c.stream == _mention.c.stream, _entry.c.n == _mention.c.n)
        return found.select_from(
            _mention.join(_entry, entry).outerjoin(_action, _action.c.key == _entry.c.action)
        ).where(mine)
    found = found.select_from(_entry.outerjoin(_action, _action.c.key == _entry.c.action)).where(
        _entry.c.stream == stream
    )
    if source == "kind":
        return found.where(_entry.c.kind == bindparam("kind"), rows.RARE)
    return found.where(_entry.c.action == bindparam("action")) if source == "action" else found


def _bare(column: ColumnElement[int]) -> ColumnElement[int]:
    """A column in such a form that no index of it is used."""
    return column + literal_column("0")
