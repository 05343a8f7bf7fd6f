"""Running one call through the graph's own ToolNode, and turning whatever comes of it into an outcome."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import ToolMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.errors import GraphBubbleUp, GraphInterrupt, is_invalid_resume
from langgraph.types import Command, interrupt
from pydantic import BaseModel, ValidationError

from ladder_graph import answers
from ladder_graph.calls import Call
from ladder_graph.errors import DefiniteFailure
from ladder_graph.hosts.identity import answering
from ladder_graph.hosts.payload import interrupt_payload
from ladder_graph.steps import Outcome, Person, Question, Reply

_SERDE = JsonPlusSerializer()


def complaint_about(tool: BaseTool | None, arguments: dict[str, Any]) -> str | None:
    """Why these arguments don't fit the tool's schema, for the model to read; None where they do.

    A call is held against the schema before anybody is asked about it. A schema that is a plain JSON Schema (as MCP
    tools have) is checked by the tool's own server.
    """
    schema = tool.tool_call_schema if tool is not None else None
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return None
    try:
        schema.model_validate(arguments)
    except ValidationError as wrong:
        return "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'arguments'}: {error['msg']}" for error in wrong.errors()
        )
    return None


def tool_message(call_id: str | None, name: str, text: str, *, error: bool) -> ToolMessage:
    """A sentence of ours as the answer to a call."""
    return ToolMessage(text, name=name, tool_call_id=call_id or "missing", status="error" if error else "success")


def outcome_of(output: Any, call: Call) -> Outcome:
    """Read what a ToolNode gave back. An error message in it doesn't say whether anything happened."""
    for message in _messages(output):
        if message.tool_call_id == call.id and message.status == "error":
            return Outcome("unknown", output, str(message.text))
    return Outcome("done", output)


def failure_of(wrong: BaseException) -> Outcome:
    """Read what a tool raised. Only a `DefiniteFailure` says that nothing happened."""
    if isinstance(wrong, GraphInterrupt) or is_invalid_resume(wrong):
        return Outcome("paused", signal=wrong)
    if isinstance(wrong, GraphBubbleUp):
        # A command for the parent graph: the tool has finished, and says where to go.
        return Outcome("done", signal=wrong)
    text = f"{type(wrong).__name__}: {wrong}."
    if isinstance(wrong, DefiniteFailure):
        return Outcome("failed", text=text)
    # What is no Exception (a keyboard interrupt) must go on up, once it is recorded.
    return Outcome("unknown", text=text, signal=None if isinstance(wrong, Exception) else wrong)


def _messages(output: Any) -> list[ToolMessage]:
    """The tool messages anywhere in a ToolNode's output."""
    if isinstance(output, ToolMessage):
        return [output]
    if isinstance(output, Command):
        return _messages(output.update)
    if isinstance(output, dict):
        return [message for value in output.values() for message in _messages(value)]
    if isinstance(output, list | tuple):
        return [message for value in output for message in _messages(value)]
    return []


def encode(reply: Any) -> bytes:
    """A ToolNode's output as bytes that another process can read."""
    kind, data = _SERDE.dumps_typed(reply)
    return kind.encode() + b"\0" + data


def decode(recorded: bytes) -> Any:
    """What `encode` wrote."""
    kind, _, data = recorded.partition(b"\0")
    return _SERDE.loads_typed((kind.decode(), data))


class Interrupting:
    """The part of a host that asks through LangGraph's interrupt."""

    def ring(self, question: Question, complaint: str) -> Any:
        """Stop the task; on resume the answer comes back here."""
        return interrupt(interrupt_payload(question, complaint))

    def person(self, answer: answers.Answer) -> Person | None:
        """Who gave this answer."""
        return answering(answer)

    def encode(self, reply: Any) -> bytes:
        """The reply as bytes."""
        return encode(reply)


@dataclass(frozen=True, slots=True)
class NodeHost(Interrupting):
    """Runs a call through a graph's original ToolNode, in the task of the rung.

    Args:
        node: The ToolNode, with whatever the graph's author put around it.
        payload: Makes its input from the frozen call.
        config: The task's own config.
    """

    node: Runnable[Any, Any]
    payload: Callable[[dict[str, Any]], Any]
    config: RunnableConfig

    def execute(self, call: Call) -> Outcome:
        """Run the tool on a copy of the frozen arguments."""
        try:
            return outcome_of(self.node.invoke(self.payload(tool_call_of(call)), self.config), call)
        except BaseException as wrong:  # noqa: BLE001  # no tool's exception may escape a rung: it would cancel siblings
            return failure_of(wrong)

    async def aexecute(self, call: Call) -> Outcome:
        """As `execute`."""
        try:
            return outcome_of(await self.node.ainvoke(self.payload(tool_call_of(call)), self.config), call)
        except BaseException as wrong:  # noqa: BLE001  # see execute
            return failure_of(wrong)


@dataclass(frozen=True, slots=True)
class DirectHost:
    """Runs a tool outside any graph, for a draft that a person accepted."""

    tool: BaseTool

    def ring(self, question: Question, complaint: str) -> Any:
        """Nobody is asked here: the person who accepted is the one who acts."""
        raise NotImplementedError

    def person(self, answer: answers.Answer) -> Person | None:
        """Nobody answers here."""
        del answer

    def encode(self, reply: Any) -> bytes:
        """The reply as bytes."""
        return encode(reply)

    def execute(self, call: Call) -> Outcome:
        """Run the tool on a copy of the frozen arguments."""
        try:
            return outcome_of(self.tool.invoke(tool_call_of(call)), call)
        except BaseException as wrong:  # noqa: BLE001  # it is recorded first
            return failure_of(wrong)

    async def aexecute(self, call: Call) -> Outcome:
        """As `execute`."""
        try:
            return outcome_of(await self.tool.ainvoke(tool_call_of(call)), call)
        except BaseException as wrong:  # noqa: BLE001  # it is recorded first
            return failure_of(wrong)


def outside(tool: BaseTool) -> Callable[[], DirectHost] | None:
    """How an accepted draft runs the tool outside the graph; None for a tool that needs the graph's own state."""
    injected = set(tool.get_input_schema().model_fields) - set(tool.tool_call_schema.model_fields) if (
        isinstance(tool.args_schema, type)
    ) else set()
    return None if injected else lambda: DirectHost(tool)


def tool_call_of(call: Call) -> dict[str, Any]:
    """The call as LangChain has it: a copy, so that the tool can't change what was recorded."""
    return {"name": call.tool, "args": copy.deepcopy(call.arguments), "id": call.id, "type": "tool_call"}


def answered(reply: Reply, call: Call) -> Any | ToolMessage:
    """What the graph gets: the tool's own output, a recorded one, or a sentence of ours.

    Raises:
        BaseException: A control-flow signal that the tool raised, now that it is recorded.
    """
    if reply.outcome is not None and reply.outcome.signal is not None:
        raise reply.outcome.signal
    if reply.recorded is not None:
        return decode(reply.recorded)
    if reply.outcome is not None and not reply.text:
        return reply.outcome.reply
    return tool_message(call.id, call.tool, reply.text, error=reply.error)
