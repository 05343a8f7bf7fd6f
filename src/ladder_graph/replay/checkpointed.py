"""What one checkpoint of a graph holds: messages, calls that were sent to a ladder's rungs, questions and answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Interrupt, Overwrite, Send

from ladder_graph import answers
from ladder_graph.hosts.proposals import is_packet
from ladder_graph.replay.traces import Answer
from ladder_graph.scale import Rung

_INTERRUPT, _RESUME, _SENDS = "__interrupt__", "__resume__", "__pregel_tasks"
"""Channels under which LangGraph writes questions, answers to them, and what it sends to tasks of their own."""
_DELTAS = "counters_since_delta_snapshot"
"""Where a checkpoint says of which channels it has only what changed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a call, as its interrupt tells."""

    rung: Rung | None
    answer: Answer | None
    by: str


def _asked(value: Any, given: Sequence[Any], messages: Sequence[BaseMessage]) -> Iterator[tuple[str, Asked]]:
    """The calls that an interrupt's write asks about, with the answers: of ladders and of LangChain's own middleware."""
    # What couldn't be understood was asked again, and the last answer is the one that counted.
    answer = given[-1] if given else None
    for one in value if isinstance(value, list | tuple) else [value]:
        said = one.value if isinstance(one, Interrupt) else None
        if not isinstance(said, Mapping):
            continue
        if isinstance(name := said.get("tool_call_id"), str):
            yield name, _answered(answer, Rung.CONFIRM if "ladder" in said else None)
            continue
        decisions = answer.get("decisions") if isinstance(answer, Mapping) else None
        for place, name in enumerate(_batch(said.get("action_requests"), messages)):
            decision = decisions[place] if isinstance(decisions, list) and place < len(decisions) else None
            yield name, _answered(decision, None)


def _answered(raw: Any, rung: Rung | None) -> Asked:
    read = None if raw is None else answers.read(raw)
    return Asked(rung, read.verdict, read.by or "") if isinstance(read, answers.Answer) else Asked(rung, None, "")


def _batch(requests: Any, messages: Sequence[BaseMessage]) -> Iterator[str]:
    """The ids of the calls that one interrupt asks about together, which names them by tool and arguments alone."""
    last = next((one for one in reversed(messages) if isinstance(one, AIMessage) and one.tool_calls), None)
    calls = list(last.tool_calls) if last is not None else []
    for one in requests if isinstance(requests, list | tuple) else ():
        wanted = (one.get("name"), one.get("args")) if isinstance(one, Mapping) else None
        place = next((place for place, call in enumerate(calls) if (call["name"], call["args"]) == wanted), None)
        yield "" if place is None else calls.pop(place)["id"] or ""


def _sent(sends: Any) -> Iterator[tuple[str, Rung]]:
    """The rungs that calls were sent to by a ladder, by their ids."""
    for one in sends if isinstance(sends, list | tuple) else ():
        if isinstance(one, Send) and is_packet(one.arg) and isinstance(name := one.arg["call"].get("id"), str):
            word = one.node.rpartition(".")[2].upper()
            if word in Rung.__members__:
                yield name, Rung[word]


def _messages_in(values: Any) -> Iterator[BaseMessage]:
    """Whatever stands in lists in a graph's state, under any key, and is a message."""
    for value in values:
        found = getattr(value, "value", None) if type(value).__name__ == "_DeltaSnapshot" else value
        for one in found if isinstance(found, list | tuple) else ():
            if isinstance(one, BaseMessage):
                yield one


def _written(one: CheckpointTuple, *, whole: bool) -> Iterator[BaseMessage]:
    """The messages that tasks wrote after a checkpoint, where the next one doesn't hold them itself.

    Args:
        one: The checkpoint.
        whole: Whether there is no next one.
    """
    deltas = (one.metadata or {}).get(_DELTAS) or {}
    for _, channel, value in one.pending_writes or []:
        if channel.startswith("__") or not (whole or channel in deltas):
            continue
        wrapped = value.value if isinstance(value, Overwrite) else value
        for message in wrapped if isinstance(wrapped, list | tuple) else [wrapped]:
            said = _message(message) if channel in deltas else message
            if isinstance(said, BaseMessage):
                yield said


def _message(value: Any) -> BaseMessage | None:
    """A message as a reducer would make one of what was written."""
    try:
        return convert_to_messages([value])[0]
    except (ValueError, NotImplementedError, TypeError, KeyError):
        return None


def _moment(text: object) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
