"""Calls of an agent on one resource: who is at it, who was left on it, and which of them a claim waits for."""

from __future__ import annotations

from ladder_graph.ledger.actions.lifecycle import Actions, Refused
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.gate import starts
from ladder_graph.ledger.watching import watches
from ladder_graph.states import AT_WORK, State
from ladder_graph.steps import Claim, NotClaimed


def alone(journal: Actions, cursor: Cursor, step: Claim, resource: str, since: int) -> None:
    """Another call of the agent that is at the same resource is waited for; one that was, while the undo was made.

    One whose process is gone is found out about first, and one that is to be undone is undone: whichever undo came
    later would put back what the other call left. It is asked behind the start's own entry: of two claims at a time
    the second one comes to that after the first is committed, and so sees it.

    Args:
        journal: The moment and the policy.
        cursor: In the claim's transaction.
        step: The claim.
        resource: What its undo is about.
        since: How long the agent's chain was before that undo was made.

    Raises:
        Refused: There is one.
    """
    there = [row["key"] for row in watches.at_it(cursor, step.call.agent, resource, step.call.key, since)]
    if not step.left_too:
        there = [key for key in there if not _left(journal, cursor, key)]
    if there:
        raise Refused(NotClaimed("occupied", f"another call is at {resource}.", there[0]))


def occupies(journal: Actions, cursor: Cursor, action: str) -> bool | None:
    """Whether an action keeps others from its resource; None where its process is gone, or it is to be undone."""
    place, window = cursor.execute(sql.PLACE, {"key": action}).fetchone(), watches.window_of(cursor, action)
    if place is not None and journal.running(place):
        return True
    left = place is not None and State(place["state"]) in AT_WORK
    return None if left or (window is not None and window.phase == "undo" and not window.attempts) else False


def _left(journal: Actions, cursor: Cursor, action: str) -> bool:
    """Whether an action was left, and is at most found out about or undone by others, which may hang."""
    found = occupies(journal, cursor, action)
    return found is None or (found and starts.taken_over(cursor, action))
