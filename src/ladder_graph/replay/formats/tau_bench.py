"""Results of τ-bench and of τ²-bench, each conversation a run; only the agent's calls count, not the simulated user's.

Read is an array of `{task_id, reward, info, traj, trial}`, as τ-bench writes it since its first version, also of its
agents that write their calls as text (ReAct and Act); and `{info, tasks, simulations}`, as τ²-bench has written it from
0.1 to the versions with voice, or one of those simulations in a file of its own. A conversation by voice has no
messages, and is left out.

A run is solved where its reward is 1. That is nobody's judgement of a single call, so none is labelled. τ²-bench writes
times without their zone, so they aren't used; τ-bench writes none, and marks a tool's error only by the word `Error`
in front of what it answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from ladder_graph.replay.conversations.contents import mistakes, moment_of, text_of, tokens_of, words_of
from ladder_graph.replay.conversations.pairing import Answered, Asked, Conversation
from ladder_graph.replay.documents import parsed
from ladder_graph.replay.formats import Format, Sample
from ladder_graph.replay.sources import Source
from ladder_graph.replay.traces import Run, Trouble

_WRITTEN = "Action:"
"""What stands in front of a call that an agent writes as text."""
_SPOKEN = "respond"
"""The name of the call that is none: the agent speaks to the user."""
_OUTPUT = "API output: "
"""How the answer to such a call begins, in a message that stands there as the user's."""
_ERRORS = ("Error", "Unknown action ")
"""How an answer of τ-bench begins that is an error."""
_UNJUDGED = frozenset({"infrastructure_error", "context_window_exceeded"})
"""Ends of a simulation after which its reward says nothing."""


class _Function(BaseModel):
    name: str
    arguments: Any = None


class _Call(BaseModel):
    id: str | None = ""
    function: _Function | None = None
    name: str = ""
    arguments: Any = None

    @property
    def asked(self) -> Asked:
        """The call, in the form of either benchmark."""
        if self.function is not None:
            return Asked(self.function.name, self.function.arguments, self.id or "")
        return Asked(self.name, self.arguments, self.id or "")


class _Message(BaseModel):
    role: str
    content: Any = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    name: str | None = None
    id: str | None = None
    requestor: str = "assistant"
    error: bool | None = None
    tool_messages: list[_Message] | None = None
    timestamp: Any = None
    usage: dict[str, Any] | None = None
    raw_data: dict[str, Any] | None = None


class _Trial(BaseModel):
    """A conversation of τ-bench."""

    task_id: int | str
    trial: int | None = None
    reward: float | None = None
    info: dict[str, Any] = Field(default_factory=dict)
    traj: list[_Message]


class _Reward(BaseModel):
    reward: float


class _Simulation(BaseModel):
    """A conversation of τ²-bench."""

    id: str
    task_id: int | str
    trial: int | None = None
    termination_reason: str = ""
    reward_info: _Reward | None = None
    messages: list[_Message] | None = None


def _fits(sample: Sample) -> bool:
    return sample.has("task_id", "reward", "traj") or _is_simulation(sample) or _is_document(sample)


def _is_simulation(sample: Sample) -> bool:
    return sample.has("id", "task_id", "termination_reason")


def _is_document(sample: Sample) -> bool:
    return sample.has("info", "tasks") and isinstance(_at(sample.first, "info", "environment_info"), dict)


def _read(source: Source) -> Iterator[Run]:
    sample = Sample(source)
    info = sample.first.get("info") if _is_document(sample) else {}
    for place, value in source.values("simulations.item" if _is_document(sample) else ""):
        inside = value.get("simulations") if isinstance(value, dict) else None
        for index, one in enumerate(inside if isinstance(inside, list) else [value]):
            where = f"{place}[{index}]" if isinstance(inside, list) else place
            try:
                yield _run(one, info, partial(source.tell, where))
            except ValidationError as wrong:
                source.tell(where, mistakes(wrong))
            except LookupError as wrong:
                source.tell(where, str(wrong.args[0]))


def _run(value: object, info: Mapping[str, Any], tell: Trouble) -> Run:
    if isinstance(value, dict) and "traj" in value:
        return _of_trial(_Trial.model_validate(value), tell)
    return _of_simulation(_Simulation.model_validate(value), info, tell)


def _of_trial(trial: _Trial, tell: Trouble) -> Run:
    conversation = Conversation(tell)
    for message in trial.traj:
        _written(conversation, message)
    # Where it broke off, τ-bench writes the reward 0 and the error that ended it.
    judged = trial.reward if "error" not in trial.info else None
    return Run(
        id=f"{trial.task_id}/{trial.trial or 0}",
        task=str(trial.task_id),
        calls=conversation.calls(),
        said=conversation.said,
        solved=_solved(judged),
        apart=True,
    )


def _written(conversation: Conversation, message: _Message) -> None:
    """A message of τ-bench."""
    text = text_of(message.content) or ""
    if message.role == "tool":
        _answered(conversation, text, message.tool_call_id or "", message.name or "")
    elif message.role == "user" and text.startswith(_OUTPUT):
        _answered(conversation, text.removeprefix(_OUTPUT), "", "")
    elif message.role == "user":
        conversation.user(text)
    elif message.role == "assistant":
        asked = [call.asked for call in message.tool_calls or ()]
        conversation.model(asked or _as_text(text))


def _answered(conversation: Conversation, text: str, id: str, tool: str) -> None:  # noqa: A002
    conversation.result(Answered(text, id, tool, failed=text.startswith(_ERRORS)))


def _as_text(text: str) -> list[Asked]:
    """The call that an agent wrote as text; none where it speaks to the user, as τ-bench itself takes it."""
    _, marked, call = text.rpartition(_WRITTEN)
    try:
        found = _Function.model_validate(parsed(call)) if marked else None
    except ValueError:
        return []
    return [] if found is None or found.name == _SPOKEN else [Asked(found.name, found.arguments)]


def _of_simulation(simulation: _Simulation, info: Mapping[str, Any], tell: Trouble) -> Run:
    if simulation.messages is None:
        raise LookupError(f"the simulation {simulation.id} has no messages, and is left out")
    requested = _at(info, "agent_info", "llm")
    conversation = Conversation(tell)
    for message in simulation.messages:
        _simulated(conversation, message, requested if isinstance(requested, str) else "")
    judged = simulation.reward_info is not None and simulation.termination_reason not in _UNJUDGED
    return Run(
        id=simulation.id,
        suite=str(_at(info, "environment_info", "domain_name") or ""),
        task=str(simulation.task_id),
        calls=conversation.calls(),
        said=conversation.said,
        solved=_solved(simulation.reward_info.reward if simulation.reward_info and judged else None),
        apart=True,
    )


def _simulated(conversation: Conversation, message: _Message, requested: str) -> None:
    """A message of τ²-bench. The simulated user has tools of its own; its calls are none of the agent's."""
    at = moment_of(message.timestamp)
    if message.tool_messages is not None:
        for one in message.tool_messages:
            _simulated(conversation, one, requested)
    elif message.role == "tool" and message.requestor == "assistant":
        conversation.result(Answered(text_of(message.content), message.id or "", failed=message.error, at=at))
    elif message.role == "user" and not message.tool_calls:
        conversation.user(words_of(message.content))
    elif message.role == "assistant":
        usage = message.usage or {}
        reported = _at(message.raw_data, "model")
        conversation.model(
            [call.asked for call in message.tool_calls or ()],
            model=reported if isinstance(reported, str) else requested,
            tokens=tokens_of(usage.get("prompt_tokens"), usage.get("completion_tokens")),
            at=at,
        )


def _solved(reward: float | None) -> bool | None:
    return None if reward is None else math.isclose(reward, 1, abs_tol=1e-6)


def _at(value: object, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


FORMAT = Format(
    name="tau_bench",
    about="results of τ-bench and τ²-bench",
    fits=_fits,
    read=_read,
)
