"""Bounds on cost: how much money fits in a window."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.shape import Breach, Charge, look_up, shorten
from ladder_graph.policy.bounds.window import WindowBound
from ladder_graph.policy.fields import Argument
from ladder_graph.policy.units import MICRO, MOST_MICRO, MicroDollars


class Cost(WindowBound):
    """At most so much money in a window; each call costs a declared sum, or what an argument says in dollars."""

    kind: Literal["cost"] = "cost"
    limit: MicroDollars
    """Money that a window holds, as `"$5"`."""
    each: Annotated[MicroDollars, Field(gt=0)] | None = None
    """What one call costs at most, as `"$0.02"`."""
    argument: Argument | None = None
    """Or the argument that holds the amount in dollars."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.each is None) == (self.argument is None):
            raise ValueError('say what a call costs: either each = "$0.02" or argument = "amount", not both')
        return self

    @property
    def measure(self) -> str:
        """Money, by where the amount comes from."""
        return f"micro_usd/{'each' if self.argument is None else f'of:{self.argument}'}"

    def charge(self, call: Call, now: dt.datetime) -> Charge | Breach:
        """This call's cost from the window's counter; an amount that can't be read is a breach."""
        value = None if self.argument is None else look_up(call, self.argument)
        amount = self.each if self.argument is None else _dollars(value)
        if amount is None:
            found = (
                f"{self.argument} is {shorten(value)}, no number of dollars above 0 and up to ${MOST_MICRO // MICRO}"
            )
            return Breach(self.kind, f"{found}, so its cost can't be held")
        return self.taken(call, now, amount, self.limit, "micro_usd")


def _dollars(value: object) -> int | None:
    """A number of dollars in micro-dollars, rounded up; None where it is no plain positive number.

    Nothing is no amount either: to some tools 0 means all of it.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MOST_MICRO / MICRO:
        return None
    if isinstance(value, int):
        return value * MICRO
    return int((Decimal(str(value)) * MICRO).to_integral_value(rounding="ROUND_CEILING"))
