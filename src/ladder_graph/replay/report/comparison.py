"""A comparison of a history with a ledger, for people and for machines."""

from __future__ import annotations

from typing import TypedDict

from ladder_graph.replay.comparing import KINDS, Compared, Comparison, Decision, Kind
from ladder_graph.wording import inert

_LINES: dict[str, str] = {
    "alike": "decided alike",
    "otherwise": "decided otherwise",
    "undecidable": "decided by the ledger, and undecidable from the history",
    "changed": "in the ledger with other arguments",
    "past": "ran past the gate: in the history, and not in the ledger",
    "unheard": "in the history and not in the ledger, and didn't run",
    "gone": "in the ledger, and not in the history",
    "repeated": "ran more than once",
    "together": "asked about while another call of the turn was: answer these by the question's id",
}
"""What each kind is, in words."""


def text(comparison: Comparison) -> str:
    """A comparison for people: how many calls there are of each kind, and the first of those that aren't alike.

    Args:
        comparison: Once it is finished.
    """
    counts = _counts(comparison)
    lines = [f"Held against the ledger {comparison.source}:"]
    lines += [f"{count:>9,}  {_LINES[name]}" for name, count in counts.items() if count or name == "alike"]
    if comparison.missing:
        lines.append(f"{comparison.missing:>9,}  threads of the ledger that no run is of")
    for name, found in comparison.shown.items():
        lines += ["", f"{_LINES[name]}:", *(f"  {_line(name, one)}" for one in found)]
        if (more := counts[name] - len(found)) > 0:
            lines.append(f"  and {more:,} more")
    return "\n".join(map(inert, lines))


def _counts(comparison: Comparison) -> dict[str, int]:
    counts: dict[str, int] = {kind: comparison.counts[kind] for kind in KINDS}
    return {**counts, "repeated": comparison.repeated, "together": comparison.open_at_once}


def _line(name: str, one: Compared) -> str:
    place = f"{one.thread} {one.call or 'without an id'} {one.tool}"
    match name:
        case "repeated":
            return f"{place}: {one.runs} times"
        case "together":
            return f"{place}: with {', '.join(one.together)}"
        case _:
            sides = {"the replay": one.replayed, "the ledger": one.recorded}
            return f"{place}: {'; '.join(f'{whose}: {side}' for whose, side in sides.items() if side is not None)}"


class DecisionDocument(TypedDict):
    """Where a call goes, and why no higher."""

    rung: str | None
    """Null where a replay can't decide."""
    reasons: list[str]
    """Codes; of what is undecidable, the facts that are missing."""


class ComparedDocument(TypedDict):
    """One call, as both have it."""

    kind: Kind
    thread: str
    tool: str
    call: str
    """The tool call id."""
    replayed: DecisionDocument | None
    """Null where the call isn't in the history."""
    recorded: DecisionDocument | None
    """Null where it isn't in the ledger."""
    runs: int
    together: list[str]


class ComparisonDocument(TypedDict):
    """A history held against a ledger."""

    ledger: str
    counts: dict[str, int]
    """Calls by how they compare, and under `repeated` and `together` those that ran more than once, and those that were
    asked about while another one of their turn was."""
    missing_threads: int
    """Threads of the ledger that no run is of."""
    calls: dict[str, list[ComparedDocument]]
    """The first of each that is shown."""


def document(comparison: Comparison) -> ComparisonDocument:
    """A comparison as JSON values.

    Args:
        comparison: Once it is finished.
    """
    return {
        "ledger": comparison.source,
        "counts": _counts(comparison),
        "missing_threads": comparison.missing,
        "calls": {name: [_entry(one) for one in found] for name, found in comparison.shown.items()},
    }


def _entry(one: Compared) -> ComparedDocument:
    return {
        "kind": one.kind, "thread": one.thread, "tool": one.tool, "call": one.call,
        "replayed": _side(one.replayed), "recorded": _side(one.recorded), "runs": one.runs,
        "together": list(one.together),
    }  # fmt: skip


def _side(decision: Decision | None) -> DecisionDocument | None:
    if decision is None:
        return None
    return {"rung": None if decision.rung is None else decision.rung.word, "reasons": list(decision.reasons)}
