"""What a ToolNode gives back, and what the graph gets in its place: read, kept, and put together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from langchain_core.messages import BaseMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command, Send

from ladder_graph.calls import Call, normalise
from ladder_graph.facts import Reply
from ladder_graph.hosts.proposals import NO_ID
from ladder_graph.hosts.scenery import NOTE
from ladder_graph.splitting import Split

_SERDE = JsonPlusSerializer()

NOTE_ID = "ladder_note_id"
"""Where a reply keeps the id of what the ladder put before it."""
LEFT_OUT = "ladder_left_out"
"""Where a recorded reply keeps the names of what could not be written down of it."""


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
    """A ToolNode's output as bytes that another process can read; what has no such form is left out, and named."""
    try:
        kind, data = _SERDE.dumps_typed(reply)
    except Exception:  # noqa: BLE001  # any tool author's objects; the effect has happened and must be recorded
        left_out: list[str] = []
        plain = _plain(reply, left_out)
        kind, data = _SERDE.dumps_typed(_each(plain, lambda message: _with_extras(message, {LEFT_OUT: left_out})))
    return kind.encode() + b"\0" + data


def _plain(reply: Any, left_out: list[str]) -> Any:
    """A reply without what can't be written down, each of which is named in the list."""
    if _is_writable(reply):
        return reply
    if isinstance(reply, BaseMessage):
        emptied: dict[str, Any] = {
            "artifact": None,
            "additional_kwargs": {},
            "response_metadata": {},
            "content": str(reply.text),
        }
        lost = [name for name in emptied if not _is_writable(getattr(reply, name, None))]
        left_out.extend("what its content held beside text" if name == "content" else f"its {name}" for name in lost)
        return reply.model_copy(update={name: emptied[name] for name in lost})
    if isinstance(reply, Command):
        ways = reply.goto if isinstance(reply.goto, list | tuple) else [reply.goto]
        left_out.extend(
            f"what it sent to `{way.node}`" for way in ways if isinstance(way, Send) and not _is_writable(way)
        )
        return replace(reply, update=_plain(reply.update, left_out), goto=[way for way in ways if _is_writable(way)])
    if isinstance(reply, dict):
        return dict(_plain_values(reply.items(), left_out))
    if isinstance(reply, list | tuple):
        return [_plain(one, left_out) for one in reply]
    left_out.append("the rest of what it gave back")
    return None


def _plain_values(values: Iterable[tuple[Any, Any]], left_out: list[str]) -> Iterator[tuple[Any, Any]]:
    """Values of a graph's state that can be written down.

    Any other is left out as a whole: a part of it, or None, would be written over what the state holds.
    """
    for name, value in values:
        if _is_writable(value) or _has_messages_only(value):
            yield name, _plain(value, left_out)
        else:
            left_out.append(f"what it put into the state as `{name}`")


def _has_messages_only(value: Any) -> bool:
    """Whether messages are all that hinders a value from being written down; what they say can be."""
    if isinstance(value, list | tuple):
        return all(isinstance(one, BaseMessage) or _is_writable(one) for one in value)
    return isinstance(value, BaseMessage)


def _is_writable(value: Any) -> bool:
    try:
        _SERDE.dumps_typed(value)
    except Exception:  # noqa: BLE001  # see encode
        return False
    return True


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
        return noted(_recalled(reply.recorded, call), call, reply.note)
    if reply.outcome is not None and not reply.text:
        return noted(reply.outcome.reply, call, reply.note)
    return noted(tool_message(call.id, call.tool, reply.text, error=reply.error), call, reply.note)


def _recalled(recorded: bytes, call: Call) -> Any:
    """A recorded reply, with a sentence on what could not be written down of it."""
    output = decode(recorded)
    left_out = [name for one in messages_of_reply(output) for name in one.additional_kwargs.get(LEFT_OUT, ())]
    if not left_out:
        return output
    names = "; ".join(dict.fromkeys(left_out))
    return noted(output, call, f"NOT KEPT of this answer of {call.tool}, since it can't be written down: {names}.")


def joined(split: Split, first: Any, last: Any) -> Any:
    """One reply to a call that went by a part first: the rest's, with the part's text before it.

    What a part hands the graph beside its message, by a `Command`, isn't carried over.
    """
    first = decode(first) if isinstance(first, bytes) else first
    last = _recalled(last, split.rest) if isinstance(last, bytes) else last
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

    def said(message: ToolMessage) -> ToolMessage:
        if message.tool_call_id != call.id:
            return message
        content: Any = message.content
        text: Any = [{"type": "text", "text": note}, *content] if isinstance(content, list) else f"{note}\n\n{content}"
        before = message.additional_kwargs.get(NOTE)
        extras = {NOTE: f"{note}\n\n{before}" if before else note, **({NOTE_ID: name} if name else {})}
        return _with_extras(message.model_copy(update={"content": text}), extras)

    return _each(output, said)


def _each(output: Any, change: Callable[[ToolMessage], ToolMessage]) -> Any:
    """An output with another message in the place of each tool message, wherever in it that is."""
    if isinstance(output, ToolMessage):
        return change(output)
    if isinstance(output, Command):
        return replace(output, update=_each(output.update, change))
    if isinstance(output, dict):
        return {key: _each(value, change) for key, value in output.items()}
    if isinstance(output, list | tuple):
        return [_each(value, change) for value in output]
    return output


def _with_extras(message: ToolMessage, extras: Mapping[str, Any]) -> ToolMessage:
    return message.model_copy(update={"additional_kwargs": {**message.additional_kwargs, **extras}})
