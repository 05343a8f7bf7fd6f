"""The nodes of a gated graph: the gate that sends each call to its rung, and the six rungs."""

from __future__ import annotations

import asyncio
import functools
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import ToolMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.prebuilt.tool_node import INVALID_TOOL_NAME_ERROR_TEMPLATE
from langgraph.types import Command, Send

from ladder_graph.calls import Call
from ladder_graph.errors import ArgumentsError, MountError
from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.capture import Capture
from ladder_graph.hosts.conversation import messages_in
from ladder_graph.hosts.edges import passed_on
from ladder_graph.hosts.fitting import complaint_about
from ladder_graph.hosts.nested import BUILT_LATER
from ladder_graph.hosts.proposals import Frozen, Packet, Proposal, Underway, is_packet, messages_of, proposals, proposer
from ladder_graph.hosts.scenery import scene_of
from ladder_graph.hosts.seating import UNKNOWN
from ladder_graph.hosts.telling import in_reply
from ladder_graph.hosts.toolhost import NodeHost, NotItsTurn, answered, tool_message
from ladder_graph.ladder.environments import Make
from ladder_graph.scale import Rung
from ladder_graph.waiting import promptly

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from ladder_graph.ladder import Ladder

PUSH = "__pregel_push"
"""How LangGraph marks a task that was sent one thing of its own, at the head of its path."""


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
    make: Make
    """What the agent is made of around its models."""
    aside: frozenset[str] = frozenset()
    """Its tools that leave the event loop, where there is one: all of a call to them is done in one visit elsewhere."""
    leaving: frozenset[str] = frozenset()
    """Its tools after which the graph is left; they wait for the calls beside them."""
    hears: bool = True
    """The node that asks the model tells it what became of its drafts; else the tools' replies do."""
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
        proposed = proposal.proposed(self.capture, self.ladder.environs.recall)
        environment = self.ladder.environs.attributed(self.agent, proposed, self.make)
        call = self.call(proposal.call, environment, config)
        packet = proposal.packet(environment, together=together)
        if isinstance(call, str):
            return Send(self.names[Rung.SUGGEST], packet)
        routed = self.ladder.find(call, environment, functools.partial(scene_of, config), recall=True)
        self.underway.put(packet, Frozen(call, environment, routed))
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


def may_exist(name: str, environment: Environment | None) -> bool:
    """Whether a tool that the graph doesn't know may be one of middleware's: the model would have been shown it."""
    return environment is None or not environment.toolset or name in environment.tools


def no_such_tool(name: str, tools: Iterable[str]) -> str:
    """What a ToolNode says of a tool that isn't there."""
    return INVALID_TOOL_NAME_ERROR_TEMPLATE.format(requested_tool=name, available_tools=", ".join(tools))


def considered(
    agent: str, call: Mapping[str, Any], tool: BaseTool | None, environment: Environment | None, config: RunnableConfig
) -> Call | str:
    """The frozen call; or why it can't be considered at all, in words for the model."""
    name, call_id, arguments = str(call.get("name") or ""), call.get("id"), call.get("args")
    if not isinstance(call_id, str) or not call_id:
        return f"REFUSED: the call of {name} has no id, so its outcome could not be told from another's. Nothing ran."
    if not isinstance(arguments, dict):
        return f"REFUSED: the arguments of {name} are no JSON object. Nothing ran; call it again with proper ones."
    complaint = complaint_about(tool, arguments)
    if complaint is not None:
        return complaint
    env = None if environment is None else environment.key(name)
    try:
        return Call(agent, thread_of(config), call_id, name, arguments, env)
    except ArgumentsError as wrong:
        return f"REFUSED: {wrong}. Nothing ran; call {name} again with proper arguments."


def thread_of(config: RunnableConfig) -> str:
    """The LangGraph thread; a run without one is a thread of its own, which nobody can resume."""
    configurable = config.get("configurable", {})
    thread = configurable.get("thread_id")
    if thread is not None:
        return str(thread)
    # Without a checkpointer two runs must not be taken for one, even if a model repeats its call ids.
    run = config.get("metadata", {}).get("run_id") or configurable.get("run_id") or configurable.get("__pregel_task_id")
    return f"run:{run or uuid.uuid4()}"


def sent(config: RunnableConfig) -> bool:
    """Whether LangGraph gave this task something of its own, and not the graph's state."""
    path: Any = config.get("metadata", {}).get("langgraph_path") or ()
    return bool(path) and path[0] == PUSH


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
        return Command(goto=self.mount.sends(found, messages, config))

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

    def _lived(self, frozen: Frozen, input: Any, config: RunnableConfig) -> Any:  # noqa: A002  # as above
        call, environment, found = frozen
        if isinstance(call, str):
            return self._update(self._refused(call, input, config), input, config)
        try:
            reply = self.mount.ladder.run(call, environment, self._host(call, input, config), self.rung, found)
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
        if isinstance(call, str) or call.tool in self.mount.aside:
            return await asyncio.to_thread(self._lived, frozen, input, config)
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
        stored = packet.get("environment")
        environment = None if stored is None else Environment.from_json(stored, "the checkpoint")
        if environment is not None:  # What proposed it stays; the code that would run now may be another.
            environment = self.mount.ladder.environs.present(self.mount.agent, environment, self.mount.make)
        return Frozen(self.mount.call(packet["call"], environment, config), environment)

    def _host(self, call: Call, packet: Packet, config: RunnableConfig) -> NodeHost:
        repeatable = self.mount.ladder.repeatable(call.tool, self.mount.agent)
        return NodeHost(
            config, self.mount.node, self.mount.payload(packet, config), repeatable,
            tool=self.mount.tools.get(call.tool), seed=packet["seed"],
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
