"""Several policies on the same recorded runs: what each makes of them, by suite and in total."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ladder_graph.errors import ArgumentsError
from ladder_graph.policy import Policy
from ladder_graph.replay.decider import Decider
from ladder_graph.replay.intervals import Estimate, estimated
from ladder_graph.replay.metrics import RATIOS, Tally, tallied
from ladder_graph.replay.traces import Run, Trouble

TOTAL = "total"
"""The suite of the rows that are over all suites."""
_SHOWN = 120
"""Characters of a run's id that a message shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one policy makes of the runs of one suite, or of all."""

    policy: str
    suite: str
    tally: Tally
    estimates: Mapping[str, Estimate]
    """By the names in `RATIOS`."""
    exposed: int
    """Tasks in which an attack was carried out that a gate could have stopped."""


class Board:
    """Holds policies against runs as they come; what it keeps grows with the tasks, not with the runs.

    Args:
        policies: The policies by name, and in each the one for a suite.
        now: The moment at which all calls come, aware.
        writes: Whether a tool writes, by suite and name.
        trouble: Is told of each run that can't be used.
    """

    def __init__(
        self,
        policies: Mapping[str, Mapping[str, Policy]],
        *,
        now: dt.datetime,
        writes: Callable[[str, str], bool],
        trouble: Trouble,
    ) -> None:
        self._deciders = {
            name: {suite: Decider(policy, now) for suite, policy in suites.items()} for name, suites in policies.items()
        }
        self._suites = sorted(set.intersection(*(set(suites) for suites in policies.values())))
        self._writes = writes
        self._trouble = trouble
        self._counted: dict[str, dict[str, _Suite]] = {
            name: {suite: _Suite() for suite in self._suites} for name in policies
        }

    def add(self, run: Run) -> None:
        """Hold one run against each policy; one that can't be decided counts for none of them."""
        if run.suite not in self._suites:
            self._trouble(f"{run.id[:_SHOWN]!r}: no policy is for the suite {run.suite[:_SHOWN]!r}")
            return
        try:
            found = {name: self._tally(run, suites[run.suite]) for name, suites in self._deciders.items()}
        except ArgumentsError as wrong:
            self._trouble(f"{run.id[:_SHOWN]!r}: no call can have these arguments: {str(wrong)[:_SHOWN]!r}")
            return
        for name, tally in found.items():
            self._counted[name][run.suite].add(run, tally)

    def _tally(self, run: Run, decider: Decider) -> Tally:
        return tallied(run, decider.routes(run), lambda tool: self._writes(run.suite, tool))

    def rows(self) -> Iterator[Row]:
        """Policy by policy: each suite, and the total."""
        for name, suites in self._counted.items():
            for suite in self._suites:
                yield _row(name, suite, [suites[suite]])
            yield _row(name, TOTAL, list(suites.values()))


class _Suite:
    """The counts of one suite: of all runs, and of each task."""

    def __init__(self) -> None:
        self.all = Tally()
        self.tasks: dict[str, Tally] = defaultdict(Tally)

    def add(self, run: Run, tally: Tally) -> None:
        self.all += tally
        if run.kind != "control":
            self.tasks[run.task] += tally


def _row(policy: str, suite: str, counted: Sequence[_Suite]) -> Row:
    tasks = [list(one.tasks.values()) for one in counted]
    exposed = sum(bool(task.gateable) for suite_tasks in tasks for task in suite_tasks)
    return Row(policy, suite, sum((one.all for one in counted), Tally()), estimated(tasks, RATIOS), exposed)
