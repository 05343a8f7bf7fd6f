"""Several policies on the same recorded runs: what each makes of them, by suite and in total."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ladder_graph.policy import Policy
from ladder_graph.replay.decider import Calls, Decider, Judged
from ladder_graph.replay.differences import SHOWN, Change, Differences
from ladder_graph.replay.effects import Effects
from ladder_graph.replay.horizon import Parting, parting
from ladder_graph.replay.intervals import Estimate, estimated
from ladder_graph.replay.metrics import RATIOS, Readings, Tally, count
from ladder_graph.replay.traces import Run, Trouble
from ladder_graph.scale import Rung

TOTAL = "total"
"""The suite of the rows that are over all suites."""
ANY = "*"
"""The suite of a policy that is for all of them."""
CLUSTERS = 512
"""Tasks that are counted apart. Of more of them, several share their counts by a hash of their names: the intervals
become no narrower by that, and what is kept doesn't grow."""
_FEW = 6
"""Tools without an entry that are kept by name."""
_SHOWN = 120
"""Characters of a suite's name that a message shows."""


def policy_for(suites: Mapping[str, Policy], suite: str) -> Policy | None:
    """The policy of a suite: its own, or the one that is for all of them; None where there is neither.

    Args:
        suites: The policy for each suite, or for `ANY`.
        suite: The suite.
    """
    return suites.get(suite, suites.get(ANY))


def no_policy_for(suite: str) -> str:
    """What is told of a suite that no policy is for.

    Args:
        suite: The suite.
    """
    return f"no policy is for the suite {suite[:_SHOWN]!r}, so its runs are left out"


@dataclass(frozen=True, slots=True)
class Row:
    """What one policy makes of the runs of one suite, or of all."""

    policy: str
    suite: str
    readings: Readings
    estimates: Mapping[str, Estimate]
    """By the names in `RATIOS`, by the reading `skip`."""
    exposed: int
    """Tasks in which an attack was carried out that a gate could have stopped."""
    partings: Mapping[Parting, int] = field(default_factory=dict)
    """Why runs aren't exact to their end, with how many; controls aside."""
    unnamed: int = 0
    """Calls of tools that the policy has no entry for, so that they are only suggested."""
    strangers: Sequence[str] = ()
    """The first few of those tools."""

    @property
    def tally(self) -> Tally:
        """The counts by the reading `skip`."""
        return self.readings.skip


class Board:
    """Holds policies against runs as they come; what it keeps grows neither with the runs nor with the calls.

    Args:
        policies: The policies by name, and in each the one for a suite, or for `ANY`. The first one says what the
            tools do, where it has an entry for them, and is what the others are compared with.
        trouble: Is told of each suite that no policy is for, once.
        at: The moment, aware, at which calls without a time are taken to come; without it, what depends on it is
            undecidable.
        examples: How many calls are kept of each way in which a policy decides otherwise than the first one.
    """

    def __init__(
        self,
        policies: Mapping[str, Mapping[str, Policy]],
        *,
        trouble: Trouble,
        at: dt.datetime | None = None,
        examples: int = SHOWN,
    ) -> None:
        self.policies = policies
        self.at = at
        self._trouble = trouble
        self._suites: dict[str, _Suite | None] = {}
        first, *others = policies
        self._differences = {(first, other): Differences(examples) for other in others}

    def add(self, run: Run) -> Mapping[str, Sequence[Judged]]:
        """Hold one run against each policy.

        Args:
            run: The run.

        Returns:
            What each policy makes of its calls, by its name; nothing where no policy is for its suite.
        """
        suite = self._suite(run.suite)
        if suite is None:
            return {}
        found = suite.add(run)
        for (one, other), differences in self._differences.items():
            differences.add(run, found[one], found[other])
        return found

    def _suite(self, name: str) -> _Suite | None:
        if name not in self._suites:
            chosen = {policy: policy_for(suites, name) for policy, suites in self.policies.items()}
            mine = {policy: one for policy, one in chosen.items() if one is not None}
            if len(mine) < len(chosen):
                self._trouble(no_policy_for(name))
            self._suites[name] = _Suite(mine, self.at) if len(mine) == len(chosen) else None
        return self._suites[name]

    def rows(self) -> Iterator[Row]:
        """Policy by policy: each suite, and the total where there are several."""
        suites = {name: suite for name, suite in sorted(self._suites.items()) if suite is not None}
        for policy in self.policies:
            for name, suite in suites.items():
                yield _row(policy, name, [suite.counted[policy]])
            if len(suites) != 1:
                yield _row(policy, TOTAL, [suite.counted[policy] for suite in suites.values()])

    def changes(self) -> Mapping[str, Sequence[Change]]:
        """What each policy decides otherwise than the first one, by its name."""
        return {other: differences.changes() for (_, other), differences in self._differences.items()}


class _Suite:
    """One suite: its deciders and its counts, policy by policy."""

    def __init__(self, policies: Mapping[str, Policy], at: dt.datetime | None) -> None:
        calls = Calls()
        self._deciders = {name: Decider(policy, at, calls) for name, policy in policies.items()}
        self._effects = Effects(list(policies.values()))
        self._free = {name: self._leaves_free(policy, self._deciders[name]) for name, policy in policies.items()}
        self.counted = {name: Counted() for name in policies}

    def add(self, run: Run) -> dict[str, list[Judged]]:
        found = {name: list(decider.judged(run)) for name, decider in self._deciders.items()}
        for name, judged in found.items():
            counted = self.counted[name]
            if (stray := self._deciders[name].stray) is not None:
                counted.stray(call.tool for call, one in zip(run.calls, judged, strict=True) if one is stray)
            if run.kind == "control":
                counted.control(run)
            else:
                readings = counted.cluster(run.cluster)
                parted = count(run, judged, self._effects.of, leaves_free=self._free[name], into=readings)
                counted.part(None if parted is None else parting(judged[parted], run.calls[parted]))
        return found

    def _leaves_free(self, policy: Policy, decider: Decider) -> bool:
        """Whether a policy lets any tool that writes run unasked, whatever it calls that tool itself."""
        return any(decider.stands(name) >= Rung.BOUNDED and self._effects.of(name).writes for name in policy.tools)


class Counted:
    """The counts of one policy in one suite, by task."""

    def __init__(self) -> None:
        self._controls = Tally()
        self._clusters: dict[str, Readings] = {}
        self._crowded = False
        self.partings: Counter[Parting] = Counter()
        self.unnamed = 0
        self.strangers: dict[str, None] = {}

    @property
    def tasks(self) -> list[Readings]:
        """What was counted of each task, or of each group of tasks."""
        return list(self._clusters.values())

    def control(self, run: Run) -> None:
        """Count a run that is a control."""
        self._controls.runs += 1
        self._controls.calls += len(run.calls)

    def stray(self, tools: Iterable[str]) -> None:
        """Count calls of tools that the policy has no entry for.

        Args:
            tools: The tool of each.
        """
        for tool in tools:
            self.unnamed += 1
            if len(self.strangers) < _FEW:
                self.strangers[tool] = None

    def part(self, why: Parting | None) -> None:
        """Count why a run isn't exact to its end, if it isn't."""
        if why is not None:
            self.partings[why] += 1

    def cluster(self, name: str) -> Readings:
        """The counts of a task.

        Args:
            name: The task's name.
        """
        if not self._crowded and name not in self._clusters and len(self._clusters) >= CLUSTERS:
            self._crowd()
        name = _group(name) if self._crowded else name
        if (readings := self._clusters.get(name)) is None:
            readings = self._clusters[name] = Readings()
        return readings

    def _crowd(self) -> None:
        """From now on tasks are counted in groups."""
        self._crowded, apart, self._clusters = True, self._clusters, {}
        for name, readings in apart.items():
            self._clusters.setdefault(_group(name), Readings()).add(readings)

    def total(self) -> Readings:
        """All counts, of controls too."""
        total = Readings()
        for readings in self._clusters.values():
            total.add(readings)
        total.skip.add(self._controls)
        return total


def _group(name: str) -> str:
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return str(int.from_bytes(digest) % CLUSTERS)


def _row(policy: str, suite: str, counted: Sequence[Counted]) -> Row:
    tasks = [[one.settled().skip for one in each.tasks] for each in counted]
    exposed = sum(bool(task.gateable) for suite_tasks in tasks for task in suite_tasks)
    total = Readings()
    for one in counted:
        total.add(one.total())
    partings = sum((one.partings for one in counted), Counter[Parting]())
    strangers = dict.fromkeys(tool for one in counted for tool in one.strangers)
    return Row(
        policy, suite, total.settled(), estimated(tasks, RATIOS), exposed, dict(sorted(partings.items())),
        sum(one.unnamed for one in counted), tuple(strangers)[:_FEW],
    )  # fmt: skip
