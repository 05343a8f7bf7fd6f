"""What was last worked out of each cell, as it is kept beside the chains. It can be worked out anew at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.tables import standing_rows
from ladder_graph.trust.cells import CellKey

_assessment = table_of(standing_rows.AssessmentRow)
_put = insert(_assessment).values({column.name: bindparam(column.name) for column in _assessment.columns})
PUT = Sql.of(
    _put.on_conflict_do_update(
        index_elements=["agent", "tool", "scope", "env"],
        set_={name: _put.excluded[name] for name in ("n", "at_us", "policy", "said")},
    )
)
EARLIER = Sql.of(
    delete(_assessment).where(_assessment.c.agent == bindparam("agent"), _assessment.c.at_us < bindparam("at_us"))
)
OF_AGENT = Sql.of(
    select(_assessment)
    .where(_assessment.c.agent == bindparam("agent"))
    .order_by(_assessment.c.tool, _assessment.c.scope, _assessment.c.env)
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one cell."""

    cell: CellKey
    n: int
    """The last entry that was read for it."""
    at_us: int
    """When it was worked out."""
    policy: str
    """The revision of the policy that it was worked out under."""
    said: str


def keep(cursor: Cursor, agent: str, n: int, at_us: int, policy: str, said: Mapping[CellKey, str]) -> None:
    """Keep what was worked out of all cells of an agent, in the place of what was kept before.

    Args:
        cursor: In a transaction.
        agent: Whose.
        n: The last entry that was read.
        at_us: When.
        policy: The revision of the policy.
        said: What came of each cell.
    """
    for cell, text in said.items():
        cursor.execute(PUT, {
            "agent": agent, "tool": cell.tool, "scope": cell.scope, "env": cell.env, "n": n, "at_us": at_us,
            "policy": policy, "said": text,
        })  # fmt: skip
    cursor.execute(EARLIER, {"agent": agent, "at_us": at_us})


def kept(cursor: Cursor, agent: str) -> list[Kept]:
    """What is kept of an agent's cells, by tool, scope and environment."""
    return [
        Kept(CellKey(row["agent"], row["tool"], row["scope"], row["env"]), row["n"], row["at_us"], row["policy"],
             row["said"])
        for row in cursor.execute(OF_AGENT, {"agent": agent}).fetchall()
    ]  # fmt: skip
