"""Bounds: what a call may do without asking. Each is a small class with one method.

A bound whose input is missing or can't be read asks; it never allows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.cost import Cost
from ladder_graph.policy.bounds.scope import Domain, Host, Under
from ladder_graph.policy.bounds.shape import Breach, Charge, QuotaBound
from ladder_graph.policy.bounds.type import Length, Matches, OneOf, Range
from ladder_graph.policy.bounds.volume import Volume

__all__ = [
    "Bound",
    "Breach",
    "Charge",
    "Cost",
    "Domain",
    "Host",
    "Length",
    "Matches",
    "OneOf",
    "Range",
    "Under",
    "Volume",
    "weigh",
]

Bound = Annotated[OneOf | Matches | Range | Length | Under | Host | Domain | Volume | Cost, Field(discriminator="kind")]
"""Any bound; `kind` tells which."""


def weigh(bounds: Iterable[Bound], call: Call, now: dt.datetime) -> tuple[list[Breach], list[Charge]]:
    """Hold a call against bounds.

    Returns:
        The breaches, empty when the call is inside; and what it would take from quotas, which only the
        ledger can decide.
    """
    breaches: list[Breach] = []
    charges: list[Charge] = []
    for bound in bounds:
        answer = bound.charges(call, now) if isinstance(bound, QuotaBound) else bound.check(call)
        if isinstance(answer, Breach):
            breaches.append(answer)
        elif answer is not None:
            charges += answer
    return breaches, charges
