"""Quotas: counters that are checked and held in one statement, and settled where they were held.

A claim holds what its call takes; the outcome settles it or gives it back. The window is the one of the claim, so
that midnight loses nothing. Each counter only goes forward: where the clock was set back, it stays in the last window
it counted in until the clock has caught up. What lies before that window, or before what a sliding one reaches back to
from it, can never count again: the first claim in a window drops a few such rows of its counter. A hold goes with the
outcome of its action. What holds a rate stands in `ladder_graph.ledger.actions.rates`.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import BigInteger, bindparam, literal_column, select

from ladder_graph.ledger.actions import rates
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql
from ladder_graph.ledger.tables import rows
from ladder_graph.policy.bounds import Charge

KEPT = 31
"""Windows of a counter that stay after they have stopped counting: a month of days, for whoever looks into them."""

LOOKED_AT = 64
"""Older windows that a claim looks at. Those with an open hold stay; where they are so many, the others wait."""

DROPPED = 4
"""Windows that a claim drops at most. It has opened one, so that what has piled up before goes away, too."""

_quota = rows.QuotaRow.metadata.tables["quota"]
_over = (
    select(_quota.c.window, _quota.c.reserved)
    .where(_quota.c.quota == bindparam("quota"), _quota.c.window < bindparam("since", type_=BigInteger))
    .order_by(_quota.c.window.desc())
    .offset(KEPT)
    .limit(LOOKED_AT)
    .subquery()
)
PRUNE = Sql.of(
    _quota.delete()
    .where(_quota.c.quota == bindparam("quota"))
    .where(_quota.c.window.in_(select(_over.c.window).where(_over.c.reserved == literal_column("0")).limit(DROPPED)))
)
"""Drop a few windows of one counter that began before `since`: those in which nothing is held, the latest apart."""


def left(cursor: Cursor, charge: Charge) -> int:
    """What is left in the charge's window, in its unit; of a rate, how many calls may come at once."""
    if charge.interval:
        return rates.left(cursor, charge)
    row = cursor.execute(sql.TAKEN, placed(charge)).fetchone()
    return charge.limit - (row[0] or 0)


def placed(charge: Charge) -> dict[str, object]:
    """Where a charge is counted, for the statements."""
    return {"quota": charge.quota, "window": charge.start, "reach": charge.reach}


def hold(cursor: Cursor, action: str, charges: Iterable[Charge]) -> Charge | None:
    """Hold each charge for an action.

    Returns:
        The first charge that doesn't fit, with the ones before it held: the transaction must not be committed then.
        None where all of them are held.
    """
    # In the order of their keys, so that no two claims wait for each other.
    for charge in sorted(charges, key=lambda charge: charge.quota):
        if charge.interval:
            if not rates.hold(cursor, action, charge):
                return charge
            continue
        at = _drawn(cursor, charge)
        if at is None:
            return charge
        cursor.execute(sql.INSERT_HOLD, {
            "action": action, "quota": charge.quota, "window": at, "amount": charge.amount,
        })  # fmt: skip
    return None


def _drawn(cursor: Cursor, charge: Charge) -> int | None:
    """Draw on a counter; the window in which it was, or None where it doesn't fit."""
    cursor.execute(sql.DRAW_SLIDING if charge.reach else sql.DRAW, {
        "quota": charge.quota, "window": charge.start, "amount": charge.amount, "lim": charge.limit,
        "reach": charge.reach,
    })  # fmt: skip
    return charge.start if cursor.rowcount else _drawn_anew(cursor, charge)


def _drawn_anew(cursor: Cursor, charge: Charge) -> int | None:
    """The same where the window isn't open yet, or is a later one because the clock was set back."""
    window, earlier = _bucket(cursor, charge) if charge.reach else (charge.start, 0)
    if charge.amount > charge.limit - earlier:
        return None
    held = cursor.execute(sql.RESERVE, {
        "quota": charge.quota, "window": window, "amount": charge.amount, "lim": charge.limit, "earlier": earlier,
    }).fetchone()  # fmt: skip
    if held is None:
        return None
    reached, taken = held
    if taken == charge.amount:  # Only who opens a window tidies up behind it; no other claim pays for that.
        cursor.execute(PRUNE, {"quota": charge.quota, "since": reached - charge.reach})
    return int(reached)


def _bucket(cursor: Cursor, charge: Charge) -> tuple[int, int]:
    """The bucket of a sliding window that a charge is counted in, and what is taken in those before it that count.

    Between this look and the hold nobody else draws on the counter: its key begins with the agent, and the writers of
    one agent wait for each other (on SQLite, all writers). A counter that agents share would need a row to lock.
    """
    start = charge.start
    while True:
        wanted = {"quota": charge.quota, "window": start, "since": start - charge.reach}
        earlier, latest = cursor.execute(sql.EARLIER, wanted).fetchone()
        if latest <= start:
            return start, earlier
        start = latest


def settle(cursor: Cursor, action: str, *, used: bool, cost: int | None = None) -> None:
    """Turn what an action holds into what it used, or give it back.

    Args:
        cursor: In a transaction.
        action: The action's key.
        used: Whether it took effect.
        cost: What it really cost, in micro-dollars, also where it had no effect; None where only the hold is known.
    """
    if not used:
        rates.give_back(cursor, action)
    if cost is None:
        cursor.execute(sql.SETTLE, {"action": action, "used": int(used)})
    else:
        for quota, window, amount in cursor.execute(sql.HELD, {"action": action}).fetchall():
            came_to = cost if _money(quota) else amount * used
            cursor.execute(sql.SETTLE_AT, {
                "b_quota": quota, "b_window": window, "cost": came_to, "amount": amount,
            })  # fmt: skip
    cursor.execute(sql.DROP_HOLDS, {"action": action})


def overrun(cursor: Cursor, action: str, cost: int) -> int | None:
    """The least that an action holds of any sum of money, where it really cost more; otherwise None."""
    rows = cursor.execute(sql.HELD, {"action": action}).fetchall()
    least = min((amount for quota, _, amount in rows if _money(quota)), default=None)
    return least if least is not None and cost > least else None


def _money(quota: str) -> bool:
    """Whether a counter counts money, by its key: agent, tool and measure, of which the first two hold no slash."""
    return quota.split("/")[2] == "micro_usd"
