"""A call that goes by a part first comes to its end with its part and its rest, in the commit that ends one of them.

So the call is never at another end than what runs in its place, whichever process found that out. The rest is undone
before the part: once it is, the part is to be undone, and whoever watches sees to it if nobody else does.
"""

from __future__ import annotations

from typing import Any

from ladder_graph.calls import Call
from ladder_graph.ledger.actions import parts, quotas
from ladder_graph.ledger.actions.lifecycle import Actions
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.watching import watches
from ladder_graph.ledger.watching.watches import Window
from ladder_graph.policy import Rule
from ladder_graph.rungs.parting import told_of_the_part, told_of_the_rest
from ladder_graph.states import State
from ladder_graph.steps import Claim, NotClaimed, Record

_ENDS = frozenset({State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED})
"""The states that an undo ends in."""

_BETWEEN = {
    State.PAUSED: (State.STARTED, State.UNDOING), State.STARTED: (State.UNDOING,), State.DONE: (State.UNDOING,),
    State.UNDO_CONFLICT: (State.UNDOING,), State.UNDO_FAILED: (State.UNDOING,),
}  # fmt: skip
"""From each state of the call, those that lie between it and the end of an undo."""


def begun(journal: Actions, cursor: Cursor, step: Claim) -> None:
    """Write down, with the claim of a whole call, what runs in its place; with that of a rest, that its part is good.

    Args:
        journal: The moment and the policy.
        cursor: In the claim's transaction.
        step: The claim.
    """
    if step.split is not None:
        parts.insert(cursor, step.call, step.split)
        journal.append(cursor, step.call.agent, parts.KIND, step.call.key, step.split.to_json())
    elif step.whole is not None and (row := parts.of(cursor, step.whole.key)) and row["rest"] == step.call.key:
        text = f"its part (action {row['part'][:12]}) was found good, and the rest runs (action {step.call.short})"
        journal.append(cursor, step.call.agent, "part_good", step.whole.key, {"part": row["part"], "text": text})


def rule_of(cursor: Cursor, step: Claim, rule: Rule) -> Rule:
    """The rule that a part or a rest is watched under: the rest as any action is, the part for the while before it."""
    row = None if step.whole is None else parts.of(cursor, step.whole.key)
    return rule.of_a_part() if row is not None and row["part"] == step.call.key else rule


def barred(journal: Actions, cursor: Cursor, step: Claim) -> NotClaimed | None:
    """Why a rest may not run: the part doesn't stand, or is to be undone. None for any other claim."""
    row = None if step.whole is None else parts.of(cursor, step.whole.key)
    if row is None or row["rest"] != step.call.key:
        return None
    part, window = journal.known(cursor, row["part"]), watches.window_of(cursor, row["part"])
    if part is not None and part.state is State.DONE and window is not None and window.phase == "kept":
        return None
    return NotClaimed("state", "the part that went first doesn't stand any more.")


def follow(journal: Actions, cursor: Cursor, step: Record) -> None:
    """Bring the whole call to where its part or its rest has come just now.

    Args:
        journal: The moment and the policy.
        cursor: In the transaction that records it.
        step: What came of one of the two; of any other action nothing follows.
    """
    row = parts.holding(cursor, step.call.key) if _matters(step) else None
    if row is None:
        return
    if step.state is State.UNDOING:
        cost = step.outcome.cost if step.outcome is not None else None
        if cost is not None:
            quotas.settle(cursor, row["whole"], used=True, cost=cost)
    elif row["part"] == step.call.key:
        _with_the_part(journal, cursor, row, step)
    else:
        _with_the_rest(journal, cursor, row, step)


def _matters(step: Record) -> bool:
    """Whether anything follows; a part or a rest that is done and has its answer is its own process's matter."""
    return step.state not in {State.PAUSED, State.UNKNOWN, State.DONE} or (
        step.state is State.DONE and step.outcome is None
    )


def _with_the_part(journal: Actions, cursor: Cursor, row: Any, step: Record) -> None:
    if step.state is State.FAILED:
        _bring(journal, cursor, row["whole"], State.FAILED, step.text)
        cost = step.outcome.cost if step.outcome is not None else None
        quotas.settle(cursor, row["whole"], used=False, cost=cost)
    elif step.state in _ENDS:
        rest = journal.known(cursor, row["rest"])
        of_the_rest = None if rest is None else rest.text or f"{rest.call.tool} failed on the rest of your call."
        _bring(journal, cursor, row["whole"], step.state, told_of_the_part(step.state, step.text, of_the_rest))
        quotas.settle(cursor, row["whole"], used=True)


def _with_the_rest(journal: Actions, cursor: Cursor, row: Any, step: Record) -> None:
    match step.state:
        case State.DONE | State.UNDO_CONFLICT | State.UNDO_FAILED:
            _bring(journal, cursor, row["whole"], step.state, told_of_the_rest(step.state, step.text))
            quotas.settle(cursor, row["whole"], used=True)
        case State.FAILED | State.UNDONE:
            cost = step.outcome.cost if step.outcome is not None else None
            quotas.settle(cursor, row["whole"], used=True, cost=cost)
            window = watches.window_of(cursor, row["part"])
            if window is not None:
                gone = "its rest failed" if step.state is State.FAILED else "its rest was undone"
                watches.change(cursor, window, phase="undo", due_us=journal.us, why=gone)


def _bring(journal: Actions, cursor: Cursor, whole: str, state: State, text: str) -> None:
    """Take the whole call to an end, by the steps that lie between; where it is there, or past it, it stays."""
    known = journal.known(cursor, whole)
    if known is None or known.state is state:
        return
    way = _BETWEEN.get(known.state, ()) if state in _ENDS else ()
    if not way and known.state is not State.STARTED:
        return
    call, before = known.call, known.state
    for after in (*way, state):
        journal.step(cursor, call, before, known.fence, after, text=text)
        before = after
    journal.append(cursor, call.agent, state, call.key, {"text": text, "follows": True})


def part_to_undo(cursor: Cursor, rest: str) -> Window | None:
    """The window of the part that is to be undone since its rest was; None where there is none.

    Args:
        cursor: Of the ledger.
        rest: The key of any action.
    """
    row = parts.holding(cursor, rest)
    window = None if row is None or row["rest"] != rest else watches.window_of(cursor, row["part"])
    return window if window is not None and window.phase == "undo" else None


def last_of(journal: Actions, cursor: Cursor, call: Call) -> str:
    """Which action is to be undone for this one to be: of a call that goes by a part first, the last that had effect.

    Args:
        journal: The moment and the policy.
        cursor: Of the ledger.
        call: A call, a part, or a rest.

    Returns:
        Its key; the call's own where it runs at once.
    """
    row = parts.of(cursor, call.key) or parts.holding(cursor, call.key)
    if row is None:
        return call.key
    rest = journal.known(cursor, row["rest"])
    gone = rest is None or rest.state in {State.PAUSED, State.FAILED, State.UNDONE}
    return str(row["part"] if gone else row["rest"])
