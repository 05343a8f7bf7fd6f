"""What each cell holds: one row that the gate reads, changed together with the entry that says why."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.facts import Person
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables import rows, standing_rows
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.held import Event, Held, step

_table = table_of(standing_rows.StandingRow)
OF_TOOL = Sql.of(
    select(_table.c.scope, _table.c.env, _table.c.held)
    .where(_table.c.agent == bindparam("agent"), _table.c.tool == bindparam("tool"))
)  # fmt: skip
_entry = table_of(rows.EntryRow)
DEMOTED = Sql.of(
    select(_entry.c.n)
    .where(_entry.c.action == bindparam("action"), _entry.c.kind == literal_column("'demoted'"))
    .limit(1)
)
_put = insert(_table).values({column.name: bindparam(column.name) for column in _table.columns})
PUT = Sql.of(
    _put.on_conflict_do_update(
        index_elements=["agent", "tool", "scope", "env"], set_={name: _put.excluded[name] for name in ("held", "at_us")}
    )
)


def of_tool(cursor: Cursor, agent: str, tool: str) -> dict[CellKey, Held]:
    """All rows of one tool, those for all scopes or environments among them."""
    found = cursor.execute(OF_TOOL, {"agent": agent, "tool": tool}).fetchall()
    return {CellKey(agent, tool, scope, env): Held.read(held) for scope, env, held in found}


def take(
    journal: Journal, cursor: Cursor, event: Event, action: str = "", by: Person | None = None, **more: Any
) -> bool:
    """Take a step up or down, in each row that it is for, and write it down.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        event: The step.
        action: The action that led to it.
        by: Who did it, where it was a person.
        more: What else the entry says, such as the certificate of a promotion.

    Returns:
        Whether anything changed.
    """
    cell = event.cell
    before = of_tool(cursor, cell.agent, cell.tool)
    if event.kind == "demoted" and _said(cursor, event, before.get(cell), action):
        return False
    for one, held in step(before, event).items():
        cursor.execute(PUT, {**one._asdict(), "held": held.text, "at_us": journal.us})
    who = {"by": by.name, "auth": by.auth} if by else {}
    journal.append(cursor, cell.agent, event.kind, action, {**event.body, **who, **more})
    return True


def _said(cursor: Cursor, event: Event, own: Held | None, action: str) -> bool:
    """Whether a demotion changes nothing: the same action led to one before, or a person says what holds already."""
    lower = own is None or own.cap is None or event.rung < own.cap
    if action:
        return not lower and cursor.execute(DEMOTED, {"action": action}).fetchone() is not None
    return event.code == "manual" and not lower
