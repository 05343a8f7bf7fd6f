"""The forms in which one message of a conversation is written down, read into one.

LangChain's (as its own serialisation, `messages_to_dict` and `model_dump` write them), OpenAI's chat messages and
Responses items, Anthropic's blocks, and the parts of OpenTelemetry's conventions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ladder_graph.replay.conversations.contents import mapping, mappings, moment_of, text_of, tokens_of, words_of
from ladder_graph.replay.conversations.pairing import Answered, Asked, Conversation

_ROLES = {
    "user": "user",
    "human": "user",
    "humanmessage": "user",
    "humanmessagechunk": "user",
    "assistant": "model",
    "ai": "model",
    "aimessage": "model",
    "aimessagechunk": "model",
    "model": "model",
    "tool": "tool",
    "toolmessage": "tool",
    "toolmessagechunk": "tool",
    "function": "tool",
    "functionmessage": "tool",
    "system": "nobody",
    "systemmessage": "nobody",
    "developer": "nobody",
}
_MARK = "lc_source"
"""How LangChain marks a message that middleware made, such as a summary of what was cut."""
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
"""Responses items that are calls, and where their arguments stand."""
_OUTPUTS = {"function_call_output", "custom_tool_call_output"}
_BESIDE = {"reasoning", "item_reference", "compaction"}
"""Responses items that nobody says."""
_USES = {"tool_use", "tool_call"}
"""Blocks that are calls."""
_RESULTS = {"tool_result", "tool_call_response"}
"""Blocks that are results."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one recorded message says, and who says it."""

    speaker: Literal["user", "model", "tool", "nobody", "other"]
    """`nobody`: a system prompt, or what a program put there. `other`: somebody who is none of these, or unknown."""
    text: str = ""
    """Its text, where a user says it."""
    asked: tuple[Asked, ...] = ()
    """The calls that it proposes."""
    answered: tuple[Answered, ...] = ()
    """The results that it brings."""
    model: str = ""
    """The model that says it, as it was reported."""
    tokens: tuple[int, int] | None = None
    """In and out."""
    at: dt.datetime | None = None
    """When it was said, aware."""
    part: bool = False
    """It is a part of an answer whose other parts stand beside it, as OpenAI's Responses write them."""


def is_message(value: object) -> bool:
    """Whether a JSON value is a message in one of the forms.

    Args:
        value: The value.
    """
    return isinstance(value, dict) and _kind(_plain(value)) != ""


def heard(value: object) -> Message | None:
    """Read one message.

    Args:
        value: The message as it was recorded.

    Returns:
        It; None where it is none.

    Example:
        >>> heard({"role": "user", "content": "Write to Ana."}).text
        'Write to Ana.'
        >>> heard({"type": "tool", "data": {"content": "sent", "tool_call_id": "c1"}}).answered[0].id
        'c1'
    """
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(one, str) for one in value):  # noqa: PLR2004
        value = {"role": value[0], "content": value[1]}  # LangChain's short form
    if not isinstance(value, dict):
        return None
    value = _plain(value)
    kind = _kind(value)
    if kind in _CALLS:
        asked = _asked(value, id_=value.get("call_id"), arguments=value.get(_CALLS[kind]))
        return Message("model", asked=(asked,), part=True)
    if kind in _OUTPUTS:
        return Message("tool", answered=(Answered(text_of(value.get("output")), _string(value.get("call_id"))),))
    if kind in _BESIDE:
        return Message("nobody")
    return _spoken(kind, value) if kind else None


UNREADABLE = Message("other")
"""A message in no form that is known: nobody can tell who says it."""


def heard_all(values: Iterable[object]) -> list[Message]:
    """Read messages; each in no form that is known is `UNREADABLE`.

    Args:
        values: They as they were recorded, oldest first.
    """
    return [heard(one) or UNREADABLE for one in values]


def put(run: Conversation, messages: Iterable[Message]) -> None:
    """Say messages in a run, one after the other.

    Args:
        run: The run.
        messages: What is said.
    """
    for message in _turns(messages):
        match message.speaker:
            case "user":
                run.user(message.text)
            case "model":
                run.model(message.asked, model=message.model, tokens=message.tokens, at=message.at)
            case "tool":
                for answered in message.answered:
                    run.result(answered)
            case "other" | "nobody":
                run.other()


def _turns(messages: Iterable[Message]) -> Iterator[Message]:
    """The parts of one answer of the model as one message."""
    held: Message | None = None
    for message in messages:
        if message.speaker == "nobody":
            continue
        if held is not None and message.speaker == "model" and (held.part or message.part):
            held = replace(held, asked=held.asked + message.asked, part=True)
            continue
        if held is not None:
            yield held
        held = message if message.speaker == "model" else None
        if held is None:
            yield message
    if held is not None:
        yield held


def _plain(value: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """A message without what its serialisation puts around it."""
    if value.get("lc") == 1 and isinstance(kwargs := value.get("kwargs"), Mapping):
        name = value.get("id")
        return {"type": name[-1] if isinstance(name, list) and name else "", **kwargs}
    data = value.get("data")
    return {"type": value.get("type"), **data} if isinstance(data, dict) else value


def _kind(value: Mapping[Any, Any]) -> str:
    """The form of a message: a role, or a Responses item; empty where it is no message."""
    kind = _string(value.get("type"))
    if kind in _CALLS or kind in _OUTPUTS or kind in _BESIDE:
        return kind
    role = value.get("role", kind)
    if not isinstance(role, str) or not ({"content", "parts", "tool_calls", "function_call"} & value.keys()):
        return ""
    return role.lower()


def _spoken(role: str, value: Mapping[Any, Any]) -> Message:
    blocks = _blocks(value)
    speaker = _ROLES.get(role, "other")
    answered = tuple(_result(block) for block in blocks if _string(block.get("type")) in _RESULTS)
    at = moment_of(value.get("timestamp", value.get("created_at")))
    if speaker == "tool" or answered:
        return Message("tool", answered=answered or (_answered(value, at),), at=at)
    match speaker:
        case "user":
            if mapping(value.get("additional_kwargs")).get(_MARK):
                return Message("nobody")
            text = words_of(value.get("content", blocks))
            return Message("other" if value.get("name") is not None else "user", text, at=at)
        case "model":
            return Message("model", asked=tuple(_proposed(value, blocks)), **_billed(value), at=at)
        case "nobody":
            return Message("nobody")
        case _:
            return Message("other")


def _blocks(value: Mapping[Any, Any]) -> list[Mapping[Any, Any]]:
    return mappings(value.get("parts", value.get("content")))


def _proposed(value: Mapping[Any, Any], blocks: Sequence[Mapping[Any, Any]]) -> Iterator[Asked]:
    """The calls of a message of the model. LangChain repeats in blocks what stands in its list of calls."""
    listed = [*mappings(value.get("tool_calls")), *mappings(value.get("invalid_tool_calls"))]
    for call in listed:
        function = call.get("function")
        yield _asked(function if isinstance(function, dict) else call, id_=call.get("id"))
    if isinstance(function := value.get("function_call"), Mapping):
        yield _asked(function)
    if not listed:
        yield from (_asked(block) for block in blocks if _string(block.get("type")) in _USES)


def _asked(call: Mapping[Any, Any], *, id_: object = None, arguments: object = None) -> Asked:
    """A call, whichever word its form has for arguments."""
    given = arguments
    for key in ("args", "arguments", "input"):
        given = call.get(key) if given is None else given
    return Asked(_string(call.get("name")), given, _string(id_ if id_ is not None else call.get("id")))


def _answered(value: Mapping[Any, Any], at: dt.datetime | None) -> Answered:
    """What a message brings that is a result as a whole."""
    status = value.get("status")
    return Answered(
        text_of(value.get("content")),
        _string(value.get("tool_call_id")),
        _string(value.get("name")),
        failed={"error": True, "success": False}.get(status) if isinstance(status, str) else None,
        at=at,
    )


def _result(block: Mapping[Any, Any]) -> Answered:
    """A result that is a block among others: Anthropic's, or a part of OpenTelemetry."""
    content = next((block[key] for key in ("content", "response", "result") if key in block), None)
    failed = block.get("is_error")
    id_ = _string(block.get("tool_use_id") or block.get("id"))
    return Answered(text_of(content), id_, failed=failed if isinstance(failed, bool) else None)


def _billed(value: Mapping[Any, Any]) -> dict[str, Any]:
    """The model that was reported, and what it used."""
    metadata, usage = mapping(value.get("response_metadata")), mapping(value.get("usage_metadata", value.get("usage")))
    return {
        "model": _string(metadata.get("model_name") or metadata.get("model") or value.get("model")),
        "tokens": tokens_of(
            usage.get("input_tokens", usage.get("prompt_tokens")),
            usage.get("output_tokens", usage.get("completion_tokens")),
        ),
    }


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
