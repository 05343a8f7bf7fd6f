"""Data frames of what ladders and replays give: a row for each thing, typed, for whatever one does with a frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ladder_graph.errors import LadderError
from ladder_graph.facts import Question
from ladder_graph.ladder import Ladder
from ladder_graph.ladder.assessing import Assessment
from ladder_graph.ladder.desk import Cell
from ladder_graph.ledger import Action, Digest, Draft, Entry, Report
from ladder_graph.notebook.paths import Look
from ladder_graph.notebook.views import no_kind
from ladder_graph.policy.units import MICRO
from ladder_graph.replay.board import Board, Row
from ladder_graph.replay.coverage import Coverage
from ladder_graph.replay.differences import Change
from ladder_graph.replay.metrics import READINGS
from ladder_graph.replay.pareto import Front, Point
from ladder_graph.replay.suggesting import Suggestion
from ladder_graph.replay.suggesting.snippet import inline
from ladder_graph.replay.traces import Run
from ladder_graph.scale import Rung

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]  # it comes without types

INSTALL = "pip install 'ladder-graph[notebooks]'"


def frame(given: object) -> pd.DataFrame:
    """A data frame of what a ladder or a replay gave.

    Rungs are ordered categories (`frame.rung >= "bounded"` works), moments are in UTC, money is in dollars. Of an empty
    list there is an empty frame.

    Args:
        given: A ladder or a list of cells; actions, questions, drafts, reports, entries, assessments; the looks of a
            path; a board or its rows, its changes, a front, suggestions (a row for each bound that
            was tried), a coverage; or recorded runs, a row for each call.

    Raises:
        LadderError: There is no frame of it, or pandas is missing.

    Example:
        >>> from ladder_graph import Ladder
        >>> ladder = Ladder(agent="ops", rungs={"send_email": "confirm"}, ledger=":memory:")
        >>> frame(ladder.status())[["tool", "stands"]].values.tolist()
        [['send_email', 'confirm']]
        >>> ladder.close()
    """
    things = _things(given)
    kinds = {type(one) for one in things}
    if kinds - _RECORDS.keys() or len(kinds) > 1:
        raise LadderError(no_kind(given, "become a frame"))
    record = _RECORDS[kinds.pop()] if kinds else _none
    return _typed(_pandas().DataFrame.from_records([one for thing in things for one in record(thing)]))


def _things(given: object) -> Sequence[Any]:
    match given:
        case Ladder():
            return given.status()
        case Board():
            return list(given.rows())
        case Front():
            return given.points
        case list() | tuple():
            return given
        case _:
            return (given,)


def _pandas() -> Any:
    try:
        import pandas as pd
    except ModuleNotFoundError as missing:
        raise LadderError(f"a frame needs pandas, and it is missing: {INSTALL}") from missing
    return pd


_RUNGS = frozenset({"rung", "claimed", "stands", "to"})
_TIMES = frozenset(
    {"at", "updated", "asked_at", "expires_at", "made", "decided", "begins", "ends", "filed", "due", "read"}
)


def _typed(found: pd.DataFrame) -> pd.DataFrame:
    """Rungs in their order, and moments as such also where there is none."""
    pd = _pandas()
    order = pd.CategoricalDtype([rung.word for rung in Rung], ordered=True)
    for name in found.columns:
        if name in _RUNGS:
            found[name] = found[name].astype(order)
        elif name in _TIMES and found[name].dtype == object:
            found[name] = pd.to_datetime(found[name], utc=True)
        elif name == "mistake":
            found[name] = found[name].astype(float)
    return found


# --- a row for each thing -----------------------------------------------------------------------------------------

Record = dict[str, Any]


def _none(thing: object) -> Iterable[Record]:  # noqa: ARG001  # there is none
    return ()


def _cell(one: Cell) -> Iterable[Record]:
    yield {
        "agent": one.agent, "tool": one.tool, "scope": one.scope, "claimed": one.claimed.word,
        "stands": one.route.rung.word, "why": one.route.why, "codes": tuple(each.code for each in one.route.reasons),
        "environment": one.environment, "entry": one.entry, "mistake": _dollars(one.mistake), "beyond": one.beyond,
        "part_first": one.part_first,
    }  # fmt: skip


def _dollars(micro: int | None) -> float | None:
    return None if micro is None else micro / MICRO


def _action(one: Action) -> Iterable[Record]:
    yield {
        "action": one.key, "agent": one.agent, "thread": one.thread, "tool": one.tool, "arguments": one.arguments,
        "rung": one.rung.word, "state": one.state.value, "why": one.why, "at": one.at, "updated": one.updated,
        "actor": one.actor, "verdict": one.verdict, "text": one.text,
    }  # fmt: skip


def _question(one: Question) -> Iterable[Record]:
    yield {
        "question": one.id, "agent": one.call.agent, "thread": one.call.thread, "tool": one.call.tool,
        "arguments": one.call.arguments, "reasons": one.reasons, "impact": one.impact, "asked_at": one.asked_at,
        "expires_at": one.expires_at, "may_answer": one.may_answer, "quorum": one.quorum, "votes": len(one.votes),
        "verdict": one.decision.verdict if one.decision else None, "by": one.decision.by.name if one.decision else None,
    }  # fmt: skip


def _draft(one: Draft) -> Iterable[Record]:
    yield {
        "action": one.action.key, "tool": one.action.tool, "kind": one.kind, "state": one.state, "by": one.by,
        "reason": one.reason, "made": one.made, "decided": one.decided, "path": one.path,
    }  # fmt: skip


def _digest(one: Digest) -> Iterable[Record]:
    counts = asdict(one.counts) if one.counts else {}
    yield {
        "report": one.id, "agent": one.agent, "title": one.title, "state": one.state, "begins": one.begins,
        "ends": one.ends, "due": one.due, "read": one.read, "by": one.by, "shows": one.shows, "given": one.given,
        "calls": one.calls, **counts,
    }  # fmt: skip


def _report(one: Report) -> Iterable[Record]:
    (told,) = _action(one.action)
    yield {**told, "report": one.digest, "reader": one.reader, "filed": one.filed, "due": one.due, "read": one.read,
           "verdict": one.verdict, "by": one.by}  # fmt: skip


def _entry(one: Entry) -> Iterable[Record]:
    yield {
        "n": one.n, "agent": one.agent, "at": one.at, "kind": one.kind, "tool": one.tool, "thread": one.thread,
        "action": one.action, "body": one.body, "hash": one.hash,
    }  # fmt: skip


def _assessment(one: Assessment) -> Iterable[Record]:
    made = one.certificate
    earned = {} if made is None else {
        "to": made.to.word, "runs": made.evidence.runs, "n_eff": made.evidence.n_eff, "k": made.evidence.k,
        "needed": made.needed, "limit": made.limit, "upper": made.upper, "e": made.e, "wanted": 1 / made.alpha,
        "granted": made.granted, "missing": tuple(gate.code for gate in made.missing),
    }  # fmt: skip
    yield {
        "agent": one.cell.agent, "tool": one.cell.tool, "scope": one.cell.scope, "env": one.cell.env,
        "current": one.current, "stands": one.standing.rung.word, **earned,
    }  # fmt: skip


def _look(one: Look | Point) -> Iterable[Record]:
    yield asdict(one)


def _row(one: Row) -> Iterable[Record]:
    ratios = {
        f"{name}{end}": math.nan if (found := getattr(estimate, part)) is None else found
        for name, estimate in one.estimates.items()
        for end, part in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    counts = {f"n_{name}": count for name, count in asdict(one.tally).items()}
    bounds = {
        f"{reading}_{name}": getattr(getattr(one.readings, reading), name)
        for reading in READINGS
        if reading != "skip"
        for name in ("asked", "executed", "unasked_irreversible")
    }
    yield {"policy": one.policy, "suite": one.suite, **ratios, **counts, **bounds, "exposed": one.exposed}


def _coverage(one: Coverage) -> Iterable[Record]:
    for name, share in one.shares().items():
        yield {"what": name, "calls": getattr(one, name), "share": share}


def _change(one: Change) -> Iterable[Record]:
    first = one.examples[0] if one.examples else None
    yield {
        "tool": one.tool, "before": one.before, "after": one.after, "count": one.count,
        "example": first and first.arguments, "why": first and first.why,
    }  # fmt: skip


def _suggestion(one: Suggestion) -> Iterable[Record]:
    for tried in (*one.each, one.together):
        together = len(tried.bounds) != 1 or tried is one.together
        yield {
            "suite": one.suite, "tool": one.tool, "bounds": tuple(map(inline, tried.bounds)), "together": together,
            **asdict(tried.checked), "clean": tried.learned.clean and tried.checked.clean,
        }  # fmt: skip


def _run(one: Run) -> Iterable[Record]:
    for place, call in enumerate(one.calls):
        yield {
            "run": one.id, "suite": one.suite, "task": one.task, "kind": one.kind, "solved": one.solved,
            "harmed": one.harmed, "place": place, "tool": call.tool, "arguments": call.arguments, "fate": call.fate,
            "at": call.at, "model": call.model or None,
            "labels": None if call.labels is None else tuple(sorted(call.labels)),
        }  # fmt: skip


_RECORDS: dict[type, Callable[[Any], Iterable[Record]]] = {
    Action: _action, Assessment: _assessment, Cell: _cell, Change: _change, Coverage: _coverage, Digest: _digest,
    Draft: _draft, Entry: _entry, Look: _look, Point: _look, Question: _question, Report: _report, Row: _row, Run: _run,
    Suggestion: _suggestion,
}  # fmt: skip
