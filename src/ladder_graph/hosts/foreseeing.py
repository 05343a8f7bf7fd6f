"""What the gate would have decided about a call, by the real policy, standing, ceiling and readiness.

The route is found by the very generator that the gate runs. It is taken that a question could wait for its answer and
that a watcher would live where the gate would start one, since without those there would be no gate.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.tools import BaseTool

from ladder_graph.calls import Call
from ladder_graph.facts import Seen
from ladder_graph.fingerprint import Environment
from ladder_graph.flow import Gate, Routed, routed
from ladder_graph.hosts.capture import KEPT, Capture, Recent
from ladder_graph.hosts.freezing import considered, may_exist, no_such_tool
from ladder_graph.hosts.proposals import Proposal, proposer
from ladder_graph.hosts.scenery import said_among
from ladder_graph.hosts.seating import seated
from ladder_graph.ladder.environments import Make
from ladder_graph.ladder.seats import Seat
from ladder_graph.ledger import Journal
from ladder_graph.ledger.actions.questions import Terms
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.evidence import shadows
from ladder_graph.ledger.people.filing import filing_of
from ladder_graph.policy import HANDOVER, Policy
from ladder_graph.policy.scene import Scene
from ladder_graph.steps import Look
from ladder_graph.turns.driving import drive
from ladder_graph.turns.hosting import Alone
from ladder_graph.turns.turn import Turn

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder


@dataclass(frozen=True, slots=True)
class Place:
    """One tool node of one graph, as a shadow sees it."""

    agent: str
    tools: Mapping[str, BaseTool]
    open_ended: bool
    """Other middleware may run tools that the ToolNode doesn't know."""
    make: Make
    """What the agent is made of around its models."""
    capture: Capture


@dataclass(slots=True)
class Sighting:
    """One call as it began."""

    place: Place
    call: dict[str, Any]
    """The tool call, copied before the tool could change it."""
    messages: Sequence[Any]
    """The conversation so far."""
    inside: bool
    """It is that of an agent inside another one."""
    thread: str
    requester: str | None
    facts: Mapping[str, Any]
    at: dt.datetime
    action: str = ""
    """Its key, once it was taken down."""


@dataclass(slots=True)
class _Glancing(Turn):
    """A turn that only looks, and leaves quotas to the shadow's own counters."""

    granted: Environment | None = None
    """What the start rungs are taken to be granted to, where nothing is pinned."""

    def look(self, step: Look) -> Seen:
        """What the ledger knows; nothing is written about it."""
        seen = self.glance(replace(step, charges=()))
        watched = seen.watched or self.policy.watcher == "thread"
        return replace(seen, watched=watched, pinned=seen.pinned or self.granted)


@dataclass
class Foreseeing:
    """Works out what the gate of a ladder would have decided, call by call and in one thread.

    Args:
        ladder: Whose policy, ledger and clock.
    """

    ladder: Ladder
    _seats: dict[tuple[str, str], Seat] = field(default_factory=dict)
    _granted: dict[str, Environment] = field(default_factory=dict)
    _known: Recent[str, None] = field(default_factory=lambda: Recent(KEPT))

    def take_down(self, sighting: Sighting) -> None:
        """Work out what would have become of a call, and write it down.

        Args:
            sighting: The call; it gets its key.

        Raises:
            LadderError: It can't be written, or the policy can't be read.
        """
        policy, place = self.ladder.refresh(), sighting.place
        environment = self._environment(sighting)
        call = self._considered(sighting, environment)
        beside = {
            "model": "" if environment is None else environment.model or "",
            "message": proposer(sighting.messages, sighting.call.get("id")) or "",
            **({"requester": sighting.requester} if sighting.requester else {}),
        }
        journal = self.journal(policy, sighting.at)
        if isinstance(call, str):
            body = {**_raw(sighting.call), "thread": sighting.thread, **beside}
            self._write(lambda cursor: shadows.refused(journal, cursor, place.agent, call, body))
            return
        if call.key not in self._known:  # A call that stopped at a question of its own begins again, and is the same.
            route, plan, _ = self._routed(call, environment, sighting, policy)
            self._write(lambda cursor: shadows.decided(journal, cursor, call, route, plan.charges, beside))
            self._known.put(call.key, None)
        sighting.action = call.key

    def journal(self, policy: Policy, at: dt.datetime) -> Journal:
        """The ledger's transactions at a moment."""
        return Journal(self.ladder.store.owner, policy.revision, at)

    def _write(self, work: Any) -> None:
        self.ladder.store.write(work, durable=False)

    def _environment(self, sighting: Sighting) -> Environment | None:
        place, environs = sighting.place, self.ladder.environs
        proposal = Proposal(sighting.call, message=proposer(sighting.messages, sighting.call.get("id")))
        proposed = proposal.proposed(place.capture, environs.recall, {"configurable": {"thread_id": sighting.thread}})
        return environs.attributed(place.agent, proposed, place.make)

    def _considered(self, sighting: Sighting, environment: Environment | None) -> Call | str:
        place, name = sighting.place, str(sighting.call.get("name"))
        tool = place.tools.get(name)
        if tool is None and not (place.open_ended and may_exist(name, environment)):
            return no_such_tool(name, place.tools)
        config: Any = {"configurable": {"thread_id": sighting.thread}}
        return considered(place.agent, sighting.call, tool, environment, config)

    def _routed(self, call: Call, environment: Environment | None, sighting: Sighting, policy: Policy) -> Routed:
        seat = self._seat(call, sighting.place)
        rule = HANDOVER if seat.hands_over and policy.entry(call.tool) is None else policy.rule(call.tool)
        said = partial(said_among, sighting.messages, inside=sighting.inside)
        scene = Scene(sighting.at, sighting.requester, sighting.facts, said)
        footing, locked = seat.footing(policy.reader_of(rule)), self.ladder.environs.locked(call.agent)
        turn = _Glancing(
            store=self.ladder.store, policy=policy, clock=lambda: sighting.at, workspace=None,
            terms=Terms(rule, seat.edition(call.tool), seat.declaration.undo_reference),
            filing=filing_of(policy, call.tool), declaration=seat.declaration, host=Alone(), fitted=seat.fitted,
            granted=self._grant(call.agent, environment, self.journal(policy, sighting.at)),
        )  # fmt: skip
        return drive(routed(call, Gate(rule, environment, locked, footing, scene)), turn)

    def _seat(self, call: Call, place: Place) -> Seat:
        if (call.agent, call.tool) not in self._seats:
            tool = place.tools.get(call.tool)
            self._seats[call.agent, call.tool] = Seat(can_ask=True) if tool is None else seated(self.ladder, tool)
        return self._seats[call.agent, call.tool]

    def _grant(self, agent: str, environment: Environment | None, journal: Journal) -> Environment | None:
        """What a gate would have pinned by now: the first environment that was seen, in this process or another."""
        if agent not in self._granted and environment is not None and environment.model is not None:

            def first(cursor: Cursor) -> Environment:
                found = shadows.granted(cursor, agent)
                if found is None:
                    shadows.grant(journal, cursor, agent, environment)
                return found or environment

            self._granted[agent] = self.ladder.store.write(first, durable=False)
        return self._granted.get(agent)


def _raw(call: Mapping[str, Any]) -> dict[str, str]:
    """What a call that can't be considered says, as text."""
    return {"call": str(call.get("id")), "tool": str(call.get("name")), "given": repr(call.get("args"))[:_SHOWN]}


_SHOWN = 2000
"""Characters that are kept of arguments that can't be read."""
