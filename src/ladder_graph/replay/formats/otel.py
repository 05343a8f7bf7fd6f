"""Spans of OpenTelemetry: its conventions for generative AI, and those of OpenInference.

Files are OTLP's JSON, as the collector's file exporter writes it (a request a line), as one document, or spans by
themselves, as the SDK's `ConsoleSpanExporter` prints them. Of OpenInference `tool.parameters` isn't read: it is what a
tool may be called with, and not what it was called with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ladder_graph.replay.conversations.contents import first, json_of, mapping, mappings, moment_of, text_of, tokens_of
from ladder_graph.replay.conversations.dialects import UNREADABLE, Message, heard, heard_all
from ladder_graph.replay.conversations.pairing import Answered, Asked
from ladder_graph.replay.conversations.timeline import Given, Step, paused, runs
from ladder_graph.replay.formats import Format, Sample
from ladder_graph.replay.sources import Source
from ladder_graph.replay.traces import Run

_MODEL = frozenset({"chat", "text_completion", "generate_content"})
"""Operations that are an answer of a model."""
_TOOL = "execute_tool"
_FAILED = ("ERROR", "STATUS_CODE_ERROR", 2)
"""How a span's status says that it failed; no set, which can't be asked about what isn't hashable."""
_LONG = 10
"""Digits that a place in a list doesn't have."""
_UNNAMED = "unknown_service"
"""What the SDK calls a service that has no name."""

Attributes = Mapping[str, Any]


def _read(source: Source) -> Iterator[Run]:
    yield from runs(source, _steps(source))


def _steps(source: Source) -> Iterator[Step]:
    for place, value in source.values():
        spans = list(_spans(value)) if isinstance(value, dict) else []
        if not spans and not (isinstance(value, dict) and "resourceSpans" in value):
            source.tell(place, "is no span: it has no context, and no resourceSpans")
        for span, attributes, resource in spans:
            yield _step(span, attributes, resource)


def _spans(value: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Attributes, Attributes]]:
    """The spans of a value, each with its attributes and those of what it was made in."""
    if isinstance(value.get("context"), dict):
        yield value, _plain(value.get("attributes")), _about(value)
    for part in mappings(value.get("resourceSpans")):
        about = _about(part)
        for scope in mappings(part.get("scopeSpans", part.get("instrumentationLibrarySpans"))):
            for span in mappings(scope.get("spans")):
                yield span, _plain(span.get("attributes")), about


def _about(value: Mapping[str, Any]) -> Attributes:
    """The attributes of the resource that something belongs to."""
    return _plain(mapping(value.get("resource")).get("attributes"))


def _plain(attributes: object) -> Attributes:
    """Attributes as a mapping: they are one, or OTLP's list of keys and typed values."""
    if isinstance(attributes, dict):
        return attributes
    return {str(one.get("key")): _value(one.get("value")) for one in mappings(attributes)}


def _value(value: object) -> Any:
    if not isinstance(value, dict):
        return None
    for kind, given in value.items():
        match kind:
            case "arrayValue":
                return [_value(one) for one in given.get("values", [])] if isinstance(given, dict) else None
            case "kvlistValue":
                return _plain(given.get("values")) if isinstance(given, dict) else None
            case "intValue":
                return int(given) if isinstance(given, str) and given.lstrip("-").isdecimal() else given
            case _:
                return given
    return None


def _step(span: Mapping[str, Any], attributes: Attributes, resource: Attributes) -> Step:
    context = mapping(span.get("context"))
    kind, operation = first(attributes, "openinference.span.kind"), first(attributes, "gen_ai.operation.name")
    known: dict[str, Any] = {
        "trace": first(context, "trace_id") or first(span, "traceId"),
        "id": first(context, "span_id") or first(span, "spanId"),
        "parent": first(span, "parentSpanId", "parent_id"),
        "at": moment_of(span.get("startTimeUnixNano", span.get("start_time"))),
        "ended": moment_of(span.get("endTimeUnixNano", span.get("end_time"))),
        "thread": _thread(attributes),
        "namespace": first(mapping(attributes.get("metadata")), "langgraph_checkpoint_ns"),
        "facts": _facts(attributes, resource),
    }
    if kind == "TOOL" or operation == _TOOL:
        return _of_tool(span, attributes, known)
    if kind == "LLM" or operation in _MODEL:
        return _of_model(attributes, known)
    return Step(**known)


def _thread(attributes: Attributes) -> str:
    named = first(attributes, "session.id", "gen_ai.conversation.id")
    return named or first(mapping(attributes.get("metadata")), "thread_id", "session_id")


def _facts(attributes: Attributes, resource: Attributes) -> dict[str, str | bool]:
    service = first(resource, "service.name")
    suite = first(attributes, "gen_ai.agent.name") or ("" if service.startswith(_UNNAMED) else service)
    user = first(attributes, "user.id", "enduser.id")
    return {key: value for key, value in (("suite", suite), ("requester", user)) if value}


def _of_tool(span: Mapping[str, Any], attributes: Attributes, known: dict[str, Any]) -> Step:
    given = attributes.get("gen_ai.tool.call.arguments", attributes.get("input.value"))
    output = attributes.get("gen_ai.tool.call.result", attributes.get("output.value"))
    message = heard(json_of(output))
    said = message.answered[0] if message and message.answered else None
    name = first(attributes, "gen_ai.tool.name", "tool.name") or first(span, "name").removeprefix(f"{_TOOL} ")
    id_ = first(attributes, "gen_ai.tool.call.id", "tool_call.id") or (said.id if said else "")
    status = mapping(span.get("status"))
    broken = status.get("status_code", status.get("code")) in _FAILED or bool(attributes.get("error.type"))
    waits = broken and paused(first(status, "description", "message") or first(attributes, "error.type"))
    answered = None
    if known["ended"] is not None and not waits:
        answered = Answered(
            said.text if said else text_of(output),
            id_,
            name,
            failed=broken or bool(said and said.failed),
            at=known["ended"],
        )
    return Step(**known, called=Asked(name, given, id_), answered=answered)


def _of_model(attributes: Attributes, known: dict[str, Any]) -> Step:
    spoken = _messages(attributes, "gen_ai.output.messages", "llm.output_messages")
    given = _messages(attributes, "gen_ai.input.messages", "llm.input_messages")
    return Step(
        **known,
        asked=tuple(one for message in spoken or () for one in message.asked),
        given=None if given is None else Given.of(given),
        model=first(attributes, "gen_ai.response.model", "llm.model_name"),
        tokens=tokens_of(
            _some(attributes, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
            _some(
                attributes, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"
            ),
        ),
    )


def _messages(attributes: Attributes, key: str, prefix: str) -> list[Message] | None:
    """The messages under a key, or flattened under a prefix; None where neither is recorded."""
    value = json_of(attributes.get(key))
    if not isinstance(value, list):
        value = _unflattened(attributes, f"{prefix}.")
    found = heard_all(value)
    return None if all(one is UNREADABLE for one in found) else found


def _unflattened(attributes: Attributes, prefix: str) -> list[Mapping[str, Any]]:
    """OpenInference's messages, put together from keys such as `llm.output_messages.0.message.role`."""
    tree: dict[str, Any] = {}
    for key, value in attributes.items():
        if key.startswith(prefix):
            *way, last = key.removeprefix(prefix).split(".")
            at = tree
            for one in way:
                below = at.setdefault(one, {})
                at = below if isinstance(below, dict) else {}
            at[last] = value
    return [_message(one) for one in _in_order(tree, "message")]


def _message(flat: Mapping[str, Any]) -> Mapping[str, Any]:
    """One of them in OpenAI's form."""
    texts = _in_order(flat.get("contents"), "message_content")
    return {
        **flat,
        "content": flat.get("content", texts or None),
        "tool_calls": _in_order(flat.get("tool_calls"), "tool_call"),
    }


def _in_order(tree: object, name: str) -> list[Mapping[str, Any]]:
    """What stands under numbers, by these, and there under a name."""
    numbered = sorted((int(key), one) for key, one in mapping(tree).items() if key.isdecimal() and len(key) < _LONG)
    return mappings([one.get(name) for _, one in numbered if isinstance(one, dict)])


def _some(attributes: Attributes, *keys: str) -> object:
    return next((attributes[key] for key in keys if key in attributes), None)


def _fits(sample: Sample) -> bool:
    context = sample.first.get("context") if isinstance(sample.first, dict) else None
    return sample.has("resourceSpans") or (isinstance(context, dict) and "trace_id" in context)


FORMAT = Format(
    name="otel",
    about="spans of OpenTelemetry (GenAI conventions or OpenInference), as OTLP's JSON or one by one",
    fits=_fits,
    read=_read,
)
