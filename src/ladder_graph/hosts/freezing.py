"""From a call as a model wrote it to a frozen one, or to why it can't be considered, in words for the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.prebuilt.tool_node import INVALID_TOOL_NAME_ERROR_TEMPLATE

from ladder_graph.calls import Call
from ladder_graph.errors import ArgumentsError
from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.conversation import thread_of
from ladder_graph.hosts.fitting import complaint_about


def may_exist(name: str, environment: Environment | None) -> bool:
    """Whether a tool that the graph doesn't know may be one of middleware's: the model would have been shown it."""
    return environment is None or not environment.toolset or name in environment.tools


def no_such_tool(name: str, tools: Iterable[str]) -> str:
    """What a ToolNode says of a tool that isn't there."""
    return INVALID_TOOL_NAME_ERROR_TEMPLATE.format(requested_tool=name, available_tools=", ".join(tools))


def considered(
    agent: str, call: Mapping[str, Any], tool: BaseTool | None, environment: Environment | None, config: RunnableConfig
) -> Call | str:
    """The frozen call; or why it can't be considered at all, in words for the model."""
    name, call_id, arguments = str(call.get("name") or ""), call.get("id"), call.get("args")
    if not isinstance(call_id, str) or not call_id:
        return f"REFUSED: the call of {name} has no id, so its outcome could not be told from another's. Nothing ran."
    if not isinstance(arguments, dict):
        return f"REFUSED: the arguments of {name} are no JSON object. Nothing ran; call it again with proper ones."
    complaint = complaint_about(tool, arguments)
    if complaint is not None:
        return complaint
    env = None if environment is None else environment.key(name)
    try:
        return Call(agent, thread_of(config), call_id, name, arguments, env)
    except ArgumentsError as wrong:
        return f"REFUSED: {wrong}. Nothing ran; call {name} again with proper arguments."
