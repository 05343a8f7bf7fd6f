"""The graph that `wrap` returns: LangGraph's own, which also says how each run was started."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.graph.state import CompiledStateGraph

from ladder_graph.hosts.conversation import READ
from ladder_graph.hosts.nodes import GateNode
from ladder_graph.hosts.resumes import ANSWERED, CONTINUED, RUN, STARTED, goes_on, is_answer

_Graph = CompiledStateGraph[Any, Any, Any, Any]

_RUNS = itertools.count(1)


class WrappedGraph(_Graph):
    """A graph under a ladder, used like any other.

    LangGraph keeps an answer with the checkpoint and hands it to the next question of a later run; so each run says
    whether it brought one. Breakpoints that name the tool node mean the rungs.
    """

    def stream(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Iterator[Any]:  # noqa: A002  # LangChain's name
        """Run, part by part."""
        return super().stream(input, self._started_with(input, config), **self._translated(options))

    def astream(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> AsyncIterator[Any]:  # noqa: A002  # as above
        """As `stream`."""
        return super().astream(input, self._started_with(input, config), **self._translated(options))

    def _started_with(self, value: Any, config: RunnableConfig | None) -> RunnableConfig | None:
        """The config with a word on when and with what the run was started; inside another graph that one said so."""
        ambient = var_child_runnable_config.get() or {}
        if any(READ in place.get("configurable", {}) for place in (ambient, config or {})):
            return config
        given, clock = config or {}, _clock_of(self)
        if self.checkpointer and not (given.get("configurable") or (self.config or {}).get("configurable")):
            return config  # LangGraph says what is missing, which it couldn't see behind what stands here.
        said = {
            ANSWERED: is_answer(value), CONTINUED: goes_on(value), RUN: next(_RUNS),
            **({} if clock is None else {STARTED: clock()}),
        }  # fmt: skip
        return {**given, "configurable": {**given.get("configurable", {}), **said}}

    def _translated(self, options: dict[str, Any]) -> dict[str, Any]:
        stops = {name: options[name] for name in ("interrupt_before", "interrupt_after") if options.get(name)}
        return {**options, **{name: stops_at(self, nodes) for name, nodes in stops.items()}} if stops else options


def set_like(compiled: _Graph, rebuilt: _Graph) -> _Graph:
    """A graph with what is set on a compiled one, and on no builder; its breakpoints mean the rungs."""
    for setting in _SETTINGS:
        setattr(rebuilt, setting, getattr(compiled, setting))
    rebuilt.interrupt_before_nodes = stops_at(rebuilt, compiled.interrupt_before_nodes)
    rebuilt.interrupt_after_nodes = stops_at(rebuilt, compiled.interrupt_after_nodes)
    return rebuilt.with_config(compiled.config) if compiled.config else rebuilt


_SETTINGS = ("step_timeout", "stream_mode", "stream_eager")


def stops_at(graph: _Graph, nodes: str | Sequence[str]) -> Any:
    """Breakpoints, for the rungs where they name a tool node."""
    if isinstance(nodes, str):
        return nodes
    gates = {name: spec.runnable for name, spec in graph.builder.nodes.items()}
    return [new for node in nodes for new in _rungs_of(gates.get(node), node)]


def _rungs_of(runnable: Any, node: str) -> list[str]:
    return list(runnable.mount.names.values()) if isinstance(runnable, GateNode) else [node]


def _clock_of(graph: CompiledStateGraph[Any, Any, Any, Any]) -> Callable[[], dt.datetime] | None:
    """The clock of the ladder that a graph, or one in it, is under."""
    for spec in graph.builder.nodes.values():
        runnable: Any = spec.runnable
        if isinstance(runnable, GateNode):
            return runnable.mount.ladder.clock
        if isinstance(runnable, CompiledStateGraph) and (clock := _clock_of(runnable)) is not None:
            return clock
    return None
