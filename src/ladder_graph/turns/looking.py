"""What the gate looks up about one call before it decides, and what it takes from memory instead."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

from ladder_graph.calls import Call
from ladder_graph.facts import Seen
from ladder_graph.ledger import Journal, Store
from ladder_graph.ledger.actions import members
from ladder_graph.ledger.actions.questions import Terms, micros
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.people.filing import Filing
from ladder_graph.ledger.reports.digests import lapse_late, mute
from ladder_graph.ledger.undoing import joining
from ladder_graph.ledger.watching import rehearsals, watchers
from ladder_graph.policy import Policy
from ladder_graph.recalling import Memory
from ladder_graph.scale import Rung
from ladder_graph.steps import Look
from ladder_graph.tools import Declaration
from ladder_graph.trust.cells import CellKey
from ladder_graph.turns.hosting import Host
from ladder_graph.watch.kept import fires


@dataclass(slots=True, kw_only=True)
class Looking:
    """The part of a turn that reads."""

    store: Store
    policy: Policy
    clock: Callable[[], dt.datetime]
    terms: Terms
    """What an approval of the call holds for."""
    filing: Filing | None
    """Where reports on the tool go; None where nobody reads them."""
    declaration: Declaration
    host: Host
    saga: str = ""
    """The scope that the call is made in, and is undone with as a whole; empty without one."""
    memory: Memory | None = None
    """What was seen of its cell before; None where each call is looked at anew."""

    def journal(self) -> Journal:
        """The ledger's transactions at this moment."""
        scope = self.terms.rule.scope
        return Journal(self.store.owner, self.policy.revision, self.clock(), self.host.checkpoint(), scope, self.policy)

    def recalled(self, step: Look) -> Seen | None:
        """What a look would most likely see, where the claim looks at all of that again; None elsewhere."""
        rule = self.terms.rule
        if self.memory is None or not step.recall or self.saga or self._rehearses or rule.watch.window:
            return None
        if (rule.checks and not rule.read_only) or (rule.rung is Rung.REPORT and self.filing is not None):
            return None
        return self.memory.recalled(step.call, self._cell(step.call), step.charges, micros(self.clock()))

    def _cell(self, call: Call) -> CellKey:
        scope = self.terms.rule.scope
        return CellKey(call.agent, call.tool, "" if scope is None else scope.of(call.arguments), call.env or "")

    def look(self, step: Look) -> Seen:
        """What the ledger knows; a read, off the writer's queue. The claim looks again at what it relies on."""
        return self.recalled(step) or self._looked(step)

    def _looked(self, step: Look) -> Seen:
        seen = self.glance(step)
        if seen.overdue:  # No sweep has come by: what lay unread costs the rung before this very call.
            journal = self.journal()
            self.store.write(lambda cursor: lapse_late(journal, cursor, self.policy, step.call))
            seen = self.glance(step)
        if self.memory is not None:
            self.memory.keep(step.call, self._cell(step.call), seen)
        return seen

    def glance(self, step: Look) -> Seen:
        """What the ledger knows, with nothing written about it."""
        journal, rule = self.journal(), self.terms.rule

        def work(cursor: Cursor) -> Seen:
            seen = journal.look(cursor, step.call, step.charges)
            if rule.watch.window and not watchers.watchers(cursor, self.store.owner, journal.us):
                seen = replace(seen, watched=False)
            if self._rehearses:
                edition = self.terms.tool, self.declaration.undo_edition
                rehearsal = rehearsals.rehearsal_of(cursor, step.call.tool, *edition)
                seen = replace(seen, rehearsed=rehearsal is not None and rehearsal.passed)
            seen = replace(seen, mute=mute(cursor, self.filing, journal.us)) if rule.rung is Rung.REPORT else seen
            if not rule.read_only and (firing := fires(cursor, rule.checks, journal.us)):
                seen = replace(seen, firing=firing)
            return seen if rule.read_only else self._scoped(cursor, journal, step.call, seen)

        return self.store.glance(work)

    def _scoped(self, cursor: Cursor, journal: Journal, call: Call, seen: Seen) -> Seen:
        """What is known, with what the scope of the call has to say."""
        if seen.known is not None and not self.saga:
            known = members.of(cursor, call.key)
            self.saga = "" if known is None else known.saga
        if not self.saga:
            return seen
        lost = "" if self.declaration.reversible else joining.at_a_pivot(cursor, journal, self.saga, call.tool)
        return replace(seen, scoped=True, pivot=lost)

    @property
    def _rehearses(self) -> bool:
        """Whether the rung of the call depends on a rehearsal."""
        rule = self.terms.rule
        high = rule.rung >= Rung.ROLLBACK and not rule.read_only
        return high and self.policy.rehearsals == "required" and self.declaration.reversible
