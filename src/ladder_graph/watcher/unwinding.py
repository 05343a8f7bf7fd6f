"""Undoing a scope, member by member: in the call that went wrong, or in any process that watches.

What is to be undone stands in the ledger, so whoever does it may die at any point. Nobody waits here: where a member
still runs, whoever ends it goes on, or the watcher that looks next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ladder_graph.ledger import Journal, Store
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.people.filing import Filing, page
from ladder_graph.ledger.undoing import sagas
from ladder_graph.ledger.undoing.sagas import Scope
from ladder_graph.ledger.watching import watches
from ladder_graph.ledger.watching.watches import PULSE, Window
from ladder_graph.unwinding import Due, Member, Phase, due, left_standing, to_be_told, under_its_rest, without_effect

log = logging.getLogger("ladder_graph")

GONE = "what its undo needs is gone"
"""The text of a member whose window the ledger lacks."""


class Unwinding:
    """Undoes scopes, action by action.

    Args:
        store: The ledger.
        journal: Makes its transactions at this moment.
        undo_one: Undoes the action of a window, whose turn it is.
        filing: Where reports on a tool go.
    """

    def __init__(
        self, store: Store, journal: Callable[[], Journal], undo_one: Callable[[Window], object],
        filing: Callable[[str], Filing | None],
    ) -> None:  # fmt: skip
        self._store, self._journal, self._undo_one, self._filing = store, journal, undo_one, filing

    def due(self, now: int) -> list[str]:
        """Take the scopes on whose undo somebody must go on."""
        first = self._store.glance(sagas.next_due)
        if first is None or first > now:
            return []
        return self._store.write(partial(sagas.take, now_us=now), durable=False)

    def go_on(self, scope: str) -> None:
        """Go on with the undo of a scope as far as that goes at this moment. Several at a time are harmless."""
        while self._step(scope):
            pass

    def _step(self, saga: str) -> bool:
        """One step; False where nothing is left to be done now."""
        journal = self._journal()

        def read(cursor: Cursor) -> tuple[Scope, Due | None] | None:
            one = sagas.scope(cursor, saga)
            if one is None or one.phase is not Phase.UNDO:
                return None
            return one, due(sagas.members(cursor, journal, one))

        found = self._store.read(read)
        if found is None:
            return False
        one, step = found
        if step is None:
            return self._finish(one)
        match step.kind:
            case "wait":
                return False
            case "no-op":
                return self._came(without_effect(step.members[0]))
            case "stay":
                return self._came(under_its_rest(step.members[0]))
            case "skip":
                return self._skip(one, step.members)
            case "undo":
                return self._undo(one, step.members[0])

    def _finish(self, one: Scope) -> bool:
        journal = self._journal()

        def work(cursor: Cursor) -> Phase | None:
            phase = sagas.finish(cursor, journal, one)
            if phase is Phase.HELD:
                self._tell(cursor, journal, one)
            return phase

        phase = self._store.write(work)
        if phase is not None:
            log.log(logging.WARNING if phase is Phase.HELD else logging.INFO, "%s: %s (%s)", phase, one.said, one.why)
        return phase is None and self._still(one)

    def _tell(self, cursor: Cursor, journal: Journal, one: Scope) -> None:
        """Say of what stays in place that a person must look, on record and to whoever reads its tool's reports."""
        left = to_be_told(sagas.members(cursor, journal, one))
        known = None if left is None else journal.known(cursor, left.action)
        if left is None or known is None:
            return
        text = f"{one.said} was to be undone as a whole, and this stays: {left.came}"
        body = {"saga": one.id, "text": f"{text}, {left.text}" if left.text else text}
        journal.append(cursor, known.call.agent, "left_standing", left.action, body)
        page(journal, cursor, known.call.agent, left.action, self._filing(left.tool))

    def _still(self, one: Scope) -> bool:
        """Whether it is still to be undone: a call may have joined in the moment before."""
        now = self._store.glance(lambda cursor: sagas.scope(cursor, one.id))
        return now is not None and now.phase is Phase.UNDO

    def _came(self, *members: Member) -> bool:
        """Write down what came of members, all in one commit."""
        journal = self._journal()

        def work(cursor: Cursor) -> None:
            for one in members:
                sagas.came(cursor, journal, one.action, one.came, one.text)

        self._store.write(work)
        return True

    def _skip(self, one: Scope, members: tuple[Member, ...]) -> bool:
        """Leave a point of no return as it is, and everything before it."""
        last = members[0]
        self._came(*left_standing(members))
        log.warning(
            "%s is not undone beyond %s (action %s), which can't be undone; a person must look",
            one.said, last.tool, last.action[:12],
        )  # fmt: skip
        return True

    def _undo(self, one: Scope, member: Member) -> bool:
        """Undo a member whose turn it is; False where somebody else is at it."""
        after = self.undo(member.action, f"{one.said} is undone as a whole: {one.why}")
        if after is None:
            return self._came(replace(member, came="failed", text=GONE))
        waits = self._store.glance(lambda cursor: sagas.waits_for(cursor, member.action))
        if waits and after.phase in {"held", "over"}:
            return self._came(replace(member, came="failed", text=after.why))
        return not waits

    def undo(self, action: str, why: str) -> Window | None:
        """Undo an action whose turn it is, from wherever it stands.

        Args:
            action: Its whole key.
            why: Why.

        Returns:
            Its window as it stands after that; None where it has none, and so nothing to undo it by.
        """
        now = self._journal().us

        def begin(cursor: Cursor) -> Window | None:
            window = watches.window_of(cursor, action)
            if window is not None:
                watches.change(cursor, window, phase="undo", due_us=now + PULSE, why=why)
            return window

        window = self._store.write(begin)
        if window is None:
            return None
        self._undo_one(window)
        return self._store.glance(lambda cursor: watches.window_of(cursor, action))
