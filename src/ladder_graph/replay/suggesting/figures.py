"""What bounds would have done, in numbers: calls inside and outside, and how many runs would have gone wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ladder_graph.replay.suggesting.trials import Seen, Sheet
from ladder_graph.trust.evalue import upper


@dataclass(frozen=True, slots=True)
class Figures:
    """What a choice of bounds would have done to the calls of one tool in one half of the tasks."""

    fine: int
    """Right calls."""
    fine_inside: int
    """Those of them that would have run unasked."""
    wrong: int
    """Wrong calls."""
    wrong_inside: int
    """Those of them that would have been let through."""
    unknown: int
    """Calls of which nobody knows whether they were right."""
    unknown_inside: int
    """Those of them that would have run unasked."""
    runs: int
    """Runs in which a call of which it is known would have run unasked: the unit of evidence, since calls of one run
    go right or wrong together."""
    failed: int
    """Those of them in which a wrong call would have been let through."""
    tasks: int
    """Tasks that these runs belong to."""
    at_most: float
    """The bound that the share of such runs stays below, however often one looks."""

    @property
    def clean(self) -> bool:
        """Whether right calls would have run unasked, and not a single wrong one."""
        return self.fine_inside > 0 and not self.wrong_inside


def figures(sheet: Sheet, bits: int, alpha: float) -> Figures:
    """Count what a choice of bounds would have done.

    Args:
        sheet: What was seen.
        bits: The bounds, all of which must hold.
        alpha: The chance that `at_most` is ever wrong.
    """
    inside = {seen: seen[1] & bits == bits for seen in sheet.calls}
    calls = Counter[tuple[str | None, bool]]()
    for seen, count in sheet.calls.items():
        calls[seen[0], inside[seen]] += count
    runs = failed = 0
    for (_, pattern), count in sheet.runs.items():
        judged, went_wrong = outcome(pattern, bits)
        runs += count * judged
        failed += count * went_wrong
    tasks = sum(outcome(frozenset(seen), bits)[0] for seen in sheet.tasks.values())

    def both(known: str | None) -> int:
        return calls[known, True] + calls[known, False]

    return Figures(
        both("fine"), calls["fine", True], both("wrong"), calls["wrong", True], both(None), calls[None, True],
        runs, failed, tasks, upper(failed, runs, alpha),
    )  # fmt: skip


def outcome(pattern: frozenset[Seen], bits: int) -> tuple[bool, bool]:
    """Whether a call of which it is known would have run unasked, and whether a wrong one would have.

    Args:
        pattern: What was seen in a run.
        bits: The bounds, all of which must hold.
    """
    inside = {known for known, freed in pattern if freed & bits == bits}
    return bool(inside - {None}), "wrong" in inside
