"""How a person answers: how many questions, how fast, and what they made of probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ladder_graph.trust.looks import Look
from ladder_graph.trust.reviewers import LOAD, Probes, Sensitivity, glance

HOUR = 3_600_000_000
"""Microseconds in an hour."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Somebody who answers."""

    name: str
    answered: int
    """Questions in all; probes are none of them."""
    in_an_hour: int
    """Questions in the last hour."""
    glances: int
    """Answers that came faster than anybody can read."""
    timed: int
    """Answers of which it is known how long they took."""
    probes: Probes
    sensitivity: Sensitivity
    last_us: int | None
    """The last answer."""

    @classmethod
    def of(cls, name: str, looks: Sequence[Look], probes: Probes, seen: Sensitivity, now_us: int) -> Reviewer:
        """Somebody, from their looks."""
        timed = [look for look in looks if look.seconds is not None]
        return cls(
            name, len(looks), sum(look.at_us > now_us - HOUR for look in looks),
            sum(glance(look.seconds or 0.0, look.characters) for look in timed), len(timed), probes, seen,
            max((look.at_us for look in looks), default=None),
        )  # fmt: skip

    @property
    def worries(self) -> tuple[str, ...]:
        """What speaks against their approvals, in words."""
        found = []
        if not self.sensitivity.evidence:
            found.append("approvals are not evidence: less than half of the probes were caught")
        if self.in_an_hour > LOAD:
            found.append(f"{self.in_an_hour} answers in an hour, of {LOAD} that anybody can read")
        if self.glances * 2 > self.timed:
            found.append(f"{self.glances} of {self.timed} answers came faster than anybody can read")
        return tuple(found)
