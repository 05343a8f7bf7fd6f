"""Where a call of AgentDojo's loop is lived: its runtime runs it, and a reviewer answers at once."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentdojo.functions_runtime import FunctionsRuntime, TaskEnvironment
from agentdojo.types import ChatMessage, get_text_content_as_str
from langchain_core.tools import BaseTool

from ladder_graph.answers import Answer
from ladder_graph.calls import Call
from ladder_graph.dojo.reviewing import Reviewer
from ladder_graph.errors import LadderError
from ladder_graph.facts import Outcome, Person, Question, Reply
from ladder_graph.hosts.fitting import fitted
from ladder_graph.policy.scene import Output, Said, Scene
from ladder_graph.turns.hosting import Alone


@dataclass(slots=True)
class DojoHost(Alone):
    """Runs one call through AgentDojo's runtime.

    Args:
        runtime: What runs the tools.
        environment: What they work on.
        messages: The conversation so far.
        reviewer: Whoever answers.
        formatter: Makes a text of what a tool gives back.
        tool: The tool's name and schema.
    """

    runtime: FunctionsRuntime
    environment: TaskEnvironment
    messages: Sequence[ChatMessage]
    reviewer: Reviewer
    formatter: Callable[[Any], str]
    tool: BaseTool
    asked: int = 0
    """How often somebody was asked."""

    def ring(self, question: Question, complaint: str) -> Any:
        """Ask the reviewer.

        Raises:
            LadderError: The answer wasn't taken, and the same would come again.
        """
        if complaint:
            raise LadderError(
                f"the answer of {self.reviewer.name} about {question.call.tool} counts for nothing: {complaint}"
            )
        self.asked += 1
        return self.reviewer.answer(question)

    def person(self, answer: Answer) -> Person | None:
        """The reviewer, whom the benchmark vouches for."""
        del answer
        return Person(self.reviewer.name, "code")

    def execute(self, call: Call, *, again: bool = False) -> Outcome:
        """Run the tool. One that fails has changed nothing where the environment is as it was before."""
        del again
        before = self.environment.model_copy(deep=True)
        result, error = self.runtime.run_function(self.environment, call.tool, copy.deepcopy(call.arguments))
        if error is None:
            return Outcome("done", {"text": self.formatter(result)})
        return Outcome("failed" if self.environment == before else "unknown", {"text": "", "error": error}, error)

    def encode(self, reply: Any) -> bytes:
        """The reply as JSON."""
        return json.dumps(reply).encode()

    def scene(self, now: dt.datetime) -> Scene:
        """What the user wrote, and what tools answered."""
        return Scene(now, listen=lambda: said_in(self.messages))

    def fitted(self, call: Call, arguments: Mapping[str, Any]) -> Call | str:
        """The call with other arguments, typed by the tool's schema; or why they don't fit."""
        return fitted(self.tool, call, arguments)


def said_in(messages: Sequence[ChatMessage]) -> Said:
    """Who said what. What a tool call failed with is nobody's word.

    Args:
        messages: A conversation of AgentDojo.
    """
    user = (get_text_content_as_str(message["content"]) for message in messages if message["role"] == "user")
    return Said(tuple(user), tuple(_outputs(messages)))


def _outputs(messages: Sequence[ChatMessage]) -> Iterator[Output]:
    for message in messages:
        if message["role"] == "tool" and message["error"] is None:
            called = message["tool_call"]
            yield Output(called.function, get_text_content_as_str(message["content"]), dict(called.args))


def words(reply: Reply) -> tuple[str, str | None]:
    """What the model reads: the text of an answer, and the error where it is one.

    Args:
        reply: What a call came back with.
    """
    given = reply.outcome.reply if reply.outcome is not None else None
    if reply.recorded is not None:
        given = json.loads(reply.recorded)
    if reply.text or given is None:
        return ("", _noted(reply, reply.text)) if reply.error else (_noted(reply, reply.text), None)
    error = given.get("error")
    return _noted(reply, given["text"]) if error is None else "", error


def _noted(reply: Reply, text: str) -> str:
    return f"{reply.note}\n\n{text}" if reply.note else text
