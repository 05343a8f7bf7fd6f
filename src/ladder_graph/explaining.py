"""Why a call would get the rung it would get, bound by bound. No tool runs; a predicate, as a bound, is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.facts import Route
from ladder_graph.policy import Policy, Rule
from ladder_graph.policy.bounds import Bound, Breach, Charge, weigh
from ladder_graph.policy.scene import Scene
from ladder_graph.policy.units import spell_dollars
from ladder_graph.routing import Footing, decide, effective, exhausted, too_dear
from ladder_graph.scale import Rung
from ladder_graph.trust.standing import Standing


@dataclass(frozen=True, slots=True)
class Weighed:
    """What one bound says of a call."""

    bound: Bound
    held: bool
    """The call is inside it."""
    text: str
    """Why it is outside, or what is left of the quota; empty where it is inside and nothing is counted."""
    left: int | None = None
    """What is left in the window before this call, in calls or micro-dollars; None where nothing is counted."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a call would go now, and why."""

    call: Call
    """The call, with an id and a thread that no call has."""
    entry: str | None
    """The entry of the policy that is for the tool: its name, or a glob; None where it has the lowest rung."""
    claimed: Rung
    """Where the policy puts the tool."""
    stands: Rung
    """Where the tool stands before any particular call."""
    route: Route
    """Where this call would go, with everything that keeps it from a higher rung."""
    bounds: tuple[Weighed, ...]
    """Each bound of the rule, in its order. They decide from rung 3 up."""
    mistake: int | None = None
    """What one wrong call costs at most, in micro-dollars, where the policy says so."""
    part_first: bool = False
    """The tool acts on a part of a call first, where a call has one. Which part isn't asked here."""


def explained(
    call: Call,
    rule: Rule,
    route: Route,
    scene: Scene,
    left: Callable[[Charge], int],
    *,
    entry: str | None,
    part_first: bool = False,
) -> Explanation:
    """Hold a call against each bound of a rule by itself.

    Args:
        call: The call.
        rule: The tool's rule.
        route: Where the tool stands before any particular call.
        scene: The circumstances.
        left: What is left in a charge's window, in its unit.
        entry: The entry of the policy that the rule stands under.
        part_first: Whether the tool acts on a part first.
    """
    bounds, breaches, quotas = [], [], []
    for bound in rule.bounds:
        breached, charges = weigh((bound,), call, scene)
        remaining = [(charge, left(charge)) for charge in charges]
        bounds.append(_weighed(bound, breached, remaining))
        breaches += breached
        quotas += remaining
    breaches += too_dear(rule, [charge for charge, _ in quotas])
    route, stands = decide(route, breaches, quotas), route.rung
    return Explanation(call, entry, rule.rung, stands, route, tuple(bounds), rule.mistake, part_first)


def decided(policy: Policy, tool: str, arguments: Mapping[str, Any], scene: Scene) -> Explanation:
    """What a policy alone makes of a call: nothing was taken from its quotas, and all that its rungs need is in place.

    Args:
        policy: The policy.
        tool: The tool's name.
        arguments: What it is called with.
        scene: The circumstances.

    Raises:
        ArgumentsError: No call could have these arguments.
    """
    call = Call(policy.agent, "explain", "explain", tool, dict(arguments))
    rule = policy.rule(tool)
    return explained(call, rule, claimed(policy, rule), scene, lambda charge: charge.limit, entry=policy.entry(tool))


def claimed(policy: Policy, rule: Rule) -> Route:
    """Where a policy alone puts a tool before any particular call: all that its rungs need is in place.

    Args:
        policy: The policy.
        rule: The tool's rule in it.
    """
    footing = Footing(can_ask=True, reversible=True, reader=policy.reader_of(rule))
    return effective(rule, Standing(rule.rung), footing)


def _weighed(bound: Bound, breaches: list[Breach], quotas: list[tuple[Charge, int]]) -> Weighed:
    if breaches:
        return Weighed(bound, held=False, text="; ".join(breach.text for breach in breaches))
    for charge, remaining in quotas:
        if charge.amount > remaining:
            return Weighed(bound, held=False, text=exhausted(charge, remaining).text, left=remaining)
        return Weighed(bound, held=True, text=remains(charge, remaining), left=remaining)
    return Weighed(bound, held=True, text="")


def remains(charge: Charge, remaining: int) -> str:
    """What a call takes from a quota that has room for it, and what is left there.

    Args:
        charge: What it would take.
        remaining: What is left in the charge's window, in its unit, before the call.
    """
    if charge.unit == "micro_usd":
        takes, rest, holds = (spell_dollars(amount) for amount in (charge.amount, remaining, charge.limit))
        return f"takes {takes}; {rest} of {holds} is left in {charge.window}"
    return f"{remaining} of {charge.limit} calls are left in {charge.window}"
