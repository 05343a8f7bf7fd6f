"""Everything that was found by holding policies against recorded runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ladder_graph.replay.board import Board, Row
from ladder_graph.replay.candidates import Candidate
from ladder_graph.replay.coverage import Coverage
from ladder_graph.replay.differences import Change
from ladder_graph.replay.pareto import Front, Reviewer, front


@dataclass(frozen=True, slots=True)
class Findings:
    """What a report tells."""

    traces: Sequence[str]
    """Where the runs were read from."""
    candidates: Sequence[Candidate]
    """The policies, the one that the others are compared with first."""
    at: dt.datetime | None
    """The moment at which calls without a time were taken to come."""
    coverage: Coverage
    rows: Sequence[Row]
    """Policy by policy: each suite, and the total where there are several."""
    changes: Mapping[str, Sequence[Change]]
    """What each policy decides otherwise than the first one, by its name."""
    front: Front | None
    """None where nobody knows what people would be asked."""

    @property
    def suites(self) -> list[str]:
        """The suites in the order of the rows; the total stands last, or is the only one."""
        return list(dict.fromkeys(row.suite for row in self.rows))

    @property
    def totals(self) -> list[Row]:
        """The row of each policy that is over all runs."""
        return totals(self.rows)

    def reference(self, policy: str) -> bool:
        """Whether a policy was made to compare with, so that nobody needs to know each difference.

        Args:
            policy: Its name.
        """
        return next(one.reference for one in self.candidates if one.name == policy)

    def of(self, suite: str) -> list[Row]:
        """The row of each policy for one suite.

        Args:
            suite: The suite, or `TOTAL`.
        """
        return [row for row in self.rows if row.suite == suite]


def totals(rows: Sequence[Row]) -> list[Row]:
    """The row of each policy that is over all runs.

    Args:
        rows: What `Board.rows` yields.
    """
    return list({row.policy: row for row in rows}.values())


def findings(
    board: Board, coverage: Coverage, candidates: Sequence[Candidate], *, traces: Sequence[str], reviewer: Reviewer
) -> Findings:
    """Gather what was found.

    Args:
        board: The policies, held against all runs.
        coverage: What the runs brought with them.
        candidates: The policies of the board.
        traces: Where the runs were read from.
        reviewer: Whoever answers.
    """
    rows = list(board.rows())
    return Findings(traces, candidates, board.at, coverage, rows, board.changes(), front(totals(rows), reviewer))
