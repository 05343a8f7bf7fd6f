"""The figures of the tables: what each is called, what it means, and how it is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ladder_graph.replay.board import Row
from ladder_graph.replay.intervals import Estimate
from ladder_graph.replay.metrics import RATIOS, READINGS, Tally

_RULE = 3
"""Of three."""
_NAMED = 5
"""Tools that are named."""
_FEW = 0.1
"""A share below which a tenth of a percent counts."""
_SLIGHT = 0.0005
"""A share below which there is no tenth of a percent, and beyond 1 less which there isn't either."""


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of each row."""

    ratio: str
    """Its name in `RATIOS`."""
    head: str
    """What stands above it."""
    about: str
    """What it means, in one sentence."""
    unit: Literal["share", "mean"] = "share"
    counted: bool = False
    """Whether the counts stand in front."""
    rare: bool = False
    """Whether it is left out where it is nothing for every policy."""

    def cell(self, row: Row) -> str:
        """The figure with its interval, as text; a dash where there is nothing to count."""
        shown = spelt(row.estimates[self.ratio], self.unit)
        return f"{self.counts(row.tally)} {shown}" if self.counted and shown != NOTHING else shown

    def counts(self, tally: Tally) -> str:
        """What was counted, of how many."""
        ratio = RATIOS[self.ratio]
        return f"{getattr(tally, ratio.counted):,}/{getattr(tally, ratio.of):,}"

    def plain(self, tally: Tally) -> str:
        """The figure of other counts, without an interval: a share with its counts, a mean without."""
        ratio = RATIOS[self.ratio]
        whole = getattr(tally, ratio.of)
        if not whole:
            return NOTHING
        value = getattr(tally, ratio.counted) / whole
        return f"{value:.2f}" if self.unit == "mean" else f"{self.counts(tally)} {percent(value)}%"


NOTHING = "-"
"""What is written where there is nothing to count."""

PEOPLE = (
    Column("asked", "confirmations/task", "questions in a run that nobody interfered with", "mean"),
    Column("held", "held back/task", "calls in such a run that are only suggested or drafted", "mean", rare=True),
    Column("undisturbed", "tasks with none", "such runs in which nobody is asked, and everything runs"),
    Column("within_0", "TCR@0", "tasks completed without a question, of those that somebody judged"),
    Column("within_1", "TCR@1", "the same with one question at most"),
    Column("within_3", "TCR@3", "the same with three at most"),
)
"""What people are asked."""
HARM = (
    Column(
        "executed", "attacks executed", "injected tasks carried out without a human, of those that a gate could stop",
        counted=True,
    ),
    Column(
        "unasked_writes", "unattended writes", "calls of tools that aren't read-only, and nobody is asked",
        counted=True,
    ),
    Column(
        "unasked_irreversible", "unattended irreversible", "those of them that nothing takes back",
        counted=True,
    ),
)  # fmt: skip
"""What runs without a human."""
LABELS = (
    Column("recall", "recall", "calls labelled critical that ask or don't run", counted=True),
    Column("precision", "precision", "of the calls that ask or don't run, those that are critical"),
)
"""How the policy compares with what is known afterwards."""
REPLAY = (
    Column("undecidable", "undecidable", "calls that what was recorded doesn't decide", counted=True),
    Column("exact", "exact", "runs in which every call has the fate that was recorded", counted=True),
)
"""How much of it is known."""

GROUPS = {
    "What people are asked": PEOPLE,
    "What runs without a human": HARM,
    "Against the labels": LABELS,
    "How much of it is known": REPLAY,
}
"""The columns of the tables, by what they are about."""

READ = (PEOPLE[0], *HARM)
"""Figures that are shown by each reading of what comes after the horizon."""


def shown(columns: Iterable[Column], rows: Sequence[Row]) -> list[Column]:
    """The columns in which there is something to count, for any policy, and of the rare ones those that aren't nothing.

    Args:
        columns: All of them.
        rows: Those of one table.
    """
    values = {one.ratio: [row.estimates[one.ratio].value for row in rows] for one in columns}
    return [one for one in columns if any(value or (value is not None and not one.rare) for value in values[one.ratio])]


def divided(rows: Sequence[Row]) -> tuple[list[Column], list[Column]]:
    """The figures on which the readings of what comes after the horizon differ for any policy, and the others.

    Args:
        rows: Those of one table.
    """
    columns = shown(READ, rows)
    differing = [
        column
        for column in columns
        if any(len({column.plain(getattr(row.readings, one)) for one in READINGS}) > 1 for row in rows)
    ]
    return differing, [one for one in columns if one not in differing]


def spelt(estimate: Estimate, unit: Literal["share", "mean"]) -> str:
    """A figure with its interval, if that has any width.

    Args:
        estimate: The figure.
        unit: Whether it is a share, written in percent, or a mean.

    Example:
        >>> spelt(Estimate(0.375, 0.188, 0.542), "share"), spelt(Estimate(0.4, 0.25, 1), "mean")
        ('38% [19, 54]', '0.40 [0.25, 1.00]')
        >>> spelt(Estimate(0, 0, 0), "share")
        '0%'
    """
    value, low, high = estimate.value, estimate.low, estimate.high
    if value is None or low is None or high is None:
        return NOTHING
    written, sign = (f"{value:.2f}", "") if unit == "mean" else (percent(value), "%")
    ends = [f"{end:.2f}" if unit == "mean" else percent(end) for end in (low, high)]
    return f"{written}{sign} [{', '.join(ends)}]" if low < high else f"{written}{sign}"


def percent(share: float) -> str:
    """A share in percent, to two digits where it is small; only what is nothing is 0, and only what is all is 100.

    Args:
        share: From 0 to 1.

    Example:
        >>> [percent(share) for share in (0, 0.0001, 0.008, 0.0204, 0.375, 0.997, 0.99999, 1)]
        ['0', '<0.1', '0.8', '2', '38', '99.7', '>99.9', '100']
    """
    if 0 < share < _SLIGHT:
        return "<0.1"
    if 1 - _SLIGHT < share < 1:
        return ">99.9"
    fine = share < _FEW or round(share * 100) == 100 > share * 100  # noqa: PLR2004
    return f"{share * 100:.1f}".removesuffix(".0") if fine else f"{share * 100:.0f}"


def unseen(rows: Iterable[Row]) -> list[str]:
    """What an interval without width hides: how many attacks may be executed where none was seen to be.

    By the rule of three: what happened in none of n independent tasks happens in up to 3/n of them, with 95 %
    (Hanley and Lippman-Hand, JAMA 249, 1983).

    Args:
        rows: Any rows.
    """
    hidden = {
        row.suite: f"{_of(row)}where none of {row.tally.gateable:,} attacks in {row.exposed:,} tasks was executed, "
        f"up to {percent(min(1.0, _RULE / row.exposed))}% may be, which resamples can't tell (rule of three)"
        for row in rows
        if row.exposed and not row.tally.executed
    }
    return list(hidden.values())


def unnamed(rows: Iterable[Row]) -> list[str]:
    """What looks careful and is a mistake: calls of tools that a policy has no entry for, a sentence for each policy.

    Args:
        rows: Any rows.
    """
    return [
        f"{_of(row)}{row.policy} has no entry for the tools of {row.unnamed:,} of {row.tally.calls:,} calls, so these "
        f"are only suggested: {', '.join(row.strangers[:_NAMED])}{', …' if len(row.strangers) > _NAMED else ''}"
        for row in rows
        if row.unnamed
    ]


def _of(row: Row) -> str:
    return f"{row.suite}: " if row.suite else ""
