"""Whether a call goes by a part first, and what its bounds say of that: part and rest must each be inside them.

What a call takes from quotas is the whole's, and is held once. Where the two together cost more than the whole said,
as with a price for each call, that is held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.facts import Reason
from ladder_graph.policy.bounds import Breach, Charge
from ladder_graph.splitting import Divide, Split
from ladder_graph.steps import Step

Weighing = Generator[Step, Any, tuple[list[Breach], list[Charge]]]
"""Holds a call against the rule's bounds."""


@dataclass(frozen=True, slots=True)
class Divided:
    """What was found about a call's part and rest."""

    split: Split | None
    breaches: list[Breach]
    """Those of the whole, and those of the two."""
    charges: list[Charge]
    trouble: Reason | None = None
    """Why it can't be split, though its tool goes by a part first."""


def divide(
    call: Call, weigh: Callable[[Call], Weighing], breaches: Sequence[Breach], charges: Sequence[Charge]
) -> Generator[Step, Any, Divided]:
    """Split a call, and hold both against its bounds.

    Args:
        call: The whole call.
        weigh: Holds a call against the rule's bounds.
        breaches: What they say of the whole.
        charges: What the whole would take.
    """
    found: Split | str | None = yield Divide(call)
    if found is None:
        return Divided(None, list(breaches), list(charges))
    if isinstance(found, str):
        trouble = Reason("canary_not_ready", f"the part that goes first could not be told: {found}")
        return Divided(None, list(breaches), list(charges), trouble)
    outside, taken = list(breaches), []
    for role, one in (("part", found.part), ("rest", found.rest)):
        worse, drawn = yield from weigh(one)
        outside += [replace(breach, text=f"of its {role} alone: {breach.text}") for breach in worse]
        taken += drawn
    outside += _elsewhere(charges, taken)
    return Divided(found, outside, _at_least(charges, taken))


def _elsewhere(whole: Iterable[Charge], taken: Iterable[Charge]) -> list[Breach]:
    """A breach for each quota that the two draw on, and the whole does not: they would go past it."""
    named = {charge.quota for charge in whole}
    strange = {charge.quota: charge for charge in taken if charge.quota not in named}
    return [
        Breach(_kind(charge), f"its part or its rest counts where the whole call doesn't ({quota})")
        for quota, charge in strange.items()
    ]


def _kind(charge: Charge) -> str:
    if charge.unit == "micro_usd":
        return "cost"
    return "rate" if charge.interval else "volume"


def _at_least(whole: Iterable[Charge], taken: Iterable[Charge]) -> list[Charge]:
    """The whole's charges, those of money at least as high as the two together."""
    money: Counter[str] = Counter()
    for charge in taken:
        if charge.unit == "micro_usd":
            money[charge.quota] += charge.amount
    return [replace(charge, amount=max(charge.amount, money[charge.quota])) for charge in whole]
