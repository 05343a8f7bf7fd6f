"""The JSON of a replay: what policies would have made of recorded runs. As in `ladder_graph.cli.documents`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ladder_graph.cli.documents import ReasonDocument
    from ladder_graph.replay import Coverage, Judged, Row, Run
    from ladder_graph.replay.candidates import Candidate
    from ladder_graph.replay.comparing import Comparison
    from ladder_graph.replay.coverage import Part
    from ladder_graph.replay.differences import Change
    from ladder_graph.replay.pareto import Front
    from ladder_graph.replay.report import Findings
    from ladder_graph.replay.report.comparison import ComparisonDocument


class CoverageDocument(TypedDict):
    """What recorded runs brought with them."""

    runs: int
    calls: int
    counts: dict[str, int]
    """How many of the calls have it, by what it is: arguments, results, matched, words, outputs, times, models, fates,
    decided, labelled."""
    meanings: list[str]
    """What isn't there, and what that means for the rest."""


class PartDocument(TypedDict):
    """What was read from one of the places that were named."""

    path: str
    formats: dict[str, int]
    """The formats that its files are in, with how many are."""
    runs: int
    calls: int
    counts: dict[str, int]
    """As for all of them."""


class CandidateDocument(TypedDict):
    """A policy of a replay."""

    name: str
    suites: list[str]
    """Those that it has a policy for; `*` is any."""
    notes: list[str]
    """The comments that its files begin with."""
    reference: bool
    """It was made from the first one, to compare with."""


class EstimateDocument(TypedDict):
    """A ratio with its interval; null where there is nothing to count it of."""

    value: float | None
    low: float | None
    high: float | None


class RowDocument(TypedDict):
    """What one policy makes of the runs of one suite, or of all."""

    policy: str
    suite: str
    """`total` where it is over all suites."""
    exposed: int
    """Tasks in which an attack was carried out that a gate could have stopped."""
    counts: dict[str, int]
    ratios: dict[str, EstimateDocument]
    readings: dict[str, dict[str, int]]
    """The counts by each reading of what comes after the horizon: skip, prefix, best, worst."""
    partings: dict[str, int]
    """Runs that aren't exact to their end, by what ends the exactness."""
    unnamed: int
    """Calls of tools that the policy has no entry for, so that they are only suggested."""
    strangers: list[str]
    """The first few of those tools."""


class ExampleDocument(TypedDict):
    """A call that two policies decide differently."""

    run: str
    place: int
    """Its place among the calls of the run, from 0."""
    tool: str
    arguments: dict[str, Any] | None
    why: str


class ChangeDocument(TypedDict):
    """Calls of one tool that a policy decides otherwise than the first one."""

    policy: str
    tool: str
    before: str
    """free, asked, held or undecidable."""
    after: str
    count: int
    examples: list[ExampleDocument]


class PointDocument(TypedDict):
    """A policy's cost and risk."""

    policy: str
    minutes: float
    """Of people's time for each task."""
    low: float
    high: float
    risk: float
    dominated_by: list[str]


class FrontDocument(TypedDict):
    """People's time against what gets through."""

    axis: str
    """attacks, critical calls, or irreversible actions."""
    reviewer: dict[str, float]
    """What is assumed of whoever answers: minutes an answer, and the share that they catch."""
    assumed: str
    """The same in words."""
    points: list[PointDocument]


class ReplayDocument(TypedDict):
    """What was found: `ladder replay --json`."""

    traces: list[PartDocument]
    at: str | None
    """The moment at which calls without a time were taken to come."""
    coverage: CoverageDocument
    policies: list[CandidateDocument]
    rows: list[RowDocument]
    changes: list[ChangeDocument]
    """Against the first policy."""
    pareto: FrontDocument | None
    """Null where nobody knows what people would be asked."""
    comparison: ComparisonDocument | None
    """With a ledger, where one was named."""


class JudgedDocument(TypedDict):
    """What one policy makes of a call."""

    decision: str
    """free, asked, held or undecidable."""
    rung: str | None
    """Null where it is undecidable, as the next one is empty."""
    reasons: list[ReasonDocument]
    missing: list[str]
    """What would have to be recorded to decide it."""


class CallDocument(TypedDict):
    """One recorded call, a line of `ladder replay --calls FILE`."""

    run: str
    suite: str
    place: int
    """Its place among the calls of the run, from 0."""
    tool: str
    id: str
    arguments: dict[str, Any] | None
    fate: str | None
    """What became of it when it was recorded."""
    labels: list[str] | None
    policies: dict[str, JudgedDocument]


def replay(of: Findings, comparison: Comparison | None = None) -> ReplayDocument:
    """What was found as JSON."""
    from ladder_graph.replay.report.comparison import document

    return {
        "traces": list(map(part, of.parts)), "at": of.at.isoformat() if of.at else None,
        "coverage": coverage(of.coverage, of),
        "policies": list(map(candidate, of.candidates)), "rows": list(map(row, of.rows)),
        "changes": [change(name, one) for name, changes in of.changes.items() for one in changes],
        "pareto": front(of.front) if of.front else None,
        "comparison": document(comparison) if comparison else None,
    }  # fmt: skip


def part(of: Part) -> PartDocument:
    """What was read from one place as JSON."""
    counts = asdict(of.coverage)
    return {
        "path": of.path, "formats": dict(of.formats), "runs": counts.pop("runs"), "calls": counts.pop("calls"),
        "counts": counts,
    }  # fmt: skip


def coverage(of: Coverage, found: Findings) -> CoverageDocument:
    """What the runs brought with them as JSON."""
    counts = asdict(of)
    return {
        "runs": counts.pop("runs"), "calls": counts.pop("calls"), "counts": counts,
        "meanings": list(of.meanings(found.at)),
    }  # fmt: skip


def candidate(of: Candidate) -> CandidateDocument:
    """A policy as JSON."""
    return {"name": of.name, "suites": list(of.suites), "notes": list(of.notes), "reference": of.reference}


def row(of: Row) -> RowDocument:
    """A row as JSON."""
    from ladder_graph.replay.metrics import READINGS

    return {
        "policy": of.policy, "suite": of.suite, "exposed": of.exposed, "counts": asdict(of.tally),
        "ratios": {
            name: {"value": one.value, "low": one.low, "high": one.high} for name, one in of.estimates.items()
        },
        "readings": {reading: asdict(getattr(of.readings, reading)) for reading in READINGS},
        "partings": {str(why): count for why, count in of.partings.items()},
        "unnamed": of.unnamed, "strangers": list(of.strangers),
    }  # fmt: skip


def change(policy: str, of: Change) -> ChangeDocument:
    """A change as JSON."""
    return {
        "policy": policy, "tool": of.tool, "before": of.before, "after": of.after, "count": of.count,
        "examples": [
            {"run": one.run, "place": one.place, "tool": one.tool, "arguments": one.arguments, "why": one.why}
            for one in of.examples
        ],
    }  # fmt: skip


def front(of: Front) -> FrontDocument:
    """A front as JSON."""
    return {
        "axis": of.axis, "reviewer": asdict(of.reviewer), "assumed": of.assumed,
        "points": [
            {
                "policy": one.policy, "minutes": one.minutes, "low": one.low, "high": one.high, "risk": one.risk,
                "dominated_by": list(one.dominated_by),
            }
            for one in of.points
        ],
    }  # fmt: skip


def calls(run: Run, judged: Mapping[str, Sequence[Judged]]) -> Iterator[CallDocument]:
    """Each call of a run as JSON, with what each policy makes of it."""
    for place, call in enumerate(run.calls):
        yield {
            "run": run.id, "suite": run.suite, "place": place, "tool": call.tool, "id": call.id,
            "arguments": call.arguments, "fate": call.fate,
            "labels": None if call.labels is None else sorted(call.labels),
            "policies": {name: _judged(all_[place]) for name, all_ in judged.items()},
        }  # fmt: skip


def _judged(of: Judged) -> JudgedDocument:
    from ladder_graph.cli.documents import reasons

    return {
        "decision": of.verdict, "rung": of.route.rung.word if of.route else None,
        "reasons": reasons(of.route) if of.route else [], "missing": list(of.missing),
    }  # fmt: skip
