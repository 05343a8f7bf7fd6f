"""The nodes of a gated graph: the gate that sends each call to its rung, and the six rungs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import ToolMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.types import Command

from ladder_graph.calls import Call
from ladder_graph.errors import MountError
from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.conversation import messages_in, sent, thread_of
from ladder_graph.hosts.edges import passed_on
from ladder_graph.hosts.mount import Mount
from ladder_graph.hosts.proposals import Frozen, Packet, Proposal, is_packet, messages_of, proposals, proposer
from ladder_graph.hosts.replies import answered, tool_message
from ladder_graph.hosts.telling import in_reply
from ladder_graph.hosts.toolhost import NodeHost, NotItsTurn
from ladder_graph.scale import Rung
from ladder_graph.turns.driving import Elsewhere
from ladder_graph.waiting import promptly


@dataclass(frozen=True)
class GateNode(Runnable[Any, Any]):
    """Stands where the tool node stood: sends each waiting call to its rung.

    Its outgoing edges are those of the tool node, and are taken where nothing waits.
    """

    mount: Mount
    name: str

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Command[Any]:  # noqa: A002  # LangChain's name
        """Send every waiting call by itself."""
        config = config or {}
        key = self.mount.messages_key
        found = proposals(input, key, sent=sent(config))
        messages = messages_of(input, key) or messages_of(self.mount.state(config), key)
        if found:
            passed_on(config)
        sends = self.mount.sends(found, messages, config)
        return Command(goto=[*sends, *(self.mount.meanwhile if sends else ())])

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Command[Any]:  # noqa: A002  # LangChain's name
        """As `invoke`, off the event loop where it has to read the ledger."""
        return await promptly(self.invoke, input, config)


@dataclass(frozen=True)
class RungNode(Runnable[Any, Any]):
    """One rung as a node: takes one call through its whole life, in one task."""

    mount: Mount
    rung: Rung
    name: str

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: A002  # LangChain's name
        """Take the call through its life; on resume this starts over, and the ledger knows how far it was."""
        config = config or {}
        return self._lived(self._underway(input) or self._thawed(input, config), input, config)

    def _lived(
        self, frozen: Frozen, input: Any, config: RunnableConfig, left: threading.Event | None = None,  # noqa: A002  # as above
    ) -> Any:  # fmt: skip
        call, environment, found = frozen
        if isinstance(call, str):
            return self._update(self._refused(call, input, config), input, config)
        try:
            host = self._host(call, input, config, left)
            reply = self.mount.ladder.run(call, environment, host, self.rung, found)
        except NotItsTurn:
            return self._back(config)
        return self._update(self._told(answered(reply, call), call, config), input, config)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: A002  # LangChain's name
        """As `invoke`; whatever may wait for the ledger does so off the event loop."""
        config = config or {}
        frozen = self._underway(input)
        if frozen is None:
            frozen = await promptly(self._thawed, input, config)
        call, environment, found = frozen
        if isinstance(call, str):
            return await asyncio.to_thread(self._lived, frozen, input, config)
        if call.tool in self.mount.aside:
            left = threading.Event()
            try:
                return await asyncio.to_thread(self._lived, frozen, input, config, left)
            except asyncio.CancelledError:
                left.set()
                raise
            except Elsewhere:  # It is waited for on the loop, so that whoever runs it finds a thread.
                found = None
        try:
            reply = await self.mount.ladder.arun(call, environment, self._host(call, input, config), self.rung, found)
        except NotItsTurn:
            return self._back(config)
        output = answered(reply, call)
        if not self.mount.hears:
            output = await promptly(self._told, output, call, config)
        return self._update(output, input, config)

    def _told(self, output: Any, call: Call, config: RunnableConfig) -> Any:
        """The output, with what became of drafts before it where the model can't be told otherwise."""
        if self.mount.hears:
            return output
        return in_reply(self.mount.ladder, self.mount.agent, call, output, config, messages_in(config))

    def _underway(self, packet: Any) -> Frozen | None:
        if not is_packet(packet):
            raise MountError(
                f"the node {self.name} takes one call from the gate and nothing else; send it to the tool node"
            )
        return self.mount.underway.take(packet)

    def _thawed(self, packet: Packet, config: RunnableConfig) -> Frozen:
        """The call of a packet that was read back from a checkpoint."""
        environment = self._proposer(packet, config)
        if environment is not None:  # What proposed it stays; the code that would run now may be another.
            environment = self.mount.ladder.environs.present(self.mount.agent, environment, self.mount.make)
        return Frozen(self.mount.call(packet["call"], environment, config), environment)

    def _proposer(self, packet: Packet, config: RunnableConfig) -> Environment | None:
        """What proposed the call of a packet, as far as somebody besides the packet knows it.

        A client of a server may send a task to any node, with a packet of its own making.
        """
        mount, stored = self.mount, cast("Any", packet.get("environment"))
        environment = None
        if stored is not None:
            read = Environment.read if isinstance(stored, str) else Environment.from_json
            environment = read(stored, "the checkpoint")
        call = mount.call(packet["call"], environment, config)
        if environment is None or isinstance(call, str) or mount.ladder.environs.routed(call) == call.env:
            return environment
        state = packet.get("state")
        said = messages_of(mount.state(config) if state is None else state, mount.messages_key)
        proposal = Proposal(packet["call"], message=proposer(said, call.id))
        proposed = proposal.proposed(mount.capture, mount.ladder.environs.recall, config)
        return mount.ladder.environs.attributed(mount.agent, proposed, mount.make)

    def _host(
        self, call: Call, packet: Packet, config: RunnableConfig, left: threading.Event | None = None
    ) -> NodeHost:
        repeatable = self.mount.ladder.repeatable(call.tool, self.mount.agent)
        return NodeHost(
            config, self.mount.node, self.mount.payload(packet, config), repeatable,
            tool=self.mount.tools.get(call.tool), seed=packet["seed"], left=left, inside=self.mount.by_hand,
            may_ask=not (self.mount.one_question and packet["together"]) or self.rung is Rung.CONFIRM,
        )  # fmt: skip

    def _refused(self, why: str, packet: Packet, config: RunnableConfig) -> ToolMessage:
        raw = packet["call"]
        self.mount.ladder.refuse(self.mount.agent, thread_of(config), raw, why)
        return tool_message(raw.get("id"), str(raw.get("name")), why, error=True)

    def _update(self, output: Any, packet: Packet, config: RunnableConfig) -> Any:
        """The output in the form of a node's; the way on is left to the gate where others came with this call."""
        update = {self.mount.messages_key: [output]} if isinstance(output, ToolMessage) else output
        if self.mount.root:
            update = self._bare(update)
        if not packet.get("together"):
            return update
        passed_on(config)
        several = isinstance(update, list) and any(isinstance(one, Command) for one in update)
        return [*(update if several else [update]), Command(goto=self.mount.place)]

    def _back(self, config: RunnableConfig) -> Command[Any]:
        """Unanswered to the gate, which asks when it is this call's turn."""
        passed_on(config)
        return Command(goto=self.mount.place)

    def _bare(self, update: Any) -> Any:
        """The messages alone, for a graph whose state is nothing else."""
        if isinstance(update, list):
            return [self._bare(one) for one in update]
        return update.get(self.mount.messages_key) if isinstance(update, dict) else update


@dataclass(frozen=True)
class HandlerNode(Runnable[Any, Any]):
    """A graph's own error handler. Where a rung ran out of its node's time, it is given the state and no packet."""

    node: Any
    state: Callable[[RunnableConfig], Any]

    def invoke(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Any:  # noqa: A002  # LangChain's name
        """Let it handle the error."""
        return self.node.invoke(self._given(input, config or {}), config, **options)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Any:  # noqa: A002  # LangChain's name
        """As `invoke`."""
        return await self.node.ainvoke(self._given(input, config or {}), config, **options)

    def _given(self, input: Any, config: RunnableConfig) -> Any:  # noqa: A002  # as above
        return self.state(config) if is_packet(input) else input
