"""What a page comes back with: something shown, another address to go to, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Shown:
    """A page."""

    template: str
    """Its template's name, such as `confirmations.html`."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What the template says."""
    status: int = 200


@dataclass(frozen=True, slots=True)
class Moved:
    """Another page, which is fetched instead; after something was done, so that a reload doesn't do it again."""

    path: str
    """Within the console, from its root, as `/confirm`."""


@dataclass(frozen=True, slots=True)
class Said:
    """A small JSON document, for the page's own script."""

    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """A file to keep."""

    name: str
    """Its name, of plain letters."""
    media: str
    """Its media type."""
    text: str


Answer = Shown | Moved | Said | Sent


class Refusal(Exception):  # nothing went wrong: this is the answer
    """Ends a request with a page that says why nothing was done.

    Args:
        status: The HTTP status.
        title: What is the case, in a few words.
        text: Why, and what to do.
    """

    def __init__(self, status: int, title: str, text: str) -> None:
        super().__init__(f"{title}: {text}")
        self.status, self.title, self.text = status, title, text
