"""Calls outside their bounds that people let run: they take nothing from a quota, and are counted apart."""

from __future__ import annotations

from typing import Any

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import insert_into
from ladder_graph.ledger.tables import rows
from ladder_graph.steps import Claim

_COUNT = insert_into(rows.BeyondRow, " ON CONFLICT DO NOTHING")


def counted(cursor: Cursor, step: Claim, place: Any, us: int) -> dict[str, Any]:
    """Count a call that is claimed by its approval, if it is outside its bounds.

    Args:
        cursor: In a transaction.
        step: The claim.
        place: Where the action was before, with the bounds that it was found outside of when it was asked about.
        us: The moment, in microseconds since the epoch.

    Returns:
        What the entry of its start says of that; empty where there is nothing to say.
    """
    decision = step.question.decision if step.question is not None else None
    if step.question is None or decision is None or place is None:
        return {}
    # When it was asked about, a quota was full; since it is known, only the other bounds were looked at again.
    outside = list(dict.fromkeys(code for code in (*place["outside"].split(","), *step.route.outside) if code))
    if not outside:
        return {}
    names = list(dict.fromkeys(one.by.name for one in (*step.question.votes, decision)))
    cursor.execute(_COUNT, {
        "action": step.call.key, "agent": step.call.agent, "tool": step.call.tool, "outside": ",".join(outside),
        "by": ", ".join(names), "at_us": us,
    })  # fmt: skip
    kinds = ", ".join(code.removeprefix("outside_") for code in outside)
    return {
        "beyond": outside,
        "approved_by": names,
        "text": f"beyond its bounds ({kinds}), approved by {', '.join(names)}",
    }
