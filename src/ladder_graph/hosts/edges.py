"""The edges of a gated graph: those that lead to the tools, and those that lead on from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.types import Send

from ladder_graph.hosts.conversation import TASK
from ladder_graph.hosts.mount import Mount
from ladder_graph.hosts.proposals import Proposal, messages_of, proposals
from ladder_graph.waiting import promptly

PASSED_ON = "__ladder_passed_on"
"""Says in a task's config that this very task has said where to go, and its edges are not to be taken."""


def passed_on(config: RunnableConfig) -> None:
    """Say so; a task's edges see the same config as its node."""
    configurable: dict[str, Any] = config.get("configurable", {})
    configurable[PASSED_ON] = configurable.get(TASK)


@dataclass(frozen=True)
class GatedEdge(Runnable[Any, Any]):
    """A conditional edge that led to the tools: its answer, with each call sent to its rung instead."""

    path: Runnable[Any, Any]
    ends: dict[Any, str] | None
    mount: Mount

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: A002  # LangChain's name
        """Route as the graph's author did, then route the calls."""
        return self._routed(self.path.invoke(input, config), input, config or {})

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: A002  # LangChain's name
        """As `invoke`; the ledger, where it has to be looked into, is so off the event loop."""
        return await promptly(self._routed, await self.path.ainvoke(input, config), input, config or {})

    def _routed(self, result: Any, state: Any, config: RunnableConfig) -> list[Any]:
        key, messages = self.mount.messages_key, messages_of(state, self.mount.messages_key)
        routed: list[Any] = []
        held: list[list[Proposal]] = []
        for way in result if isinstance(result, list | tuple) else [result]:
            sent = isinstance(way, Send)
            if (way.node if sent else (self.ends or {}).get(way, way)) != self.mount.place:
                routed.append(way)
            elif found := proposals(way.arg if sent else state, key, sent=sent):
                held.append(found)
                routed += () if sent else self.mount.meanwhile
            else:  # What isn't understood here goes to the gate, which sees more.
                routed.append(way)
        every = [one for found in held for one in found]
        for found in [every] if self.mount.one_question else held:
            routed += self.mount.sends(found, messages, config, every)
        return routed


class Meanwhile(Runnable[Any, Any]):
    """A node that does nothing, in the step in which calls are sent to their rungs.

    LangGraph takes a step that only sends for the last one, and runs its deferred nodes beside what was sent. In the
    author's graph the tool node was named, and not sent to, so that they waited for it.
    """

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> None:  # noqa: A002  # LangChain's name
        """Do nothing."""


@dataclass(frozen=True)
class Onwards(Runnable[Any, Any]):
    """The way on from the tools, unless the node has said where to go."""

    path: Runnable[Any, Any] | None = None
    edges: list[str] = field(default_factory=list)
    """Where it goes in any case."""

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: A002  # LangChain's name
        """Route as the graph's author did."""
        if _passed_on(config):
            return []
        return self.edges if self.path is None else self.path.invoke(input, config)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: A002  # LangChain's name
        """As `invoke`."""
        if _passed_on(config):
            return []
        return self.edges if self.path is None else await self.path.ainvoke(input, config)


def _passed_on(config: RunnableConfig | None) -> bool:
    configurable: dict[str, Any] = (config or {}).get("configurable", {})
    return PASSED_ON in configurable and configurable[PASSED_ON] == configurable.get(TASK)
