"""Quotas: counters that are checked and held in one statement, and settled where they were held.

A claim holds what its call takes; the outcome settles it or gives it back. The window is the one of the claim, so
that midnight loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from ladder_graph.ledger import statements as sql
from ladder_graph.ledger.cursor import Cursor
from ladder_graph.policy.bounds import Charge


def left(cursor: Cursor, charge: Charge) -> int:
    """What is left in the charge's window, in its unit."""
    row = cursor.execute(sql.TAKEN, {"quota": charge.quota, "window": charge.window}).fetchone()
    return charge.limit - (row[0] if row else 0)


def hold(cursor: Cursor, action: str, charges: Iterable[Charge]) -> Charge | None:
    """Hold each charge for an action.

    Returns:
        The first charge that doesn't fit, with the ones before it held: the transaction must not be committed then.
        None where all of them are held.
    """
    # In the order of their keys, so that no two claims wait for each other.
    for charge in sorted(charges, key=lambda charge: charge.quota):
        wanted = {"quota": charge.quota, "window": charge.window, "amount": charge.amount, "lim": charge.limit}
        if charge.amount > charge.limit or cursor.execute(sql.RESERVE, wanted).fetchone() is None:
            return charge
        cursor.execute(sql.INSERT_HOLD, {
            "action": action, "quota": charge.quota, "window": charge.window, "amount": charge.amount,
        })  # fmt: skip
    return None


def settle(cursor: Cursor, action: str, *, used: bool) -> None:
    """Turn what an action holds into what it used, or give it back."""
    cursor.execute(sql.SETTLE, {"action": action, "used": int(used)})
    cursor.execute(sql.DROP_HOLDS, {"action": action})
