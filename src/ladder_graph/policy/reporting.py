"""Reports, as a policy writes them: who reads what was done unasked, how often, by when, and who is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from ladder_graph.policy.bounds.time import TimeOfDay
from ladder_graph.policy.bounds.window import Zone
from ladder_graph.policy.fields import Many, Name, Strict
from ladder_graph.policy.units import SomeSeconds
from ladder_graph.policy.ways import Apprise, File, Webhook, in_folder, something

Event: TypeAlias = Literal["filed", "reminder", "escalation", "demoted"]
"""What is told: a report waits, half its time is over, its readers are late, it cost the tools in it their rung."""

EVENTS: tuple[Event, ...] = ("filed", "reminder", "escalation", "demoted")


class TellsOfReports(Strict):
    """What every way of telling people of reports has."""

    on: Many[Event] = EVENTS
    """What is told by it."""

    @model_validator(mode="after")
    def _tells_something(self) -> Self:
        something(self.on)
        return self


class ReportApprise(TellsOfReports, Apprise):
    """A message by apprise: Slack, e-mail, Teams, ntfy and many more."""


class ReportWebhook(TellsOfReports, Webhook):
    """A POST of signed JSON."""


class ReportFile(TellsOfReports, File):
    """A line of JSON at the end of a file."""


ReportWay: TypeAlias = Annotated[ReportApprise | ReportWebhook | ReportFile, Field(discriminator="kind")]
"""One way of telling people; `kind` says which."""


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


Readers = Annotated[
    tuple[Name, ...],
    BeforeValidator(_several),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One name or several, each a person's or `role:…`."""


class Stream(Strict):
    """How one stream of reports is read."""

    reader: Readers = ()
    """Who must read, by name or as `role:name`; the verdicts of several add up. Without a name nobody stands on rung 5.
    """
    sla: SomeSeconds = 86400.0
    """Seconds within which a report must be read once its period is over, as `"24h"`. The tools in one that isn't go
    one rung down."""
    digest: Literal["action", "hour", "day", "week"] = "day"
    """What one report covers: each action by itself, or all of an hour, a day or a week."""
    after: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Actions after which a report is closed earlier."""
    timezone: Zone = "UTC"
    """Whose hours, days and weeks these are."""
    closes: TimeOfDay = "00:00"
    """When a day ends, and on Mondays a week."""
    sample: Annotated[int, Field(ge=1, le=100)] = 3
    """How many actions are shown at random, beside those that stand out."""
    escalate_to: Readers = ()
    """Who is told when a report is late, and may read it too."""
    escalate: Annotated[float, Field(gt=0, le=1)] = 0.75
    """The share of the time after which they are told. The readers are reminded after half of it."""
    notify: Many[ReportWay] = ()
    """How people are told. The console shows every report, whatever stands here."""

    def anchored(self, folder: Path) -> Self:
        """This stream with the files that it tells of itself in taken from a folder."""
        return self.model_copy(update={"notify": tuple(in_folder(one, folder) for one in self.notify)})


class Channel(Stream):
    """A stream of reports with readers of its own."""

    reader: Annotated[Readers, Field(min_length=1)]
    """Who must read, by name or as `role:name`; the verdicts of several add up."""


class Reports(Stream):
    """Who reads what was done unasked at rung 5."""

    channels: dict[Name, Channel] = Field(default_factory=dict)
    """Streams with readers of their own, for the tools whose rules name them as `channel`."""

    def anchored(self, folder: Path) -> Self:
        """These streams with the files that they tell of themselves in taken from a folder."""
        channels = {name: channel.anchored(folder) for name, channel in self.channels.items()}
        return super().anchored(folder).model_copy(update={"channels": channels})

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All of them, that of all other tools in front."""
        return (self, *self.channels.values())

    def stream(self, channel: str) -> Stream | None:
        """A stream by its name, which is empty for that of all other tools; None where there is none.

        Args:
            channel: Its name.
        """
        return self if not channel else self.channels.get(channel)
