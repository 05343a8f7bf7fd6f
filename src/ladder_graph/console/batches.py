"""Several questions answered at once: of one tool, of low impact, each short enough to be shown in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ladder_graph.calls import digest_of
from ladder_graph.composing import hidden_in
from ladder_graph.console.passages import Passage, Room
from ladder_graph.console.titles import Headline
from ladder_graph.console.visitor import Visitor
from ladder_graph.facts import Question
from ladder_graph.policy.console import Access
from ladder_graph.turns.deciding import uncleared
from ladder_graph.wording import show

BRIEF = 200
"""Characters of a call that tell it from the others of a batch, once it is answered."""
MOST = 20
"""Questions in one batch."""
LONGEST = 2_000
"""Characters of a call that is still shown in full; a longer one is answered by itself."""


@dataclass(frozen=True, slots=True)
class Member:
    """One question of a batch."""

    line: Headline
    digest: str
    """What a yes is for."""
    reasons: str
    arguments: tuple[tuple[Passage, Passage], ...]
    """Names and values, all of them."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one of them."""

    id: str
    title: str
    text: str
    """In words."""
    taken: bool
    """Whether the answer was taken."""
    thread: str = ""
    arguments: str = ""
    """All of them in one line, cut where that gets long; empty where they are withheld."""


def _hides(asked: Question) -> bool:
    """Whether something in its arguments can't be seen, or turns the line, which wants a look of its own."""
    return any(hidden_in(name, value) for name, value in asked.call.arguments.items())


def fits_a_batch(visitor: Visitor, asked: Question) -> bool:
    """Whether a question may be answered together with others like it.

    Args:
        visitor: Who would answer.
        asked: The question.
    """
    now = visitor.ladder.clock()
    return (
        asked.impact == "low" and asked.to_type is None and asked.quorum == 1 and asked.decision is None
        and "approve" in asked.decisions and now < asked.expires_at
        and visitor.may(Access.REVIEWER, asked.call.agent)
        and not uncleared(visitor.policy, asked.call.tool, visitor.person) and _short(asked)
        and not _hides(asked)
    )  # fmt: skip


def member(line: Headline, asked: Question) -> Member:
    """A question as a batch shows it."""
    room = Room()
    return Member(
        line, asked.digest, asked.reasons,
        tuple((Passage(name, length=len(name)), _whole(value, room)) for name, value in asked.call.arguments.items()),
    )  # fmt: skip


def shown_of(members: list[Member]) -> tuple[str, int]:
    """The digest of what a batch shows, and how much of it must be read.

    Args:
        members: Its questions.
    """
    much = sum(len(one.reasons) + sum(name.length + value.length for name, value in one.arguments) for one in members)
    return digest_of("batch", [one.digest for one in members]), much


def _short(asked: Question) -> bool:
    """Whether a call can be shown in full among others; a very long one isn't measured to its end."""
    left = LONGEST
    for name, value in asked.call.arguments.items():
        left -= len(name) + (len(value) if isinstance(value, str) else 0)
        left -= len(show(value)) if left > 0 and not isinstance(value, str) else 0
        if left < 0:
            return False
    return True


def _whole(value: Any, room: Room) -> Passage:
    found = room.value(value)
    return found if not found.body else Passage(show(value), "", found.length)
