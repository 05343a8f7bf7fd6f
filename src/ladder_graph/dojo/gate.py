"""An element of an AgentDojo pipeline in place of the one that executes tools: every call goes through a ladder."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentdojo.agent_pipeline.tool_execution import ToolsExecutor, is_string_list, tool_result_to_str
from agentdojo.functions_runtime import EmptyEnv, Env, Function, FunctionCall, FunctionsRuntime, TaskEnvironment
from agentdojo.types import ChatMessage, ChatToolResultMessage, text_content_block_from_string
from langchain_core.tools import StructuredTool
from pydantic import ValidationError

from ladder_graph.calls import Call
from ladder_graph.dojo.host import DojoHost, words
from ladder_graph.dojo.reviewing import Reviewer
from ladder_graph.dojo.scripted import Handed
from ladder_graph.errors import ArgumentsError
from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.seating import seat
from ladder_graph.ladder import Ladder
from ladder_graph.states import State

_KEPT = "ladder_graph"
"""Where a conversation is kept among what the elements of a pipeline hand each other."""


@dataclass(slots=True)
class Tally:
    """What came of the calls that went through the gate."""

    conversations: int = 0
    """Runs of a task."""
    calls: int = 0
    """Calls that models proposed."""
    asked: int = 0
    """Questions that somebody was asked."""
    declined: int = 0
    """Calls that were declined."""
    ran: int = 0
    """Calls that ran."""


@dataclass(slots=True)
class _Conversation:
    """One run of a task: its own ladder, since its world is its own, too."""

    ladder: Ladder
    thread: str
    seated: set[str] = field(default_factory=set)
    calls: int = 0


class GatedTools(ToolsExecutor):
    """Executes tool calls as AgentDojo's `ToolsExecutor` does, but for what the ladder keeps from running.

    The calls of one message go one by one, each through its whole life: routed, asked about where its rung asks,
    written down, run once. Of a call that didn't run a model reads why it didn't, in the place of an error. Arguments
    that don't fit the tool's schema, and tools that aren't there, are refused before anybody is asked.

    Args:
        ladder: Makes the ladder of one conversation, as `lambda: Ladder(policy="ladder.toml", ledger=":memory:")`.
            The tasks of a benchmark have a world each, so they have a ledger each, and quotas of their own.
        reviewer: Whoever answers.
        model: The name of the model that proposes the calls; a grant belongs to one.
        formatter: Makes a text of what a tool gives back.

    Example:
        >>> from agentdojo.agent_pipeline import AgentPipeline, InitQuery, ToolsExecutionLoop
        >>> from agentdojo.task_suite.load_suites import get_suite
        >>> from ladder_graph.dojo import Gullible
        >>> suite = get_suite("v1.2.2", "banking")
        >>> model = Gullible(suite)
        >>> gate = GatedTools(lambda: Ladder(agent="bank", rungs={"*": "confirm"}, ledger=":memory:"), Reviewer())
        >>> pipeline = AgentPipeline([InitQuery(), model, ToolsExecutionLoop([gate, model])])
        >>> suite.run_task_with_pipeline(pipeline, suite.user_tasks["user_task_0"], None, {})
        (True, True)
        >>> gate.tally.asked
        2
        >>> gate.close()
    """

    def __init__(
        self,
        ladder: Callable[[], Ladder],
        reviewer: Reviewer,
        *,
        model: str = "model",
        formatter: Callable[[Any], str] = tool_result_to_str,
    ) -> None:
        super().__init__(formatter)
        self.tally = Tally()
        self._ladder, self._reviewer = ladder, reviewer
        self._environment = Environment("agentdojo", model, model, prompt="none", parameters="{}")
        self._tools: dict[str, tuple[Function[..., Any], StructuredTool]] = {}
        self._open: _Conversation | None = None

    def query(
        self,
        query: str,
        runtime: FunctionsRuntime,
        env: Env = EmptyEnv(),  # type: ignore[assignment]  # noqa: B008  # AgentDojo's
        messages: Sequence[ChatMessage] = (),
        extra_args: dict[str, Any] | None = None,
    ) -> Handed[Env]:
        """Take the calls of the last message through the gate, one by one."""
        handed = dict(extra_args or {})
        last = messages[-1] if messages else None
        if last is None or last["role"] != "assistant" or not last["tool_calls"]:
            return query, runtime, env, messages, handed
        conversation = handed.get(_KEPT) or self._begun()
        handed[_KEPT] = conversation
        answers: list[ChatMessage] = []
        for call in last["tool_calls"]:
            text, error = self._gated(conversation, call, runtime, env, messages)
            answers.append(
                ChatToolResultMessage(
                    role="tool",
                    content=[text_content_block_from_string(text)],
                    tool_call_id=call.id,
                    tool_call=call,
                    error=error,
                )
            )
        return query, runtime, env, [*messages, *answers], handed

    def close(self) -> None:
        """Close the ladder of the last conversation."""
        if self._open is not None:
            self._open.ladder.close()
            self._open = None

    def _begun(self) -> _Conversation:
        self.close()
        self.tally.conversations += 1
        self._open = _Conversation(self._ladder(), f"dojo-{self.tally.conversations}")
        return self._open

    def _gated(
        self,
        conversation: _Conversation,
        proposed: FunctionCall,
        runtime: FunctionsRuntime,
        env: TaskEnvironment,
        messages: Sequence[ChatMessage],
    ) -> tuple[str, str | None]:
        self.tally.calls += 1
        conversation.calls += 1
        call = self._considered(conversation, proposed, runtime)
        if isinstance(call, str):
            raw = {"name": proposed.function, "args": dict(proposed.args), "id": proposed.id}
            conversation.ladder.refuse(conversation.ladder.policy.agent, conversation.thread, raw, call)
            return "", call
        tool = self._seated(conversation, runtime.functions[call.tool])
        host = DojoHost(runtime, env, messages, self._reviewer, self.output_formatter, tool)
        reply = conversation.ladder.run(call, self._environment, host)
        self.tally.asked += host.asked
        self.tally.declined += reply.state is State.DECLINED
        self.tally.ran += reply.outcome is not None
        return words(reply)

    def _considered(self, conversation: _Conversation, proposed: FunctionCall, runtime: FunctionsRuntime) -> Call | str:
        """The frozen call, as it would run; or why it can't be considered at all."""
        function = runtime.functions.get(proposed.function)
        if function is None:
            return f"Invalid tool {proposed.function} provided."
        for name, value in proposed.args.items():
            # As AgentDojo's own executor does, before anybody looks at it.
            if isinstance(value, str) and is_string_list(value):
                proposed.args[name] = literal_eval(value)
        agent, place = conversation.ladder.policy.agent, f"{conversation.calls}:{proposed.id or ''}"
        try:
            typed = function.parameters.model_validate(dict(proposed.args)).model_dump(exclude_unset=True)
            env = self._environment.key(proposed.function)
            return Call(agent, conversation.thread, place, proposed.function, typed, env)
        except ValidationError as wrong:
            return f"ValidationError: {wrong}"
        except ArgumentsError as wrong:
            return f"REFUSED: {wrong}. Nothing ran; call {proposed.function} again with proper arguments."

    def _seated(self, conversation: _Conversation, function: Function[..., Any]) -> StructuredTool:
        known, tool = self._tools.get(function.name, (None, None))
        if known is not function or tool is None:
            tool = StructuredTool(
                name=function.name, description=function.description, args_schema=function.parameters, func=function.run
            )
            self._tools[function.name] = function, tool
        if function.name not in conversation.seated:
            seat(conversation.ladder, tool, agent=conversation.ladder.policy.agent, can_ask=True)
            conversation.seated.add(function.name)
        return tool
