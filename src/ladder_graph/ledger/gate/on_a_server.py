"""The everyday claim and record as one statement of PostgreSQL, which makes the hash of the entry by itself."""
# ruff: noqa: S608  # the statements are made of the tables' own names, and every value is bound

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import psycopg as postgres

from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.dialects import table_of
from ladder_graph.ledger.tables import rows
from ladder_graph.states import State

_DIALECT: Any = postgres.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's


def _bound(table: Table, **other: str) -> str:
    """The parameters of a whole row, or what stands in their place, in the order of its columns."""
    typed = {column.name: column.type.compile(dialect=_DIALECT) for column in table.columns}
    return ", ".join(other.get(name, f"%({name})s::{kind}") for name, kind in typed.items())


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _insert(model: Any, source: str, **other: str) -> str:
    table = table_of(model)
    return f"INSERT INTO {table.name} ({_columns(table)}) SELECT {_bound(table, **other)} FROM {source}"


_HASHED = '\'["lg1","\' || {0}.hash || %(middle)s::text || ({0}.n + 1)::text || %(ending)s::text'
_NEXT = "{0}.n + 1 AS n, {0}.hash AS prev, encode(sha256(convert_to(" + _HASHED + ", 'UTF8')), 'hex') AS hash"
"""The entry that follows the end of a chain."""


def _chained(kind: State) -> str:
    """Write an entry, its payload and the new end of its chain, where `entered` has a row."""
    entry = _insert(
        rows.EntryRow, "entered", stream="%(agent)s::varchar", n="entered.n", prev="entered.prev", hash="entered.hash",
        kind=f"'{kind}'", action="%(key)s::varchar",
    )  # fmt: skip
    return (
        f"said AS ({_insert(rows.PayloadRow, 'entered', hash='%(payload)s::varchar')}), chained AS ({entry}), "
        "headed AS (UPDATE head SET n = entered.n, hash = entered.hash FROM entered WHERE head.stream = %(agent)s)"
    )


_FITS = (
    'quota.quota = wanted.quota AND quota."window" = wanted."window" '
    "AND quota.used + quota.reserved + wanted.amount <= wanted.lim AND NOT EXISTS (SELECT FROM quota AS later "
    'WHERE later.quota = wanted.quota AND later."window" > wanted."window")'
)
"""What is wanted of a counter is left in the window that it is in."""


def _drawing(charges: int) -> str:
    """Draw on all counters that are wanted, or on none.

    Others of the same lane wait, so that what fits still does when it is drawn. Should another lane have come in
    between, the division ends the transaction, and it is done again.
    """
    wanted = ", ".join(
        f"(%(quota_{at})s::varchar, %(window_{at})s::bigint, %(amount_{at})s::bigint, %(lim_{at})s::bigint)"
        for at in range(charges)
    )
    return (
        f'wanted (quota, "window", amount, lim) AS (VALUES {wanted}), '
        "drawn AS (UPDATE quota SET reserved = quota.reserved + wanted.amount, lim = wanted.lim FROM wanted "
        f"WHERE {_FITS} AND EXISTS (SELECT FROM free) "
        + (f"AND (SELECT count(*) FROM quota JOIN wanted ON {_FITS}) = {charges} " if charges > 1 else "")
        + "RETURNING 1), "
    )


def claiming(charges: int, *, seen: bool) -> str:
    """The claim that draws on so many counters, and looks again at what the route was found by."""
    whole = f"1 / CASE (SELECT count(*) FROM drawn) WHEN {charges} THEN 1 WHEN 0 THEN -1 ELSE 0 END = 1"
    hold = _insert(rows.HoldRow, "entered, wanted", action="%(key)s::varchar", **{
        name: f'wanted."{name}"' for name in ("quota", "window", "amount")
    })  # fmt: skip
    return (
        "WITH free AS MATERIALIZED (SELECT head.n, head.hash FROM head WHERE head.stream = %(agent)s::varchar "
        f"AND NOT EXISTS (SELECT FROM action WHERE action.key = %(key)s::varchar){_again() if seen else ''}), "
        + (_drawing(charges) if charges else "")
        + f"entered AS MATERIALIZED (SELECT {_NEXT.format('free')} FROM free{f' WHERE {whole}' if charges else ''}), "
        + _chained(State.STARTED)
        + (f", held AS ({hold})" if charges else "")
        + f" {_insert(rows.ActionRow, 'entered')} RETURNING (SELECT entered.n FROM entered)"
    )


def _again() -> str:
    """Whether what the route was found by still stands: the chain has no new entry, or another look sees the same."""
    look = sql.LOOK_AGAIN.postgres.replace("%(env)s", "%(environment)s")
    mark = "coalesce(seen.held, '') || chr(31) || coalesce(seen.pinned, '')"
    return (
        " AND NOT EXISTS (SELECT FROM action WHERE action.thread = %(thread)s::varchar "
        "AND action.digest = %(digest)s::varchar) AND (head.n = %(seen_end)s::bigint OR EXISTS ("
        f"SELECT FROM ({look}) AS seen WHERE seen.overdue IS NULL "
        f"AND %(mark)s::text = encode(sha256(convert_to({mark}, 'UTF8')), 'hex')))"
    )


RECORD = (
    "WITH ending AS MATERIALIZED (SELECT head.n, head.hash FROM head WHERE head.stream = %(agent)s::varchar), "
    f"moved AS (UPDATE action SET state = '{State.DONE}', updated_us = %(at_us)s::bigint, text = %(text)s::varchar, "
    "reply = coalesce(%(reply)s::bytea, reply) WHERE action.key = %(key)s::varchar AND action.fence = %(fence)s::int "
    f"AND action.state = '{State.STARTED}' AND action.artifact IS NULL AND EXISTS (SELECT FROM ending) RETURNING 1), "
    f"entered AS MATERIALIZED (SELECT {_NEXT.format('ending')} FROM ending, moved), {_chained(State.DONE)}, "
    "settled AS (UPDATE quota SET used = quota.used + hold.amount, reserved = quota.reserved - hold.amount "
    'FROM hold, moved WHERE hold.action = %(key)s AND hold.quota = quota.quota AND hold."window" = quota."window"), '
    "dropped AS (DELETE FROM hold USING moved WHERE hold.action = %(key)s) SELECT n FROM entered"
)
