"""A call in a scope: whether it may still run there, and its place among the others."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import bindparam, update

from ladder_graph.calls import Call
from ladder_graph.ledger.actions import members as membership
from ladder_graph.ledger.actions.lifecycle import Refused
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables.saga_rows import SagaRow
from ladder_graph.ledger.undoing import sagas
from ladder_graph.steps import Claim, Claimed, NotClaimed
from ladder_graph.unwinding import OVER, pivot

_saga = table_of(SagaRow)

_STEP = Sql.of(
    update(_saga).where(_saga.c.id == bindparam("root")).values(steps=_saga.c.steps + 1).returning(_saga.c.steps)
)


def _barred(cursor: Cursor, saga: str) -> str:
    """Why nothing more of a scope runs, in words; empty where it may."""
    over = next((one for one in sagas.lineage(cursor, saga) if one.phase in OVER), None)
    return (
        ""
        if over is None
        else f"{over.said} is undone as a whole, because {over.why.rstrip('.')}; nothing more of it runs."
    )


def refuse(cursor: Cursor, saga: str) -> None:
    """Nothing more of a scope runs that is being undone.

    Raises:
        Refused: It is.
    """
    if why := _barred(cursor, saga):
        raise Refused(NotClaimed("state", why))


def at_a_pivot(cursor: Cursor, journal: Journal, saga: str, tool: str) -> str:
    """What of a scope could not be undone any more after a call that has no undo, in words; empty where nothing."""
    around = sagas.lineage(cursor, saga)
    return pivot(tool, around[0].said, sagas.members(cursor, journal, around[-1])) if around else ""


def admitted(
    cursor: Cursor, journal: Journal, saga: str, step: Claim, claim: Callable[[], Claimed]
) -> Claimed:  # fmt: skip
    """Claim a call as a member of a scope.

    Args:
        cursor: In a transaction.
        journal: The moment and the process.
        saga: The scope's id.
        step: The claim.
        claim: Makes it.

    Raises:
        Refused: The scope is being undone, or the call would be a point of no return that nobody was asked about.
    """
    refuse(cursor, saga)
    known = membership.of(cursor, step.call.key)
    started = known is not None and known.n is not None
    unasked = step.artifact is None and step.question is None and step.actor is None
    if unasked and not started and (lost := at_a_pivot(cursor, journal, saga, step.call.tool)):
        raise Refused(NotClaimed("pivot", lost))
    claimed = claim()
    if not started:
        around = sagas.lineage(cursor, saga)
        n = cursor.execute(_STEP, {"root": around[-1].id}).fetchone()[0]
        membership.put(cursor, step.call.key, saga, around[-1].id, n)
        journal.append(cursor, step.call.agent, "joined", step.call.key, {
            "saga": saga, "n": n, "text": f"a call of {around[0].said}",
        })  # fmt: skip
    return claimed


def waits(cursor: Cursor, saga: str, call: Call) -> None:
    """A call that is asked about in a scope belongs to it, wherever it is started once it is answered."""
    around = sagas.lineage(cursor, saga)
    if around:
        membership.put(cursor, call.key, saga, around[-1].id, None)
