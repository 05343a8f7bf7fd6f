"""Real graphs with a capture, and each way of running them."""

from __future__ import annotations

import asyncio
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool

from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.capture import Capture
from ladder_graph.testing import ScriptedModel, calls

ASK = {"messages": [HumanMessage("Go.")]}
SEND = {"to": "ana"}


@tool
def send(to: str) -> str:
    """Send it."""
    return f"sent to {to}"


@tool
def read(path: str) -> str:
    """Read it."""
    return path


def agent_with(capture: Capture, model: BaseChatModel, **options: Any):
    """An agent with two tools and a capture."""
    return create_agent(model, [send, read], system_prompt="Be careful.", **options).with_config(callbacks=[capture])


def scripted(**options: Any) -> ScriptedModel:
    """A model that sends once and is done."""
    return ScriptedModel(answers=[calls("send", SEND), "Done."], **options)


def found(capture: Capture, messages: list[Any]) -> list[Environment | None]:
    """The environment of each tool call in the messages, in order."""
    proposed = [(m, call) for m in messages if isinstance(m, AIMessage) for call in m.tool_calls]
    return [capture.environment(m.id, call["id"], call["name"], call["args"]) for m, call in proposed]


def run_invoke(graph):
    """Sync, in one go."""
    return graph.invoke(ASK)["messages"]


def run_ainvoke(graph):
    """Async, in one go."""
    return asyncio.run(graph.ainvoke(ASK))["messages"]


def run_stream(graph):
    """Sync, state by state."""
    return list(graph.stream(ASK, stream_mode="values"))[-1]["messages"]


def run_stream_tokens(graph):
    """Sync, token by token."""
    parts = list(graph.stream(ASK, stream_mode=["messages", "values"]))
    return [part for mode, part in parts if mode == "values"][-1]["messages"]


def run_astream(graph):
    """Async, token by token."""

    async def last():
        return [part async for part in graph.astream(ASK, stream_mode=["messages", "values"])][-1][1]

    return asyncio.run(last())["messages"]


def run_astream_events(graph):
    """Async, event by event."""

    async def last():
        return [event async for event in graph.astream_events(ASK, version="v2")][-1]["data"]["output"]

    return asyncio.run(last())["messages"]


RUNS = [run_invoke, run_ainvoke, run_stream, run_stream_tokens, run_astream, run_astream_events]
