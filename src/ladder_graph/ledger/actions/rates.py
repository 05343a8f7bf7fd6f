"""Rates: one row a counter, by which the generic cell rate algorithm (ITU-T I.371, appendix I) lets calls through.

What a call without effect gives back is exact where at most one other came after it; otherwise it may be less, never
more. While its outcome is unknown, nothing is given back.
"""

from __future__ import annotations

import math

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, case, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.database.statements import INSERT_HOLD
from ladder_graph.ledger.tables import rows
from ladder_graph.policy.bounds import Charge

_rate = table_of(rows.RateRow)
_hold = table_of(rows.HoldRow)


def _later(one: ColumnElement[int], other: ColumnElement[int]) -> ColumnElement[int]:
    """The greater of two; both databases have a function for it, and each another one."""
    return case((one > other, one), else_=other)


_interval = bindparam("interval", type_=BigInteger)
_moment = bindparam("moment", type_=BigInteger)
# A clock that was set back finds the rate at the moment it has reached.
_since = _later(_rate.c.last_us, _moment)
_then_free = _later(_rate.c.free_us, _since) + _interval
_put_rate = insert(_rate).values(
    quota=bindparam("quota"), free_us=_moment + _interval, last_us=_moment, granted=literal_column("1")
)
_paced = {"free_us": _then_free, "last_us": _since, "granted": _rate.c.granted + literal_column("1")}
_in_time = _then_free - _since <= bindparam("ahead", type_=BigInteger)
_PACE = Sql.of(update(_rate).where(_rate.c.quota == bindparam("quota"), _in_time).values(_paced))
"""Check and hold one call of a rate that counts already; no row changes where it must wait. What it comes to is read
apart, which costs SQLite less than to return it."""
_GRANTED = Sql.of(select(_rate.c.granted).where(_rate.c.quota == bindparam("quota")))
_PACE_FIRST = Sql.of(
    _put_rate.on_conflict_do_update(index_elements=["quota"], set_=_paced, where=_in_time).returning(_rate.c.granted)
)
"""The same for any call, the first one too, and say the how manyth it is."""
_PACED = Sql.of(select(_rate.c.free_us, _rate.c.last_us).where(_rate.c.quota == bindparam("quota")))
_without = _later(
    _rate.c.free_us - _hold.c.amount, _rate.c.last_us + (_rate.c.granted - _hold.c.window) * _hold.c.amount
)
_UNPACE = Sql.of(
    update(_rate)
    .where(and_(_hold.c.action == bindparam("action"), _hold.c.quota == _rate.c.quota))
    .values(free_us=case((_without < _rate.c.free_us, _without), else_=_rate.c.free_us))
)
"""Give back what an action holds of rates, as far as that is certain.

Had the call not been there, those before it would have been waited for one interval earlier, and those after it no
earlier than if all of them had come with the last one. The later of the two can't be too early; where the rate was
edited in between, by one interval at most.
"""


def left(cursor: Cursor, charge: Charge) -> int:
    """How many calls may come at once at this moment."""
    row = cursor.execute(_PACED, {"quota": charge.quota}).fetchone()
    ahead: int = 0 if row is None else row[0] - max(charge.start, row[1])
    return charge.limit - max(math.ceil(ahead / charge.interval), 0)


def hold(cursor: Cursor, action: str, charge: Charge) -> bool:
    """Hold one call for an action; whether it may come now."""
    wanted = {
        "quota": charge.quota, "moment": charge.start, "interval": charge.interval,
        "ahead": charge.limit * charge.interval,
    }  # fmt: skip
    cursor.execute(_PACE, wanted)
    then = _GRANTED if cursor.rowcount else _PACE_FIRST
    held = cursor.execute(then, wanted).fetchone()
    if held is None:
        return False
    cursor.execute(INSERT_HOLD, {
        "action": action, "quota": charge.quota, "window": held[0], "amount": charge.interval,
    })  # fmt: skip
    return True


def give_back(cursor: Cursor, action: str) -> None:
    """Give back what an action holds that had no effect."""
    cursor.execute(_UNPACE, {"action": action})
