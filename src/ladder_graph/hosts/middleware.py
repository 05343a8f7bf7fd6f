"""The ladder as middleware, for people who stay with `create_agent(middleware=[...])`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from langchain.agents.middleware import AgentMiddleware
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import ToolMessage
from langchain_core.runnables.config import merge_configs, var_child_runnable_config
from langgraph.types import Command

from ladder_graph.calls import Call
from ladder_graph.errors import MountError
from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.byhand import ByHand
from ladder_graph.hosts.capture import Capture
from ladder_graph.hosts.conversation import can_wait, sent, thread_of
from ladder_graph.hosts.fitting import fitting
from ladder_graph.hosts.freezing import considered, may_exist, no_such_tool
from ladder_graph.hosts.guard import SEVERAL, refuse_one_question
from ladder_graph.hosts.kept import Keeper
from ladder_graph.hosts.making import listed
from ladder_graph.hosts.nested import holds_ungated_agents
from ladder_graph.hosts.permit import Permit
from ladder_graph.hosts.proposals import Proposal, messages_of, proposer, waiting
from ladder_graph.hosts.provider import ProviderTools
from ladder_graph.hosts.reaching import one_look
from ladder_graph.hosts.replies import answered, tool_message
from ladder_graph.hosts.reviewers import tell_of_reviews
from ladder_graph.hosts.sealing import Sealer
from ladder_graph.hosts.seating import UNKNOWN, know, seat
from ladder_graph.hosts.telling import News, may_hear, news, place_of
from ladder_graph.hosts.toolhost import Interrupting, tool_call_of
from ladder_graph.ladder.environments import Make
from ladder_graph.waiting import promptly

if TYPE_CHECKING:
    from langchain.agents.middleware.types import ModelRequest, ModelResponse, ToolCallRequest

    from ladder_graph.ladder import Ladder

Answer = ToolMessage | Command[Any]


@dataclass(slots=True)
class HandlerHost(Interrupting):
    """Runs a call through the rest of the middleware chain.

    Args:
        config: The task's own config.
        request: The request as it came to the gate.
        handler: The rest of the chain; sync or async, as the graph runs.
        permits: Makes the permit for the frozen call.
    """

    request: ToolCallRequest
    handler: Callable[[ToolCallRequest], Any]
    permits: Callable[[Call], Permit]

    def run(self, call: Call) -> Any:
        """Through the chain."""
        return self.handler(self._frozen(call))

    async def arun(self, call: Call) -> Any:
        """Through the chain."""
        return await self.handler(self._frozen(call))

    def permit(self, call: Call) -> Permit:
        """The permit."""
        return self.permits(call)

    def _frozen(self, call: Call) -> ToolCallRequest:
        return self.request.override(tool_call=tool_call_of(call))  # type: ignore[arg-type]  # it is a ToolCall


class LadderMiddleware(AgentMiddleware[Any, Any, Any]):
    """Gates every tool call of a `create_agent` agent from inside its tool node.

    `Ladder.middleware` puts it first, so that retries inside it don't ask again, and a `SealMiddleware` last. On resume
    the call's life starts over, and the ledger knows how far it was. The graph keeps its shape; `Ladder.wrap` is the
    mount that shows the rungs as nodes.

    Args:
        ladder: The ladder.
        agent: The name to act under, where it isn't the policy's.
        seal: The seal that stands inside all other middleware. Without it a tool that middleware puts in another's
            place isn't noticed, and a failure always leaves it open whether the tool ran.
        others: The agent's other middleware, which belongs to the environment of its calls; None where it isn't told.

    Raises:
        MountError: The policy asks one question at a time, for which the graph must be wrapped; or the name isn't
            below the policy's.

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

    def __init__(
        self, ladder: Ladder, *, agent: str | None = None, seal: SealMiddleware | None = None,
        others: Sequence[AgentMiddleware[Any, Any, Any]] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        refuse_one_question(ladder, "middleware")
        self.ladder = ladder
        self.seal = seal
        self._sealer = Sealer()
        self.agent = ladder.acting(agent)
        self.capture = Capture(ladder.masks)
        self._make = Make(None if others is None else listed(others))
        self._handlers: list[BaseCallbackHandler] = [
            self.capture,
            ProviderTools(ladder, self.agent, self.capture),
            Keeper(ladder, self.capture),
        ]
        self._by_hand = ByHand(ladder, self.agent)
        tell_of_reviews(self.agent, others or ())
        self._seated: set[tuple[str, bool]] = set()
        self._known: set[str] = set()

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Tell what became of drafts, and listen to whichever model really answers, after fallbacks inside."""
        found = self._news(request)
        told = request if found is None else _told(request, found)
        with self._listening():
            response = handler(told)
        return response if found is None else self._kept(response, found)

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """As `wrap_model_call`."""
        found = await promptly(self._news, request)
        told = request if found is None else _told(request, found)
        with self._listening():
            response = await handler(told)
        return response if found is None else await asyncio.to_thread(self._kept, response, found)

    def _news(self, request: ModelRequest[Any]) -> News | None:
        config = var_child_runnable_config.get() or {}
        if not may_hear(request.messages):
            return None
        return news(self.ladder, self.agent, thread_of(config), config, request.messages)

    def _kept(self, response: ModelResponse[Any], found: News) -> ModelResponse[Any]:
        """The answer, with the message that it was given before it, so that a checkpoint holds both or neither."""
        config = var_child_runnable_config.get() or {}
        if not self.ladder.mark_told(found.due, found.id, place_of(config)):
            return response
        return replace(response, result=[found.message, *response.result])

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Answer]) -> Answer:
        """Take the call through its whole life instead of simply running it."""
        call, environment = self._considered(request)
        if isinstance(call, ToolMessage):
            return call
        reply = self.ladder.run(call, environment, self._host(request, handler))
        return cast("Answer", answered(reply, call))

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Answer]]
    ) -> Answer:
        """As `wrap_tool_call`."""
        call, environment = await promptly(self._considered, request)
        if isinstance(call, ToolMessage):
            return call
        reply = await self.ladder.arun(call, environment, self._host(request, handler))
        return cast("Answer", answered(reply, call))

    def _host(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Any]) -> HandlerHost:
        def permit(call: Call) -> Permit:
            repeatable = self.ladder.repeatable(call.tool, call.agent)
            return Permit(call, repeatable, certain=self.seal is not None, inside=self._by_hand)

        return HandlerHost(request.runtime.config, self._sealer(request), handler, permit, tool=request.tool)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Hand the capture down through the ambient config, where it reaches models that inner middleware picks."""
        config = merge_configs(var_child_runnable_config.get(), {"callbacks": self._handlers})
        token = var_child_runnable_config.set(config)
        try:
            yield
        finally:
            var_child_runnable_config.reset(token)

    def _considered(self, request: ToolCallRequest) -> tuple[Call | ToolMessage, Environment | None]:
        raw: dict[str, Any] = dict(request.tool_call)
        config, messages = request.runtime.config, messages_of(request.state)
        for tool in request.runtime.tools:
            if tool.name not in self._known:
                know(self.ladder, tool, agent=self.agent)
                self._known.add(tool.name)
        environs = self.ladder.environs
        proposal = Proposal(raw, message=proposer(messages, raw.get("id")))
        environment = environs.attributed(
            self.agent, proposal.proposed(self.capture, environs.recall, config), self._make
        )
        call: Call | str
        if not sent(config) and len(waiting(messages)) > 1:
            call = SEVERAL
        elif request.tool is None and not may_exist(str(raw.get("name")), environment):
            call = no_such_tool(str(raw.get("name")), (tool.name for tool in request.runtime.tools))
        else:
            call = considered(self.agent, raw, request.tool, environment, config)
        if isinstance(call, str):
            self.ladder.refuse(self.agent, thread_of(config), raw, call)
            return tool_message(raw.get("id"), str(raw.get("name")), call, error=True), environment
        self._seat(request, can_ask=can_wait(config))
        return call, environment

    def _seat(self, request: ToolCallRequest, *, can_ask: bool) -> None:
        """Take the tool under the ladder at its first call; middleware isn't told of the graph's tools before."""
        tool = request.tool
        name = request.tool_call["name"]
        if (name, can_ask) in self._seated:
            return
        if tool is None:
            self.ladder.seat(name, UNKNOWN, agent=self.agent, can_ask=can_ask, fitted=fitting(None))
        else:
            with one_look():
                if holds_ungated_agents(tool):
                    raise MountError(
                        f"the tool {name} runs an agent of its own, whose tools are not seen here; use wrap, or "
                        f"guard them"
                    )
                seat(self.ladder, tool, agent=self.agent, can_ask=can_ask)
        self._seated.add((name, can_ask))


def _told(request: ModelRequest[Any], found: News) -> ModelRequest[Any]:
    return request.override(messages=[*request.messages, found.message])


class SealMiddleware(AgentMiddleware[Any, Any, Any]):
    """Seals each tool right before it runs, inside all other middleware; the gate's other half.

    What middleware between the two made of a call is held against what the gate allowed. On resume nothing is
    different.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sealer = Sealer()

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Answer]) -> Answer:
        """Run a sealed copy of the tool."""
        return handler(self._sealer(request))

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Answer]]
    ) -> Answer:
        """As `wrap_tool_call`."""
        return await handler(self._sealer(request))
