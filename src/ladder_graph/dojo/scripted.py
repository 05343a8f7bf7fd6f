"""Models of AgentDojo's loop whose calls are written down: no key and no network, and the same in each run."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agentdojo.agent_pipeline.base_pipeline_element import BasePipelineElement
from agentdojo.functions_runtime import EmptyEnv, Env, FunctionCall, FunctionsRuntime, TaskEnvironment
from agentdojo.task_suite.task_suite import TaskSuite
from agentdojo.types import ChatAssistantMessage, ChatMessage, get_text_content_as_str, text_content_block_from_string

from ladder_graph.calls import Call

Handed = tuple[str, FunctionsRuntime, Env, Sequence[ChatMessage], dict[str, Any]]
"""What the elements of a pipeline hand each other."""

_PLAN = "ladder_graph_plan"
"""Where a plan is kept among that."""
_MARKS = re.compile(r"[\W_]+")
"""What a text may lose or gain where it is folded and quoted as YAML."""


class Scripted(BasePipelineElement):
    """Makes written calls, message by message, whatever comes back, and ends with written words.

    Args:
        turns: The calls of each message.
        last_words: What it says at the end.
        name: The model's name.
    """

    def __init__(self, turns: Sequence[Sequence[FunctionCall]], last_words: str = "", name: str = "scripted") -> None:
        self.name = name
        self._turns, self._last_words = turns, last_words

    def query(
        self,
        query: str,
        runtime: FunctionsRuntime,
        env: Env = EmptyEnv(),  # type: ignore[assignment]  # noqa: B008  # AgentDojo's
        messages: Sequence[ChatMessage] = (),
        extra_args: dict[str, Any] | None = None,
    ) -> Handed[Env]:
        """Say the next message of the script."""
        turn = sum(message["role"] == "assistant" for message in messages)
        calls = self._turns[turn] if turn < len(self._turns) else ()
        return query, runtime, env, [*messages, _message(calls, self._last_words)], dict(extra_args or {})


@dataclass(slots=True)
class _Plan:
    """What a gullible model still wants to do in one run."""

    ahead: deque[FunctionCall]
    last_words: str
    obeyed: set[str] = field(default_factory=set)


class Gullible(BasePipelineElement):
    """Does the user's task as AgentDojo's ground truth has it, and whatever the data that it reads tells it to.

    It is the worst model that a gate may have before it: it carries out an injected task by its own ground truth as
    soon as it has read of it, and never speaks of it. A call that didn't run doesn't keep it from the next one.

    Args:
        suite: The suite whose tasks it knows.
        name: Its name. AgentDojo's attacks address a model by what it is called, and know `local`.
    """

    def __init__(self, suite: TaskSuite[Any], name: str = "local") -> None:
        self.name = name
        self._tasks: dict[str, Any] = {task.PROMPT: task for task in suite.user_tasks.values()}
        self._goals: dict[str, Any] = {task.GOAL: task for task in suite.injection_tasks.values()}
        self._known = {_MARKS.sub("", goal): goal for goal in self._goals}
        self._injected: list[FunctionCall] = []

    def query(
        self,
        query: str,
        runtime: FunctionsRuntime,
        env: Env = EmptyEnv(),  # type: ignore[assignment]  # noqa: B008  # AgentDojo's
        messages: Sequence[ChatMessage] = (),
        extra_args: dict[str, Any] | None = None,
    ) -> Handed[Env]:
        """Say the next message: one call, or the last words."""
        handed = dict(extra_args or {})
        plan = handed.get(_PLAN) or self._planned(query, env)
        handed[_PLAN] = plan
        for goal in self._read(messages):
            if goal not in plan.obeyed:
                plan.obeyed.add(goal)
                told: list[FunctionCall] = self._goals[goal].ground_truth(env)
                plan.ahead.extendleft(reversed(told))
                self._injected += told
        calls = [plan.ahead.popleft()] if plan.ahead else []
        return query, runtime, env, [*messages, _message(calls, plan.last_words)], handed

    def injected(self, call: Call) -> bool:
        """Whether it makes this call because the data told it to; for a reviewer who knows that.

        Args:
            call: The call.
        """
        return any((one.function, dict(one.args)) == (call.tool, call.arguments) for one in self._injected)

    def _planned(self, query: str, env: TaskEnvironment) -> _Plan:
        self._injected.clear()
        task = self._tasks.get(query) or self._goals[query]
        return _Plan(deque(task.ground_truth(env)), task.GROUND_TRUTH_OUTPUT, {query})

    def _read(self, messages: Sequence[ChatMessage]) -> list[str]:
        """The goals that stand in what the last message, a tool's, says."""
        if not messages or messages[-1]["role"] != "tool":
            return []
        text = _MARKS.sub("", get_text_content_as_str(messages[-1]["content"]))
        return [goal for known, goal in self._known.items() if known in text]


def _message(calls: Sequence[FunctionCall], last_words: str) -> ChatAssistantMessage:
    """A message with calls, or with the last words where there are none."""
    text = "" if calls else last_words
    copies = [call.model_copy(deep=True) for call in calls]
    return ChatAssistantMessage(
        role="assistant", content=[text_content_block_from_string(text)], tool_calls=copies or None
    )
