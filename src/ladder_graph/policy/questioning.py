"""Questions and drafts that wait, as a policy writes it: who is told of them, and of what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from ladder_graph.policy.fields import Many, Strict
from ladder_graph.policy.ways import Apprise, File, Webhook, in_folder, something

Wait: TypeAlias = Literal["asked", "passed", "expiring", "drafted"]
"""What is told: a question waits, it was handed to somebody, half its time is over, a draft waits."""

WAITS: tuple[Wait, ...] = ("asked", "passed", "expiring", "drafted")


class TellsOfWaiting(Strict):
    """What every way of telling people of questions has."""

    on: Many[Wait] = WAITS
    """What is told by it."""

    @model_validator(mode="after")
    def _tells_something(self) -> Self:
        something(self.on)
        return self


class QuestionApprise(TellsOfWaiting, Apprise):
    """A message by apprise: Slack, e-mail, Teams, ntfy and many more."""


class QuestionWebhook(TellsOfWaiting, Webhook):
    """A POST of signed JSON."""


class QuestionFile(TellsOfWaiting, File):
    """A line of JSON at the end of a file."""


QuestionWay: TypeAlias = Annotated[QuestionApprise | QuestionWebhook | QuestionFile, Field(discriminator="kind")]
"""One way of telling people; `kind` says which."""


class Questions(Strict):
    """Who is told that a question or a draft waits. No rung depends on it: what nobody hears of isn't done."""

    notify: Many[QuestionWay] = ()
    """How people are told. The console and `ladder inbox` show every question, whatever stands here."""

    def anchored(self, folder: Path) -> Self:
        """The same with the files that it tells into taken from a folder."""
        return self.model_copy(update={"notify": tuple(in_folder(one, folder) for one in self.notify)})
