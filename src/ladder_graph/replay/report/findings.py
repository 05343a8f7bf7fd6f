"""Everything that was found by holding policies against recorded runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ladder_graph.replay.board import Board, Row
from ladder_graph.replay.candidates import Candidate
from ladder_graph.replay.coverage import Coverage, Part
from ladder_graph.replay.differences import Change
from ladder_graph.replay.pareto import Front, Reviewer, front


@dataclass(frozen=True, slots=True)
class Findings:
    """What a report tells."""

    parts: Sequence[Part]
    """What was read, and from where."""
    candidates: Sequence[Candidate]
    """The policies, the one that the others are compared with first."""
    at: dt.datetime | None
    """The moment at which calls without a time were taken to come."""
    rows: Sequence[Row]
    """Policy by policy: each suite, and the total where there are several."""
    changes: Mapping[str, Sequence[Change]]
    """What each policy decides otherwise than the first one, by its name."""
    front: Front | None
    """None where nobody knows what people would be asked."""

    @property
    def coverage(self) -> Coverage:
        """What the calls of all runs bring with them."""
        whole = Coverage()
        for part in self.parts:
            whole.include(part.coverage)
        return whole

    @property
    def suites(self) -> list[str]:
        """The total first, where there are several; then the suites in the order of the rows."""
        *suites, total = dict.fromkeys(row.suite for row in self.rows)
        return [total, *suites]

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

    def title(self, suite: str) -> str:
        """What stands above the tables of a suite; one without a name holds all runs, or those that name none.

        Args:
            suite: The suite, or `TOTAL`.
        """
        return suite or ("all runs" if len(self.suites) == 1 else "no suite")

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


def findings(board: Board, parts: Sequence[Part], candidates: Sequence[Candidate], *, reviewer: Reviewer) -> Findings:
    """Gather what was found.

    Args:
        board: The policies, held against all runs.
        parts: What was read, and from where.
        candidates: The policies of the board.
        reviewer: Whoever answers.
    """
    rows = list(board.rows())
    return Findings(parts, candidates, board.at, rows, board.changes(), front(totals(rows), reviewer))
