"""Whether the bounds of a rule really stop a call that is outside them, tried out on the code that the gate runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from ladder_graph.calls import Call
from ladder_graph.facts import Route
from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import Bound, Predicate, Time, weigh
from ladder_graph.policy.bounds.shape import QuotaBound
from ladder_graph.policy.scene import Scene
from ladder_graph.routing import decide
from ladder_graph.scale import Rung

HOURS = 24 * 7
"""Hours that a bound on time is tried on: one of a week's must be outside."""


def leaks(rule: Rule, tool: str, now: dt.datetime) -> list[str]:
    """The bounds of a rule that let a call pass which is outside them, in words; none where all of them hold.

    Each bound is tried with a call that lacks what it looks at, or draws on a quota of which nothing is left. A
    predicate isn't tried, since only its author knows what is outside.

    Args:
        rule: The tool's rule.
        tool: The tool's name.
        now: The moment.
    """
    return [
        f"a call outside the bound {bound.kind} was let pass"
        for bound in rule.bounds
        if not isinstance(bound, Predicate) and not any(_stopped(bound, tool, at) for at in _moments(bound, now))
    ]


def _moments(bound: Bound, now: dt.datetime) -> Iterator[dt.datetime]:
    yield now
    if isinstance(bound, Time):
        yield from (now + dt.timedelta(hours=hour) for hour in range(1, HOURS))


def _stopped(bound: Bound, tool: str, now: dt.datetime) -> bool:
    """Whether a call outside a bound becomes a question."""
    breaches, charges = weigh((bound,), Call("attest", "attest", "attest", tool, {}), Scene(now))
    left = [(charge, 0) for charge in charges] if isinstance(bound, QuotaBound) else []
    return decide(Route(Rung.BOUNDED), breaches, left).rung is Rung.CONFIRM
