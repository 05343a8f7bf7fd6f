"""The three mounts behind one call, and middleware that gets between a gate and its tool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, StructuredTool

from ladder_graph import Ladder
from ladder_graph.testing import Answer
from tests.hosts.graphs import agent_of

BOUNDED = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 9}]}
"""A rule for a tool that runs unasked, within reason."""

YES = {"type": "approve", "by": "ana"}
NO = {"type": "decline", "by": "ana", "reason": "no"}


def by_wrap(ladder: Ladder, answers: Sequence[Answer], tools: Sequence[BaseTool], *inside: Any, **options: Any) -> Any:
    """The graph wrapped, with its own middleware behind the rungs."""
    return ladder.wrap(agent_of(answers, tools, middleware=inside, **options))


def by_middleware(
    ladder: Ladder, answers: Sequence[Answer], tools: Sequence[BaseTool], *inside: Any, **options: Any
) -> Any:
    """The ladder as middleware around the agent's own."""
    return agent_of(answers, tools, middleware=ladder.middleware(*inside), **options)


def by_guard(
    ladder: Ladder, answers: Sequence[Answer], tools: Sequence[BaseTool], *outside: Any, **options: Any
) -> Any:
    """Guarded tools in a plain agent, whose middleware is outside of the gate then."""
    return agent_of(answers, [ladder.guard(tool) for tool in tools], middleware=outside, **options)


MOUNTS: dict[str, Callable[..., Any]] = {"wrap": by_wrap, "middleware": by_middleware, "guard": by_guard}
INNER = {name: MOUNTS[name] for name in ("wrap", "middleware")}
"""The mounts whose gate has the agent's middleware behind it."""


class Between(AgentMiddleware[Any, Any, Any]):
    """Does what it is told to around each tool call, sync and async alike.

    Args:
        before: Changes the request, or returns a message, or raises.
        after: Changes the result; called with the exception where there was one.
        times: How often the tool is called at most; again only after a failure.
    """

    def __init__(
        self, before: Callable[[Any], Any] | None = None, after: Callable[[Any], Any] | None = None, *, times: int = 1
    ) -> None:
        super().__init__()
        self.before, self.after, self.times = before, after, times

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        """Do it."""
        given = request if self.before is None else self.before(request)
        if isinstance(given, ToolMessage):
            return given
        result: Any = None
        for _ in range(self.times):
            try:
                result = handler(given)
            except Exception as wrong:  # noqa: BLE001  # it may be any tool's
                result = wrong
            if not failed(result):
                break
        return self.done(result)

    async def awrap_tool_call(self, request: Any, handler: Any) -> Any:
        """Do it."""
        given = request if self.before is None else self.before(request)
        if isinstance(given, ToolMessage):
            return given
        result: Any = None
        for _ in range(self.times):
            try:
                result = await handler(given)
            except Exception as wrong:  # noqa: BLE001  # it may be any tool's
                result = wrong
            if not failed(result):
                break
        return self.done(result)

    def done(self, result: Any) -> Any:
        """The result, or what is made of it."""
        if self.after is not None:
            return self.after(result)
        if isinstance(result, Exception):
            raise result
        return result


def failed(result: Any) -> bool:
    """Whether a tool call came to nothing good."""
    return isinstance(result, Exception) or getattr(result, "status", "") == "error"


def rewriting(**arguments: Any) -> Between:
    """Middleware that puts in other arguments."""
    return Between(
        lambda request: request.override(
            tool_call={**request.tool_call, "args": {**request.tool_call["args"], **arguments}}
        )
    )


def answering(text: str, *, status: str = "success") -> Between:
    """Middleware that answers by itself, and runs nothing."""
    return Between(
        lambda request: ToolMessage(
            text, name=request.tool_call["name"], tool_call_id=request.tool_call["id"], status=status
        )
    )


def putting(text: str) -> Between:
    """Middleware that puts its own text in the place of whatever came."""
    return Between(after=lambda _: ToolMessage(text, tool_call_id="call_1_0_0", status="success"))


def delegating(agent: Any, name: str = "research") -> BaseTool:
    """A tool that runs an agent, which it keeps in its closure."""

    def run(x: str) -> str:
        return str(agent.invoke({"messages": [("user", x)]})["messages"][-1].text)

    async def arun(x: str) -> str:
        return str((await agent.ainvoke({"messages": [("user", x)]}))["messages"][-1].text)

    return StructuredTool.from_function(run, arun, name=name, description="Research it.")
