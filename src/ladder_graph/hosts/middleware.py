"""The ladder as middleware, for people who stay with `create_agent(middleware=[...])`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs, var_child_runnable_config
from langgraph.types import Command

from ladder_graph.calls import Call
from ladder_graph.errors import MountError
from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.capture import Capture
from ladder_graph.hosts.nested import holds_ungated_agents
from ladder_graph.hosts.nodes import considered, thread_of
from ladder_graph.hosts.proposals import Proposal, messages_of, proposer, waiting
from ladder_graph.hosts.toolhost import (
    Interrupting, answered, failure_of, outcome_of, outside, tool_call_of, tool_message,
)
from ladder_graph.steps import Outcome
from ladder_graph.tools import declaration_of

if TYPE_CHECKING:
    from langchain.agents.middleware.types import ModelRequest, ModelResponse, ToolCallRequest

    from ladder_graph.ladder import Ladder

Answer = ToolMessage | Command[Any]

PUSH = "__pregel_push"
"""How LangGraph marks a task that was sent one thing of its own."""
CHECKPOINTER = "__pregel_checkpointer"
"""Where LangGraph's config keeps the checkpointer."""


@dataclass(frozen=True, slots=True)
class HandlerHost(Interrupting):
    """Runs a call through the rest of the middleware chain.

    Args:
        request: The request as it came to the gate.
        handler: The rest of the chain; sync or async, as the graph runs.
    """

    request: ToolCallRequest
    handler: Callable[[ToolCallRequest], Any]

    def execute(self, call: Call) -> Outcome:
        """Run the tool on a copy of the frozen arguments."""
        try:
            return outcome_of(self.handler(self._frozen(call)), call)
        except BaseException as wrong:  # noqa: BLE001  # no tool's exception may escape a rung
            return failure_of(wrong)

    async def aexecute(self, call: Call) -> Outcome:
        """As `execute`."""
        try:
            return outcome_of(await self.handler(self._frozen(call)), call)
        except BaseException as wrong:  # noqa: BLE001  # see execute
            return failure_of(wrong)

    def _frozen(self, call: Call) -> ToolCallRequest:
        return self.request.override(tool_call=tool_call_of(call))  # type: ignore[arg-type]  # it is a ToolCall


class LadderMiddleware(AgentMiddleware[Any, Any, Any]):
    """Gates every tool call of a `create_agent` agent from inside its tool node.

    Put it first, so that retries inside it don't ask again. On resume the call's life starts over, and the ledger
    knows how far it was. The graph keeps its shape; `Ladder.wrap` is the mount that shows the rungs as nodes.

    Args:
        ladder: The ladder.
        agent: The name to act under, where it isn't the policy's.

    Example:
        >>> from langchain.agents import create_agent
        >>> from langgraph.checkpoint.memory import InMemorySaver
        >>> from ladder_graph import Ladder
        >>> from ladder_graph.testing import ScriptedModel
        >>> ladder = Ladder(agent="ops", rungs={}, ledger=":memory:")
        >>> agent = create_agent(
        ...     ScriptedModel(answers=["hello"]), [], middleware=ladder.middleware(), checkpointer=InMemorySaver()
        ... )
        >>> agent.invoke({"messages": "hi"}, {"configurable": {"thread_id": "1"}})["messages"][-1].content
        'hello'
        >>> ladder.close()
    """

    def __init__(self, ladder: Ladder, *, agent: str | None = None) -> None:
        super().__init__()
        self.ladder = ladder
        self.agent = agent or ladder.policy.agent
        self.capture = Capture()
        self._seated: set[tuple[str, bool]] = set()

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Listen to whichever model really answers, after fallbacks and routers inside."""
        with self._listening():
            return handler(request)

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """As `wrap_model_call`."""
        with self._listening():
            return await handler(request)

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Answer]) -> Answer:
        """Take the call through its whole life instead of simply running it."""
        call, environment = self._considered(request)
        if isinstance(call, ToolMessage):
            return call
        reply = self.ladder.run(call, environment, HandlerHost(request, handler))
        return cast("Answer", answered(reply, call))

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Answer]]
    ) -> Answer:
        """As `wrap_tool_call`."""
        call, environment = self._considered(request)
        if isinstance(call, ToolMessage):
            return call
        reply = await self.ladder.arun(call, environment, HandlerHost(request, handler))
        return cast("Answer", answered(reply, call))

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Hand the capture down through the ambient config, where it reaches models that inner middleware picks."""
        config = merge_configs(var_child_runnable_config.get(), {"callbacks": [self.capture]})
        token = var_child_runnable_config.set(config)
        try:
            yield
        finally:
            var_child_runnable_config.reset(token)

    def _considered(self, request: ToolCallRequest) -> tuple[Call | ToolMessage, Environment | None]:
        raw, config = dict(request.tool_call), request.runtime.config
        messages = messages_of(request.state)
        proposal = Proposal(raw, message=proposer(messages, raw.get("id")))
        environment = proposal.environment(self.capture)
        call = (
            "REFUSED: several calls came in one task, where one answer could be taken for another's. Nothing ran; "
            "make one call at a time."
            if _shares_its_task(config) and len(waiting(messages)) > 1
            else considered(self.agent, raw, request.tool, environment, config)
        )
        if isinstance(call, str):
            self.ladder.refuse(self.agent, thread_of(config), raw, call)
            return tool_message(raw.get("id"), str(raw.get("name")), call, error=True), environment
        self._seat(request, can_ask=config.get("configurable", {}).get(CHECKPOINTER) is not None)
        return call, environment

    def _seat(self, request: ToolCallRequest, *, can_ask: bool) -> None:
        """Take the tool under the ladder at its first call; middleware isn't told of the graph's tools before."""
        tool = request.tool
        name = request.tool_call["name"]
        if (name, can_ask) in self._seated:
            return
        if tool is not None and holds_ungated_agents(tool):
            raise MountError(f"the tool {name} runs an agent of its own, whose tools this middleware doesn't see; use wrap")
        self.ladder.seat(
            name, declaration_of(tool), agent=self.agent, can_ask=can_ask, host=outside(tool) if tool else None
        )
        self._seated.add((name, can_ask))


def _shares_its_task(config: RunnableConfig) -> bool:
    """Whether LangGraph gave this task the whole state instead of one call."""
    path: Any = config.get("metadata", {}).get("langgraph_path") or ()
    return bool(path) and path[0] != PUSH
