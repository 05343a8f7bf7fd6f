"""Bounds that recorded runs suggest, each with what it would have let through. Nothing here changes a policy.

Bounds are found in the right calls of one half of the tasks and chosen on that half; everything that is said of them is
counted on the other half, which nothing was tuned on. The runs are read twice, and kept at no time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from ladder_graph.policy import Policy, Rule
from ladder_graph.policy.bounds import Bound
from ladder_graph.replay.board import no_policy_for, policy_for
from ladder_graph.replay.coverage import Coverage
from ladder_graph.replay.decider import Calls
from ladder_graph.replay.suggesting.arguments import Shape, by_tool
from ladder_graph.replay.suggesting.bounds import FEWEST, proposed
from ladder_graph.replay.suggesting.choosing import chosen
from ladder_graph.replay.suggesting.figures import Figures, figures
from ladder_graph.replay.suggesting.promoting import Evidence, evidence
from ladder_graph.replay.suggesting.trials import Trial
from ladder_graph.replay.suggesting.verdicts import half, marked, verdict
from ladder_graph.replay.traces import Run, Trouble
from ladder_graph.scale import Rung

__all__ = ["Suggestion", "Tried", "suggestions"]

MOST_TOOLS = 1000
"""Tools that are looked at, the first ones; a trace may name any number of them."""

Key = tuple[str, str]
"""A suite and a tool in it."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One bound, or several together, with what they would have done."""

    bounds: tuple[Bound, ...]
    learned: Figures
    """On the half that they were found and chosen on: too good to be true."""
    checked: Figures
    """On the other half."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the recorded runs suggest for one tool."""

    suite: str
    tool: str
    entry: str | None
    """The entry of the policy that the tool has; None where it has none."""
    rule: Rule
    """What the policy says of it."""
    each: tuple[Tried, ...]
    """Every bound that was tried, by itself."""
    together: Tried
    """Those that belong together; without any where none was found."""
    evidence: Evidence
    """How far the runs inside all of those go towards a promotion."""
    alpha: float
    """The chance that an upper bound is ever wrong."""
    left_out: int = 0
    """Runs that weren't counted, since there were too many different ones."""

    @property
    def clean(self) -> bool:
        """Whether the bounds that belong together let nothing wrong through, in either half."""
        return bool(self.together.bounds) and self.together.learned.clean and self.together.checked.clean

    @property
    def untested(self) -> bool:
        """Whether no wrong call was ever seen, so that nobody knows what the bounds would keep out."""
        return not (self.together.learned.wrong or self.together.checked.wrong)


def suggestions(
    read: Callable[[], Iterable[Run]],
    policies: Mapping[str, Policy],
    *,
    trouble: Trouble,
    at: dt.datetime | None = None,
    seen: Coverage | None = None,
) -> list[Suggestion]:
    """Find bounds in recorded runs, and say what they would have done.

    Args:
        read: Reads the runs from their beginning; it is called twice.
        policies: The policy for each suite, or for `ANY`.
        trouble: Is told which suites have no policy, and which tools can't have bounds.
        at: The moment, aware, at which calls without a time are taken to come.
        seen: Counts what the runs bring with them.

    Returns:
        One for each tool with enough right calls in the first half, by suite and name.
    """
    known: dict[str, Policy | None] = {}

    def policy_of(suite: str) -> Policy | None:
        if suite not in known:
            known[suite] = policy_for(policies, suite)
            if known[suite] is None:
                trouble(no_policy_for(suite))
        return known[suite]

    trials = dict(_trials(_shapes(read(), policy_of, seen), policy_of, trouble, at))
    for run in _counted(read(), policy_of):
        for tool, places in by_tool(run).items():
            if (run.suite, tool) in trials:
                trials[run.suite, tool].add(run, places)
    found = [_suggestion(key, trial, policy_of(key[0])) for key, trial in sorted(trials.items())]
    return [one for one in found if one is not None]


def _counted(runs: Iterable[Run], policy_of: Callable[[str], Policy | None]) -> Iterator[Run]:
    return (run for run in runs if run.kind != "control" and policy_of(run.suite) is not None)


def _shapes(runs: Iterable[Run], policy_of: Callable[[str], Policy | None], seen: Coverage | None) -> dict[Key, Shape]:
    """What the right calls of the first half looked like, by tool."""
    shapes: dict[Key, Shape] = {}
    for run in _counted(_noted(runs, seen), policy_of):
        if half(run) != "learning":
            continue
        for tool, places in by_tool(run).items():
            right = [run.calls[place] for place in places if verdict(run, run.calls[place]) == "fine"]
            if right and ((run.suite, tool) in shapes or len(shapes) < MOST_TOOLS):
                shapes.setdefault((run.suite, tool), Shape()).add(right, marked(run))
    return shapes


def _noted(runs: Iterable[Run], seen: Coverage | None) -> Iterator[Run]:
    for run in runs:
        if seen is not None:
            seen.add(run)
        yield run


def _trials(
    shapes: Mapping[Key, Shape],
    policy_of: Callable[[str], Policy | None],
    trouble: Trouble,
    at: dt.datetime | None,
) -> Iterator[tuple[Key, Trial]]:
    calls = Calls()
    for (suite, tool), shape in shapes.items():
        policy = policy_of(suite)
        if policy is None or shape.calls < FEWEST:
            continue
        if "*" in tool:
            trouble(f"the tool {tool!r} can't have an entry of its own, since its name would be one for many")
            continue
        try:
            yield (suite, tool), Trial(tool, proposed(shape), policy.agent, at, calls)
        except ValidationError:
            trouble(f"the tool {tool!r} can't stand in a policy by this name")


def _suggestion(key: Key, trial: Trial, policy: Policy | None) -> Suggestion | None:
    if policy is None:
        return None
    suite, tool = key
    alpha = policy.trust.alpha_to(Rung.BOUNDED)
    learning, checking = trial.sheets["learning"], trial.sheets["checking"]

    def tried(places: Sequence[int]) -> Tried:
        bits = sum(1 << place for place in places)
        bounds = tuple(trial.bounds[place] for place in places)
        return Tried(bounds, figures(learning, bits, alpha), figures(checking, bits, alpha))

    together = chosen(learning, trial.bounds)
    rule = policy.rule(tool)
    bits = sum(1 << place for place in together)
    return Suggestion(
        suite, tool, policy.entry(tool), rule, tuple(tried([place]) for place in range(len(trial.bounds))),
        tried(together), evidence(checking, bits, rule, policy.trust), alpha, learning.left_out + checking.left_out,
    )  # fmt: skip
