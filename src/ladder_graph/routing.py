"""Where a call goes: the least of what was earned, what is allowed and what is really in place. Pure.

**Effective rung = min(standing, ceiling, readiness)**, and then the bounds: a call outside them becomes a question
before anything ran. Nothing is ever raised by readiness alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ladder_graph.facts import Reason, Route
from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import Breach, Charge, held_arguments
from ladder_graph.policy.units import spell_dollars, spell_seconds
from ladder_graph.scale import Rung
from ladder_graph.trust.standing import Standing


@dataclass(frozen=True, slots=True)
class Footing:
    """What is really in place around a tool, as found by the host and not as claimed."""

    can_ask: bool
    """There is a checkpointer, so a question can wait."""
    reversible: bool
    """The tool declares an undo that is made before the action."""
    reader: str | None
    """Who reads the reports."""
    outward: tuple[str, ...] = ()
    """The arguments that could carry something out, by the tool's schema."""
    unportable: str = ""
    """Why another process couldn't run the undo; empty where it could."""
    ttl: float | None = None
    """Seconds after the action in which it can be undone; None where that has no end."""
    canary: bool = False
    """The tool declares how it acts on a part first."""


@dataclass(frozen=True, slots=True)
class Watching:
    """Who is there after the action, as the ledger knows it."""

    alive: bool = True
    """A watcher lives, that would go on if this process died."""
    rehearsed: bool = True
    """This very undo was rehearsed with this version of the tool, or nobody asks for that."""
    firing: str = ""
    """Which alert of the rule's checks fires already, in words; empty where none does."""
    mute: str = ""
    """Why nobody hears of its reports; empty where people do, or no way of telling them is named."""


_RUNGS = tuple(Rung)

WATCHED = Watching()
"""Everything is in place after the action."""

NOWHERE_TO_WAIT = Reason("no_checkpointer", "there is no checkpointer, so no question can wait for its answer")
"""Why a tool that may have to ask stands below that."""


def may_ask(rule: Rule, outward: Sequence[str] = ()) -> bool:
    """Whether a tool asks where it stands, or outside its bounds. A read without bounds doesn't, if nothing leaves.

    Args:
        rule: The tool's rule.
        outward: Its arguments that could carry something out.
    """
    rung = min(rule.rung, rule.ceiling)
    free = rule.read_only and not rule.bounds and leaves_by(rule, outward) is None
    return rung is Rung.CONFIRM or (rung > Rung.CONFIRM and not free)


def leaves_by(rule: Rule, outward: Sequence[str]) -> str | None:
    """By what the tool could carry something out that no bound holds, in words; None where there is no such thing.

    Args:
        rule: The tool's rule. Where it doesn't say `egress`, the schema of a tool that only reads decides.
        outward: The arguments that could carry something out, by the tool's schema.
    """
    if rule.egress is False or not (rule.egress or rule.read_only):
        return None
    held = held_arguments(rule.bounds)
    if held is None:
        return None
    free = [name for name in outward if not any(f"{name}.".startswith(f"{one}.") for one in held)]
    if free:
        return f"it could carry something out by {', '.join(free)}, which no bound holds"
    return "it sends its arguments outside, and no bound holds one of them" if rule.egress and not held else None


def lacks(
    rule: Rule, footing: Footing, overdue: int = 0, watching: Watching = WATCHED
) -> Iterator[tuple[Rung, Reason]]:
    """What is missing for each rung, from the lowest up.

    Args:
        rule: The tool's rule.
        footing: What is in place.
        overdue: How many reports on what it did were not read in time; one is enough.
        watching: Who is there after the action.

    Yields:
        The rung that is out of reach, and why.
    """
    if not footing.can_ask and may_ask(rule, footing.outward):
        yield Rung.CONFIRM, NOWHERE_TO_WAIT
    if not (rule.bounds or rule.read_only):
        yield Rung.BOUNDED, Reason("no_bounds", "the policy gives it no bound and doesn't declare it read-only")
    if (way := leaves_by(rule, footing.outward)) is not None:
        yield Rung.BOUNDED, Reason("egress", way)
    if not rule.read_only:
        yield from ((Rung.BOUNDED, reason) for reason in _nobody_sees(rule, footing, watching))
    if not (footing.reversible or rule.read_only):
        yield Rung.ROLLBACK, Reason("no_undo", "it declares no undo")
    if not (rule.noticed or rule.read_only):
        yield Rung.ROLLBACK, Reason("no_check", "no health check would notice that it went wrong")
    if not rule.read_only:
        yield from ((Rung.ROLLBACK, reason) for reason in _unwatched(rule, footing, watching))
    yield from ((Rung.REPORT, reason) for reason in _unread(footing, overdue, watching))


def _unread(footing: Footing, overdue: int, watching: Watching) -> Iterator[Reason]:
    """Why nobody would hear of it afterwards."""
    if footing.reader is None:
        yield Reason("no_reader", "nobody is named to read its reports")
    if overdue:
        yield Reason("reports_overdue", "a report on what it did was not read in time")
    if watching.mute:
        yield Reason("channel_mute", f"nobody hears of its reports: {watching.mute}")


def _nobody_sees(rule: Rule, footing: Footing, watching: Watching) -> Iterator[Reason]:
    """Why nobody would see that it went wrong. The policy lets it act since somebody does, so without that it asks."""
    if watching.firing:
        yield Reason("already_firing", watching.firing)
    if goes_by_a_part(rule, footing) and not rule.measures_a_part:
        yield Reason("no_canary_check", "a part of it goes first, and no health check would measure that part")
    if rule.rung >= Rung.ROLLBACK and rule.watch.window and not watching.alive:
        yield Reason("no_watcher", "no watcher lives that would see its action through; run `ladder watch`")


def _unwatched(rule: Rule, footing: Footing, watching: Watching) -> Iterator[Reason]:
    """What is missing for an undo after the reply."""
    if footing.reversible and not watching.rehearsed:
        yield Reason("not_rehearsed", "no rehearsal of this undo, with this version of the tool, has passed")
    if not rule.watch.window:
        return
    if footing.reversible and footing.unportable:
        yield Reason("undo_not_portable", footing.unportable)
    longest = rule.watch.window + (rule.watch.canary if goes_by_a_part(rule, footing) else 0)
    if footing.ttl is not None and footing.ttl < longest:
        ttl, window = spell_seconds(footing.ttl), spell_seconds(longest)
        yield Reason("undo_too_short", f"it can be undone for {ttl}, and is watched for {window}")


def goes_by_a_part(rule: Rule, footing: Footing) -> bool:
    """Whether a tool acts on a part first: it declares how, and its undo and the rule's checks act."""
    return footing.canary and footing.reversible and rule.noticed and not rule.read_only


def effective(
    rule: Rule, standing: Standing, footing: Footing, overdue: int = 0, watching: Watching = WATCHED
) -> Route:
    """The rung a tool stands on before any particular call, with everything that keeps it from a higher one."""
    # The gate asks at each call, and seldom is anything other than at the last one.
    routes, asked = rule.found, (standing, footing, overdue, watching)
    route: Route | None = routes.get(asked)
    if route is None:
        if len(routes) >= _MOST_ROUTES:
            routes.clear()
        route = routes[asked] = _effective(rule, *asked)
    return route


_MOST_ROUTES = 64
"""How many routes of a rule are kept."""


def _effective(rule: Rule, standing: Standing, footing: Footing, overdue: int, watching: Watching) -> Route:
    caps: list[tuple[Rung, Reason]] = [(standing.rung, reason) for reason in standing.reasons]
    if rule.ceiling < rule.rung:
        caps.append((rule.ceiling, Reason("ceiling", f"its ceiling is {rule.ceiling}")))
    caps += [(_RUNGS[out_of_reach - 1], reason) for out_of_reach, reason in lacks(rule, footing, overdue, watching)]
    rung = min([standing.rung, rule.ceiling, *(cap for cap, _ in caps)])
    if rung is Rung.CONFIRM and not footing.can_ask:
        # It never asks where the policy puts it, but has fallen from there.
        rung = Rung.DRAFT
        caps.append((rung, NOWHERE_TO_WAIT))
    # Only what holds it below where the policy wants it is worth telling.
    return Route(rung, tuple(reason for cap, reason in caps if cap < rule.rung))


def too_dear(rule: Rule, charges: Sequence[Charge]) -> list[Breach]:
    """A breach for a call that costs more than the rule says a mistake may.

    Args:
        rule: The tool's rule.
        charges: What the call would take from quotas; only bounds on cost know what it costs.
    """
    if rule.mistake is None:
        return []
    dearest = max((charge.amount for charge in charges if charge.unit == "micro_usd"), default=0)
    if dearest <= rule.mistake:
        return []
    said = f"it costs {spell_dollars(dearest)}, and a mistake may cost {spell_dollars(rule.mistake)}"
    return [Breach("mistake", said)]


def decide(route: Route, breaches: Sequence[Breach], left: Sequence[tuple[Charge, int]]) -> Route:
    """The rung for one call: the effective one, or a question where the call is outside a bound.

    Args:
        route: The effective rung.
        breaches: What the bounds say of this call.
        left: Each quota it would draw on, with what is left in the window.
    """
    if route.rung < Rung.BOUNDED:
        return route
    outside = [Reason(f"outside_{breach.bound}", breach.text) for breach in breaches]
    outside += [exhausted(charge, remaining) for charge, remaining in left if charge.amount > remaining]
    return lowered(route, Rung.CONFIRM, *outside) if outside else route


def lowered(route: Route, rung: Rung, *reasons: Reason) -> Route:
    """The same route on a lower rung, with the reasons for the fall in front."""
    if not reasons and route.rung <= rung:
        return route
    return Route(min(route.rung, rung), (*reasons, *route.reasons))


def exhausted(charge: Charge, remaining: int) -> Reason:
    """The bound, the value and what is left, in plain words."""
    if charge.unit == "micro_usd":
        takes, holds, rest = (spell_dollars(max(n, 0)) for n in (charge.amount, charge.limit, remaining))
        return Reason("outside_cost", f"it costs {takes}, and of the {holds} for {charge.window} {rest} is left")
    rest = "none is left" if remaining <= 0 else f"{remaining} are left"
    code = "outside_rate" if charge.interval else "outside_volume"
    return Reason(code, f"{charge.limit} calls are allowed in {charge.window}, and {rest}")
