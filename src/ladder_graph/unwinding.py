"""Undoing a scope: whose turn it is, what a point of no return leaves standing, and what the agent reads of it. Pure.

Members are undone in the reverse order of their effects: of two that ran side by side, the one that ended last comes
first, and nothing is undone under one that runs. Each comes to exactly one outcome, and after one that conflicts or
fails the others are undone all the same. A *pivot* ends it: a member that took effect, or may have, and that has no
undo. What had ended before it was started stays as it is, and a person is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from ladder_graph.states import AT_WORK, UNDOABLE, State


class Phase(StrEnum):
    """Where a scope is."""

    OPEN = "open"
    """Its block is running."""
    LEFT = "left"
    """Its block ended by a question or by a failure of the machinery; it can be gone on with, undone, or closed."""
    CLOSED = "closed"
    """Its block ended well. A member's watch that turns bad still undoes all of it."""
    UNDO = "undo"
    """It is to be undone."""
    UNDONE = "undone"
    """Nothing of it stands."""
    HELD = "held"
    """It was undone as far as that went; a person must look at the rest."""


PHASES: dict[Phase, frozenset[Phase]] = {
    Phase.OPEN: frozenset({Phase.LEFT, Phase.CLOSED, Phase.UNDO}),
    Phase.LEFT: frozenset({Phase.OPEN, Phase.CLOSED, Phase.UNDO}),
    # A scope with a key is gone on with by a later block.
    Phase.CLOSED: frozenset({Phase.OPEN, Phase.UNDO}),
    Phase.UNDO: frozenset({Phase.UNDONE, Phase.HELD}),
    Phase.UNDONE: frozenset(),
    # A person says to try it once more, or has seen to it; or an undo that is tried again works after all.
    Phase.HELD: frozenset({Phase.UNDO, Phase.UNDONE, Phase.CLOSED}),
}
"""From each phase, the phases that may follow it."""

OVER = frozenset({Phase.UNDO, Phase.UNDONE, Phase.HELD})
"""The phases in which nothing more of a scope runs."""

Came = Literal["", "undone", "no-op", "conflict", "failed", "skipped"]
"""What came of a member's undo; empty where nobody came to it yet."""

SETTLED = frozenset({"undone", "no-op"})
"""The outcomes after which nothing of a member stands."""

NOTHING_HAPPENED = "it had not taken effect"
"""The text of a member that there is nothing to undo of."""
IRREVERSIBLE = "it can't be undone"
"""The text of a point of no return."""
UNDER_ITS_REST = "the rest of its call lies on it, and isn't undone"
"""The text of a part that stays until its rest is undone."""

_WITHOUT_EFFECT = frozenset({State.FAILED, State.PAUSED, State.UNDONE})
_UNDOABLE = UNDOABLE | AT_WORK


@dataclass(frozen=True, slots=True)
class Member:
    """One call of a scope that was started."""

    action: str
    """The action's key."""
    tool: str
    n: int
    """Its place in the order of the effects: that of its end where it can be undone, else that of its start."""
    state: State
    """Where the call is in its life."""
    prepared: bool
    """An undo was made before it."""
    running: bool = False
    """Somebody may be at it at this moment."""
    came: Came = ""
    text: str = ""
    """The outcome in words, where a word isn't enough."""
    rest: str = ""
    """The key of the action that lies on it: the rest of the call that it was the first part of."""

    @property
    def stands(self) -> bool:
        """Whether it took effect, or may have."""
        return self.state not in _WITHOUT_EFFECT and self.came != "no-op"

    @property
    def undoable(self) -> bool:
        """Whether its undo could be run."""
        return self.prepared and self.state in _UNDOABLE

    @property
    def pivot(self) -> bool:
        """Whether it is a point of no return."""
        return self.stands and not self.undoable


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done next about a scope that is to be undone."""

    kind: Literal["undo", "no-op", "wait", "stay", "skip"]
    """Undo the first member; say that there is nothing to undo; wait until it is over; leave it under its rest; leave
    all of them."""
    members: tuple[Member, ...]


def due(members: Sequence[Member]) -> Due | None:
    """What is to be done next; None once every member has its outcome.

    Args:
        members: Those of the scope and of the scopes inside it, in any order.

    Example:
        >>> first = Member("a", "put", 1, State.DONE, prepared=True)
        >>> last = Member("b", "pay", 2, State.FAILED, prepared=False)
        >>> due([first, last]).kind, due([first]).kind
        ('no-op', 'undo')
    """
    left = [one for one in _latest_first(members) if not one.came]
    if not left:
        return None
    first = left[0]
    if running := next((one for one in left if one.running), None):
        return Due("wait", (running,))
    if not first.stands:
        return Due("no-op", (first,))
    if not first.undoable:
        return Due("skip", tuple(left))
    return Due("stay" if _lies_under(first, members) else "undo", (first,))


def _lies_under(member: Member, members: Sequence[Member]) -> bool:
    """Whether the rest of a call lies on its part, and could not be undone."""
    return any(one.action == member.rest and one.came and one.came not in SETTLED for one in members)


def without_effect(member: Member) -> Member:
    """A member of which there is nothing to undo, with that outcome."""
    undone = member.state is State.UNDONE
    return replace(member, came="undone" if undone else "no-op", text="" if undone else NOTHING_HAPPENED)


def under_its_rest(member: Member) -> Member:
    """A part whose rest lies on it, with that outcome; once the rest is undone it is, too."""
    return replace(member, came="failed", text=UNDER_ITS_REST)


def left_standing(members: Sequence[Member]) -> list[Member]:
    """A point of no return and everything before it, with that outcome.

    Args:
        members: The point of no return in front.
    """
    first, *before = members
    after = f"{first.tool} after it can't be undone"
    return [
        replace(first, came="skipped", text=IRREVERSIBLE), *(replace(one, came="skipped", text=after) for one in before)
    ]  # fmt: skip


def to_be_told(members: Sequence[Member]) -> Member | None:
    """What a person is told of where something of a scope stays: the point of no return, else what is latest."""
    stuck = [one for one in _latest_first(members) if one.came and one.came not in SETTLED]
    return next((one for one in stuck if one.came == "skipped"), next(iter(stuck), None))


def at_stake(members: Sequence[Member]) -> list[Member]:
    """What could be undone at this moment, the latest in front: nothing from before a point of no return."""
    found = []
    for one in _latest_first(members):
        if one.pivot:
            break
        if one.undoable and not one.came:
            found.append(one)
    return found


def pivot(tool: str, scope: str, members: Sequence[Member]) -> str:
    """Why a call that has no undo must ask inside a scope, as a sentence; empty where nothing is at stake."""
    stake = at_stake(members)
    if not stake:
        return ""
    return f"{tool} can't be undone, and after it neither could be, of {scope}: {_listed(stake)}"


def told(scope: str, why: str, members: Sequence[Member], own: str = "") -> str:
    """What the agent reads of a scope that is undone.

    Args:
        scope: The scope in words.
        why: Why it is undone.
        members: All of its members.
        own: The key of the action whose answer this stands in; it isn't listed.
    """
    others = [one for one in _latest_first(members) if one.action != own]
    undone = [one for one in others if one.came in SETTLED]
    stuck = [one for one in others if one.came and one.came not in SETTLED]
    waits = [one for one in others if not one.came]
    said = [f"ROLLED BACK: {scope} is undone as a whole, because {why.rstrip('.')}."]
    if undone:
        said.append(f"Undone, in this order: {_listed(undone, came=True)}.")
    if stuck:
        said.append(f"STILL IN PLACE: {_listed(stuck, came=True)}; a person was told.")
    if waits:
        said.append(f"Still to be undone: {_listed(waits)}.")
    said.append("Nothing more of this scope runs. Do not repeat its steps; say what happened.")
    return " ".join(said)


def rolled_back(members: Sequence[Member], by: str, reason: str, before: str) -> str:
    """What the agent reads in a conversation that was forked.

    Args:
        members: What the thread did since then, with what came of it.
        by: Who rolled it back.
        reason: Why; may be empty.
        before: The tool whose call it was rolled back to.
    """
    undone = [one for one in _latest_first(members) if one.came in SETTLED]
    stuck = [one for one in _latest_first(members) if one.came not in SETTLED]
    because = (reason or "without a reason").rstrip(".")
    said = [f"ROLLED BACK by {by}: {because}. This goes on from before {before} was called; what came after is gone."]
    if undone:
        said.append(f"Undone, in this order: {_listed(undone, came=True)}.")
    if stuck:
        said.append(f"STILL IN PLACE, though you don't see it here: {_listed(stuck, came=True)}. Do not do that again.")
    return " ".join(said)


def named(name: str, scope: str) -> str:
    """A scope in words.

    Args:
        name: What it was called by the program; may be empty.
        scope: Its id.
    """
    return f"the scope {name}" if name else f"the scope {scope[:8]}"


def _latest_first(members: Sequence[Member]) -> list[Member]:
    return sorted(members, key=lambda one: one.n, reverse=True)


def _listed(members: Sequence[Member], *, came: bool = False) -> str:
    return ", ".join(
        f"{one.tool} (action {one.action[:12]}{_outcome(one) if came and one.came != 'undone' else ''})"
        for one in members
    )


def _outcome(one: Member) -> str:
    return f"; {one.came}{f': {one.text}' if one.text else ''}"
