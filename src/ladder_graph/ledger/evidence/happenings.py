"""The chain of one agent, entry by entry, for the rules of trust. It is read in flat memory, however long it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import bindparam, literal_column, select

from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.evidence.remnants import remnants
from ladder_graph.ledger.tables import rows
from ladder_graph.trust.deeds import Happening

_entry, _head, _payload = (table_of(model) for model in (rows.EntryRow, rows.HeadRow, rows.PayloadRow))
CHAIN = Sql.of(
    select(_entry.c.at_us, _entry.c.kind, _entry.c.action, _entry.c.payload, _payload.c.body)
    .outerjoin(_payload, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.stream == bindparam("stream"), _entry.c.n <= bindparam("until"), _entry.c.n > bindparam("since"))
    .order_by(_entry.c.n)
)

FIRST = Sql.of(select(_entry.c.at_us).where(_entry.c.stream == bindparam("stream"), _entry.c.n == literal_column("1")))
HEAD = Sql.of(select(_head.c.n, _head.c.hash).where(_head.c.stream == bindparam("stream")))
HASH = Sql.of(select(_entry.c.hash).where(_entry.c.stream == bindparam("stream"), _entry.c.n == bindparam("n")))
BARE = frozenset({"done", "failed", "unknown", "undone", "undo_conflict", "undo_failed"})
"""Kinds of which trust needs no more than that it was so, and when; but for what says that it was `UNTOUCHED`."""
UNTOUCHED = '"untouched"'
"""A name in JSON, as nothing but that name is written."""

ALL = 2**31 - 1
"""The number of the last entry that a chain can have: PostgreSQL takes none that is larger."""


def happenings(connection: Any, agent: str, until: int = ALL, since: int = 0) -> Iterator[Happening]:
    """The entries of an agent's chain, in their order.

    Args:
        connection: As `Store.scan` gives it.
        agent: Whose.
        until: The number of the last one.
        since: The number of the one before the first.
    """
    kept = remnants(connection, agent)
    found = connection.execute(CHAIN, {"stream": agent, "until": until, "since": since})
    for at_us, kind, action, payload, body in found:
        if body is None:
            said = kept.get(payload, {})
        else:
            said = {} if kind in BARE and UNTOUCHED not in body else json.loads(body)
        yield Happening(agent, at_us, kind, action, said)


def first_us(connection: Any, agent: str) -> int | None:
    """When the chain of an agent began, in microseconds since the epoch; None where it has none.

    Args:
        connection: As `Store.scan` gives it.
        agent: Whose.
    """
    found = next(iter(connection.execute(FIRST, {"stream": agent})), None)
    return None if found is None else int(found[0])


def head_of(connection: Any, agent: str) -> tuple[int, str]:
    """Where the chain of an agent ends: number and hash of its last entry; 0 and nothing where it has none.

    Args:
        connection: As `Store.scan` gives it.
        agent: Whose.
    """
    found = next(iter(connection.execute(HEAD, {"stream": agent})), None)
    return (0, "") if found is None else (int(found[0]), str(found[1]))


def hash_of(connection: Any, agent: str, n: int) -> str:
    """The hash of one entry; empty where there is none.

    Args:
        connection: As `Store.scan` gives it.
        agent: Whose chain.
        n: The entry's number.
    """
    found = next(iter(connection.execute(HASH, {"stream": agent, "n": n})), None)
    return "" if found is None else str(found[0])
