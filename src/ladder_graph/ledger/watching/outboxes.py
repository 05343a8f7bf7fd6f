"""Which outboxes actions have posted to, by the undo artifacts that were stored with them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, select

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.tables import rows, watch_rows

RESOURCE = "outbox:"
"""How the resource of an action starts that posts to an outbox."""

_action = table_of(rows.ActionRow)
_watch = table_of(watch_rows.WatchRow)
_POSTED = Sql.of(
    select(_watch.c.agent, _watch.c.tool, _action.c.artifact)
    .join(_action, _action.c.key == _watch.c.action)
    .where(and_(_watch.c.begun_us >= bindparam("since"), _watch.c.resource.like(bindparam("resource"))))
)


@dataclass(frozen=True, slots=True)
class Posted:
    """An outbox, and who posts to it."""

    agent: str
    tool: str
    directory: str


def posted(cursor: Cursor, since_us: int = 0) -> set[Posted]:
    """The outboxes that actions since a moment have posted to.

    Args:
        cursor: In a transaction.
        since_us: In microseconds since the epoch.
    """
    found = cursor.execute(_POSTED, {"since": since_us, "resource": f"{RESOURCE}%"}).fetchall()
    named = ((row["agent"], row["tool"], _directory(row["artifact"])) for row in found if row["artifact"])
    return {Posted(agent, tool, directory) for agent, tool, directory in named if directory is not None}


def _directory(artifact: str) -> str | None:
    """The outbox of an artifact; None where somebody's own undo only has such a name."""
    kept = json.loads(artifact)
    state = kept.get("state") if kept.get("kind") == "buffered" else None
    directory = state.get("directory") if isinstance(state, dict) else None
    return directory if isinstance(directory, str) else None
