"""A table of calls with the rungs that a policy should give them: `ladder policy test`."""

from __future__ import annotations

import datetime as dt
import os
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ladder_graph.policy.fields import Many, Name, RungField, Some, Strict
from ladder_graph.policy.reading import read_file
from ladder_graph.policy.scene import Output, Said, Scene


def _aware(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; write it as 2026-11-23T09:00:00Z")
    return moment


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
    at: Annotated[dt.datetime, AfterValidator(_aware)] | None = None
    """When it is made, as `2026-11-23T09:00:00Z`; at the moment of the test where it isn't said."""
    requester: Name | None = None
    """Whose run it is."""
    facts: dict[str, Any] = Field(default_factory=dict)
    """What is known of the run, such as `{ tenant = "acme" }`."""
    said: Many[str] = ()
    """What the user said before."""
    outputs: dict[Name, str] = Field(default_factory=dict)
    """What tools answered before, by their names."""

    def scene(self, now: dt.datetime) -> Scene:
        """The circumstances of the call.

        Args:
            now: The moment of the test, aware.
        """
        said = Said(self.said, tuple(Output(tool, text) for tool, text in self.outputs.items()))
        return Scene(self.at or now, self.requester, self.facts, lambda: said)


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
