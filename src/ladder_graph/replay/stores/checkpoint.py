"""What one checkpoint of a graph holds: messages, calls that were sent to a ladder's rungs, questions and answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Interrupt, Overwrite, Send

from ladder_graph import answers
from ladder_graph.facts import Verdict
from ladder_graph.hosts.proposals import is_packet
from ladder_graph.scale import Rung

_INTERRUPT, _RESUME, _SENDS = "__interrupt__", "__resume__", "__pregel_tasks"
"""Channels under which LangGraph writes questions, answers to them, and what it sends to tasks of their own."""
_DELTAS = "counters_since_delta_snapshot"
"""Where a checkpoint says of which channels it holds only what changed."""


class Serde(JsonPlusSerializer):
    """Reads what was recorded, loads no types but LangChain's and LangGraph's own, and makes the same message once.

    Each checkpoint of a thread holds all its messages again, so that to make them anew would take the square of their
    number. What it gives is shared, and not to be changed.
    """

    def __init__(self) -> None:
        super().__init__(allowed_msgpack_modules=None)
        self._make, self._unpack_ext_hook = self._unpack_ext_hook, self._made
        self._known: dict[tuple[int, bytes], Any] = {}

    def _made(self, code: int, data: bytes) -> Any:
        known = code, bytes(data)
        if known not in self._known:
            self._known[known] = self._make(code, data)
        return self._known[known]

    def forget(self) -> None:
        """What was made isn't needed any more."""
        self._known.clear()


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a call, as its interrupt tells."""

    rung: Rung | None
    """Where a ladder sent the call, if it was one that asks."""
    answer: Verdict | None
    """What was answered, if that was understood."""
    by: str
    """The name that the answer gives."""


def made_at(one: CheckpointTuple) -> dt.datetime | None:
    """When a checkpoint was made, aware.

    Args:
        one: The checkpoint.
    """
    try:
        found = dt.datetime.fromisoformat(str(one.checkpoint.get("ts")))
    except ValueError:
        return None
    return found if found.tzinfo else None


def parent_of(one: CheckpointTuple) -> str | None:
    """The checkpoint from which another one was made; None of the first.

    Args:
        one: The checkpoint that was made.
    """
    return None if one.parent_config is None else str(one.parent_config["configurable"]["checkpoint_id"])


def held_in(one: CheckpointTuple) -> list[BaseMessage]:
    """Whatever stands in lists in a graph's state, under any key, and is a message.

    Args:
        one: The checkpoint.
    """
    found: list[BaseMessage] = []
    for value in one.checkpoint["channel_values"].values():
        listed = value.value if isinstance(value, _DeltaSnapshot) else value
        found += [each for each in listed if isinstance(each, BaseMessage)] if isinstance(listed, list | tuple) else []
    return found


def written_after(one: CheckpointTuple, *, last: bool) -> Iterator[BaseMessage]:
    """The messages that tasks wrote after a checkpoint, where no later one holds them.

    Args:
        one: The checkpoint.
        last: Whether there is no later one.
    """
    deltas = changes_in(one)
    for _, channel, value in one.pending_writes or []:
        if channel.startswith("__") or not (last or channel in deltas):
            continue
        listed = value.value if isinstance(value, Overwrite) else value
        for each in listed if isinstance(listed, list) else [listed]:
            message = _message(each) if channel in deltas else each
            if isinstance(message, BaseMessage):
                yield message


def changes_in(one: CheckpointTuple) -> Collection[str]:
    """The channels of which a checkpoint holds only what changed.

    Args:
        one: The checkpoint.
    """
    found: Any = (one.metadata or {}).get(_DELTAS)
    return found if isinstance(found, Mapping) else ()


def _message(value: Any) -> BaseMessage | None:
    """A message, as a reducer would make one of what was written."""
    try:
        return convert_to_messages([value])[0]
    except (ValueError, NotImplementedError, TypeError, KeyError):
        return None


def rungs_in(one: CheckpointTuple) -> Iterator[tuple[str, Rung]]:
    """The rungs that calls were sent to by a ladder, by their ids.

    Args:
        one: The checkpoint that they were sent from.
    """
    sends = one.checkpoint["channel_values"].get(_SENDS)
    for each in sends if isinstance(sends, list | tuple) else ():
        if isinstance(each, Send) and is_packet(each.arg) and isinstance(name := each.arg["call"].get("id"), str):
            word = each.node.rpartition(".")[2].upper()
            if word in Rung.__members__:
                yield name, Rung[word]


def questions_after(one: CheckpointTuple) -> Iterator[tuple[str, Question]]:
    """What ladders and LangChain's middleware asked after a checkpoint, by the ids of the calls.

    Args:
        one: The checkpoint.
    """
    writes = one.pending_writes or []
    said = {task: value for task, channel, value in writes if channel == _RESUME}
    for task, channel, value in writes:
        if channel != _INTERRUPT:
            continue
        given = said.get(task)
        # What couldn't be understood was asked again, and the last answer is the one that counted.
        answer = given[-1] if isinstance(given, list) and given else given
        for each in value if isinstance(value, list | tuple) else [value]:
            if isinstance(each, Interrupt) and isinstance(each.value, Mapping):
                yield from _questions(each.value, answer, held_in(one))


def _questions(
    asked: Mapping[Any, Any], answer: Any, messages: Sequence[BaseMessage]
) -> Iterator[tuple[str, Question]]:
    if isinstance(name := asked.get("tool_call_id"), str):
        yield name, _question(answer, Rung.CONFIRM if "ladder" in asked else None)
        return
    decisions = answer.get("decisions") if isinstance(answer, Mapping) else None
    given = decisions if isinstance(decisions, list) else []
    for place, name in enumerate(_asked_together(asked.get("action_requests"), messages)):
        yield name, _question(given[place] if place < len(given) else None, None)


def _question(raw: Any, rung: Rung | None) -> Question:
    read = "" if raw is None else answers.read(raw)
    return Question(rung, None, "") if isinstance(read, str) else Question(rung, read.verdict, read.by or "")


def _asked_together(requests: Any, messages: Sequence[BaseMessage]) -> Iterator[str]:
    """The ids of the calls that one interrupt asks about together, which names them by tool and arguments alone."""
    last = next((one for one in reversed(messages) if isinstance(one, AIMessage) and one.tool_calls), None)
    calls = [] if last is None else list(last.tool_calls)
    for one in requests if isinstance(requests, list | tuple) else ():
        wanted = (one.get("name"), one.get("args")) if isinstance(one, Mapping) else None
        place = next((place for place, call in enumerate(calls) if (call["name"], call["args"]) == wanted), None)
        yield "" if place is None else calls.pop(place)["id"] or ""
