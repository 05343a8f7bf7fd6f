"""The nodes of a gated graph: the gate that sends each call to its rung, and the six rungs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import ToolMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.types import Command, Send

from ladder_graph.calls import Call
from ladder_graph.errors import ArgumentsError, MountError
from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.capture import Capture
from ladder_graph.hosts.proposals import Proposal, is_packet, messages_of, proposals, proposer
from ladder_graph.hosts.toolhost import NodeHost, answered, complaint_about, tool_message
from ladder_graph.scale import Rung


if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from ladder_graph.ladder import Ladder

READ = "__pregel_read"
"""Where LangGraph's config keeps the function that reads the graph's channels (langgraph-prebuilt reads it too)."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One tool node of one graph under a ladder: what its gate and its rungs share."""

    ladder: Ladder
    agent: str
    capture: Capture
    node: Runnable[Any, Any]
    """The original ToolNode."""
    tools: dict[str, BaseTool]
    open_ended: bool
    """Other middleware may run tools that the ToolNode doesn't know."""
    messages_key: str
    names: dict[Rung, str]
    """The node of each rung."""
    schema: Callable[..., Any] | None
    """Makes the tools' state where the graph's isn't a plain dict."""

    def send(self, found: Proposal, messages: Sequence[Any], config: RunnableConfig) -> Send:
        """One call to its rung, by itself."""
        message = found.message or proposer(messages, found.call.get("id"))
        proposal = Proposal(found.call, found.state, message)
        environment = proposal.environment(self.capture)
        call = self.call(proposal.call, environment, config)
        rung = self.ladder.route(call, environment).rung if isinstance(call, Call) else Rung.SUGGEST
        return Send(self.names[rung], proposal.packet(environment))

    def call(self, call: dict[str, Any], environment: Environment | None, config: RunnableConfig) -> Call | str:
        """The frozen call; or why it can't be considered, in words for the model."""
        tool = self.tools.get(str(call.get("name")))
        if tool is None and not self.open_ended:
            return f"REFUSED: there is no tool {call.get('name')}. Nothing ran. The tools are: {', '.join(self.tools)}."
        return considered(self.agent, call, tool, environment, config)

    def payload(self, state: Any, config: RunnableConfig) -> Callable[[dict[str, Any]], Any]:
        """How the original ToolNode is given the frozen call, so that injected state is what it would have been."""
        if state is None and self.schema is not None:
            state = self.schema(**read_state(config))
        if state is None:
            return lambda call: [call]
        return lambda call: {"__type": "tool_call_with_context", "tool_call": call, "state": state}


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
        return f"REFUSED: the arguments don't fit {name}: {complaint}. Nothing ran; call it again with proper ones."
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


def read_state(config: RunnableConfig) -> dict[str, Any]:
    """The graph's channels as the tools would see them."""
    read = config.get("configurable", {}).get(READ)
    values: dict[str, Any] = read(list(read.args[1]), True) if read is not None else {}
    return values


@dataclass(frozen=True)
class GateNode(Runnable[Any, Any]):
    """Stands where the tool node stood: sends each waiting call to its rung, or goes on where nothing waits."""

    mount: Mount
    onwards: Callable[[Any, RunnableConfig], list[Any]]
    """Where the graph went after its tools."""
    name: str = field(default="tools")

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Command[Any]:  # noqa: A002  # LangChain's name
        """Send every waiting call by itself."""
        config = config or {}
        key = self.mount.messages_key
        found = proposals(input, key)
        messages = messages_of(input, key) or messages_of(read_state(config), key)
        sends = [self.mount.send(proposal, messages, config) for proposal in found]
        return Command(goto=sends or self.onwards(input, config))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Command[Any]:  # noqa: A002  # LangChain's name
        """As `invoke`; it only reads."""
        return self.invoke(input, config)


@dataclass(frozen=True)
class RungNode(Runnable[Any, Any]):
    """One rung as a node: takes one call through its whole life, in one task."""

    mount: Mount
    rung: Rung
    name: str = field(default="")

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: A002  # LangChain's name
        """Take the call through its life; on resume this starts over, and the ledger knows how far it was."""
        config = config or {}
        call, environment, host = self._begin(input, config)
        if isinstance(call, ToolMessage):
            return self._update(call)
        reply = self.mount.ladder.run(call, environment, host, self.rung)
        return self._update(answered(reply, call))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: A002  # LangChain's name
        """As `invoke`."""
        config = config or {}
        call, environment, host = self._begin(input, config)
        if isinstance(call, ToolMessage):
            return self._update(call)
        reply = await self.mount.ladder.arun(call, environment, host, self.rung)
        return self._update(answered(reply, call))

    def _begin(
        self, packet: Any, config: RunnableConfig
    ) -> tuple[Call | ToolMessage, Environment | None, NodeHost]:
        if not is_packet(packet):
            raise MountError(f"the node {self.name} takes one call from the gate and nothing else; send it to the tool node")
        raw: dict[str, Any] = packet["call"]
        stored = packet.get("environment")
        environment = None if stored is None else Environment.read(stored, "the checkpoint")
        call = self.mount.call(raw, environment, config)
        host = NodeHost(self.mount.node, self.mount.payload(packet.get("state"), config), config)
        if isinstance(call, str):
            self.mount.ladder.refuse(self.mount.agent, thread_of(config), raw, call)
            return tool_message(raw.get("id"), str(raw.get("name")), call, error=True), environment, host
        return call, environment, host

    def _update(self, output: Any) -> Any:
        return {self.mount.messages_key: [output]} if isinstance(output, ToolMessage) else output


