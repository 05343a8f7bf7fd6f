"""One tool node of one graph under a ladder: how its calls are frozen, and which rung each is sent to."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.types import Send

from ladder_graph.calls import Call
from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.byhand import ByHand
from ladder_graph.hosts.capture import Capture
from ladder_graph.hosts.freezing import considered, may_exist, no_such_tool
from ladder_graph.hosts.nested import BUILT_LATER
from ladder_graph.hosts.proposals import Frozen, Packet, Proposal, Underway, proposer
from ladder_graph.hosts.scenery import scene_of
from ladder_graph.hosts.seating import UNKNOWN
from ladder_graph.ladder.environments import Make
from ladder_graph.scale import Rung
from ladder_graph.waiting import once

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from ladder_graph.ladder import Ladder


@dataclass(frozen=True, slots=True)
class Mount:
    """One tool node of one graph under a ladder: what its gate and its rungs share."""

    ladder: Ladder
    agent: str
    can_ask: bool
    capture: Capture
    node: Runnable[Any, Any]
    """The original ToolNode."""
    place: str
    """The name it stood under, which is the gate's now."""
    tools: dict[str, BaseTool]
    open_ended: bool
    """Other middleware may run tools that the ToolNode doesn't know."""
    messages_key: str
    names: dict[Rung, str]
    """The node of each rung."""
    state: Callable[[RunnableConfig], Any]
    """Reads the graph's state as the ToolNode would have been given it."""
    nests: bool
    """Some of its tools run agents, which are gated too."""
    root: bool
    """The graph's state is the list of messages itself."""
    branches: bool
    """The way on from the tools depends on the state."""
    one_question: bool
    """No question is asked while another one is open."""
    by_hand: ByHand
    """Refuses what its tools' code calls by hand."""
    make: Make
    """What the agent is made of around its models."""
    aside: frozenset[str] = frozenset()
    """Its tools that leave the event loop, where there is one: all of a call to them is done in one visit elsewhere."""
    leaving: frozenset[str] = frozenset()
    """Its tools after which the graph is left; they wait for the calls beside them."""
    hears: bool = True
    """The node that asks the model tells it what became of its drafts; else the tools' replies do."""
    meanwhile: tuple[str, ...] = ()
    """What is named beside the calls, where the graph has deferred nodes; see `ladder_graph.hosts.edges.Meanwhile`."""
    seated: set[str] = field(default_factory=set)
    """Tools that turned up at run time."""
    underway: Underway = field(default_factory=Underway)

    def sends(
        self, found: Sequence[Proposal], messages: Sequence[Any], config: RunnableConfig,
        beside: Sequence[Proposal] = (),
    ) -> list[Send]:  # fmt: skip
        """Each call to its rung, by itself.

        Calls that came in one task would have been done in one, with the way on decided once; so it is here. Where one
        question is asked at a time, the calls that would be the second one wait for the gate's next turn; and so does
        a hand-over beside other calls, since nobody would ever hear what came of those.
        """
        together = (self.branches or self.one_question) and len(found) > 1
        if self.leaving and any(not self._leaves(one) for one in (*found, *beside)):
            staying = [one for one in found if not self._leaves(one)]
            together = together or len(staying) < len(found) or any(self._leaves(one) for one in beside)
            found = staying
        sends = [self._send(proposal, messages, config, together=together) for proposal in found]
        return self._one_question_of(sends) if self.one_question else sends

    def _leaves(self, found: Proposal) -> bool:
        """Whether the graph is left after a call. One that was sent with a state of its own must have just that."""
        return found.state is None and found.call.get("name") in self.leaving

    def _one_question_of(self, sends: list[Send]) -> list[Send]:
        """Those that don't ask, and the first one that does; where tools run agents, which may ask too, the first."""
        asking = [send for send in sends if self.nests or send.node == self.names[Rung.CONFIRM]]
        return [send for send in sends if send not in asking[1:]]

    def _send(self, found: Proposal, messages: Sequence[Any], config: RunnableConfig, *, together: bool) -> Send:
        message = found.message or proposer(messages, found.call.get("id"))
        proposal = Proposal(found.call, found.state, message, found.whole)
        proposed = proposal.proposed(self.capture, self.ladder.environs.recall, config)
        environment = self.ladder.environs.attributed(self.agent, proposed, self.make)
        call = self.call(proposal.call, environment, config)
        packet = proposal.packet(environment, together=together)
        if isinstance(call, str):
            return Send(self.names[Rung.SUGGEST], packet)
        routed = self.ladder.find(call, environment, functools.partial(scene_of, config), recall=True)
        once(functools.partial(self.underway.put, packet, Frozen(call, environment, routed)))
        return Send(self.names[routed.routed[0].rung], packet)

    def call(self, call: Mapping[str, Any], environment: Environment | None, config: RunnableConfig) -> Call | str:
        """The frozen call; or why it can't be considered, in words for the model."""
        name = str(call.get("name"))
        tool = self.tools.get(name)
        if tool is None and not (self.open_ended and may_exist(name, environment)):
            return no_such_tool(name, self.tools)
        if self.nests and BUILT_LATER in config.get("configurable", {}):
            return f"REFUSED: {BUILT_LATER} would make {name} run an agent that no gate sees. Nothing ran."
        if tool is None and name not in self.seated:
            self.ladder.seat(name, UNKNOWN, agent=self.agent, can_ask=self.can_ask)
            self.seated.add(name)
        return considered(self.agent, call, tool, environment, config)

    def payload(self, packet: Packet, config: RunnableConfig) -> Callable[[dict[str, Any]], Any]:
        """How the original ToolNode is given the frozen call, so that injected state is what it would have been."""
        state = packet.get("state")
        if state is None and packet.get("whole"):
            state = self.state(config)
        if state is None:
            return lambda call: [call]
        return lambda call: {"__type": "tool_call_with_context", "tool_call": call, "state": state}
