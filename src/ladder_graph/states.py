"""The states of one call and every step between them: the only place where they are listed.

A call is *proposed* by a model. The gate gives it a rung, and from there it goes one of these ways. `STEPS`
is the whole truth: the ledger refuses a step that isn't in it, and the diagram in the docs is drawn from it.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a call is in its life."""

    PROPOSED = "proposed"
    """The model asked for it; the ledger doesn't know it yet."""
    REFUSED = "refused"
    """It could not be considered at all: malformed arguments, or a twin of a call in doubt."""
    SUGGESTED = "suggested"
    """Rung 0: written down, nothing ran."""
    DRAFTED = "drafted"
    """Rung 1: the artifact waits in the drafts workspace."""
    ASKED = "asked"
    """Rung 2: a question is open."""
    APPROVED = "approved"
    """Somebody said yes to exactly this action; it hasn't run yet."""
    DECLINED = "declined"
    """Somebody said no."""
    EDITED = "edited"
    """Somebody put other arguments in; that call goes on in its place, and this one never runs."""
    SUPERSEDED = "superseded"
    """A later draft has taken the place of this one, which never runs."""
    RESPONDED = "responded"
    """Somebody answered the model in the tool's place; nothing ran."""
    EXPIRED = "expired"
    """Nobody answered in time, which counts as no."""
    STARTED = "started"
    """Claimed: from here on the effect may have happened."""
    PAUSED = "paused"
    """The tool itself stopped at an interrupt of its own; it starts over when the thread is resumed."""
    DONE = "done"
    """The tool answered."""
    FAILED = "failed"
    """The tool failed, and said that nothing happened (or it only reads)."""
    UNKNOWN = "unknown"
    """It started, and nobody knows whether the effect took place. Never run again blindly."""
    UNDOING = "undoing"
    """The undo is running."""
    UNDONE = "undone"
    """The undo put things back."""
    UNDO_CONFLICT = "undo_conflict"
    """Somebody else changed the same thing meanwhile; the undo kept its hands off. A person must look."""
    UNDO_FAILED = "undo_failed"
    """The undo itself failed. A person must look."""


STEPS: dict[State, frozenset[State]] = {
    State.PROPOSED: frozenset(
        {State.REFUSED, State.SUGGESTED, State.DRAFTED, State.ASKED, State.STARTED, State.EXPIRED, State.DECLINED}
    ),
    State.REFUSED: frozenset(),
    # A suggestion or a draft that a person takes up runs once, as that person's act.
    State.SUGGESTED: frozenset({State.APPROVED, State.DECLINED}),
    # Where a part of a draft was taken, or its text edited, the call with those arguments goes on in its place.
    State.DRAFTED: frozenset({State.APPROVED, State.DECLINED, State.EDITED, State.SUPERSEDED}),
    # An approval given under another rule is void, so it is asked anew.
    # A demotion while the question waits puts the call on the lower rung, and the question is void.
    # Arguments that an editor put in may turn out not to fit the tool once its own process sees them.
    State.ASKED: frozenset(
        {
            State.APPROVED,
            State.DECLINED,
            State.EDITED,
            State.RESPONDED,
            State.EXPIRED,
            State.REFUSED,
            State.SUGGESTED,
            State.DRAFTED,
        }
    ),
    State.APPROVED: frozenset(
        {
            State.STARTED,
            State.DECLINED,
            State.EXPIRED,
            State.REFUSED,
            State.ASKED,
            State.SUGGESTED,
            State.DRAFTED,
        }
    ),
    State.DECLINED: frozenset(),
    State.EDITED: frozenset(),
    State.SUPERSEDED: frozenset(),
    State.RESPONDED: frozenset(),
    State.EXPIRED: frozenset(),
    # At rung 4 an effect that may have happened, or that made things worse, is undone at once.
    State.STARTED: frozenset({State.STARTED, State.PAUSED, State.DONE, State.FAILED, State.UNKNOWN, State.UNDOING}),
    # What waits to start over in a copy of the ledger that was put back may have taken effect since.
    State.PAUSED: frozenset({State.STARTED, State.UNKNOWN}),
    # A read that is resumed after it finished simply reads again: there is no effect to protect.
    State.DONE: frozenset({State.STARTED, State.UNDOING}),
    State.FAILED: frozenset(),
    State.UNKNOWN: frozenset({State.DONE, State.FAILED, State.UNDOING}),
    State.UNDOING: frozenset({State.UNDOING, State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED}),
    State.UNDONE: frozenset(),
    State.UNDO_CONFLICT: frozenset({State.UNDOING, State.UNDONE}),
    State.UNDO_FAILED: frozenset({State.UNDOING, State.UNDONE}),
}
"""From each state, the states that may follow it."""

AT_WORK = frozenset({State.STARTED, State.UNDOING})
"""The states in which somebody may be at work on an action; where nobody is, their process died with it."""

UNDOABLE = frozenset({State.DONE, State.UNDO_CONFLICT, State.UNDO_FAILED})
"""The states from which an undo may begin without anybody having died."""


def may_follow(before: State, after: State) -> bool:
    """Whether a call may go from one state to the other."""
    return after in STEPS[before]


def mermaid() -> str:
    """The life of a call as a Mermaid state diagram, generated from `STEPS`."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.PROPOSED}"]
    for before, following in STEPS.items():
        lines += [f"    {before} --> {after}" for after in State if after in following]
        if not following:
            lines.append(f"    {before} --> [*]")
    return "\n".join(lines)
