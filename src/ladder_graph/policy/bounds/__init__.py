"""Bounds: what a call may do without asking. Each is a small class with one method.

A bound whose input is missing or can't be read asks; it never allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.cost import Cost
from ladder_graph.policy.bounds.origin import Origin
from ladder_graph.policy.bounds.predicate import Predicate
from ladder_graph.policy.bounds.rate import Rate
from ladder_graph.policy.bounds.scope import Domain, Environment, Host, Tenant, Under
from ladder_graph.policy.bounds.shape import Breach, Charge, QuotaBound
from ladder_graph.policy.bounds.table import Table
from ladder_graph.policy.bounds.time import Time
from ladder_graph.policy.bounds.type import Count, Equals, Length, Matches, OneOf, Range
from ladder_graph.policy.bounds.volume import Volume
from ladder_graph.policy.scene import Scene

__all__ = [
    "Bound",
    "Breach",
    "Charge",
    "Cost",
    "Count",
    "Domain",
    "Environment",
    "Equals",
    "Host",
    "Length",
    "Matches",
    "OneOf",
    "Origin",
    "Predicate",
    "Range",
    "Rate",
    "Table",
    "Tenant",
    "Time",
    "Under",
    "Volume",
    "held_arguments",
    "weigh",
]

Bound = Annotated[
    OneOf
    | Equals
    | Matches
    | Range
    | Length
    | Count
    | Under
    | Host
    | Domain
    | Environment
    | Tenant
    | Table
    | Volume
    | Rate
    | Cost
    | Time
    | Origin
    | Predicate,
    Field(discriminator="kind"),
]
"""Any bound; `kind` tells which."""


def held_arguments(bounds: Iterable[Bound]) -> frozenset[str] | None:
    """The arguments whose values bounds hold to something; None where a predicate sees all of them.

    A bound on size or number of entries holds no value, and neither does one that counts.
    """
    held: set[str] = set()
    for bound in bounds:
        match bound:
            case Predicate():
                return None
            case Table(argument=name, sql=None) | Table(sql=name) | Environment(argument=name):
                held.update({name} if name else ())
            case OneOf() | Equals() | Matches() | Range() | Under() | Host() | Domain() | Origin() | Tenant():
                held.add(bound.argument)
            case _:
                continue
    return frozenset(held)


def _asked(kind: type[Any]) -> Literal["charges", "scene", "call"]:
    """What a bound of a class is asked for or about."""
    if issubclass(kind, QuotaBound):
        return "charges"
    return "scene" if kind in {Time, Origin, Tenant} else "call"


_ASKED = {kind.model_fields["kind"].default: _asked(kind) for kind in get_args(get_args(Bound)[0])}
"""What each kind is asked. To look at a model's class costs more than most bounds do, so it is done once."""


def weigh(bounds: Iterable[Bound], call: Call, scene: Scene) -> tuple[list[Breach], list[Charge]]:
    """Hold a call against bounds.

    Args:
        bounds: What must hold.
        call: The call.
        scene: What is known of its circumstances.

    Returns:
        The breaches, empty when the call is inside; and what it would take from quotas, which only the
        ledger can decide.
    """
    breaches: list[Breach] = []
    charges: list[Charge] = []
    one: Any
    for one in bounds:
        asked = _ASKED[one.kind]
        answer: Breach | tuple[Charge, ...] | None
        if asked == "call":
            answer = one.check(call)
        else:
            answer = one.check(call, scene) if asked == "scene" else one.charges(call, scene)
        if isinstance(answer, Breach):
            breaches.append(answer)
        elif answer is not None:
            charges += answer
    return breaches, charges
