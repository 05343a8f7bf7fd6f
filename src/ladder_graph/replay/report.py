"""What a board found, as a table for people or as JSON for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from ladder_graph.replay.board import Row
from ladder_graph.replay.intervals import Estimate

_HEAD = (
    "", "runs", "calls", "attacks", "no call", "executed without a human", "confirmations a task", "tasks without one",
    "unasked writes",
)  # fmt: skip


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
    first, *others = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join((first.strip().ljust(widths[0]), *others))


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
    return f"{estimate.value:.1%} [{estimate.low * 100:.1f}, {estimate.high * 100:.1f}]"


def _mean(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def document(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows as JSON values: the counts, and each ratio with `value`, `low` and `high`.

    Args:
        rows: What `Board.rows` yields.
    """
    return [
        {
            "policy": row.policy,
            "suite": row.suite,
            "counts": {name: int(count) for name, count in asdict(row.tally).items()},
            "ratios": {name: asdict(estimate) for name, estimate in row.estimates.items()},
        }
        for row in rows
    ]
