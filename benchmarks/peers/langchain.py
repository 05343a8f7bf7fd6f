"""LangChain's `HumanInTheLoopMiddleware`: `when` decides on the arguments, batched or by call.

The policy is a function written by hand; the library calls it with a request, and asks where it says so. Batched it is
asked as the graph asks it, by `after_model` with a message of one call; by call, by `wrap_tool_call` with the request
that the tool node makes, around a tool that does nothing. The question itself, which only a graph can hold, is replaced
by an exception made beforehand: that leaves work out, and favours it. What a question costs in a whole graph is
measured in `benchmarks.gate`. It knows no refusal: what is refused is asked.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from langchain.agents.middleware import HumanInTheLoopMiddleware, InterruptOnConfig
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from benchmarks.peers.answering import Decide, answer
from benchmarks.peers.policy import ASKING, MOVING, REFUSED, Verdict, by_hand


class Asked(Exception):
    """A person would be asked now."""


_ASKED = Asked()


def _ask(value: Any, **_: Any) -> Any:
    del value
    raise _ASKED


def _middleware(mode: Any) -> HumanInTheLoopMiddleware[Any, Any, Any]:
    """What only reads isn't named, and is let through; what always asks has no predicate."""

    def outside(request: ToolCallRequest) -> bool:
        return by_hand(request.tool_call["name"], request.tool_call["args"]) != "allow"

    decisions: Any = ["approve", "reject"]
    bounded = InterruptOnConfig(allowed_decisions=decisions, when=outside)
    always = InterruptOnConfig(allowed_decisions=decisions)
    on: Any = {**dict.fromkeys(MOVING, bounded), **dict.fromkeys(ASKING + REFUSED, always)}
    return HumanInTheLoopMiddleware(on, interrupt_mode=mode)


def batched() -> Decide:
    """The hook after the model, with one call in its message."""
    middleware, runtime = _middleware("batched"), Runtime()
    message = AIMessage("")

    def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        message.tool_calls = [{"name": tool, "args": arguments, "id": "call_1", "type": "tool_call"}]
        try:
            middleware.after_model({"messages": [message]}, runtime)
        except Asked:
            return "ask"
        return "allow"

    return decide


def per_call() -> Decide:
    """The hook around one call."""
    middleware, runtime = _middleware("per_call"), Runtime()
    done: Any = object()

    def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        call: Any = {"name": tool, "args": arguments, "id": "call_1", "type": "tool_call"}
        try:
            middleware.wrap_tool_call(ToolCallRequest(call, None, {}, runtime), lambda _: done)  # type: ignore[arg-type]
        except Asked:
            return "ask"
        return "allow"

    return decide


@contextmanager
def without_a_graph() -> Iterator[None]:
    """What only a graph can do is left out for a while."""
    module = sys.modules[HumanInTheLoopMiddleware.__module__]
    with patch.object(module, "interrupt", _ask), patch.object(module, "get_runtime", Runtime):
        yield


if __name__ == "__main__":
    with without_a_graph():
        answer(
            {"decision": lambda _: batched(), "per_call": lambda _: per_call()}, of="langchain", fold={"refuse": "ask"}
        )
