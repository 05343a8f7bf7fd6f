"""Bounds on the rate of calls: so many in a stretch of time, spread over it."""

from __future__ import annotations

import datetime as dt
import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.shape import Charge, QuotaBound
from ladder_graph.policy.bounds.window import moment_us
from ladder_graph.policy.units import Seconds, spell_seconds


class Rate(QuotaBound):
    """At most so many calls in a stretch of time, one after the other, and only a few at once.

    It is the generic cell rate algorithm (ITU-T I.371): each call makes the next one wait for `within / limit`, and up
    to `burst` calls may come before that. No stretch of `within` ever holds more than `limit + burst` calls. Unlike in
    a window, nothing is given out in one go when it is over.

    Example:
        >>> from ladder_graph.policy.scene import Scene
        >>> bound = Rate(limit=10, within="1m", burst=3)
        >>> (charge,) = bound.charges(
        ...     Call("ops", "t1", "c1", "search", {}), Scene(dt.datetime(2026, 11, 22, tzinfo=dt.UTC))
        ... )
        >>> charge.limit, charge.window, charge.interval
        (3, 'a burst, at 10 in 1m', 6000000)
    """

    kind: Literal["rate"] = "rate"
    limit: Annotated[int, Field(ge=1, le=10**9)]
    """Calls in that stretch of time."""
    within: Annotated[Seconds, Field(ge=0.001)]
    """The stretch, as `"1m"`."""
    burst: Annotated[int, Field(ge=1)] = 1
    """How many may come at once after a pause."""

    @model_validator(mode="after")
    def _no_longer_than_the_whole(self) -> Self:
        if self.burst > self.limit:
            raise ValueError(f"burst is {self.burst}, more than the {self.limit} calls that limit allows in all")
        return self

    @property
    def measure(self) -> str:
        """Calls by their rate."""
        return "rate"

    @property
    def span(self) -> str:
        """The stretch of time."""
        return f"within:{spell_seconds(self.within)}"

    def charge(self, call: Call, now: dt.datetime) -> Charge:
        """One call at this moment."""
        label = f"a burst, at {self.limit} in {spell_seconds(self.within)}"
        interval = math.ceil(self.within * 1_000_000 / self.limit)
        return Charge(self.quota(call), label, 1, self.burst, "calls", moment_us(now), interval=interval)
