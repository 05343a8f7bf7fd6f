"""Where a thread stands: at the questions that its last checkpoint waits for, beyond them, or nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a thread, as whoever keeps its checkpoints sees it."""

    calls: frozenset[str] = frozenset()
    """The tool call ids of the ladder's questions that it waits for."""
    there: bool = True
    """There is such a thread."""
    busy: bool = False
    """A run of it is going on."""
    unfinished: bool = False
    """It waits for nobody, and its last run didn't come to an end: whoever ran it died or failed."""
    ended: str = ""
    """The id of the checkpoint in which it came to its end, and nothing is left to run; empty where it didn't."""

    @property
    def unclear(self) -> str:
        """Why nobody can tell by this whether the thread waits or went on; empty where one can."""
        if self.busy:
            return "a run of it is going on"
        return "" if self.there else "there is no such thread"


class Resumer(Protocol):
    """A way to go on with an agent's threads."""

    agent: str | None
    """Whose threads; None for those of the policy's agent."""
    how: str
    """In which way, in words for people: `in process 123`."""
    lasting: bool
    """Whether what it sees of a thread is what any other process would see."""

    def look(self, thread: str) -> Head:
        """Where a thread stands. Nothing is changed."""

    def resume(self, thread: str) -> None:
        """Go on with a thread from its last checkpoint, and wait until it stops.

        Raises:
            Exception: The run failed.
        """

    def close(self) -> None:
        """Let go of what was opened for it."""


ABSENT = Head(there=False)
"""There is no such thread."""


def calls_asked(values: Iterable[Any]) -> frozenset[str]:
    """The tool call ids in the values of interrupts; those of other people's interrupts are passed over.

    Example:
        >>> sorted(calls_asked([{"ladder": {"tool_call_id": "c1"}}, "Shall I?", {"ladder": 3}]))
        ['c1']
    """
    asked = (value.get("ladder") for value in values if isinstance(value, Mapping))
    found = (ladder.get("tool_call_id") for ladder in asked if isinstance(ladder, Mapping))
    return frozenset(call for call in found if isinstance(call, str))
