"""A policy alone, held against the calls of a run in their order, with its quotas counted.

What can't be decided from what was recorded is undecidable, and never taken as allowed. Where only a part is missing
and the rest settles it, it is settled: a call that is outside a bound asks whatever the missing part would say, and
one whose address stands in the words that are known comes from them, whatever the unknown ones hold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ladder_graph.calls import Call, WeighedCall
from ladder_graph.errors import ArgumentsError
from ladder_graph.explaining import claimed
from ladder_graph.facts import Route
from ladder_graph.policy import Policy, Rule
from ladder_graph.policy.bounds import Bound, Breach, Charge, weigh
from ladder_graph.policy.bounds.shape import QuotaBound
from ladder_graph.policy.scene import Output, Said, Scene
from ladder_graph.replay.counting import Counters
from ladder_graph.replay.missing import TIMES, Known, doubts, plain
from ladder_graph.replay.traces import Run, TracedCall
from ladder_graph.replay.unseen import Unseen
from ladder_graph.routing import decide, too_dear
from ladder_graph.scale import Rung

Verdict = Literal["free", "asked", "held", "undecidable"]
"""Runs without anybody being asked; asks; is only suggested or drafted; can't be told from what was recorded."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""Where a call without a time is counted, so that all of them share every window: the most that can come together."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy makes of one recorded call."""

    route: Route | None
    """Where it would go; None where that is undecidable."""
    missing: tuple[str, ...] = ()
    """What would have to be recorded to decide it, in words."""

    @property
    def verdict(self) -> Verdict:
        """The route in one word."""
        if self.route is None:
            return "undecidable"
        if self.route.rung >= Rung.BOUNDED:
            return "free"
        return "asked" if self.route.rung is Rung.CONFIRM else "held"


@dataclass(frozen=True, slots=True)
class _Standing:
    """What can be said of a tool before any particular call."""

    rule: Rule
    route: Route
    judged: Judged
    settled: bool
    """No call changes it."""
    plain: bool
    """Its bounds look at nothing that runs seldom bring with them."""


class Calls:
    """The calls of one run as a gate would see them, each made once for all deciders that share this."""

    def __init__(self) -> None:
        self._run: Run | None = None
        self._made: dict[tuple[str, int], Call] = {}

    def of(self, agent: str, run: Run, place: int) -> Call:
        """The call at a place of a run.

        Args:
            agent: The agent's name.
            run: The run.
            place: The place.

        Raises:
            ArgumentsError: No call can have such arguments.
        """
        if run is not self._run:
            self._run, self._made = run, {}
        if (call := self._made.get((agent, place))) is None:
            traced = run.calls[place]
            call = WeighedCall(agent, run.id, traced.id or str(place), traced.tool, traced.arguments or {})
            self._made[agent, place] = call
        return call


class Decider:
    """Says which rung each call of a recorded run would get.

    It is taken that all that the rungs need is in place, and that every question was answered so that the run went on
    as it was recorded. As in a real run, only what runs unasked draws on quotas. They begin empty with each run that
    is apart, and go on from run to run otherwise.

    Args:
        policy: What decides.
        at: The moment, aware, at which calls without a time are taken to come. Without one, what depends on it is
            undecidable.
        calls: Shared by deciders that judge the same run one after the other.

    Example:
        >>> from ladder_graph.replay import Run, TracedCall
        >>> policy = Policy(tools={"send": Rule(rung="bounded", bounds=[{"kind": "volume", "limit": 1}])})
        >>> run = Run("r1", (TracedCall("send", {}), TracedCall("send", {})))
        >>> at = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)
        >>> [judged.verdict for judged in Decider(policy, at).judged(run)]
        ['free', 'asked']
        >>> [(judged.verdict, judged.missing) for judged in Decider(policy).judged(run)]
        [('free', ()), ('undecidable', ('when the calls came',))]
    """

    def __init__(self, policy: Policy, at: dt.datetime | None = None, calls: Calls | None = None) -> None:
        self._policy = policy
        self._at = at
        self._calls = Calls() if calls is None else calls
        self._tools: dict[str | None, _Standing] = {}
        self._begin()

    def judged(self, run: Run) -> Iterator[Judged]:
        """What becomes of each call of a run, in order.

        Args:
            run: The run.
        """
        if run.apart:
            self._begin()
        for place, traced in enumerate(run.calls):
            yield self._one(run, place, traced)

    def _begin(self) -> None:
        """Begin with empty quotas."""
        self._counters, self._unseen = Counters(), Unseen()

    def _one(self, run: Run, place: int, traced: TracedCall) -> Judged:
        if not traced.tool and self._policy.tools.keys() != {"*"}:
            return Judged(None, ("its tool's name",))
        tool = self._tool(traced.tool)
        if tool.settled:
            return tool.judged
        try:
            call = self._calls.of(self._policy.agent, run, place)
        except ArgumentsError as wrong:
            return Judged(None, (f"arguments that a call can have: {wrong}",))
        at = traced.at or self._at
        scene = Scene(at or _EPOCH, run.requester, run.facts, lambda: _said(run, place, traced))
        known = Known(run, place, arguments=traced.arguments is not None, timed=at is not None)
        return self._weighed(tool, call, scene, known)

    def _weighed(self, tool: _Standing, call: Call, scene: Scene, known: Known) -> Judged:
        rule = tool.rule
        held = rule.bounds if tool.plain and known.whole else [one for one in rule.bounds if known.covers(one)]
        breaches, charges = weigh(held, call, scene)
        breaches += too_dear(rule, charges)
        left = [(charge, self._counters.left(charge)) for charge in charges] if known.timed else []
        route = decide(tool.route, breaches, left)
        if route.rung < Rung.BOUNDED:
            return Judged(route)
        missing = [] if len(held) == len(rule.bounds) else doubts(rule.bounds, call, scene, known)
        missing += [
            self._doubt(charge, known)
            for charge in charges
            if charge.amount > self._counters.least(charge, timed=known.timed)
        ]
        if self._unseen:
            missing += self._perhaps_drawn(held, call, scene, known)
        for charge in charges:
            self._counters.take(charge, sure=not missing, timed=known.timed)
        if missing:
            self._unseen.add((one for one in rule.bounds if one not in held), call, scene.now if known.timed else None)
        return Judged(None, tuple(dict.fromkeys(missing))) if missing else Judged(route)

    def _perhaps_drawn(self, held: Sequence[Bound], call: Call, scene: Scene, known: Known) -> Iterator[str]:
        """What of a call's quotas is in doubt since nobody knows what earlier calls took from which of them."""
        for bound in (one for one in held if isinstance(one, QuotaBound)):
            charges = bound.charges(call, scene)
            for charge in () if isinstance(charges, Breach) else charges:
                unseen = self._unseen.of(bound, call, charge, timed=known.timed)
                if charge.amount > self._counters.least(charge, timed=known.timed) - unseen:
                    yield self._doubt(charge, known)

    @staticmethod
    def _doubt(charge: Charge, known: Known) -> str:
        return f"what earlier calls took from {charge.window}" if known.timed else TIMES

    @property
    def stray(self) -> Judged | None:
        """What is made of each call of a tool that the policy has no entry for; None as long as there was none."""
        unnamed = self._tools.get(None)
        return None if unnamed is None else unnamed.judged

    def stands(self, name: str) -> Rung:
        """Where a tool stands before any particular call.

        Args:
            name: The tool's name.
        """
        return self._tool(name).route.rung

    def _tool(self, name: str) -> _Standing:
        """A tool's rule, and what it comes to before any particular call. Kept by entry, of which there are few."""
        entry = self._policy.entry(name)
        if entry not in self._tools:
            rule = self._policy.rule(name)
            route = claimed(self._policy, rule)
            settled = route.rung < Rung.BOUNDED or not rule.bounds
            self._tools[entry] = _Standing(rule, route, Judged(route), settled=settled, plain=plain(rule.bounds))
        return self._tools[entry]


def _said(run: Run, place: int, traced: TracedCall) -> Said:
    """What had been said when a call was proposed, as far as it is recorded."""
    words = run.said or ()
    outputs = tuple(
        Output(one.tool, one.word, one.arguments or {})
        for one in run.calls[:place]
        if one.word is not None and traced.heard_of(one)
    )
    return Said(words if traced.heard is None else words[: traced.heard], outputs)
