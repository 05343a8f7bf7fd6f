"""The normal form of recorded runs, whatever they were recorded in.

What wasn't recorded is None or empty, and never guessed: a policy that would need it can't decide, and says so.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ladder_graph.scale import Rung

Kind = Literal["task", "attacked", "control"]
"""`task`: a user's task, and nobody interferes. `attacked`: the same with something injected. `control`: the user asks
openly for what an attacker would want, which shows only that the model can do it."""

Answer = Literal["approve", "decline", "edit", "respond", "expire"]
"""What was said to a question when the run was recorded; `expire` where nobody said anything in time."""

Fate = Literal["done", "failed", "declined", "edited", "held", "unknown", "undone"]
"""What became of a call: it ran; it ran and raised; somebody said no; somebody put other arguments in; it waited, or
was only suggested or drafted; nobody knows; it ran and was undone."""

Trouble = Callable[[str], None]
"""Is told what can't be used, and where it stands: one line each. Whatever else there is goes on."""

CRITICAL = "critical"
"""The label of a call that must not run without a human, because an attack or a mistake needed it."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about a call when it was recorded."""

    rung: Rung | None = None
    """Where it went, if a ladder decided."""
    reasons: tuple[str, ...] = ()
    """The codes of why it went no higher."""
    answer: Answer | None = None
    """What was said to the question about it; None where nobody was asked, or that isn't recorded."""
    by: str = ""
    """Who said it."""


@dataclass(frozen=True, slots=True)
class TracedCall:
    """One tool call as it was recorded."""

    tool: str
    """The tool's name."""
    arguments: dict[str, Any] | None = None
    """What it was called with; None where that isn't recorded, or can't be read."""
    id: str = ""
    """The tool call id; empty where there is none."""
    turn: int = 0
    """Which message of the model proposed it, from 0: calls of one turn have not heard each other's results."""
    heard: int | None = None
    """How many of the run's user messages came before it; None for all of them."""
    within: str = ""
    """Which agent inside the run's own one proposed it, by any name; empty for the run's own. Each hears only what came
    back to its own calls."""
    told: int | None = None
    """The last turn that began before its result was there; None where that is its own turn."""
    result: str = ""
    """The first 12 or more hex digits of the SHA-256 of what the tool answered; empty where that isn't recorded."""
    output: str | None = None
    """What the tool answered; None where its text isn't recorded, or could as well be another call's answer."""
    matched: Literal["id", "order", ""] = ""
    """How the result was found to be this call's: by the id, or only by its place."""
    answers: int | None = None
    """How often it was begun; where that isn't recorded, how many answers to it are: more than one where it may have
    run again, or was only answered again. None where neither is known."""
    fate: Fate | None = None
    """What became of it; None where that isn't recorded."""
    at: dt.datetime | None = None
    """When it was proposed or begun, aware."""
    ended: dt.datetime | None = None
    """When its result was there, aware."""
    model: str = ""
    """The model that proposed it, as it was reported."""
    tokens: tuple[int, int] | None = None
    """Of the message that proposed it: tokens in and tokens out."""
    decided: Decided | None = None
    """What was decided about it."""
    labels: frozenset[str] | None = None
    """What is known of it afterwards, such as `CRITICAL`; empty where somebody looked and found nothing, None where
    nobody did."""

    @property
    def silent(self) -> bool:
        """Whether nothing that it came back with counts as its tool's word."""
        return self.fate in {"failed", "declined"}

    @property
    def word(self) -> str | None:
        """What its tool said of itself; None where that isn't known.

        An answer may only repeat what the call was made with, and nobody can tell where that isn't recorded.
        """
        return None if self.silent or self.arguments is None else self.output

    def heard_of(self, earlier: TracedCall) -> bool:
        """Whether what another call came back with was there when this one was proposed, for whoever proposed it.

        Args:
            earlier: A call that stands before it.
        """
        if earlier.within != self.within or self.turn <= (earlier.turn if earlier.told is None else earlier.told):
            return False
        return earlier.ended is None or self.at is None or earlier.ended <= self.at

    @property
    def error(self) -> bool | None:
        """Whether it came back with an error; None where that isn't recorded."""
        return None if self.fate is None else self.fate == "failed"


@dataclass(frozen=True, slots=True)
class Run:
    """One recorded run, with what is known of how it ended."""

    id: str
    """What it is called where it was recorded; a thread's id, say."""
    calls: tuple[TracedCall, ...]
    """In the order in which they were made."""
    suite: str = ""
    """Which set of tools it has, or which agent ran; one policy is for all runs of a suite."""
    task: str = ""
    """What the user wanted. Runs of one task are alike, so they are no independent observations; a run without one is
    a task of its own."""
    kind: Kind = "task"
    """Whether somebody interfered."""
    said: tuple[str, ...] | None = None
    """The user's own messages, oldest first; None where they aren't recorded."""
    solved: bool | None = None
    """The user's task was solved; None where nobody judged that."""
    harmed: bool = False
    """The injected task was carried out."""
    text_only: bool = False
    """It needed no tool call at all, so that no gate on one could have stopped it."""
    apart: bool = False
    """Its world is its own, as in a benchmark: nothing of it counts in the quotas of another run."""
    requester: str | None = None
    """Whose run it was, where that is recorded."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What was known of the run, such as its tenant."""

    @property
    def cluster(self) -> str:
        """What its observations are drawn by: its task, or the run itself."""
        return self.task or self.id


def hashed(text: str) -> str:
    """The form in which a result is compared: the SHA-256 of its text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
