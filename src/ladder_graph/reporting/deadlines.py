"""What is due about a report, and when: it is made, its readers are reminded, others are told, the rung is lost."""

from __future__ import annotations

from typing import Literal, NamedTuple

Step = Literal["make", "remind", "escalate", "lapse"]

REMIND = 0.5
"""The share of the time after which the readers are reminded."""
GRACE = 300_000_000
"""Microseconds after the end of a period for which a report waits for actions that still run."""


class Steps(NamedTuple):
    """When each step about one report is due, in microseconds since the epoch; None where it was done, or never is."""

    make: int | None
    remind: int | None
    escalate: int | None
    lapse: int | None

    @property
    def next(self) -> int | None:
        """When the first of them is due; None where nothing is to be done any more."""
        return min((at for at in self if at is not None), default=None)

    def due(self, elapsed_us: int) -> list[Step]:
        """The steps that are due, in their order.

        Args:
            elapsed_us: The moment, on the same axis.
        """
        names: tuple[Step, ...] = ("make", "remind", "escalate", "lapse")
        return [name for name, at in zip(names, self, strict=True) if at is not None and at <= elapsed_us]


def steps(
    ends_us: int, sla_us: int, due_us: int, *, made: bool, reminded: bool, escalated: bool, lapsed: bool,
    escalate: float | None,
) -> Steps:  # fmt: skip
    """When each step is due that isn't done yet.

    Args:
        ends_us: When the period ends.
        sla_us: The time that the readers have.
        due_us: When that is over.
        made: The report was made.
        reminded: The readers were reminded.
        escalated: Others were told.
        lapsed: It cost its tools their rung.
        escalate: The share of the time after which others are told; None where nobody is.

    Example:
        >>> steps(100, 40, 140, made=True, reminded=False, escalated=False, lapsed=False, escalate=0.75)
        Steps(make=None, remind=120, escalate=130, lapse=140)
    """
    return Steps(
        None if made else ends_us,
        None if reminded or lapsed else due_us - sla_us + int(sla_us * REMIND),
        None if escalated or escalate is None else due_us - sla_us + int(sla_us * escalate),
        None if lapsed else due_us,
    )
