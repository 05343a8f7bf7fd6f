"""Bounds on volume: how many calls fit in a window."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.shape import Charge
from ladder_graph.policy.bounds.window import WindowBound


class Volume(WindowBound):
    """At most so many calls in a window.

    Example:
        >>> from ladder_graph.policy.scene import Scene
        >>> bound = Volume(limit=3, within="24h", each_value_of="to")
        >>> one = Call("ops", "t1", "c1", "send", {"to": ["ana@shop.example", "bo@shop.example"]})
        >>> [charge.window for charge in bound.charges(one, Scene(dt.datetime(2026, 11, 22, tzinfo=dt.UTC)))]
        ["any 1d for to = 'ana@shop.example'", "any 1d for to = 'bo@shop.example'"]
    """

    kind: Literal["volume"] = "volume"
    limit: Annotated[int, Field(ge=0, le=2**53 - 1)]
    """Calls that a window holds."""

    @property
    def measure(self) -> str:
        """Calls."""
        return "calls"

    def charge(self, call: Call, now: dt.datetime) -> Charge:
        """One call from this window's counter."""
        return self.taken(call, now, 1, self.limit, "calls")
