"""A policy held against recorded runs, with limits on what may come of it: what breaks them, and by which calls.

It fails closed. A call that can't be decided counts as one that may run unasked; traces that are partly damaged, that
hold nothing, or that lack what a limit is about, break it, since nobody could tell otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ladder_graph.calls import digest_of_call
from ladder_graph.errors import ArgumentsError
from ladder_graph.replay.board import ANY
from ladder_graph.replay.candidates import Candidate
from ladder_graph.replay.decider import Judged, Verdict
from ladder_graph.replay.differences import why
from ladder_graph.replay.effects import Effects
from ladder_graph.replay.holding import held
from ladder_graph.replay.traces import CRITICAL, Run, TracedCall
from ladder_graph.wording import given, inert

SHOWN = 3
"""Calls that are named of each limit that is broken, and tools."""
_LONGEST = 160
"""Characters of a call's arguments, and of why it goes where it goes, that are shown."""
_DIGEST = 8
"""Hex digits by which a call's arguments are known again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may come of a policy at most; None for whatever it may."""

    confirmations: float | None = None
    """Questions for each task, on average, in runs that nobody interfered with."""
    unattended_critical: int | None = None
    """Calls labelled critical that run, or may run, without anybody being asked."""
    unattended_irreversible: int | None = None
    """Calls that nothing takes back, and that run, or may run, without anybody being asked."""
    undecidable: float | None = None
    """The share of calls that can't be decided from what was recorded, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy makes of one call."""

    run: str
    """The run's id; of several runs with one id, from the second on with `#2` and so on behind it."""
    place: int
    """The call's place among those of the run, from 0."""
    tool: str
    digest: str
    """What its arguments are known again by; `-` where they aren't recorded."""
    verdict: Verdict
    rung: int | None
    """None where it is undecidable."""
    codes: tuple[str, ...]
    """The codes of the reasons."""
    arguments: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    why: str = field(default="", compare=False, repr=False)

    @property
    def text(self) -> str:
        """The call in one line, with where it stands and why it goes where it goes."""
        call = f"{inert(self.tool)}({_cut('…' if self.arguments is None else given(self.arguments))})"
        return f"run {inert(self.run)}, call {self.place}: {call}: {self.verdict}, {_cut(inert(self.why))}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


@dataclass
class Replayed:
    """A policy that was held against recorded runs."""

    policy: str
    """Its name."""
    traces: tuple[str, ...]
    decisions: list[Decision] = field(default_factory=list)
    """What it makes of each call, in the order in which the runs were read; calls of controls too."""
    tasks: int = 0
    """Runs in which nobody interfered."""
    asked: list[Decision] = field(default_factory=list)
    """Calls of those that would ask."""
    critical: list[Decision] = field(default_factory=list)
    """Calls labelled critical that run, or may run, without anybody being asked."""
    irreversible: list[Decision] = field(default_factory=list)
    """Calls that nothing takes back, and that run, or may run, without anybody being asked."""
    undecidable: list[Decision] = field(default_factory=list)
    """Calls that can't be decided from what was recorded."""
    labelled: int = 0
    """Calls that somebody judged afterwards."""
    unusable: list[str] = field(default_factory=list)
    """What of the traces could not be used, a line each."""

    @property
    def confirmations(self) -> float | None:
        """Questions for each task; None where there is no task."""
        return len(self.asked) / self.tasks if self.tasks else None

    def broken(self, limits: Limits) -> list[str]:
        """Each limit that is broken, in words, with the calls that break it.

        Args:
            limits: What may come of it.
        """
        return [text for text in self._problems(limits) if text]

    def _problems(self, limits: Limits) -> Iterator[str]:
        if not self.decisions:
            yield "no call could be read, so nothing is shown"
            return
        yield self._too_many_questions(limits.confirmations)
        if limits.unattended_critical is not None and not self.labelled:
            yield "no call is labelled, so nobody can tell which of them are critical; take max_unattended_critical off"
        yield _too_many("critical calls that may run unasked", self.critical, limits.unattended_critical)
        yield _too_many("irreversible calls that may run unasked", self.irreversible, limits.unattended_irreversible)
        share = limits.undecidable
        if share is not None and len(self.undecidable) > share * len(self.decisions):
            found = f"{len(self.undecidable)} of {len(self.decisions)}"
            yield _named(f"undecidable calls: {found}, and at most {share:.1%} are allowed", self.undecidable)

    def _too_many_questions(self, most: float | None) -> str:
        if most is None:
            return ""
        if self.confirmations is None:
            return "no run is a task that nobody interfered with, so there is nothing to count confirmations for"
        if self.confirmations <= most:
            return ""
        found = f"{len(self.asked)} in {self.tasks} tasks"
        head = f"confirmations per task: {self.confirmations:.2f} ({found}), and at most {most:g} are allowed"
        return _named(head, self.asked)


def _too_many(what: str, found: Sequence[Decision], most: int | None) -> str:
    if most is None or len(found) <= most:
        return ""
    return _named(f"{what}: {len(found)}, and at most {most} are allowed", found)


def _named(head: str, found: Sequence[Decision]) -> str:
    """A sentence, with the tools that it is about and the first calls."""
    tools = Counter(inert(one.tool) for one in found).most_common(SHOWN)
    by_tool = ", ".join(f"{tool} {count}" for tool, count in tools)
    lines = [head, f"    by tool: {by_tool}", *(f"    {one.text}" for one in found[:SHOWN])]
    more = len(found) - SHOWN
    return "\n".join([*lines, *[f"    and {more} more"] * (more > 0)])


def replayed(
    traces: Sequence[str], candidate: Candidate, *, at: dt.datetime | None = None, form: str = ""
) -> Replayed:  # fmt: skip
    """Hold one policy against recorded runs, and keep what it makes of each call.

    Args:
        traces: Files, folders and databases.
        candidate: The policy.
        at: The moment, aware, at which calls without a time are taken to come.
        form: The format's name, where it isn't to be recognised.

    Raises:
        LadderError: A file can't be opened, or is in no format that is known.
    """
    found = Replayed(candidate.name, tuple(traces))
    effects = {suite: Effects([policy]) for suite, policy in candidate.suites.items()}
    ids: Counter[str] = Counter()

    def seen(run: Run, judged: Mapping[str, Sequence[Judged]]) -> None:
        ids[run.id] += 1
        name = run.id if ids[run.id] == 1 else f"{run.id}#{ids[run.id]}"
        does = effects.get(run.suite) or effects[ANY]
        _take(found, run, name, judged[candidate.name], does)

    held(traces, [candidate], trouble=found.unusable.append, at=at, form=form, seen=seen)
    return found


def _take(found: Replayed, run: Run, name: str, judged: Sequence[Judged], effects: Effects) -> None:
    found.tasks += run.kind == "task"
    for place, (call, one) in enumerate(zip(run.calls, judged, strict=True)):
        decision = _decision(name, place, call, one)
        found.decisions.append(decision)
        if run.kind != "control":
            _count(found, run, call, decision, irreversible=effects.of(call.tool).irreversible)


def _count(found: Replayed, run: Run, call: TracedCall, decision: Decision, *, irreversible: bool) -> None:
    found.labelled += call.labels is not None
    if decision.verdict == "asked" and run.kind == "task":
        found.asked.append(decision)
    if decision.verdict == "undecidable":
        found.undecidable.append(decision)
    if decision.verdict in {"free", "undecidable"}:
        if call.labels and CRITICAL in call.labels:
            found.critical.append(decision)
        if irreversible:
            found.irreversible.append(decision)


def _decision(run: str, place: int, call: TracedCall, judged: Judged) -> Decision:
    route = judged.route
    rung, codes = (None, ()) if route is None else (int(route.rung), tuple(one.code for one in route.reasons))
    return Decision(run, place, call.tool, _digest(call), judged.verdict, rung, codes, call.arguments, why(judged))


def _digest(call: TracedCall) -> str:
    if call.arguments is None:
        return "-"
    try:
        return digest_of_call(call.tool, call.arguments)[:_DIGEST]
    except ArgumentsError:
        return "?"
