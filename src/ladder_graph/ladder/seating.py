"""Taking tools under the ladder: what they declare, what a mount finds around them, and who watches what they do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.errors import MountError
from ladder_graph.flow import Gate, Routed, life
from ladder_graph.ladder.casebook import Casebook
from ladder_graph.ladder.drafts import refused
from ladder_graph.ladder.environments import Environments
from ladder_graph.ladder.seats import Seat
from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.undoing import sagas
from ladder_graph.ledger.watching import watches
from ladder_graph.observing import Observers
from ladder_graph.rungs.acting import Life
from ladder_graph.scale import Rung
from ladder_graph.tools import NOTHING, Declaration, declared_at
from ladder_graph.turns.deciding import Fitting, unchecked
from ladder_graph.turns.hosting import Host
from ladder_graph.waiting import waits

log = logging.getLogger("ladder_graph")


class Seating(Casebook):
    """The part of a ladder where tools are known."""

    environs: Environments
    _declared: dict[str, Declaration]
    _said: set[str]

    @cached_property
    def observers(self) -> Observers:
        """Who looks on at its calls: nobody, until `ladder_graph.otel.instrument` or a page of figures is asked for."""
        return Observers()

    def _life(self, call: Call, gate: Gate, found: Routed | None) -> Life:
        """The life of a call, as whoever looks on sees it."""
        return self.observers.over(call, life(call, gate, found), found=found is not None)

    def declare(self, tool: str, declaration: Declaration) -> None:
        """Declare undo, drafter or probe for a tool one doesn't own, by its name. Before mounting."""
        self._declared[tool] = self._declared.get(tool, NOTHING).merged(declaration)
        for (_, name), seat in self._seats_of.items():
            if name == tool:
                seat.declaration = seat.declaration.merged(declaration)
        self.seats.setdefault(tool, Seat(self._declared[tool]))

    def declared(self, tool: str, own: Declaration) -> Declaration:
        """What holds for a tool: what it says itself, then what the policy names, then what `declare` was told.

        Args:
            tool: Its name.
            own: What it declares itself.
        """
        named = self.policy.rule(tool).undo
        return own.merged(declared_at(named) if named else NOTHING).merged(self._declared.get(tool, NOTHING))

    def acting(self, agent: str | None) -> str:
        """The name that a mount acts under: the policy's, or one below it.

        Args:
            agent: What the mount was given.

        Raises:
            MountError: Nobody would find its questions, since lists and workers go by the policy's agent.
        """
        own = self.policy.agent
        if not agent or agent == own or (agent.startswith(f"{own}/") and not agent.endswith("/")):
            return agent or own
        raise MountError(
            f"this ladder's policy is for the agent {own}, and nobody would find the questions of {agent!r} there; "
            f'say agent="{own}/{agent.strip("/") or "NAME"}", or give {agent!r} a ladder with a policy of its own'
        )

    def seat(
        self, tool: str, declaration: Declaration, *, agent: str, can_ask: bool,
        host: Callable[[], Host] | None = None, version: str = "", code: str = "", fitted: Fitting = unchecked,
        outward: tuple[str, ...] = (), schema: Mapping[str, Any] | None = None, hands_over: bool = False,
        elsewhere: str = "",
    ) -> None:  # fmt: skip
        """Take a tool under the ladder; called by the mounts, once for each tool of each agent."""
        waits()
        said = self.declared(tool, declaration)
        seat = Seat(said, can_ask, host, version, fitted, outward, schema or {}, hands_over, elsewhere)
        if code:
            self.know(tool, declaration, agent=agent, code=code)
        self._seats_of[agent, tool] = seat
        # An agent inside may have another tool of the same name.
        if not agent.startswith(f"{self.policy.agent}/") or tool not in self.seats:
            self.seats[tool] = seat
        if self.policy.entry(tool) is None:
            if hands_over:  # There is nothing to earn, so it is no cell.
                return
            self._say(f"the policy of {agent} doesn't name the tool {tool}, so it only suggests; add [tools.{tool}]")
        if (rule := self.policy.rule(tool)).rung is Rung.DRAFT and said.confined:
            self._say(f"{tool} of {agent} is to be drafted: {refused(tool, said.confined)}")
        if elsewhere:
            self._say(
                f"{tool} of {agent} runs {elsewhere}: each call of {tool} stands on its rung, and no gate of this "
                f"ladder sees what is done there"
            )
        if trouble := seat.trouble(rule):
            self._say(f"{tool} of {agent} stands below rollback: {trouble}")
        kept = partial(acts.found, version=seat.edition(tool), undo=seat.declaration.undo_edition)
        self._write(lambda journal, cursor: kept(journal, cursor, agent, tool, seat.footing(None)), durable=False)
        self._see_through()

    def know(self, tool: str, declaration: Declaration, *, agent: str, code: str) -> None:
        """Take down the code of an agent's tool, which belongs to the environment of its calls."""
        self.environs.know(agent, tool, code, self.declared(tool, declaration).version or "")

    def _see_through(self) -> None:
        """Watch in a thread of this process, where a tool wants it, people are told, or a window was left open."""
        if self.policy.watcher == "process" or self.watcher.running:
            return
        watched = any(self.policy.rule(tool).watch.window or self._told_of(tool) for tool in self.seats)
        left = (watches.next_due, sagas.next_due)
        if watched or self.policy.told_of_waiting or any(self.store.glance(due) is not None for due in left):
            self.watcher.start()

    def _told_of(self, tool: str) -> bool:
        """Whether people are to be told of reports on a tool, which somebody must see to."""
        rule = self.policy.rule(tool)
        found = self.policy.stream_of(rule)
        return rule.rung is Rung.REPORT and found is not None and bool(found[1].notify)

    def repeatable(self, tool: str, agent: str | None = None) -> bool:
        """Whether running a tool a second time has no second effect: it only reads, or is declared idempotent."""
        whose = agent or self.policy.agent
        return self.rule_of(whose, tool).read_only or self.seat_of(whose, tool).declaration.idempotent

    def _say(self, text: str) -> None:
        """Say a thing once in this process."""
        if text not in self._said:
            self._said.add(text)
            log.warning("%s", text)
