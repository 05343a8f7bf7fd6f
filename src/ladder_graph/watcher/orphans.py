"""Actions whose process is gone and that no window watches: found out here where that can be, else a person is told.

Where nobody here knows how to find out, the action stays as it is: its own thread may, once somebody goes on with it.
"""

from __future__ import annotations

import copy
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from ladder_graph.facts import Known
from ladder_graph.flow import left_behind
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.lists import tallies
from ladder_graph.ledger.people.filing import filing_of, page
from ladder_graph.ledger.watching import unwatched
from ladder_graph.ledger.watching.watches import PULSE
from ladder_graph.rungs.acting import Plan
from ladder_graph.states import State
from ladder_graph.turns.driving import drive

if TYPE_CHECKING:
    from ladder_graph.watcher.working import Work

log = logging.getLogger("ladder_graph")

LEFT = 60 * PULSE
"""Microseconds for which an action is left to its own thread, from when it was first seen that its process is gone: an
agent that is started anew finds out by itself."""
LEFT_BY_A_SESSION = 600 * PULSE
"""The same where a process is known by its session, which it loses with a server's restart and may still be at it."""
NOBODY_KNOWS = (
    "its process is gone, and whether it took effect is for its own thread to find out, or for a person to say: "
    "ladder resolve"
)
CANT_TELL = "its process is gone, and its probe can't tell whether it took effect; say so by ladder resolve"


class Orphans:
    """Sees to what was left behind.

    Args:
        work: What it is worked off with.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._missed: dict[str, int] = {}

    @property
    def _by_session(self) -> bool:
        """Whether a process that lives may be taken for a dead one, since its session was cut."""
        return self._work.store.owner.grace_us > 0

    def look(self) -> None:
        """Look once through everything that was started and has no window."""
        journal = self._work.journal()

        def read(cursor: Cursor) -> list[str]:
            agents = tallies.chains(cursor, self._work.policy().agent)
            found = (row for agent in agents for row in unwatched.started(cursor, agent))
            return [row["key"] for row in found if not journal.running(row)]

        gone = self._work.store.read(read)
        self._missed = {key: self._missed.get(key, journal.us) for key in gone}
        least = LEFT_BY_A_SESSION if self._by_session else LEFT
        for key in gone:
            if journal.us - self._missed[key] >= least:
                self._see_to(key)

    def _see_to(self, key: str) -> None:
        known = self._known(key)
        if known is None or known.state is not State.STARTED or known.owner_alive:
            return
        if not self.can_tell(known):
            self._tell(known, NOBODY_KNOWS)
            return
        self._find_out(known)
        after = self._known(key)
        if after is not None and after.state is State.UNKNOWN:
            self._tell(after, CANT_TELL)

    def _known(self, key: str) -> Known | None:
        journal = self._work.journal()
        return self._work.store.read(lambda cursor: journal.known(cursor, key))

    def can_tell(self, known: Known) -> bool:
        """Whether it can be found out here; of a call that went by a part first only its thread can.

        Where its process may have lost no more than its session, only what has happened is certain.
        """
        call = known.call
        said, rule = self._work.declared(call.agent, call.tool), self._work.policy().rule(call.tool)
        if known.parted or rule.read_only or said.idempotent:
            return not known.parted
        if said.probe is None or not self._by_session:
            return said.probe is not None
        with suppress(Exception):  # Any tool author's code; a probe that fails can't tell.
            return said.probe(copy.deepcopy(call.arguments), call.key) == "happened"
        return False

    def _find_out(self, known: Known) -> None:
        work, rule = self._work, self._work.policy().rule(known.call.tool)
        life = left_behind(Plan(rule), known)
        drive(work.observers.over(known.call, life), work.turn(known.call, rule))

    def _tell(self, known: Known, why: str) -> None:
        """Say it once, on record and to whoever reads the tool's reports."""
        call, journal = known.call, self._work.journal()

        def tell(cursor: Cursor) -> bool:
            if unwatched.said(cursor, call.key):
                return False
            journal.append(cursor, call.agent, unwatched.KIND, call.key, {"text": why})
            page(journal, cursor, call.agent, call.key, filing_of(self._work.policy(), call.tool))
            return True

        if self._work.store.write(tell):
            log.warning("left behind: %s (action %s): %s", call.tool, call.short, why)
