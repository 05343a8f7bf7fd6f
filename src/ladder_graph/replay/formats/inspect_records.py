"""What stands in a log of Inspect, as far as it is read: samples, their messages, and the events of three kinds."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class Call(BaseModel):
    """A call, as a message, an approval or an event has it."""

    id: str = ""
    function: str
    arguments: dict[str, Any] | None = None
    parse_error: str | None = None


class Error(BaseModel):
    """What a tool failed with."""

    type: str = "unknown"
    message: str = ""


class Message(BaseModel):
    """A message of a conversation."""

    id: str | None = None
    role: str
    content: Any = ""
    model: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    function: str | None = None
    error: Error | None = None


class Choice(BaseModel):
    """One of the answers of a model."""

    message: Message


class Usage(BaseModel):
    """What an answer took."""

    input_tokens: int = 0
    output_tokens: int = 0


class Output(BaseModel):
    """What a model answered."""

    model: str = ""
    choices: list[Choice] = []
    usage: Usage | None = None


class Proposing(BaseModel):
    """A model was asked."""

    model: str = ""
    input: list[Message] = []
    output: Output
    timestamp: Any = None
    completed: Any = None


class Approving(BaseModel):
    """Somebody, or a rule, looked at a call."""

    call: Call
    approver: str = ""
    decision: str


class Running(BaseModel):
    """A tool was called."""

    id: str = ""
    function: str
    arguments: dict[str, Any] | None = None
    result: Any = None
    error: Error | None = None
    failed: bool | None = None
    pending: bool | None = None
    timestamp: Any = None
    completed: Any = None


class Score(BaseModel):
    """What a scorer made of a sample."""

    value: Any = None
    metadata: dict[str, Any] | None = None


class Recorded(BaseModel):
    """A sample as it stands in a log."""

    id: str | int
    epoch: int = 1
    input: str | list[Message] = ""
    messages: list[Message] = []
    events: list[dict[str, Any]] = []
    scores: dict[str, Score] | None = None
    attachments: dict[str, str] = Field(default_factory=dict)
    error: Any = None
