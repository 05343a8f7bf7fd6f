"""The node of a graph that asks the model, with what the agent has to hear put before its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.constants import START
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command
from pydantic import BaseModel

from ladder_graph.hosts.conversation import thread_of
from ladder_graph.hosts.proposals import messages_of
from ladder_graph.hosts.telling import News, may_hear, news, place_of
from ladder_graph.waiting import promptly

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

MODEL = "model"
"""What `create_agent` calls its node."""
_AGENTS = "langchain.agents"


@dataclass(frozen=True)
class HearingNode(Runnable[Any, Any]):
    """A node as its author made it, which hears first what became of its agent's drafts.

    Where there is nothing to hear, it is the author's node. The message stands in the state before the answer that was
    made with it, so that a checkpoint holds both or neither.
    """

    inner: Runnable[Any, Any]
    ladder: Ladder
    agent: str
    key: str

    def invoke(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Any:  # noqa: A002  # LangChain's name
        """Ask the model, with the news before it."""
        found, told = self._before(input, config or {})
        output = self.inner.invoke(told, config, **options)
        return output if found is None else self._after(found, output, config or {})

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Any:  # noqa: A002  # LangChain's name
        """As `invoke`, with the ledger looked into off the event loop."""
        found, told = await promptly(self._before, input, config or {})
        output = await self.inner.ainvoke(told, config, **options)
        return output if found is None else await asyncio.to_thread(self._after, found, output, config or {})

    def _before(self, state: Any, config: RunnableConfig) -> tuple[News | None, Any]:
        messages = messages_of(state, self.key)
        if not may_hear(messages):
            return None, state
        found = news(self.ladder, self.agent, thread_of(config), config, messages)
        told = None if found is None else _with(state, self.key, [*messages, found.message])
        return (None, state) if told is None else (found, told)

    def _after(self, found: News, output: Any, config: RunnableConfig) -> Any:
        if not _answers(output, self.key) or not self.ladder.mark_told(found.due, found.id, place_of(config)):
            return output
        if isinstance(output, Mapping):
            said = output[self.key]
            return {**output, self.key: [found.message, *(said if isinstance(said, list | tuple) else [said])]}
        if _commands(output):
            return [Command(update={self.key: [found.message]}), *output]
        if isinstance(output, Command):
            return [Command(update={self.key: [found.message]}), output]
        return [found.message, *output] if isinstance(output, list | tuple) else [found.message, output]


def models_of(builder: StateGraph[Any, Any, Any, Any], place: str) -> set[str]:
    """The nodes that ask the model before calls come to a tool node; empty where that can't be told.

    Args:
        builder: The graph.
        place: The tool node.
    """
    model = builder.nodes.get(MODEL)
    if model is not None and _module(model.runnable).startswith(_AGENTS):
        return {MODEL}
    starts = {
        start
        for start, found in builder.branches.items()
        if any(branch.ends is None or place in branch.ends.values() for branch in found.values())
    }
    starts |= {start for start, end in builder.edges if end == place}
    return {
        name
        for name in starts - {START, place}
        if not isinstance(builder.nodes[name].runnable, CompiledStateGraph | ToolNode)
        and not _module(builder.nodes[name].runnable).startswith(_AGENTS)
    }


def _module(runnable: Any) -> str:
    function = vars(runnable).get("func") or vars(runnable).get("afunc")
    return str(getattr(function, "__module__", None) or "")


def _with(state: Any, key: str, messages: list[Any]) -> Any:
    """The same state with other messages; None where it is of a kind that isn't known."""
    if isinstance(state, list):
        return messages
    if isinstance(state, dict):
        return {**state, key: messages}
    if isinstance(state, BaseModel):
        return state.model_copy(update={key: messages})
    if is_dataclass(state) and not isinstance(state, type):
        return replace(state, **{key: messages})
    return None


def _commands(output: Any) -> bool:
    return isinstance(output, list | tuple) and any(isinstance(one, Command) for one in output)


def _answers(output: Any, key: str) -> bool:
    """Whether a model answered in what a node gave back."""
    if isinstance(output, Command):
        return _answers(output.update, key)
    if isinstance(output, Mapping):
        return _answers(output.get(key), key)
    if isinstance(output, BaseMessage):
        return isinstance(output, AIMessage)
    return isinstance(output, Sequence) and not isinstance(output, str) and any(_answers(one, key) for one in output)
