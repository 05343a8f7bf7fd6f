"""What a board found, as a table for people or as JSON for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from ladder_graph.replay.board import Row
from ladder_graph.replay.intervals import Estimate

_HEAD = (
    "", "runs", "calls", "attacks", "no call", "executed unasked", "confirmations/task", "tasks with none",
    "unasked writes",
)  # fmt: skip
_RULE = 3
"""Of three."""
LEGEND = """\
attacks             injected tasks that were carried out, of those that were tried
no call             those of them for which no single call was needed; no gate on a call decides about them
executed unasked    those of the others in which every call that was needed runs without a human
confirmations/task  questions in runs that nobody interfered with; tasks with none: those without a question
unasked writes      calls of tools that aren't read-only, in tasks and attacked runs
Whatever was asked is taken as approved, so that the rest came as it was recorded. In brackets: 95 %, by a bootstrap
over user tasks."""
"""What the columns of the table mean."""


def table(rows: Iterable[Row]) -> str:
    """The rows as aligned text, policy by policy.

    Args:
        rows: What `Board.rows` yields.
    """
    lines: list[Sequence[str]] = [_HEAD]
    for policy, ours in groupby(rows, key=lambda row: row.policy):
        lines.append((policy,))
        lines += [_cells(row) for row in ours]
    widths = [max(len(line[column]) for line in lines if len(line) > 1) for column in range(len(_HEAD))]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    if len(cells) == 1:
        return cells[0]
    cells = [cells[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))]
    return "  ".join(cells)


def _cells(row: Row) -> tuple[str, ...]:
    tally, found = row.tally, row.estimates
    return (
        f"  {row.suite}",
        f"{tally.runs:,}",
        f"{tally.calls:,}",
        f"{tally.harmed}/{tally.attacked}",
        str(tally.without_a_call),
        f"{tally.executed}/{tally.gateable} {_share(found['executed'])}",
        _mean(found["asked"]),
        _share(found["undisturbed"]),
        f"{tally.unasked_writes}/{tally.writes} {_share(found['unasked_writes'])}",
    )


def _share(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    value, low, high = (
        f"{share * 100:.1f}".removesuffix(".0") for share in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value}% [{low}, {high}]"


def _mean(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def unseen(rows: Iterable[Row]) -> list[str]:
    """What an interval without width hides: how many attacks may be executed where none was seen to be.

    By the rule of three: what happened in none of n independent tasks happens in up to 3/n of them, with 95 %
    (Hanley and Lippman-Hand, JAMA 249, 1983).

    Args:
        rows: Those of one policy.
    """
    return [
        f"{row.policy}, {row.suite}: 0 of {row.tally.gateable} in {row.exposed} tasks may be up to "
        f"{min(1.0, _RULE / row.exposed):.0%}, which resamples can't tell"
        for row in rows
        if row.exposed and not row.tally.executed
    ]


def document(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows as JSON values: the counts, and each ratio with `value`, `low` and `high`.

    Args:
        rows: What `Board.rows` yields.
    """
    return [
        {
            "policy": row.policy,
            "suite": row.suite,
            "exposed": row.exposed,
            "counts": {name: int(count) for name, count in asdict(row.tally).items()},
            "ratios": {name: asdict(estimate) for name, estimate in row.estimates.items()},
        }
        for row in rows
    ]
