"""Bounds held against recorded calls: which calls of a run each would have let run unasked.

What is kept is how often each combination was seen, so that any choice of bounds can be counted afterwards.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from ladder_graph.calls import Call
from ladder_graph.errors import ArgumentsError
from ladder_graph.policy import Policy, Rule
from ladder_graph.policy.bounds import Bound, Breach, Origin
from ladder_graph.policy.bounds.shape import QuotaBound
from ladder_graph.replay.decider import Calls, Decider
from ladder_graph.replay.suggesting.arguments import day_of
from ladder_graph.replay.suggesting.verdicts import Half, Verdict, half, marked, verdict
from ladder_graph.replay.traces import Run
from ladder_graph.scale import Rung

MOST_PATTERNS = 100_000
"""Different runs of one tool that are kept apart; further ones are left out, and their number is told."""
_GROUPS = 1 << 16
"""Tasks that are told apart."""

Seen = tuple[Verdict | None, int]
"""What is known of a call, and the bounds that let it run unasked: a bit for each."""
Pattern = frozenset[Seen]
"""What is known of the calls of one tool in one run."""


@dataclass(slots=True)
class Sheet:
    """What was seen of one tool in one half of the tasks."""

    calls: Counter[Seen] = field(default_factory=Counter)
    runs: Counter[tuple[int | None, Pattern]] = field(default_factory=Counter)
    """By the day of the last call, where its time is known."""
    tasks: dict[int, set[Seen]] = field(default_factory=dict)
    """What was seen in each task, of which some may share a number."""
    left_out: int = 0
    """Runs beyond `MOST_PATTERNS`."""


class Trial:
    """Holds bounds of one tool against its calls, each by itself.

    Args:
        tool: The tool's name.
        bounds: The bounds to try.
        agent: The agent's name.
        at: The moment, aware, at which calls without a time are taken to come.
        calls: Shared by trials of the same runs.

    Raises:
        ValidationError: No policy can have a tool of this name.
    """

    def __init__(self, tool: str, bounds: Sequence[Bound], agent: str, at: dt.datetime | None, calls: Calls) -> None:
        self.bounds = tuple(bounds)
        self.sheets: dict[Half, Sheet] = {"learning": Sheet(), "checking": Sheet()}
        self._agent, self._calls = agent, calls
        self._checks: dict[int, _Check] = {}
        self._deciders: dict[int, Decider] = {}
        for bit, bound in enumerate(bounds):
            if isinstance(bound, QuotaBound | Origin):
                policy = Policy(agent=agent, tools={tool: Rule(rung=Rung.BOUNDED, bounds=(bound,))})
                self._deciders[bit] = Decider(policy, at, calls)
            else:
                self._checks[bit] = cast("_Check", bound)

    def add(self, run: Run, places: Sequence[int]) -> None:
        """Hold the calls of a run against each bound.

        Args:
            run: The run, no control.
            places: Those of the tool's calls among the run's.
        """
        sheet = self.sheets[half(run)]
        freed = [0] * len(run.calls)
        for place in places:
            freed[place] = self._inside(run, place)
        for bit, decider in self._deciders.items():
            for place, judged in enumerate(decider.judged(run)):
                freed[place] |= (judged.verdict == "free") << bit
        seen = [(verdict(run, run.calls[place]), freed[place]) for place in places]
        day = day_of(run.calls[places[-1]])
        key = day, frozenset(seen)
        if key not in sheet.runs and len(sheet.runs) >= MOST_PATTERNS:
            sheet.left_out += 1
            return
        sheet.runs[key] += 1
        sheet.calls.update(seen)
        sheet.tasks.setdefault(marked(run) % _GROUPS, set()).update(seen)

    def _inside(self, run: Run, place: int) -> int:
        """The bounds that look at nothing but the call, and that it is inside of: most, and they need no decider."""
        if run.calls[place].arguments is None:
            return 0
        try:
            call = self._calls.of(self._agent, run, place)
        except ArgumentsError:
            return 0
        return sum(1 << bit for bit, bound in self._checks.items() if bound.check(call) is None)


class _Check(Protocol):
    """A bound on the call alone."""

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not."""
