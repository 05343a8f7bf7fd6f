"""Graphs, tools and ways of running them, for the tests of the mounts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypedDict

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition

from ladder_graph import Ladder, Policy
from ladder_graph.policy import Rule
from ladder_graph.testing import Answer, ScriptedModel

READ = {"rung": "report", "read_only": True}
"""A rule for a tool that only reads, with nothing in its way."""

GO: dict[str, Any] = {"messages": [("user", "Go.")]}


class World:
    """What tools do to, and a way to make tools that do it."""

    def __init__(self) -> None:
        self.ran: list[Any] = []

    def tool(self, name: str, *, acts: Callable[[str], Any] | None = None, **options: Any) -> BaseTool:
        """A tool with one text argument, which notes what it was called with, sync and async alike."""

        def run(x: str) -> Any:
            self.ran.append((name, x))
            return f"{name} {x}" if acts is None else acts(x)

        async def arun(x: str) -> Any:
            return run(x)

        return StructuredTool.from_function(run, arun, name=name, description=f"Does {name}.", **options)


class Sync:
    """Runs a graph in this thread."""

    def __repr__(self) -> str:
        return "sync"

    def invoke(self, graph: Any, value: Any, config: Any = None, **options: Any) -> Any:
        """What comes out."""
        return graph.invoke(value, config, **options)

    def stream(self, graph: Any, value: Any, config: Any = None, **options: Any) -> list[Any]:
        """All parts of the stream."""
        return list(graph.stream(value, config, **options))

    def next(self, graph: Any, config: Any) -> tuple[str, ...]:
        """The nodes that come next."""
        return graph.get_state(config).next


class Async:
    """Runs a graph on an event loop."""

    def __repr__(self) -> str:
        return "async"

    def invoke(self, graph: Any, value: Any, config: Any = None, **options: Any) -> Any:
        """What comes out."""
        return asyncio.run(graph.ainvoke(value, config, **options))

    def stream(self, graph: Any, value: Any, config: Any = None, **options: Any) -> list[Any]:
        """All parts of the stream."""

        async def collect() -> list[Any]:
            return [part async for part in graph.astream(value, config, **options)]

        return asyncio.run(collect())

    def next(self, graph: Any, config: Any) -> tuple[str, ...]:
        """The nodes that come next."""
        return asyncio.run(graph.aget_state(config)).next


WAYS = [Sync(), Async()]
"""Both ways of running a graph; most tests take each."""


def on(thread: str = "1", **configurable: Any) -> dict[str, Any]:
    """The config for a thread."""
    return {"configurable": {"thread_id": thread, **configurable}}


def ladder_of(rungs: dict[str, Any], *, reader: str | None = "ana", ledger: str = ":memory:", **options: Any) -> Ladder:
    """A ladder for the agent ops, whose reports have a reader; options of the policy are told from the ladder's own."""
    tools = {
        name: Rule.model_validate({"rung": rule} if isinstance(rule, str) else rule) for name, rule in rungs.items()
    }
    more = {name: options.pop(name) for name in ("people", "keys", "ask") if name in options}
    policy = Policy(agent="ops", tools=tools, reports={"reader": reader} if reader else {}, **more)
    return Ladder(policy=policy, ledger=ledger, **options)


def agent_of(answers: Sequence[Answer], tools: Sequence[BaseTool], **options: Any) -> Any:
    """A `create_agent` agent with a checkpointer, on a scripted model."""
    return create_agent(
        ScriptedModel(answers=list(answers)), list(tools), **{"checkpointer": InMemorySaver(), **options}
    )


def model_node(answers: Sequence[Answer], tools: Sequence[BaseTool], key: str = "messages") -> Callable[..., Any]:
    """A node that asks a scripted model."""
    model = ScriptedModel(answers=list(answers)).bind_tools(list(tools))

    def node(state: Any) -> dict[str, Any]:
        messages = state[key] if isinstance(state, dict) else getattr(state, key)
        return {key: [model.invoke(messages)]}

    return node


def raw_graph(
    answers: Sequence[Answer], tools: Sequence[BaseTool], *, schema: Any = MessagesState, **options: Any
) -> Any:
    """The graph of the LangGraph tutorials: agent, tools, and an edge back. Not compiled."""
    builder = StateGraph(schema)
    builder.add_node("agent", model_node(answers, tools))
    builder.add_node("tools", ToolNode(list(tools), **options))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    return builder


class Wider(TypedDict):
    """A state with more in it than messages."""

    messages: Annotated[list[AnyMessage], add_messages]
    name: str


def plain(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """Messages as data, without the ids that are random."""
    return [{key: value for key, value in m.model_dump().items() if key != "id"} for m in messages]


def told(output: Any, key: str = "messages") -> list[tuple[str, str]]:
    """What the tools, or the ladder in their place, told the model: tool name and text."""
    return [(str(m.name), str(m.text)) for m in output[key] if isinstance(m, ToolMessage)]


def texts(output: Any) -> list[str]:
    """The text of each message of the model."""
    return [str(m.text) for m in output["messages"] if isinstance(m, AIMessage)]


def questions(output: Any) -> list[dict[str, Any]]:
    """What each interrupt asks, in the order they came."""
    return [interrupt.value["ladder"] for interrupt in output.get("__interrupt__", [])]
