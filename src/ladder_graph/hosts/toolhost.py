"""Running one call through the graph's own ToolNode, and turning whatever comes of it into an outcome."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.errors import GraphBubbleUp, ParentCommand, is_invalid_resume
from langgraph.types import interrupt

from ladder_graph import answers
from ladder_graph.calls import Call, copied
from ladder_graph.errors import DefiniteFailure, NoCheckpointer
from ladder_graph.facts import Arrival, Asking, Known, Outcome, Person, Question
from ladder_graph.hosts.conversation import CHECKPOINTER, checkpoint_of, recalls, words_beside
from ladder_graph.hosts.fitting import defaults_of, fitted, form_of
from ladder_graph.hosts.identity import answering, requesting
from ladder_graph.hosts.payload import interrupt_payload
from ladder_graph.hosts.permit import Permit
from ladder_graph.hosts.replies import encode, joined, messages_of_reply
from ladder_graph.hosts.resumes import (
    answers_by_id,
    continued,
    forget_a_repeated_answer,
    forget_old_answers,
    spend,
    started,
)
from ladder_graph.hosts.scenery import scene_of
from ladder_graph.hosts.sealing import filled_in, sealed
from ladder_graph.policy.scene import Scene
from ladder_graph.splitting import Split
from ladder_graph.turns.hosting import Alone
from ladder_graph.turns.presenting import Proposed

_SECRET = secrets.token_hex(16)
"""This process's own, for tasks that have none."""


def outcome_of(output: Any, call: Call) -> Outcome:
    """Read what a ToolNode gave back. An error message in it doesn't say whether anything happened."""
    for message in messages_of_reply(output):
        if message.tool_call_id == call.id and message.status == "error":
            return Outcome("unknown", output, str(message.text))
    return Outcome("done", output)


def failure_of(wrong: BaseException) -> Outcome:
    """Read what a tool raised. Only a `DefiniteFailure` says that nothing happened."""
    if isinstance(wrong, ParentCommand):
        # A command for the parent graph: the tool has finished, and says where to go.
        return Outcome("done", signal=wrong)
    if isinstance(wrong, GraphBubbleUp) or is_invalid_resume(wrong):
        # It asks somebody, or a graph that it runs was told to stop; both start over when the thread is resumed.
        return Outcome("paused", signal=wrong)
    text = f"{type(wrong).__name__}: {wrong}."
    if isinstance(wrong, DefiniteFailure):
        return Outcome("failed", text=text)
    # What is no Exception (a keyboard interrupt) must go on up, once it is recorded.
    return Outcome("unknown", text=text, signal=None if isinstance(wrong, Exception) else wrong)


def permitted(permit: Permit, call: Call, run: Callable[[], Any]) -> Outcome:
    """Run a call under its permit. No tool's exception may escape a rung: it would cancel siblings."""
    try:
        with permit.held():
            output = run()
        return permit.judged(outcome_of(output, call))
    except BaseException as wrong:  # noqa: BLE001  # it is recorded first
        return permit.judged(failure_of(wrong))


async def apermitted(permit: Permit, call: Call, run: Callable[[], Awaitable[Any]]) -> Outcome:
    """As `permitted`."""
    try:
        with permit.held():
            output = await run()
        return permit.judged(outcome_of(output, call))
    except BaseException as wrong:  # noqa: BLE001  # as above
        return permit.judged(failure_of(wrong))


class NotItsTurn(Exception):
    """Carries a call that has to ask out of its task, since another question may be open. Nobody sees it."""


@dataclass(slots=True)
class Interrupting(ABC):
    """A host in a task of a graph: it asks through LangGraph's interrupt.

    Args:
        config: The task's own config.
    """

    config: RunnableConfig
    tool: BaseTool | None = field(default=None, kw_only=True)
    """The tool, where it is known."""
    seed: str = field(default=_SECRET, kw_only=True)
    """What the word is made from that an answer may name a question by; it should stay with the task."""
    inside: BaseCallbackHandler | None = field(default=None, kw_only=True)
    """Hears of what the tool's own code runs."""
    left: threading.Event | None = field(default=None, kw_only=True)
    """Is set when whoever waits for the call was cancelled; None where that stops the call itself."""
    taken: int = field(default=0, init=False)
    """How many interrupts of this task have been answered in this run."""

    def __post_init__(self) -> None:
        forget_old_answers(self.config)

    def ring(self, question: Question, complaint: str) -> Any:
        """Stop the task; on resume the answer comes back here.

        An answer that was there before the question was asked isn't an answer to it, and is passed over.
        """
        self.taken = spend(self.config, self.taken, marked_only=not question.fresh)
        answer = interrupt(interrupt_payload(question, complaint))
        self.taken += 1
        return answer

    @abstractmethod
    def run(self, call: Call) -> Any:
        """Run the tool on a copy of the frozen arguments, and give back what it gave."""

    @abstractmethod
    async def arun(self, call: Call) -> Any:
        """As `run`."""

    @abstractmethod
    def permit(self, call: Call) -> Permit:
        """The permit that the call runs under."""

    def execute(self, call: Call, *, again: bool = False) -> Outcome:
        """Run the tool under a permit; its exceptions come back as outcomes."""
        self._leave_the_rest(again=again)
        return permitted(self._permit(call, again=again), call, lambda: self.run(call))

    async def aexecute(self, call: Call, *, again: bool = False) -> Outcome:
        """As `execute`."""
        self._leave_the_rest(again=again)
        return await apermitted(self._permit(call, again=again), call, lambda: self.arun(call))

    def _permit(self, call: Call, *, again: bool) -> Permit:
        permit = self.permit(call)
        # Before the call stopped, the tool's own code may have run, as where its output is to be reviewed.
        permit.certain = permit.certain and not again
        return permit

    def _leave_the_rest(self, *, again: bool) -> None:
        """Before the tool runs: what was answered so far isn't for its own interrupts, unless it stopped at one."""
        self.taken = spend(self.config, self.taken, marked_only=again)
        if again:
            forget_a_repeated_answer(self.config, self.taken)

    def awaited(self) -> bool:
        """Whether nobody was cancelled who waits for it."""
        return self.left is None or not self.left.is_set()

    def stays(self) -> bool:
        """On a visit from an event loop, whose threads are few, it doesn't."""
        return self.left is None

    def person(self, answer: answers.Answer) -> Person | None:
        """Who gave this answer."""
        return answering(answer, self.config)

    def arrival(self) -> Arrival:
        """How the last answer came in."""
        return Arrival(answers_by_id(self.config, self.taken - 1), started(self.config))

    def asking(self) -> Asking:
        """Whose run it is, and the secret of the task."""
        return Asking(requesting(self.config), continued(self.config), self.seed)

    def scene(self, now: dt.datetime) -> Scene:
        """What is known of the run, and of its conversation."""
        return scene_of(self.config, now)

    def proposed(self, call: Call) -> Proposed:
        """What the model wrote beside the call, and the defaults of the tool's schema."""
        words, defaults = words_beside(self.config, call), defaults_of(self.tool, call.arguments)
        return Proposed(words, defaults, form_of(self.tool))

    def fitted(self, call: Call, arguments: Mapping[str, Any]) -> Call | str:
        """The call with other arguments, typed by the tool's schema; or why they don't fit."""
        return fitted(self.tool, call, arguments)

    def checkpoint(self) -> str:
        """Where the conversation stands."""
        return checkpoint_of(self.config)

    def joined(self, split: Split, first: Any, last: Any) -> Any:
        """One reply of both."""
        return joined(split, first, last)

    def recalls(self, call: Call, earlier: Known) -> bool:
        """Whether the conversation knows of an earlier call that is done."""
        return recalls(self.config, call, earlier)

    def encode(self, reply: Any) -> bytes:
        """The reply as bytes."""
        return encode(reply)


@dataclass(slots=True)
class NodeHost(Interrupting):
    """Runs a call through a graph's original ToolNode, in the task of the rung.

    Args:
        config: The task's own config.
        node: The ToolNode, with whatever the graph's author put around it.
        payload: Makes its input from the frozen call.
        repeatable: Whether middleware inside may run the tool again.
        may_ask: Whether a question may be asked from here now.
    """

    node: Runnable[Any, Any]
    payload: Callable[[dict[str, Any]], Any]
    repeatable: bool = False
    may_ask: bool = True

    def asking(self) -> Asking:
        """As of every call that interrupts.

        Raises:
            NoCheckpointer: Nothing would keep the question until it is answered.
        """
        if self.config.get("configurable", {}).get(CHECKPOINTER) is None:
            raise NoCheckpointer(
                "a call has to ask a person, and this run has no checkpointer to wait with: "
                'wrap(..., checkpointer="host") says that a server or a parent graph brings one, and none did'
            )
        return Interrupting.asking(self)

    def ring(self, question: Question, complaint: str) -> Any:
        """Stop the task, as `Interrupting` does.

        Raises:
            NotItsTurn: Questions are asked one at a time, and this call wasn't sent here to ask.
        """
        if not self.may_ask:
            raise NotItsTurn
        return Interrupting.ring(self, question, complaint)

    def run(self, call: Call) -> Any:
        """Through the ToolNode."""
        return self.node.invoke(self.payload(tool_call_of(call)), self.config)

    async def arun(self, call: Call) -> Any:
        """Through the ToolNode."""
        return await self.node.ainvoke(self.payload(tool_call_of(call)), self.config)

    def permit(self, call: Call) -> Permit:
        """The permit."""
        return Permit(call, self.repeatable, inside=self.inside)


@dataclass(frozen=True, slots=True)
class DirectHost(Alone):
    """Runs a tool outside any graph, for a draft that a person accepted."""

    tool: BaseTool

    def fitted(self, call: Call, arguments: Mapping[str, Any]) -> Call | str:
        """The call with other arguments, typed by the tool's schema; or why they don't fit."""
        return fitted(self.tool, call, arguments)

    def encode(self, reply: Any) -> bytes:
        """The reply as bytes."""
        return encode(reply)

    def execute(self, call: Call, *, again: bool = False) -> Outcome:
        """Run the tool on a copy of the frozen arguments; one that is only async runs on a loop of its own."""
        if isinstance(self.tool, StructuredTool) and self.tool.func is None:
            elsewhere = ThreadPoolExecutor(max_workers=1)
            try:
                return elsewhere.submit(asyncio.run, self.aexecute(call, again=again)).result()
            finally:
                elsewhere.shutdown()
        return permitted(Permit(call), call, lambda: self.tool.invoke(tool_call_of(call)))

    async def aexecute(self, call: Call, *, again: bool = False) -> Outcome:
        """As `execute`."""
        del again  # Nobody answers here.
        return await apermitted(Permit(call), call, lambda: self.tool.ainvoke(tool_call_of(call)))


def outside(tool: BaseTool) -> Callable[[], DirectHost] | None:
    """How an accepted draft runs the tool outside the graph; None for a tool that takes something from the graph."""
    if filled_in(tool):
        return None
    host = DirectHost(sealed(tool))
    return lambda: host


def tool_call_of(call: Call) -> dict[str, Any]:
    """The call as LangChain has it: a copy, so that the tool can't change what was recorded."""
    return {"name": call.tool, "args": copied(call.arguments), "id": call.id, "type": "tool_call"}
