"""The gate of a ladder: everything that decides about a call, the rung that it goes to, and who performs its steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cached_property

from ladder_graph.altering import altered
from ladder_graph.calls import Call
from ladder_graph.fingerprint import Environment
from ladder_graph.flow import Gate, Routed, routed
from ladder_graph.ladder.refreshing import PolicyFile
from ladder_graph.ladder.seating import Seating
from ladder_graph.ledger.actions.questions import Terms, micros
from ladder_graph.ledger.people import notices
from ladder_graph.ledger.people.filing import filing_of
from ladder_graph.ledger.people.notices import Due, Told
from ladder_graph.policy import Policy
from ladder_graph.policy.scene import Scene
from ladder_graph.recalling import Memory
from ladder_graph.scale import Rung
from ladder_graph.turns.driving import drive
from ladder_graph.turns.found import Found
from ladder_graph.turns.hosting import Alone, Host
from ladder_graph.turns.turn import Turn
from ladder_graph.turns.workspace import Workspace
from ladder_graph.waiting import waits

Scenery = Callable[[dt.datetime], Scene]


class Gating(Seating):
    """The part of a ladder where a call is looked at before it comes to its rung."""

    workspace: Workspace
    _file: PolicyFile | None

    @cached_property
    def _memory(self) -> Memory:
        return Memory()

    def hears(self, agent: str, thread: str, run: int | None = None) -> tuple[list[Due], list[Told]]:
        """As `notices`, before each turn of the agent's model: a look into an index, off the writer's queue.

        Within one run it needn't look as long as nothing but this process's own calls has been written of the agent
        since there was nothing to hear.

        Args:
            agent: Whose drafts and suggestions.
            thread: In which thread.
            run: What tells this run of the graph from others; None where that isn't known.
        """
        if self._memory.heard_all(agent, thread, run, micros(self.clock())):
            return [], []
        end = self.store.glance(lambda cursor: notices.silent(cursor, agent, thread))
        if end is None:
            return self.notices(agent, thread)
        self._memory.hear_nothing(agent, thread, run, end)
        return [], []

    def refresh(self) -> Policy:
        """The policy in force, taken from its file anew where that was edited. It is looked at before every call.

        The file is taken whole, a tenth of a second after the last writing. One with mistakes, or with another agent,
        ledger, drafts, `ask`, or undo of a mounted tool, isn't taken at all. Either is said, in the log and the ledger.
        """
        if self._file is None:
            return self.policy
        waits()
        if self._file.changed():
            self.policy = self._file.taken(self.policy, self.seats, self.store, self.clock)
            self._see_through()
        return self.policy

    def gate(
        self, call: Call, environment: Environment | None, at_most: Rung = Rung.REPORT, policy: Policy | None = None,
        scene: Scenery = Scene,
    ) -> Gate:  # fmt: skip
        """Everything that decides about a call except what the ledger knows of it.

        Args:
            call: The proposed call.
            environment: What proposed it, or None where that isn't known.
            at_most: The rung the graph already sent it to.
            policy: The policy in force, if that was looked up a moment ago.
            scene: Tells the circumstances of the call at a moment.
        """
        policy = policy or self.refresh()
        self.environs.observe(call.agent, environment)
        rule = self.rule_of(call.agent, call.tool, policy)
        footing = self.seat_of(call.agent, call.tool).footing(policy.reader_of(rule))
        locked = self.environs.locked(call.agent)
        if (caution := self.caution(rule)) is not None:
            at_most = min(at_most, Rung.CONFIRM)
        return Gate(rule, environment, locked, footing, scene(self.clock()), at_most, caution)

    def route(self, call: Call, environment: Environment | None, scene: Scenery = Scene) -> Routed:
        """The rung a call would go to now, and why. Nothing is written about the call, and nothing runs."""
        return self.find(call, environment, scene).routed

    def find(
        self, call: Call, environment: Environment | None, scene: Scenery = Scene, *, recall: bool = False
    ) -> Found:  # fmt: skip
        """As `route`, with all that its rung can go on with.

        Args:
            call: The proposed call.
            environment: What proposed it, or None where that isn't known.
            scene: Tells the circumstances of the call at a moment.
            recall: Whether what was seen of earlier calls will do for one that claims at once.
        """
        policy = self.refresh()
        gate, turn = self.gate(call, environment, policy=policy, scene=scene), self._turn(call, Alone(), policy)
        return Found(drive(self.observers.routing(call, routed(call, gate, recall=recall)), turn), gate, turn)

    def _entered(
        self, call: Call, environment: Environment | None, host: Host, at_most: Rung, found: Found | None
    ) -> tuple[Gate, Turn]:
        if found is not None and found.turn.policy is self.policy:
            found.turn.host, found.turn.saga = host, self.scope
            return altered(found.gate, at_most=at_most), found.turn
        policy = self.policy if found else self.refresh()  # With a route, the file was looked at a moment ago.
        return self.gate(call, environment, at_most, policy, host.scene), self._turn(call, host, policy)

    def _turn(self, call: Call, host: Host, policy: Policy) -> Turn:
        return Turn(
            store=self.store, policy=policy, clock=self.clock, workspace=self.workspace,
            terms=self.terms(call, policy), filing=filing_of(policy, call.tool),
            declaration=self.seat_of(call.agent, call.tool).declaration, host=host,
            saga=self.scope, fitted=self.fitting(call), memory=self._memory, see_to=self.watcher.see_to,
            catch_up=self.watcher.catch_up,
        )  # fmt: skip

    def terms(self, call: Call, policy: Policy) -> Terms:
        """What an approval of a call holds for, as it is in this process now."""
        seat = self.seat_of(call.agent, call.tool)
        return Terms(
            self.rule_of(call.agent, call.tool, policy), seat.edition(call.tool), seat.declaration.undo_reference
        )
