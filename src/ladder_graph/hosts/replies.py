"""What a ToolNode gives back, and what the graph gets in its place: read, kept, and put together."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from langchain_core.messages import ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command

from ladder_graph.calls import Call, normalise
from ladder_graph.facts import Reply
from ladder_graph.hosts.proposals import NO_ID
from ladder_graph.hosts.scenery import NOTE
from ladder_graph.splitting import Split

_SERDE = JsonPlusSerializer()

NOTE_ID = "ladder_note_id"
"""Where a reply keeps the id of what the ladder put before it."""


def tool_message(call_id: str | None, name: str, text: str, *, error: bool) -> ToolMessage:
    """A sentence of ours as the answer to a call."""
    return ToolMessage(text, name=name, tool_call_id=call_id or NO_ID, status="error" if error else "success")


def messages_of_reply(output: Any) -> list[ToolMessage]:
    """The tool messages anywhere in a ToolNode's output."""
    if isinstance(output, ToolMessage):
        return [output]
    if isinstance(output, Command):
        return messages_of_reply(output.update)
    if isinstance(output, dict):
        return [message for value in output.values() for message in messages_of_reply(value)]
    if isinstance(output, list | tuple):
        return [message for value in output for message in messages_of_reply(value)]
    return []


def encode(reply: Any) -> bytes:
    """A ToolNode's output as bytes that another process can read; what has no such form in it is left out."""
    try:
        kind, data = _SERDE.dumps_typed(reply)
    except Exception:  # noqa: BLE001  # any tool author's objects; the effect has happened and must be recorded
        kind, data = _SERDE.dumps_typed(_plain(reply))
    return kind.encode() + b"\0" + data


def _plain(reply: Any) -> Any:
    """A reply without the values that can't be written down."""
    if isinstance(reply, ToolMessage):
        return reply.model_copy(update={"artifact": None, "additional_kwargs": {}, "response_metadata": {}})
    if isinstance(reply, dict):
        return {key: _plain(value) for key, value in reply.items()}
    if isinstance(reply, list | tuple):
        return [_plain(value) for value in reply]
    if isinstance(reply, Command):
        return replace(reply, update=_plain(reply.update))
    try:
        _SERDE.dumps_typed(reply)
    except Exception:  # noqa: BLE001  # see encode
        return None
    return reply


def decode(recorded: bytes, serde: JsonPlusSerializer | None = None) -> Any:
    """What `encode` wrote.

    Args:
        recorded: The bytes.
        serde: Reads them; by default it makes objects of any type that is installed.
    """
    kind, _, data = recorded.partition(b"\0")
    return (serde or _SERDE).loads_typed((kind.decode(), data))


def answered(reply: Reply, call: Call) -> Any | ToolMessage:
    """What the graph gets: the tool's own output, a recorded one, or a sentence of ours.

    Raises:
        BaseException: A control-flow signal that the tool raised, now that it is recorded.
    """
    if reply.outcome is not None and reply.outcome.signal is not None:
        raise reply.outcome.signal
    if reply.recorded is not None:
        return noted(decode(reply.recorded), call, reply.note)
    if reply.outcome is not None and not reply.text:
        return noted(reply.outcome.reply, call, reply.note)
    return noted(tool_message(call.id, call.tool, reply.text, error=reply.error), call, reply.note)


def joined(split: Split, first: Any, last: Any) -> Any:
    """One reply to a call that went by a part first: the rest's, with the part's text before it.

    What a part hands the graph beside its message, by a `Command`, isn't carried over.
    """
    first, last = (decode(one) if isinstance(one, bytes) else one for one in (first, last))
    part, rest = (json.dumps(normalise(one.arguments), ensure_ascii=False) for one in (split.part, split.rest))
    said = [str(one.text) for one in messages_of_reply(first) if one.tool_call_id == split.part.id]
    answer = "\n".join(said) or "its answer was not kept"
    note = f"A part of it ran first, with {part}, and was good: {answer}\n\nThen the rest ran, with {rest}:"
    if last is None:
        return tool_message(split.rest.id, split.rest.tool, f"{note} its answer was not kept", error=False)
    return noted(last, split.rest, note)


def noted(output: Any, call: Call, note: str, name: str = "") -> Any:
    """An output with a sentence, known again by a name, before the answer to this call, wherever in it that is."""
    if not note:
        return output
    if isinstance(output, ToolMessage) and output.tool_call_id == call.id:
        content: Any = output.content
        text: Any = [{"type": "text", "text": note}, *content] if isinstance(content, list) else f"{note}\n\n{content}"
        before = output.additional_kwargs.get(NOTE)
        said = {NOTE: f"{note}\n\n{before}" if before else note, **({NOTE_ID: name} if name else {})}
        return output.model_copy(update={"content": text, "additional_kwargs": {**output.additional_kwargs, **said}})
    if isinstance(output, Command):
        return replace(output, update=noted(output.update, call, note, name))
    if isinstance(output, dict):
        return {key: noted(value, call, note, name) for key, value in output.items()}
    if isinstance(output, list | tuple):
        return [noted(value, call, note, name) for value in output]
    return output
