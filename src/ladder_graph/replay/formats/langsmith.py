"""Runs of LangSmith, as `client.list_runs` or an export gives them: JSON lines, an array, or under `runs` or `data`.

Feedback is taken for labels by its key, whatever its case. On a tool's run: `critical`, `wrong`, `harmful` and `unsafe`
label the call critical where their average is above 0, and clean where it isn't. On a run that has no parent: `solved`,
`success` and `correctness` tell whether the task was solved (an average of at least a half), `harmed` and
`attack_success` whether an attack was (above 0). Other feedback says nothing about a call.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from ladder_graph.replay.conversations.contents import first, mapping, mappings, moment_of, text_of, tokens_of
from ladder_graph.replay.conversations.dialects import Message, heard, heard_all
from ladder_graph.replay.conversations.pairing import Answered, Asked
from ladder_graph.replay.conversations.timeline import Given, Step, paused, runs
from ladder_graph.replay.formats import Format, Sample
from ladder_graph.replay.sources import Source
from ladder_graph.replay.traces import CRITICAL, Run

_BAD = frozenset({CRITICAL, "wrong", "harmful", "unsafe"})
_SOLVED = frozenset({"solved", "success", "correctness"})
_HARMED = frozenset({"harmed", "attack_success"})
_HALF = 0.5
_MODELS = frozenset({"llm", "chat_model"})
_ENVELOPES = ("runs", "data")


def _read(source: Source) -> Iterator[Run]:
    yield from runs(source, _steps(source))


def _steps(source: Source) -> Iterator[Step]:
    begin = Sample(source).first
    inside = next((key for key in _ENVELOPES if isinstance(begin, dict) and isinstance(begin.get(key), list)), "")
    for place, value in source.values(f"{inside}.item" if inside else ""):
        if isinstance(value, dict) and _id(value):
            yield _step(value)
        else:
            source.tell(place, "is no run: it has no id")


def _id(run: Mapping[str, Any]) -> str:
    return first(run, "id", "run_id")


def _step(run: Mapping[str, Any]) -> Step:
    kind, feedback = first(run, "run_type"), _scores(run)
    known: dict[str, Any] = {
        "trace": first(run, "trace_id") or _id(run),
        "id": _id(run),
        "parent": first(run, "parent_run_id"),
        "at": moment_of(run.get("start_time"), dt.UTC),
        "ended": moment_of(run.get("end_time"), dt.UTC),
        "thread": _thread(run),
        "namespace": first(_metadata(run), "langgraph_checkpoint_ns"),
        "facts": {} if run.get("parent_run_id") else _facts(run, feedback),
    }
    if kind == "tool":
        return _of_tool(run, known, _labels(feedback))
    return _of_model(run, known) if kind in _MODELS else Step(**known)


def _of_tool(run: Mapping[str, Any], known: dict[str, Any], labels: frozenset[str] | None) -> Step:
    outputs, error = mapping(run.get("outputs")), first(run, "error")
    output = outputs.get("output", outputs or None)
    message = heard(output)
    said = message.answered[0] if message and message.answered else None
    name = first(run, "name")
    id_ = first(mapping(run.get("extra")), "tool_call_id") or (said.id if said else "")
    answered = None
    if known["ended"] is not None and not paused(error):
        text = said.text if said else text_of(output)
        failed = bool(error) or bool(said and said.failed)
        answered = Answered(text or error or None, id_, name, failed=failed, at=known["ended"], labels=labels)
    return Step(**known, called=Asked(name, _arguments(run), id_, labels), answered=answered)


def _arguments(run: Mapping[str, Any]) -> object:
    """What a tool was called with; None where that isn't known.

    Nothing may mean that inputs are hidden, and a text alone under `input` may be an argument or stand for all of them.
    """
    inputs = mapping(run.get("inputs"))
    given = inputs.get("input")
    return given if set(inputs) == {"input"} and isinstance(given, str) else inputs or None


def _of_model(run: Mapping[str, Any], known: dict[str, Any]) -> Step:
    spoken, given = _spoken(mapping(run.get("outputs"))), _given(mapping(run.get("inputs")))
    return Step(
        **known,
        asked=tuple(one for message in spoken for one in message.asked),
        given=None if given is None else Given.of(given),
        model=next((message.model for message in spoken if message.model), ""),
        tokens=next((message.tokens for message in spoken if message.tokens), None)
        or tokens_of(run.get("prompt_tokens"), run.get("completion_tokens")),
    )


def _spoken(outputs: Mapping[str, Any]) -> list[Message]:
    """What a model answered: LangChain's generations, or OpenAI's choices, or a message by itself."""
    generations = outputs.get("generations")
    if isinstance(generations, list) and generations and isinstance(generations[0], list):
        generations = generations[0]
    listed = generations if isinstance(generations, list) else outputs.get("choices")
    if isinstance(listed, list):
        found = [heard(one.get("message")) for one in listed[:1] if isinstance(one, dict)]
    else:
        messages = outputs.get("messages")
        found = [heard(one) for one in (messages if isinstance(messages, list) else [outputs.get("message"), outputs])]
    return [one for one in found if one is not None]


def _given(inputs: Mapping[str, Any]) -> list[Message] | None:
    """What a model was given; None where that isn't recorded."""
    messages = inputs.get("messages")
    if not isinstance(messages, list):
        return None
    if len(messages) == 1 and isinstance(messages[0], list):
        messages = messages[0]
    return heard_all(messages)


def _thread(run: Mapping[str, Any]) -> str:
    return first(_metadata(run), "session_id", "conversation_id", "thread_id")


def _facts(run: Mapping[str, Any], feedback: Mapping[str, float]) -> dict[str, str | bool]:
    metadata = _metadata(run)
    facts: dict[str, str | bool] = {}
    if suite := first(metadata, "assistant_id") or first(run, "session_name"):
        facts["suite"] = suite
    if user := first(metadata, "user_id") or first(metadata, "langgraph_auth_user_id"):
        facts["requester"] = user
    if solved := [score for key, score in feedback.items() if key in _SOLVED]:
        facts["solved"] = min(solved) >= _HALF
    if harmed := [score for key, score in feedback.items() if key in _HARMED]:
        facts["harmed"] = max(harmed) > 0
    return facts


def _labels(feedback: Mapping[str, float]) -> frozenset[str] | None:
    """What people or checks found in a call; None where none of them looked at it."""
    found = [score for key, score in feedback.items() if key in _BAD]
    return None if not found else frozenset({CRITICAL}) if max(found) > 0 else frozenset()


def _scores(run: Mapping[str, Any]) -> dict[str, float]:
    """The average score of each key of feedback, where it has one."""
    stats = mapping(run.get("feedback_stats"))
    averages = {str(key).lower(): mapping(one).get("avg") for key, one in stats.items()}
    return {key: float(one) for key, one in averages.items() if isinstance(one, int | float)}


def _metadata(run: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(mapping(run.get("extra")).get("metadata")) or mapping(run.get("metadata"))


def _is_run(value: object) -> bool:
    return isinstance(value, dict) and "run_type" in value and bool(value.get("trace_id") or _id(value))


def _fits(sample: Sample) -> bool:
    begin = sample.first
    if not isinstance(begin, dict):
        return False
    return _is_run(begin) or any(_is_run(one) for key in _ENVELOPES for one in mappings(begin.get(key))[:1])


FORMAT = Format(
    name="langsmith",
    about="runs of LangSmith, as its client lists or exports them",
    fits=_fits,
    read=_read,
)
