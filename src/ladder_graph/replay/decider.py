"""A policy alone, held against the calls of a run in their order, with its quotas counted."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from ladder_graph.calls import Call
from ladder_graph.explaining import claimed
from ladder_graph.facts import Route
from ladder_graph.policy import Policy, Rule
from ladder_graph.policy.bounds import weigh
from ladder_graph.policy.scene import Said, Scene
from ladder_graph.replay.traces import Run
from ladder_graph.routing import decide
from ladder_graph.scale import Rung


class Decider:
    """Says which rung each call of a recorded run would get.

    It is taken that all that the rungs need is in place, that every question was answered so that the run went on as
    it was recorded, and that all calls of a run come at one moment. Quotas begin empty with each run; as in a real
    one, only what runs unasked draws on them.

    Args:
        policy: What decides.
        now: The moment, aware.

    Example:
        >>> from ladder_graph.replay import Run, TracedCall
        >>> policy = Policy(tools={"send": Rule(rung="bounded", bounds=[{"kind": "volume", "limit": 1}])})
        >>> run = Run("r1", "mail", "t1", "task", "Write to Ana.", (TracedCall("send", {}), TracedCall("send", {})))
        >>> [route.rung.word for route in Decider(policy, dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)).routes(run)]
        ['bounded', 'confirm']
    """

    def __init__(self, policy: Policy, now: dt.datetime) -> None:
        self._policy = policy
        self._now = now
        self._tools: dict[str | None, tuple[Rule, Route]] = {}

    def routes(self, run: Run) -> Iterator[Route]:
        """Where each call of a run would go, in order.

        Args:
            run: The run.

        Raises:
            ArgumentsError: No call could have these arguments.
        """
        scene = Scene(self._now, listen=lambda: Said(user=(run.request,)))
        taken: Counter[tuple[str, int]] = Counter()
        for number, traced in enumerate(run.calls):
            call = Call(self._policy.agent, run.id, str(number), traced.tool, traced.arguments)
            rule, stands = self._tool(traced.tool)
            breaches, charges = weigh(rule.bounds, call, scene)
            left = [(charge, charge.limit - taken[charge.quota, charge.start]) for charge in charges]
            route = decide(stands, breaches, left)
            if unasked(route):
                taken.update({(charge.quota, charge.start): charge.amount for charge in charges})
            yield route

    def _tool(self, name: str) -> tuple[Rule, Route]:
        """A tool's rule, and where it stands before any particular call. Kept by entry, of which there are few."""
        entry = self._policy.entry(name)
        if entry not in self._tools:
            rule = self._policy.rule(name)
            self._tools[entry] = rule, claimed(self._policy, rule)
        return self._tools[entry]


def unasked(route: Route) -> bool:
    """Whether a call runs without anybody being asked."""
    return route.rung >= Rung.BOUNDED
