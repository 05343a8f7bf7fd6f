"""Going on with threads in this process, whose graph it is."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from ladder_graph.errors import NoCheckpointer
from ladder_graph.resuming.heads import ABSENT, Head, calls_asked

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.graph.state import CompiledStateGraph

T = TypeVar("T")


class InProcess:
    """Goes on with a graph's threads by running the graph here.

    Args:
        graph: The graph under the ladder, with the checkpointer that keeps its threads.
        agent: The name that it acts under, where it isn't the policy's.
        config: What a run needs beside its thread, such as a tenant: a config, or a function of the thread's id.
        context: What the graph's `context_schema` asks for.
        loop: The running event loop of an async graph. One whose checkpointer belongs to a loop needn't say it.

    Raises:
        NoCheckpointer: The graph keeps no threads of its own.

    Example:
        >>> from ladder_graph import Ladder
        >>> from ladder_graph.resuming import InProcess
        >>> def serve(ladder: Ladder, graph) -> None:
        ...     "From now on an answer goes on with its thread by itself."
        ...     ladder.attach(InProcess(graph))
    """

    def __init__(
        self, graph: CompiledStateGraph[Any, Any, Any, Any], *, agent: str | None = None,
        config: RunnableConfig | Callable[[str], RunnableConfig] | None = None, context: Any = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:  # fmt: skip
        keeper = graph.checkpointer
        if keeper is None or isinstance(keeper, bool):
            raise NoCheckpointer(
                "the graph has no checkpointer of its own, so no thread of it can be gone on with here; where a "
                "LangGraph server keeps its threads, use Server"
            )
        self.agent, self._graph, self._config, self._context = agent, graph, config, context
        self.how = f"in process {socket.gethostname()}/{os.getpid()}"
        self.lasting = not type(keeper).__name__.startswith(("InMemory", "Memory"))
        self._loop = loop or getattr(keeper, "loop", None)
        self._own: threading.Thread | None = None
        if self._loop is None and any(map(_only_async, _steps(graph))):
            self._loop = self._started()

    def look(self, thread: str) -> Head:
        """Where a thread stands, by its last checkpoint."""
        config = self._of(thread)
        found = self._graph.get_state(config) if self._loop is None else self._awaited(self._graph.aget_state(config))
        if found.created_at is None:
            return ABSENT
        asked = [interrupt.value for task in found.tasks for interrupt in task.interrupts]
        ended = "" if found.next or asked else str(found.config["configurable"]["checkpoint_id"])
        return Head(calls_asked(asked), unfinished=bool(found.next) and not asked, ended=ended)

    def resume(self, thread: str) -> None:
        """Run the graph from where the thread stands; the ledger tells its calls what was answered."""
        config, given = self._of(thread), {} if self._context is None else {"context": self._context}
        if self._loop is None:
            self._graph.invoke(None, config, **given)
        else:
            self._awaited(self._graph.ainvoke(None, config, **given))

    def close(self) -> None:
        """End the loop that was started for an async graph."""
        if self._own is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._own.join()
            self._loop.close()
            self._own = None

    def _of(self, thread: str) -> RunnableConfig:
        config = self._config(thread) if callable(self._config) else self._config or {}
        return {**config, "configurable": {**config.get("configurable", {}), "thread_id": thread}}

    def _awaited(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None  # noqa: S101  # narrows the type: only async graphs come here
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _started(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        self._own = threading.Thread(target=loop.run_forever, name="ladder-resume-loop", daemon=True)
        self._own.start()
        return loop


def _steps(graph: Any) -> Iterator[Any]:
    """Whatever a graph may run: its nodes, and the tools in them; those of graphs inside, too."""
    for spec in graph.builder.nodes.values():
        runnable = spec.runnable
        if hasattr(runnable, "builder"):
            yield from _steps(runnable)
            continue
        yield runnable
        yield from (getattr(runnable, "tools_by_name", None) or {}).values()
        yield from (getattr(getattr(runnable, "mount", None), "tools", None) or {}).values()


def _only_async(step: Any) -> bool:
    """Whether a node or a tool was written as a coroutine alone."""
    named = getattr(step, "coroutine", None) or getattr(step, "afunc", None)
    return named is not None and getattr(step, "func", None) is None
