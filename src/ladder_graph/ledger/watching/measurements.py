"""What was measured in windows, and what is measured in the ledger itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, case, delete, func, literal_column, select

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.tables import rows, watch_rows

_measurement = table_of(watch_rows.MeasurementRow)
_action = table_of(rows.ActionRow)

_INSERT_MEASUREMENT = insert_into(watch_rows.MeasurementRow, " ON CONFLICT DO NOTHING")
_MEASUREMENTS = Sql.of(
    select(_measurement).where(_measurement.c.action == bindparam("action")).order_by(_measurement.c.n)
)
_FORGET = Sql.of(delete(_measurement).where(_measurement.c.action == bindparam("action")))

_UNDO_STATES = ("undoing", "undone", "undo_conflict", "undo_failed")
_failed = _action.c.state.in_([literal_column(f"'{one}'") for one in ("failed", "unknown", *_UNDO_STATES)])
_LATER = Sql.of(
    select(func.count(), func.sum(case((_failed, literal_column("1")), else_=literal_column("0"))))
    .select_from(_action)
    .where(and_(_action.c.agent == bindparam("agent"), _action.c.at_us > bindparam("since")))
    .where(_action.c.state.in_([literal_column(f"'{one}'") for one in ("done", "failed", "unknown", *_UNDO_STATES)]))
)
"""An agent's calls since a moment that ran, and those of them that failed."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement, as it is kept."""

    which: int
    """Which of the window's checks."""
    at_us: int
    verdict: str
    text: str


def measurements(cursor: Cursor, action: str) -> list[Measured]:
    """What was measured in a window so far."""
    found = cursor.execute(_MEASUREMENTS, {"action": action}).fetchall()
    return [Measured(row["which"], row["at_us"], row["verdict"], row["text"]) for row in found]


def note(cursor: Cursor, action: str, first: int, found: Iterable[Measured]) -> bool:
    """Write measurements down; False, and nothing is written, where somebody else has measured meanwhile.

    Args:
        cursor: In a transaction.
        action: Whose.
        first: The number of the first one.
        found: What was measured.
    """
    for n, one in enumerate(found, first):
        cursor.execute(_INSERT_MEASUREMENT, {
            "action": action, "n": n, "which": one.which, "at_us": one.at_us, "verdict": one.verdict,
            "text": one.text,
        })  # fmt: skip
        if cursor.rowcount != 1:
            return False
    return True


def forget(cursor: Cursor, action: str) -> None:
    """Take the measurements of an action away: its window is over."""
    cursor.execute(_FORGET, {"action": action})


def later(cursor: Cursor, agent: str, since_us: int) -> tuple[int, int]:
    """How many calls of an agent ran since a moment, and how many of them failed or were undone."""
    calls, failures = cursor.execute(_LATER, {"agent": agent, "since": since_us}).fetchone()
    return calls, int(failures or 0)
