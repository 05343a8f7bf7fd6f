"""What is recorded of how an answer was come to: what was shown, how long it lay open, and by what it was given.

The page brings along what it showed, signed, so that nobody can say that they were shown something else, or for longer.
How long it was really looked at is known to the browser alone; it counts where it is less than what the server saw.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from typing import Any

from ladder_graph.console.visitor import LONGEST, Visitor
from ladder_graph.facts import Means

FIELD = "view"
"""The form's field that holds what was shown."""


@dataclass(frozen=True, slots=True)
class View:
    """What somebody was shown, and since when."""

    about: str
    """The question's id; of a batch its tool."""
    shown: str
    """The digest of all that was shown."""
    characters: int
    """How much of it must be read."""
    since: float
    """When it was shown first, in seconds since the epoch."""

    def sealed(self, visitor: Visitor) -> str:
        """It as a field of a form."""
        said = [visitor.visit.hash, self.about, self.shown, self.characters, round(self.since, 3)]
        return visitor.seal.sealed("view", json.dumps(said))


def view_of(visitor: Visitor, about: str, shown: str, characters: int) -> View:
    """What is shown now; since when, where the form that was sent had shown the same before.

    Args:
        visitor: Who looks.
        about: The question's id.
        shown: The digest of all that is shown.
        characters: How much of it must be read.
    """
    before = brought(visitor, about)
    same = before is not None and before.shown == shown
    return View(about, shown, characters, before.since if same and before else time.time())


def brought(visitor: Visitor, about: str) -> View | None:
    """What the page had shown whose form was sent; None where it wasn't a page of ours about this."""
    opened = visitor.seal.opened("view", visitor.form.get(FIELD))
    if opened is None:
        return None
    visit, said, shown, characters, since = json.loads(opened)
    return View(said, shown, characters, since) if (visit, said) == (visitor.visit.hash, about) else None


@dataclass(frozen=True, slots=True)
class Attention:
    """How an answer was come to."""

    looked: float
    """Seconds."""
    characters: int | None
    shown: str
    input: Means

    @property
    def given(self) -> dict[str, Any]:
        """It as what the desk takes."""
        return {
            "looked": self.looked, "characters": self.characters, "shown": self.shown or None,
            "input": self.input or None,
        }  # fmt: skip


def attention(visitor: Visitor, about: str) -> Attention:
    """How the answer was come to that a form brings; without a page of ours nobody looked.

    Args:
        visitor: Who answers.
        about: The question's id.
    """
    view = brought(visitor, about)
    means = visitor.form.get("input")
    known: Means = "keyboard" if means == "keyboard" else "pointer" if means == "pointer" else ""
    if view is None:
        return Attention(0.0, None, "", known)
    age = min(max(0.0, time.time() - view.since), LONGEST)
    claimed = [_seconds(visitor.form.get(name)) for name in ("looked", "before")]
    visible = None if claimed[0] is None else claimed[0] + (claimed[1] or 0.0)
    return Attention(age if visible is None else min(age, visible), view.characters, view.shown, known)


def looked_before(visitor: Visitor) -> str:
    """What a page that is shown once more must add to what its script measures, as a field of its form."""
    claimed = [_seconds(visitor.form.get(name)) or 0.0 for name in ("looked", "before")]
    return f"{math.fsum(claimed):.1f}"


def _seconds(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 0 <= found < math.inf else None
