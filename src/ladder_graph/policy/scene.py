"""What a bound may know besides the call itself. None of it is the model's to say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True)
class Output:
    """What a tool answered, earlier in the conversation."""

    tool: str
    """The tool's name."""
    text: str
    """What it answered."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What it was called with. An answer that only repeats these is no source of them."""


@dataclass(frozen=True, slots=True)
class Said:
    """A conversation, as far as it can be told who said what."""

    user: tuple[str, ...] = ()
    """The user's own messages, oldest first."""
    outputs: tuple[Output, ...] = ()
    """What tools answered, oldest first."""


@dataclass(slots=True)
class Floor:
    """Who has the word in a conversation: a message in the user's name is the user's own only while the user has it.

    That is at the beginning, after an answer of the model, and after another message of the user's. In the midst of an
    agent's work somebody else put it there.
    """

    users: bool = True
    """Whether what comes next may be the user's own."""

    def model(self, *, works: bool) -> None:
        """The model speaks.

        Args:
            works: Whether it goes on working, as with calls, and leaves the word to nobody.
        """
        self.users = not works

    def other(self) -> None:
        """A tool answers, or somebody else speaks."""
        self.users = False


NOTHING_SAID = Said()
"""A conversation of which nothing is known."""


@dataclass(frozen=True)
class Scene:
    """The circumstances of a call. What isn't known is empty, and a bound that needs it asks."""

    now: dt.datetime
    """The moment, aware."""
    requester: str | None = None
    """Whose run it is: the server's authenticated user, or whom the embedding program vouches for."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the server knows of that user, or the embedding program says of the run: its tenant, say."""
    listen: Callable[[], Said] = field(default=lambda: NOTHING_SAID, repr=False, compare=False)
    """Reads the conversation; called where a bound needs it, and once."""

    @cached_property
    def said(self) -> Said:
        """The conversation so far."""
        return self.listen()
