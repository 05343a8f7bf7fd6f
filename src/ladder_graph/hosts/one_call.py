"""The thread in which a ToolNode runs one call.

A ToolNode starts a pool of threads for the calls that it is given. A rung gives it one, in a task that LangGraph has
already put where it belongs, so the pool would hold one thread and cost more than all the gate does. And where a tool
isn't async, LangChain runs it off the event loop in any case, so all of its call may be there, in one visit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextvars import copy_context
from types import FunctionType, MethodType
from typing import Any

from langchain_core.runnables.config import RunnableConfig, get_executor_for_config
from langchain_core.tools import BaseTool, StructuredTool, Tool
from langgraph.prebuilt import ToolNode

POOL = get_executor_for_config.__name__
"""How a ToolNode's code names what starts its threads."""


class _Here(Executor):
    """Runs a single call in this thread, in a context of its own as a pool does, and several in a pool."""

    def __init__(self, config: RunnableConfig | None) -> None:
        self._config = config

    def map(self, fn: Callable[..., Any], *iterables: Any, **options: Any) -> Iterator[Any]:
        calls = list(zip(*iterables, strict=False))
        if len(calls) == 1 and not _on_a_loop():
            return iter([copy_context().run(fn, *calls[0])])
        with get_executor_for_config(self._config) as pool:
            return iter(list(pool.map(fn, *iterables, **options)))


def _on_a_loop() -> bool:
    """Whether an event loop runs in this thread, as in a notebook; a tool may want to run one of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def runs_here(method: Callable[..., Any]) -> Callable[..., Any]:
    """A ToolNode's bound entry point that starts no thread for a single call.

    Args:
        method: The entry point. One that asks for no pool by its usual name, such as somebody's own, comes back as it
            is.
    """
    if not isinstance(method, MethodType) or not isinstance(method.__func__, FunctionType):
        return method
    function = method.__func__
    names = function.__code__.co_names
    usual = function.__globals__.get(POOL) is get_executor_for_config and POOL in names
    if not usual or "map" not in names or "submit" in names:
        return method
    # LangGraph has no setting for it. What else the function needs, it finds as before.
    new = FunctionType(
        function.__code__, {**function.__globals__, POOL: _Here}, function.__name__, function.__defaults__,
        function.__closure__,
    )  # fmt: skip
    new.__kwdefaults__ = function.__kwdefaults__
    return MethodType(new, method.__self__)


def leaves_the_loop(node: ToolNode, tool: BaseTool | None) -> bool:
    """Whether LangChain runs all of a tool in another thread, its callbacks too, though the graph is async.

    Args:
        node: The ToolNode that it is called by.
        tool: The tool, where it is known.
    """
    if not isinstance(tool, StructuredTool | Tool) or tool.coroutine is not None:
        return False  # Others do so only with what they run at last, or not at all.
    plain = type(tool).ainvoke in {StructuredTool.ainvoke, Tool.ainvoke}
    own = node._wrap_tool_call is not None or node._awrap_tool_call is not None  # noqa: SLF001  # no public way to tell
    return plain and not own and type(node) is ToolNode  # Another one may do more, and only where it is async.
