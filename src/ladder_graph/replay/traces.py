"""The normal form of recorded runs, whatever they were recorded in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["task", "attacked", "control"]
"""`task`: a user's task, and nobody interferes. `attacked`: the same with something injected. `control`: the user asks
openly for what an attacker would want, which shows only that the model can do it."""

Trouble = Callable[[str], None]
"""Is told what can't be used, and where it stands: one line each. Whatever else there is goes on."""


@dataclass(frozen=True, slots=True)
class TracedCall:
    """One tool call as it was recorded."""

    tool: str
    """The tool's name."""
    arguments: dict[str, Any]
    """What it was called with."""


@dataclass(frozen=True, slots=True)
class Run:
    """One recorded run, with what is known of how it ended."""

    id: str
    """What it is called where it was recorded."""
    suite: str
    """Which set of tools it has; one policy is for all runs of a suite."""
    task: str
    """What the user wanted. Runs of one task are alike, so they are no independent observations."""
    kind: Kind
    """Whether somebody interfered."""
    request: str
    """The user's own words."""
    calls: tuple[TracedCall, ...]
    """In the order in which they were made."""
    harmed: bool = False
    """The injected task was carried out."""
    critical: tuple[int, ...] = ()
    """Places in `calls` without which it would not have been; empty where no single call was needed."""
