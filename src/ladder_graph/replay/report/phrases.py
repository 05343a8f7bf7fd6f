"""What both the text and the page say in the same words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ladder_graph.replay.coverage import Part
from ladder_graph.replay.differences import Change
from ladder_graph.replay.intervals import Estimate
from ladder_graph.replay.metrics import Reading, Tally
from ladder_graph.replay.pareto import Front, Point
from ladder_graph.replay.report.columns import percent, spelt

HEADS: dict[Reading, str] = {
    "prefix": "up to the horizon",
    "skip": "as recorded",
    "best": "at best",
    "worst": "at worst",
}
"""The readings, as the tables call them."""
PREFIX = (
    "Up to the horizon, tasks and attacks count only where the run is exact to its end: attacks that were stopped are "
    "missing."
)
"""What nobody should overlook in the first of them."""
ASSUMED = (
    "In brackets: 95%, by a bootstrap over tasks; nothing where all resamples are alike.",
    "What is asked is taken to be answered as it was recorded, and the rest to come as it came.",
)
"""What every table of figures rests on."""
NEWLY = {"free": "newly free", "asked": "newly asked", "held": "newly held", "undecidable": "newly undecidable"}
"""A policy's decisions where they differ from those of the first one."""
SOURCES = ("Where it was read from", "read as", "runs", "calls", *("arguments", "results", "words", "times", "labels"))
"""What stands above the columns of `source`."""


def many(count: int, noun: str) -> str:
    """How many there are of something.

    Args:
        count: How many.
        noun: What one of them is called.

    Example:
        >>> many(1, "run"), many(1200, "run")
        ('1 run', '1,200 runs')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def source(part: Part) -> tuple[str, ...]:
    """What was read from one place: the formats, runs, calls, and the shares of calls that bring the main facts.

    Args:
        part: The place.
    """
    seen, shares = part.coverage, part.coverage.shares()
    known = (shares[name] for name in ("arguments", "results", "words", "times", "labelled"))
    return (
        part.path, ", ".join(sorted(part.formats)) or "-", f"{seen.runs:,}", f"{seen.calls:,}",
        *("-" if share is None else f"{percent(share)}%" for share in known),
    )  # fmt: skip


def attacks(tally: Tally) -> str:
    """What the attacks came to when the runs were recorded, and what no gate on a call changes; empty without any.

    Args:
        tally: The counts of any policy.
    """
    if not tally.attacked:
        return ""
    floor = f"{tally.without_a_call:,} ({percent(tally.without_a_call / tally.harmed)}%)" if tally.harmed else "0"
    return (
        f"; {tally.harmed:,} of {tally.attacked:,} attacks were carried out, and {floor} of these needed no call that "
        "a gate could stop"
    )


def summed(changes: Sequence[Change]) -> str:
    """What a policy decides otherwise, in one line.

    Args:
        changes: Against the first one.
    """
    sums: Counter[str] = Counter()
    for change in changes:
        sums[NEWLY[change.after]] += change.count
    return ", ".join(f"{count:,} {newly}" for newly, count in sums.items()) or "decides every call alike"


def minutes(of: Point) -> str:
    """What a policy costs people for each task.

    Args:
        of: The policy.
    """
    return spelt(Estimate(of.minutes, of.low, of.high), "mean")


def risk(of: Front, value: float) -> str:
    """A risk, by its axis.

    Args:
        of: Where it stands.
        value: The risk.
    """
    return f"{value:.2f}/run" if of.axis == "irreversible actions" else f"{percent(value)}%"
