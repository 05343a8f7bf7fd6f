"""Guarded tools: sealed ones that bring their gate with them, wherever they are called from.

Middleware of an agent doesn't reach the agents that its tools run, and a mount doesn't see every graph. A guarded tool
needs neither: called under a rung's permit it runs, and called without one it goes through the whole life of a call
right there, in the task that it is called in.
"""

from __future__ import annotations

import copy
import functools
import weakref
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.tools import tool as made_tool
from langchain_core.tracers.context import register_configure_hook

from ladder_graph.calls import Call
from ladder_graph.errors import MountError, NotPermitted
from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.byhand import ByHand
from ladder_graph.hosts.capture import Capture
from ladder_graph.hosts.conversation import (
    READ,
    arguments_of,
    around,
    can_wait,
    depth_of,
    messages_in,
    sent,
    state_of,
    thread_of,
)
from ladder_graph.hosts.freezing import considered
from ladder_graph.hosts.nested import holds_ungated_agents
from ladder_graph.hosts.permit import Permit
from ladder_graph.hosts.proposals import Proposal, is_packet, proposals, proposer, waiting
from ladder_graph.hosts.replies import answered, tool_message
from ladder_graph.hosts.sealing import Entry, seal_of, sealed
from ladder_graph.hosts.seating import know, seat
from ladder_graph.hosts.telling import in_reply
from ladder_graph.hosts.toolhost import Interrupting
from ladder_graph.waiting import promptly

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

_GUARDING: weakref.WeakSet[Ladder] = weakref.WeakSet()
"""The ladders that guard a tool in this process."""

TOOLS = "tools"
"""What LangChain and the LangGraph tutorials call the tool node."""

TASKS = "__pregel_tasks"
"""LangGraph's channel of what was sent to tasks."""

SEVERAL = (
    "REFUSED: several calls came in one task, where one answer could be taken for another's. Nothing ran; make one "
    "call at a time."
)
"""What the model reads where calls share a task."""


def guard(ladder: Ladder, tool: BaseTool | Callable[..., Any], agent: str) -> BaseTool:
    """See `Ladder.guard`."""
    refuse_one_question(ladder, "a guarded tool")
    plain = tool if isinstance(tool, BaseTool) else made_tool(tool)
    seal = seal_of(plain)
    if seal is not None and isinstance(seal.gate, Guard) and (seal.gate.ladder, seal.gate.agent) == (ladder, agent):
        return plain
    if seal is not None:
        raise MountError(f"the tool {plain.name} is sealed already, for another ladder or agent; guard the original")
    if holds_ungated_agents(plain):
        raise MountError(
            f"the tool {plain.name} runs an agent whose own tools aren't guarded; guard those as well, or wrap the "
            f"graph that {plain.name} stands in"
        )
    know(ladder, plain, agent=agent)
    _GUARDING.add(ladder)
    return sealed(plain, Guard(ladder, agent, listener(), ByHand(ladder, agent)))


def refuse_one_question(ladder: Ladder, mount: str) -> None:
    """A mount that sees one call at a time can't keep parallel ones from asking at once.

    Raises:
        MountError: The policy wants one question at a time.
    """
    if ladder.policy.ask == "one":
        raise MountError(
            f'the policy says ask = "one", and {mount} can\'t make parallel calls wait for each other; use '
            f'ladder.wrap(graph), or ask = "all" with an inbox that answers by interrupt id'
        )


def _masks() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The templates and run-time values of all ladders that guard a tool here: which one's agent asks isn't known."""
    found = [ladder.masks() for ladder in list(_GUARDING)]
    return tuple(t for templates, _ in found for t in templates), tuple(v for _, values in found for v in values)


@functools.cache
def listener() -> Capture:
    """The capture of this process. It hears every chat model from the first guarded tool on, whoever runs it."""
    capture = Capture(_masks)
    register_configure_hook(ContextVar("ladder_graph_listener", default=capture), inheritable=True)
    return capture


@dataclass(slots=True, eq=False)
class Guard:
    """The gate of one guarded tool.

    Args:
        ladder: The ladder.
        agent: The name to act under; that of an agent inside it is added to it.
        capture: Knows what proposed a call.
        by_hand: Refuses what the tool's own code calls by hand.
    """

    ladder: Ladder
    agent: str
    capture: Capture
    by_hand: ByHand
    _seated: set[tuple[str, str, bool]] = field(default_factory=set, init=False)

    def run(self, entry: Entry) -> Any:
        """Take the call through its whole life; on resume it starts over, and the ledger knows how far it was."""
        call, environment = self._considered(entry)
        if isinstance(call, ToolMessage):
            return call
        return self._told(answered(self.ladder.run(call, environment, self._host(entry, call)), call), call, entry)

    async def arun(self, entry: Entry) -> Any:
        """As `run`."""
        call, environment = await promptly(self._considered, entry)
        if isinstance(call, ToolMessage):
            return call
        output = answered(await self.ladder.arun(call, environment, self._host(entry, call)), call)
        return await promptly(self._told, output, call, entry)

    def _told(self, output: Any, call: Call, entry: Entry) -> Any:
        """The output, with what became of drafts before it: no guard reaches the model."""
        return in_reply(self.ladder, call.agent, call, output, entry.config, messages_in(entry.config))

    def _host(self, entry: Entry, call: Call) -> GuardHost:
        repeatable = self.ladder.repeatable(call.tool, call.agent)
        return GuardHost(entry.config, entry, repeatable, tool=entry.tool, inside=self.by_hand)

    def _considered(self, entry: Entry) -> tuple[Call | ToolMessage, Environment | None]:
        config, name, agent = entry.config, entry.tool.name, self._acting(entry.config)
        batches = [ids for ids in _calls_of(config) if entry.call_id in ids]
        if not batches:
            raise NotPermitted(
                f"{name} is guarded, and was called by hand: not as the tool call that its task was given, so that one "
                f"answer could be taken for another's. Let a model call it through a ToolNode, or with its whole tool "
                f"call (tool.invoke(call)) in a @task that is given this one call; where no agent acts, use the plain "
                f"tool"
            )
        arguments = entry.seal.split(entry.given)[0] if isinstance(entry.given, dict) else entry.given
        raw = {"name": name, "args": arguments, "id": entry.call_id, "type": "tool_call"}
        environs = self.ladder.environs
        environment = environs.attributed(agent, _proposal(raw, config).proposed(self.capture, environs.recall, config))
        several = any(len(ids) > 1 for ids in batches)
        call = SEVERAL if several else considered(agent, raw, entry.tool, environment, config)
        if isinstance(call, str):
            self.ladder.refuse(agent, thread_of(config), raw, call)
            return tool_message(entry.call_id, name, call, error=True), environment
        self._seat(entry.tool, agent, can_ask=can_wait(config))
        return call, environment

    def _acting(self, config: RunnableConfig) -> str:
        """Who acts: the agent, or one inside it, by the name that `wrap` would give it."""
        nodes = [name for name, *_ in (part.split(":") for part in around(config)) if name and not name.isdecimal()]
        if not nodes:
            return self.agent
        # A node that runs its agent by a tool bears the tool node's name, which tells nothing.
        outer = [name for name in nodes[:-1] if name != TOOLS]
        inner = config.get("metadata", {}).get("lc_agent_name")
        return "/".join([self.agent, *outer, str(inner or nodes[-1])])

    def _seat(self, tool: BaseTool, agent: str, *, can_ask: bool) -> None:
        if (tool.name, agent, can_ask) not in self._seated:
            seat(self.ladder, tool, agent=agent, can_ask=can_ask)
            self._seated.add((tool.name, agent, can_ask))


@dataclass(slots=True)
class GuardHost(Interrupting):
    """Runs a guarded tool's own code, in the task that it was called in.

    Args:
        config: The task's own config.
        entry: How it was called.
        repeatable: Whether it may run again.
    """

    entry: Entry
    repeatable: bool

    def run(self, call: Call) -> Any:
        """The tool's own code."""
        return self.entry.proceed(copy.deepcopy(call.arguments))

    async def arun(self, call: Call) -> Any:
        """The tool's own code."""
        return await self.entry.aproceed(copy.deepcopy(call.arguments))

    def permit(self, call: Call) -> Permit:
        """The permit."""
        return Permit(call, self.repeatable, inside=self.inside)


# --- the task that a call is made in -------------------------------------------------------------------------------


def _calls_of(config: RunnableConfig) -> list[list[str | None]]:
    """The ids of the calls that this task was given: sent to it, as its arguments, or in each list of the state."""
    if depth_of(config):
        return [[call.get("id") for call in _among(arguments_of(config))]]
    payloads = [_sent(config)] if sent(config) else [value for value in state_of(config) if isinstance(value, list)]
    return [[call.get("id") for call in _found(payload)] for payload in payloads]


def _among(arguments: list[Any]) -> list[Mapping[str, Any]]:
    """The calls among the arguments of a `@task`; or else those that wait in the messages among them."""
    each = [one for argument in arguments for one in (argument if isinstance(argument, list) else [argument])]
    calls = [one for one in each if isinstance(one, Mapping) and one.get("type") == "tool_call"]
    payloads = ([one] if isinstance(one, AIMessage) else one for one in arguments)
    return calls or [call for payload in payloads for call in _found(payload)]


def _found(payload: Any) -> list[Mapping[str, Any]]:
    """The calls in whatever a task was given; the messages of a state may stand under any key."""
    if is_packet(payload):
        return [payload["call"]]
    found = proposals(payload)
    if not found and isinstance(payload, Mapping):
        found = [proposal for value in payload.values() if isinstance(value, list) for proposal in waiting(value)]
    return [proposal.call for proposal in found]


def _proposal(raw: dict[str, Any], config: RunnableConfig) -> Proposal:
    """The call, with the message that made it."""
    return Proposal(raw, message=proposer(messages_in(config), raw["id"]))


def _sent(config: RunnableConfig) -> Any:
    """What was sent to this task."""
    path: Any = config.get("metadata", {}).get("langgraph_path") or ()
    reading = config.get("configurable", {}).get(READ)
    tasks = reading.args[1].get(TASKS) if reading is not None else None
    sends = tasks.get() if tasks is not None and tasks.is_available() else ()
    at = path[1] if len(path) > 1 and isinstance(path[1], int) else len(sends)
    return sends[at].arg if 0 <= at < len(sends) else None
