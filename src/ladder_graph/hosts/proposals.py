"""Finding the calls that wait: in a payload sent to a tool node, or in the state behind it.

LangGraph sends calls in four shapes: a list of tool calls, one call with its state, a state, a list of messages.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NotRequired, TypedDict, cast

from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from ladder_graph.calls import Call
from ladder_graph.entropy import draw
from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.capture import Capture, call_digest, kept_as
from ladder_graph.ladder.environments import Proposed
from ladder_graph.turns.found import Found

Recall = Callable[[str, str], Environment | None]
"""Finds what proposed a call in another process, by the message's id and the call's digest."""

NO_ID = "missing"
"""The id on the answer to a call that has none."""

UNDERWAY = 256
"""How many calls are kept between the gate and their rung."""


class Packet(TypedDict):
    """What is sent to a rung: one call, and what proposed it. Plain JSON, since it goes into the checkpoint."""

    ladder: int
    """The packet's version."""
    call: dict[str, Any]
    """The tool call."""
    environment: str | None
    """What proposed it, as its text, so that another process that resumes the thread knows."""
    whole: bool
    """Whether it came with the graph's whole state, which is then what its tool sees."""
    together: bool
    """Whether the way on from the tools is decided once, when all that came with it are done."""
    seed: str
    """A random secret, from which the word is made that an answer may name the call's question by. It stands here so
    that the word stays the same in whatever process the task starts over."""
    state: NotRequired[Any]
    """A state of its own, if its sender gave it one."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One waiting call."""

    call: dict[str, Any]
    state: Any = None
    """A state of its own, if its sender gave it one."""
    message: str | None = None
    """The id of the message that proposed it, if that is known."""
    whole: bool = False
    """Whether it was found in the graph's state, and not sent by itself."""

    def proposed(self, capture: Capture, recall: Recall, config: RunnableConfig) -> Proposed | None:
        """What proposed it; None where no model is known to have proposed exactly this.

        Args:
            capture: Knows what models said in this process.
            recall: Finds what one said in another, by the message's id and the call's digest.
            config: That of the task in which it was found; a call that was proposed in another thread wasn't in this.
        """
        named = config.get("configurable", {}).get("thread_id")
        thread = None if named is None else str(named)
        name, args = str(self.call.get("name")), self.call.get("args")
        given = args if isinstance(args, Mapping) else {}
        found = capture.proposed(self.message, self.call.get("id"), name, given, thread)
        if found is not None or self.message is None or capture.knows(self.message, thread):
            return found
        digest = call_digest(self.call.get("id"), name, given)
        environment = None if digest is None else recall(kept_as(self.message, thread), ":".join(digest))
        return None if environment is None else Proposed(environment, self.message)

    def packet(self, environment: Environment | None, *, together: bool) -> Packet:
        """The payload for a rung."""
        packet = Packet(
            ladder=1, call=dict(self.call), environment=None if environment is None else environment.text,
            whole=self.whole, together=together, seed=draw().hex(),
        )  # fmt: skip
        if self.state is not None:
            packet["state"] = self.state
        return packet


class Frozen(NamedTuple):
    """A call as its gate left it."""

    call: Call | str
    """Why it can't be considered, where it is no call."""
    environment: Environment | None
    """What proposed it."""
    found: Found | None = None
    """Its route, if that was found in this process."""


class Underway:
    """Calls on their way from the gate to their rung, in this process: the rung needn't freeze them a second time.

    A packet is known by its very object. One that was read back from a checkpoint is another object, and is looked at
    from the start; one that somebody changed on the way stays what it was at the gate.
    """

    def __init__(self) -> None:
        self._calls: OrderedDict[int, tuple[Packet, Frozen]] = OrderedDict()

    def put(self, packet: Packet, frozen: Frozen) -> None:
        """Keep what was frozen; what never arrives is forgotten in time."""
        self._calls[id(packet)] = (packet, frozen)
        if len(self._calls) > UNDERWAY:
            self._calls.popitem(last=False)

    def take(self, packet: Packet) -> Frozen | None:
        """What was frozen for this very packet, once; None where it came another way."""
        sent, frozen = self._calls.pop(id(packet), (None, None))
        return frozen if sent is packet else None


def is_packet(payload: object) -> bool:
    """Whether a payload is one of ours."""
    return isinstance(payload, Mapping) and payload.get("ladder") == 1 and isinstance(payload.get("call"), Mapping)


def proposals(payload: Any, messages_key: str = "messages", *, sent: bool = False) -> list[Proposal]:
    """The calls that wait in a payload; answered ones are left out.

    Args:
        payload: Whatever the tool node is given.
        messages_key: Where its state keeps the messages.
        sent: Whether it was sent to the tool node, and so isn't the graph's own state.
    """
    if isinstance(payload, Mapping) and payload.get("__type") == "tool_call_with_context":
        state, call = payload.get("state"), dict(payload["tool_call"])
        return [Proposal(call, state, proposer(messages_of(state, messages_key), call.get("id")))]
    if isinstance(payload, list) and payload and isinstance(payload[-1], Mapping):
        return [Proposal(dict(call)) for call in payload if call.get("type") == "tool_call"]
    found = messages_of(payload, messages_key)
    return waiting(found, payload) if sent else waiting(found, whole=True)


def messages_of(state: Any, messages_key: str = "messages") -> Sequence[Any]:
    """The messages in a state, whatever kind of state it is."""
    if isinstance(state, list):
        return state
    found = state.get(messages_key) if isinstance(state, Mapping) else getattr(state, messages_key, None)
    return found if isinstance(found, Sequence) else ()


def waiting(messages: Sequence[Any], state: Any = None, *, whole: bool = False) -> list[Proposal]:
    """The calls of the last AI message that no tool message has answered.

    Args:
        messages: The messages.
        state: The state of its own that each of them came with.
        whole: Whether they were found in the graph's state.
    """
    for at in range(len(messages) - 1, -1, -1):
        message = messages[at]
        if isinstance(message, AIMessage):
            answered = {later.tool_call_id for later in messages[at + 1 :] if isinstance(later, ToolMessage)}
            calls = [cast("dict[str, Any]", call) for call in message.tool_calls]
            left = (call for call in calls if (call["id"] or NO_ID) not in answered)
            return [Proposal(call, state, message.id, whole) for call in left]
    return []


def proposer(messages: Sequence[Any], call_id: str | None) -> str | None:
    """The id of the latest message that proposed a call with this id."""
    for message in reversed(messages):
        if isinstance(message, AIMessage) and any(call["id"] == call_id for call in message.tool_calls):
            return message.id
    return None
