"""What a look at things comes to: findings, each with what is to know and what is to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["good", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to know, and what to do about it."""

    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing."""

    about: str
    verdict: Verdict
    """`wrong` is what stops a rung, or can't be true; `note` is what somebody should see."""
    text: str
    points: tuple[Point, ...] = ()
