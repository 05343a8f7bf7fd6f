"""What a measurement says. What could not be measured is `inconclusive`, and never good."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from decimal import Decimal
from threading import Thread
from typing import Any, Literal, TypeVar

T = TypeVar("T")
Verdict = Literal["good", "bad", "inconclusive"]
"""`good` saw health, `bad` saw that it is missing, `inconclusive` saw nothing."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one measurement found."""

    verdict: Verdict
    text: str = ""
    """What is wrong, or why nothing was seen; empty where all is well."""


GOOD = Found("good")


def bad(text: str) -> Found:
    """Health was looked for, and it is missing."""
    return Found("bad", text)


def inconclusive(text: str) -> Found:
    """Nothing was seen."""
    return Found("inconclusive", text)


def compared(value: Any, equals: Any, at_least: float | None, at_most: float | None) -> bool | None:
    """Whether a value is as a policy wants it; None where it is of another kind and says nothing.

    Example:
        >>> compared(0.2, None, None, 0.5), compared("3", None, 1, None), compared(1, True, None, None)
        (True, None, True)
    """
    number = isinstance(value, int | float | Decimal)
    if number and not math.isfinite(value) and value != value:  # noqa: PLR0124  # NaN is what differs from itself
        return None
    if equals is not None:
        # Databases without booleans answer 0 and 1 for them.
        if isinstance(equals, bool):
            return bool(value) is equals if number and value in {0, 1} else None
        alike = number and not isinstance(value, bool) if isinstance(equals, int | float) else isinstance(value, str)
        return bool(value == equals) if alike else None
    if not number or isinstance(value, bool):
        return None
    return (at_least is None or value >= at_least) and (at_most is None or value <= at_most)


def within(seconds: float, look: Callable[[], T]) -> T:
    """What a function answers, if it does so in time; one that doesn't is left behind in its thread.

    Raises:
        TimeoutError: It didn't answer in time.
        Exception: What the function raised, also where it was no `Exception`, as `SystemExit`.
    """
    answers: list[T] = []
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(look())
        except BaseException as raised:  # noqa: BLE001  # it is raised again where somebody waits for it
            wrong.append(raised)

    # No executor: Python would wait for its threads at exit, and this one may never end.
    thread = Thread(target=copy_context().run, args=(run,), name="ladder-check", daemon=True)
    thread.start()
    thread.join(seconds)
    if wrong:
        if isinstance(wrong[0], Exception):
            raise wrong[0]
        raise RuntimeError(f"it ended its thread with {type(wrong[0]).__name__}") from wrong[0]
    if not answers:
        raise TimeoutError
    return answers[0]
