"""What tests of agents under a ladder need: a scripted model, a frozen clock, a scripted reviewer.

Nothing here is a mock of the ladder. The model is a real chat model to LangChain, with the metadata, ids and
callbacks of one; only its answers are written down beforehand.

    >>> model = ScriptedModel(answers=[calls("read_status", {"service": "web"}), "All is well."])
    >>> model.invoke("How is it going?").tool_calls[0]["args"]
    {'service': 'web'}
    >>> model.invoke("And now?").text
    'All is well.'
"""

from __future__ import annotations

import copy
import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Annotated, Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.base import LangSmithParams, LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.tool import ToolCall
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, PrivateAttr, SkipValidation

if TYPE_CHECKING:
    from ladder_graph.facts import Person, Question, Verdict
    from ladder_graph.ladder import Ladder
    from ladder_graph.policy import Policy
    from ladder_graph.scale import Rung
    from ladder_graph.tools import Declaration
    from ladder_graph.undo import Rehearsal

Answer = AIMessage | str | Callable[[list[BaseMessage]], AIMessage | str]
"""One line of a script: the message, its text, or a function of the conversation so far."""

NEXT = ""
"""As a tool call's id: the model gives the next one when it says it."""


class ScriptEnded(AssertionError):
    """A scripted model was asked once more than its script has answers."""


def tool_call(name: str, args: Mapping[str, Any] | None = None, *, id: str | None = NEXT) -> ToolCall:  # noqa: A002
    """One tool call.

    Args:
        name: The tool's name.
        args: Its arguments.
        id: Its id. By default the model gives a new one when it says it; None makes a call without an id.

    Example:
        >>> tool_call("drop_table", {"name": "orders"}, id="call_7")["id"]
        'call_7'
    """
    return ToolCall(name=name, args=dict(args or {}), id=id, type="tool_call")


def says(*proposed: ToolCall, text: str = "") -> AIMessage:
    """One answer of a model, with any number of tool calls.

    Example:
        >>> len(says(tool_call("read", {"path": "a"}), tool_call("read", {"path": "b"})).tool_calls)
        2
    """
    return AIMessage(content=text, tool_calls=list(proposed))


def calls(name: str, args: Mapping[str, Any] | None = None, *, id: str | None = NEXT, text: str = "") -> AIMessage:  # noqa: A002
    """One answer with one tool call; short for `says(tool_call(...))`."""
    return says(tool_call(name, args, id=id), text=text)


class ScriptedModel(BaseChatModel):
    """A chat model that gives written answers, one each time it is asked.

    Tools reach its invocation parameters in OpenAI's form. Tool calls without an id get one from the length of the
    conversation and a counter, so that ids are the same in each run and unique in a thread, across processes too;
    message ids come from LangChain. An answer given as a message is copied each time it is said.

    Args:
        answers: What it says, in order.
        model_name: The id it is asked for by, which may play an alias.
        reported: The id its answers bear; None for `model_name`, `""` for an answer that bears none.
        provider: Who it pretends to be served by.
        temperature: A sampling parameter, to be changed in tests.
        max_tokens: Another one.

    Raises:
        ScriptEnded: It was asked once more than it has answers.

    Example:
        >>> model = ScriptedModel(answers=["yes"], model_name="gpt-5", reported="gpt-5-2025-08-07")
        >>> model.invoke("Well?").response_metadata["model_name"]
        'gpt-5-2025-08-07'
        >>> model.left
        0
    """

    answers: Annotated[Sequence[Answer], SkipValidation] = Field(default_factory=list)
    model_name: str = "scripted-1"
    reported: str | None = None
    provider: str = "scripted"
    temperature: float | None = None
    max_tokens: int | None = None
    _asked: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @property
    def asked(self) -> list[list[BaseMessage]]:
        """The conversations it was shown, one for each answer."""
        return list(self._asked)

    @property
    def left(self) -> int:
        """How many answers it hasn't given yet."""
        return len(self.answers) - len(self._asked)

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Show it tools. Dicts of other forms than a function's pass through, as tools of the provider do."""
        return self.bind(tools=[tool if _hosted(tool) else convert_to_openai_tool(tool) for tool in tools], **kwargs)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        given = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return {"model_name": self.model_name, **{k: v for k, v in given.items() if v is not None}}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return LangSmithParams(**{**super()._get_ls_params(stop=stop, **kwargs), "ls_provider": self.provider})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002  # LangChain's
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002  # LangChain's
        **kwargs: Any,  # noqa: ARG002  # LangChain's
    ) -> ChatResult:
        with self._lock:
            turn = len(self._asked)
            if turn >= len(self.answers):
                raise ScriptEnded(self._ended(messages))
            self._asked.append(list(messages))
        answer = self.answers[turn]
        said = answer(messages) if callable(answer) else answer
        message = AIMessage(said) if isinstance(said, str) else copy.deepcopy(said)
        return ChatResult(generations=[ChatGeneration(message=self._dressed(message, messages, turn))])

    def _dressed(self, message: AIMessage, messages: list[BaseMessage], turn: int) -> AIMessage:
        ids: Iterator[str] = (f"call_{len(messages)}_{turn}_{nth}" for nth in range(len(message.tool_calls)))
        for call in message.tool_calls:
            given = next(ids)
            call["id"] = given if call["id"] == NEXT else call["id"]
        reported = self.model_name if self.reported is None else self.reported
        metadata = {"model_name": reported} if reported else {}
        message.response_metadata = {"model_provider": self.provider, **metadata, **message.response_metadata}
        return message

    def _ended(self, messages: list[BaseMessage]) -> str:
        count = f"{len(self.answers)} answer{'' if len(self.answers) == 1 else 's'}"
        last = str(messages[-1].text) if messages else ""
        return f"the script of {self.model_name} has {count}, and it was asked again: {last!r}"


def _hosted(tool: object) -> bool:
    """Whether a dict is a tool of the provider's; a schema of an answer that is wanted is a function to be."""
    schema = isinstance(tool, dict) and tool.get("type") == "object" and "title" in tool
    return isinstance(tool, dict) and "type" in tool and tool["type"] != "function" and not schema


class FrozenClock:
    """A clock that stands still until it is told to go on; give it to `Ladder(clock=...)`.

    Args:
        start: The time it shows, timezone-aware; noon of 1 January 2026, UTC, by default.

    Raises:
        ValueError: The time has no timezone.

    Example:
        >>> clock = FrozenClock()
        >>> clock.advance(90)
        datetime.datetime(2026, 1, 1, 12, 1, 30, tzinfo=datetime.timezone.utc)
        >>> clock() == clock()
        True
    """

    def __init__(self, start: dt.datetime = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)) -> None:
        if start.tzinfo is None:
            raise ValueError(f"{start.isoformat()} has no timezone; say datetime(..., tzinfo=UTC)")
        self._now = start

    def __call__(self) -> dt.datetime:
        """The time it shows."""
        return self._now

    def advance(self, by: float | dt.timedelta) -> dt.datetime:
        """Go on by so many seconds, or a timedelta, and show the new time."""
        self._now += by if isinstance(by, dt.timedelta) else dt.timedelta(seconds=by)
        return self._now


class ScriptedReviewer:
    """Somebody who answers questions by rule, the way a person would answer them one after another.

    Approving, it gives the digest it was shown and types what has to be typed.

    Args:
        ladder: Where the questions are.
        by: Who answers.
        rules: Tool name to `"approve"`, `"decline"`, or a function of the question that returns one of them, or None
            to leave it open. Questions about other tools stay open.
        reason: What it says when it declines.

    Example:
        >>> from types import SimpleNamespace
        >>> nobody_asks = SimpleNamespace(pending=lambda: [])
        >>> ScriptedReviewer(nobody_asks, by="ana", rules={"send_email": "approve"}).answer()
        []
    """

    def __init__(
        self,
        ladder: Ladder,
        by: str | Person,
        rules: Mapping[str, Verdict | Callable[[Question], Verdict | None]],
        *,
        reason: str = "declined by the script",
    ) -> None:
        self._ladder, self._by, self._rules, self._reason = ladder, by, dict(rules), reason

    def answer(self) -> list[Question]:
        """Answer what is open and has a rule.

        Returns:
            The answered questions, oldest first.

        Raises:
            AnswerRefused: The ladder didn't take an answer.
        """
        answered = (self._one(question) for question in self._ladder.pending())
        return [question for question in answered if question is not None]

    def _one(self, question: Question) -> Question | None:
        rule = self._rules.get(question.call.tool)
        match rule(question) if callable(rule) else rule:
            case "approve":
                typed, digest = question.typed_value, question.digest
                return self._ladder.approve(question.id, by=self._by, typed=typed, digest=digest)
            case "decline":
                return self._ladder.decline(question.id, by=self._by, reason=self._reason)
            case None:
                return None
            case other:
                raise ValueError(f"the rule for {question.call.tool} said {other!r}, not approve, decline or None")


def memory_ladder(
    agent: str = "agent",
    rungs: Mapping[str, Rung | str | int] | None = None,
    *,
    policy: Policy | str | PathLike[str] | None = None,
    clock: Callable[[], dt.datetime] | None = None,
) -> Ladder:
    """A ladder whose ledger is in memory and gone with it.

    Args:
        agent: The agent's name.
        rungs: Tool name to rung.
        policy: A whole policy, or a path to one, instead.
        clock: Where the time comes from; a `FrozenClock` by default.
    """
    from ladder_graph.ladder import Ladder  # a test of a model needs no ledger

    return Ladder(agent, rungs, policy=policy, ledger=":memory:", clock=clock or FrozenClock())


def assert_reversible(
    tool: Any,
    args: Mapping[str, Any],
    *,
    declaration: Declaration | None = None,
    foreign: Callable[[], Any] | None = None,
    act: Callable[[], Any] | None = None,
) -> Rehearsal:
    """Fail unless the undo that a tool declares keeps its promises. The tool is called for real, several times.

    Args:
        tool: A LangChain tool, or the function, with `@reversible` or an adapter of `ladder_graph.undo`.
        args: The arguments of a call that changes something.
        declaration: What the tool declares, where that isn't on the tool.
        foreign: Changes what the call changed, as somebody else would after it: without it, nobody knows whether the
            undo keeps its hands off.
        act: Calls the tool, where calling it with the arguments won't do.

    Returns:
        What was tried, and what couldn't be.

    Raises:
        AssertionError: A promise is broken; the message lists every step.

    Example:
        >>> import pathlib, tempfile
        >>> from ladder_graph import undo
        >>> folder = tempfile.TemporaryDirectory()
        >>> page = pathlib.Path(folder.name, "page")
        >>> @undo.files("path", root=folder.name)
        ... def write_file(path: str, text: str) -> None:
        ...     pathlib.Path(path).write_text(text)
        >>> call = {"path": str(page), "text": "hello"}
        >>> assert_reversible(write_file, call, foreign=lambda: page.write_text("mine")).passed
        True
        >>> folder.cleanup()
    """
    from ladder_graph.hosts.fitting import read_by
    from ladder_graph.undo import rehearse  # a test of a model needs no undo

    read = read_by(tool, args) if isinstance(tool, BaseTool) else None
    found = rehearse(tool, args, declaration=declaration, foreign=foreign, act=act, read=read)
    if not found.passed:
        raise AssertionError(str(found))
    return found
