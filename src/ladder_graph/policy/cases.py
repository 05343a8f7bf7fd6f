"""A table of calls with the rungs that a policy should give them: `ladder policy test`."""

from __future__ import annotations

import os
from typing import Any

from pydantic import Field

from ladder_graph.policy.fields import Many, Name, RungField, Some, Strict
from ladder_graph.policy.reading import read_file


class Case(Strict):
    """One call, and what should become of it."""

    tool: Name
    """The tool's name."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """What it is called with."""
    rung: RungField
    """The rung that the call should get."""
    because: Many[Name] = ()
    """Codes that must be among the reasons for it, such as `outside_domain`."""
    name: Name | None = None
    """What the case is about."""


class Cases(Strict):
    """A file of cases."""

    cases: Some[Case]
    """The calls, each as `[[cases]]`."""


def load_cases(path: str | os.PathLike[str]) -> tuple[Case, ...]:
    """Read cases from a TOML file.

    Args:
        path: The file.

    Raises:
        PolicyError: It can't be read, or it has mistakes; each is listed with its line.
    """
    return read_file(path, Cases).cases
