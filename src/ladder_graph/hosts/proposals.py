"""Finding the calls that wait: in a payload sent to a tool node, or in the state behind it.

LangGraph sends calls in four shapes: a list of tool calls, one call with its state, a state, a list of messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from langchain_core.messages import AIMessage, ToolMessage

from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.capture import Capture


class Packet(TypedDict):
    """What is sent to a rung: one call, and what proposed it. Plain JSON, since it goes into the checkpoint."""

    ladder: int
    """The packet's version."""
    call: dict[str, Any]
    """The tool call."""
    environment: str | None
    """What proposed it, so that another process that resumes the thread knows."""


class PacketWithState(Packet, total=False):
    """A packet whose sender gave the call a state of its own."""

    state: Any


@dataclass(frozen=True, slots=True)
class Proposal:
    """One waiting call."""

    call: dict[str, Any]
    state: Any = None
    """A state of its own, if its sender gave it one."""
    message: str | None = None
    """The id of the message that proposed it, if that is known."""

    def environment(self, capture: Capture) -> Environment | None:
        """What proposed it; None where no model is known to have proposed exactly this."""
        call = self.call
        return capture.environment(self.message, call.get("id"), call.get("name", ""), call.get("args") or {})

    def packet(self, environment: Environment | None) -> PacketWithState:
        """The payload for a rung."""
        packet = PacketWithState(
            ladder=1, call=dict(self.call), environment=None if environment is None else environment.text
        )
        if self.state is not None:
            packet["state"] = self.state
        return packet


def is_packet(payload: object) -> bool:
    """Whether a payload is one of ours."""
    return isinstance(payload, Mapping) and payload.get("ladder") == 1 and isinstance(payload.get("call"), Mapping)


def proposals(payload: Any, messages_key: str = "messages") -> list[Proposal]:
    """The calls that wait in a payload; answered ones are left out.

    Args:
        payload: Whatever was sent to the tool node.
        messages_key: Where its state keeps the messages.
    """
    if isinstance(payload, Mapping) and payload.get("__type") == "tool_call_with_context":
        state = payload.get("state")
        return [_proposal(payload["tool_call"], messages_of(state, messages_key), state)]
    if isinstance(payload, list) and payload and isinstance(payload[-1], Mapping):
        return [Proposal(dict(call)) for call in payload if call.get("type") == "tool_call"]
    return waiting(messages_of(payload, messages_key))


def messages_of(state: Any, messages_key: str = "messages") -> Sequence[Any]:
    """The messages in a state, whatever kind of state it is."""
    if isinstance(state, list):
        return state
    found = state.get(messages_key) if isinstance(state, Mapping) else getattr(state, messages_key, None)
    return found if isinstance(found, Sequence) else ()


def waiting(messages: Sequence[Any]) -> list[Proposal]:
    """The calls of the last AI message that no tool message has answered."""
    for at in range(len(messages) - 1, -1, -1):
        message = messages[at]
        if isinstance(message, AIMessage):
            answered = {later.tool_call_id for later in messages[at + 1 :] if isinstance(later, ToolMessage)}
            calls = [cast("dict[str, Any]", call) for call in message.tool_calls]
            return [Proposal(call, message=message.id) for call in calls if call["id"] not in answered]
    return []


def _proposal(call: dict[str, Any], messages: Sequence[Any], state: Any) -> Proposal:
    return Proposal(dict(call), state, proposer(messages, call.get("id")))


def proposer(messages: Sequence[Any], call_id: str | None) -> str | None:
    """The id of the latest message that proposed a call with this id."""
    for message in reversed(messages):
        if isinstance(message, AIMessage) and any(call["id"] == call_id for call in message.tool_calls):
            return message.id
    return None
