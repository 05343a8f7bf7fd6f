"""Coming back to an environment that has acted before: what it had earned waits for it, and grows old.

Within 30 days it stands where it stood, up to 90 one rung lower, later at confirm: as after a silence (D6), but before
the first call and without anybody who sweeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from sqlalchemy import bindparam, func, select, update

from ladder_graph.fingerprint import Environment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.gate import standings
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables import standing_rows
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import EVERY, CellKey
from ladder_graph.trust.demotion import after_silence, repeated
from ladder_graph.trust.evidence import DAY
from ladder_graph.trust.held import Event, Held, nearest

Start = Callable[[str], Rung]
"""A tool's start rung."""

_environment = table_of(standing_rows.EnvironmentRow)
_latest = select(func.max(_environment.c.last_us)).where(_environment.c.agent == bindparam("b_agent"))
LEAVE = Sql.of(
    update(_environment)
    .where(_environment.c.agent == bindparam("b_agent"), _environment.c.last_us == _latest.scalar_subquery())
    .values(last_us=bindparam("last_us"))
)
"""The environment that acted so far did so up to now, when another one comes."""


def leave(journal: Journal, cursor: Cursor, agent: str) -> None:
    """Write down that what has acted so far doesn't any more.

    Args:
        journal: The moment.
        cursor: In a transaction.
        agent: Whose.
    """
    # A moment before the other one, so that the last one seen is the one that acts.
    cursor.execute(LEAVE, {"b_agent": agent, "last_us": journal.us - 1})


def came_back(
    journal: Journal, cursor: Cursor, agent: str, environment: Environment, last_us: int, start: Start
) -> list[str]:
    """Put down what an environment had earned, where it was away for long.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        agent: Whose.
        environment: What acts again.
        last_us: When it acted last.
        start: Each tool's start rung.

    Returns:
        The tools that stand lower now.
    """
    days = (journal.us - last_us) / DAY
    lowered = []
    for tool in environment.tools:
        for cell, held in _cells(cursor, agent, tool, environment.key(tool) or ""):
            down = after_silence(held.rung(start(tool)), days, lowered=held.stale_us > last_us)
            if down is None:
                continue
            down = replace(down, reason=f"what proposes its calls came back after {int(days)} days")
            down = repeated(down, held.recent(journal.us))
            event = Event(journal.us, "demoted", cell, down.rung, down.reason, down.code, down.evidence, down.cooldown)
            if standings.take(journal, cursor, event):
                lowered.append(tool)
    return lowered


def _cells(cursor: Cursor, agent: str, tool: str, env: str) -> Iterator[tuple[CellKey, Held]]:
    """The cells of a tool in an environment: those that hold something, or all of its scopes at once."""
    found = standings.of_tool(cursor, agent, tool)
    own = {cell: held for cell, held in found.items() if cell.env == env}
    every = CellKey(agent, tool, EVERY, env)
    yield from own.items() if own else [(every, nearest(found, every))]
