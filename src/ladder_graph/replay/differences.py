"""What one policy decides otherwise than another on the same calls: newly asked, newly free, with examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ladder_graph.replay.decider import Judged, Verdict
from ladder_graph.replay.traces import Run

SHOWN = 3
"""Examples that are kept of each change, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Example:
    """A call that is decided otherwise."""

    run: str
    """The run's id."""
    place: int
    """Its place among the calls of the run."""
    tool: str
    arguments: dict[str, Any] | None
    why: str
    """Why it goes where it now goes, in words."""


@dataclass(frozen=True, slots=True)
class Change:
    """Calls of one tool that one policy decides in one way and the other in another."""

    tool: str
    before: Verdict
    after: Verdict
    count: int
    examples: tuple[Example, ...]
    """The first ones."""


class Differences:
    """Compares two policies call by call. What it keeps grows with the tools, not with the calls.

    Args:
        shown: Examples that are kept of each change.
    """

    def __init__(self, shown: int = SHOWN) -> None:
        self._shown = shown
        self._counts: Counter[tuple[str, Verdict, Verdict]] = Counter()
        self._examples: dict[tuple[str, Verdict, Verdict], list[Example]] = {}

    def add(self, run: Run, before: Sequence[Judged], after: Sequence[Judged]) -> None:
        """Compare what the two make of one run."""
        for place, (call, one, other) in enumerate(zip(run.calls, before, after, strict=True)):
            if (was := one.verdict) != (now := other.verdict):
                change = (call.tool, was, now)
                self._counts[change] += 1
                examples = self._examples.setdefault(change, [])
                if len(examples) < self._shown:
                    examples.append(Example(run.id, place, call.tool, call.arguments, why(other)))

    def changes(self) -> list[Change]:
        """All changes: what is newly free first, then what is newly asked, the most frequent first."""
        order = sorted(self._counts.items(), key=lambda one: (one[0][2] != "free", -one[1], one[0]))
        return [Change(*change, count, tuple(self._examples[change])) for change, count in order]


def why(judged: Judged) -> str:
    """Why a call goes where it goes, in words.

    Args:
        judged: What a policy makes of it.
    """
    if judged.route is None:
        return f"it isn't recorded: {', '.join(judged.missing)}"
    return judged.route.why
