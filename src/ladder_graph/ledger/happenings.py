"""The chain of one agent, entry by entry, for the rules of trust. It is read in flat memory, however long it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import bindparam, literal_column, select

from ladder_graph.ledger import rows
from ladder_graph.ledger.dialects import Sql, table_of
from ladder_graph.trust.deeds import Happening

_entry, _payload = table_of(rows.EntryRow), table_of(rows.PayloadRow)
CHAIN = Sql.of(
    select(_entry.c.at_us, _entry.c.kind, _entry.c.action, _payload.c.body)
    .outerjoin(_payload, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.stream == bindparam("stream"), _entry.c.n <= bindparam("until"))
    .order_by(_entry.c.n)
)

FIRST = Sql.of(select(_entry.c.at_us).where(_entry.c.stream == bindparam("stream"), _entry.c.n == literal_column("1")))
BARE = frozenset({"done", "failed", "unknown", "undone", "undo_conflict", "undo_failed"})
"""Kinds of which trust needs no more than that it was so, and when."""

ALL = 2**31 - 1
"""The number of the last entry that a chain can have: PostgreSQL takes none that is larger."""


def happenings(connection: Any, agent: str, until: int = ALL) -> Iterator[Happening]:
    """The entries of an agent's chain, in their order.

    Args:
        connection: As `Store.scan` gives it.
        agent: Whose.
        until: The number of the last one.
    """
    for at_us, kind, action, body in connection.execute(CHAIN, {"stream": agent, "until": until}):
        yield Happening(agent, at_us, kind, action, {} if body is None or kind in BARE else json.loads(body))


def first_us(connection: Any, agent: str) -> int | None:
    """When the chain of an agent began, in microseconds since the epoch; None where it has none.

    Args:
        connection: As `Store.scan` gives it.
        agent: Whose.
    """
    found = next(iter(connection.execute(FIRST, {"stream": agent})), None)
    return None if found is None else int(found[0])
