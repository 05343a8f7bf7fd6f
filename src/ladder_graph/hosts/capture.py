"""Takes down what proposed each tool call, while the model is being asked.

A callback handler sees the request after every middleware has had its say, and the answer before anybody can rewrite
it. So the fingerprint is that of the model that really answered, fallbacks and routers included, and a message that
was put into the state by hand is attributed to nobody. It fails closed: what couldn't be taken down is unknown.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import LLMResult
from langchain_core.runnables.config import var_child_runnable_config

from ladder_graph.calls import digest_of_call
from ladder_graph.components import unfolded
from ladder_graph.errors import ArgumentsError
from ladder_graph.fingerprint import OLLAMA, Environment
from ladder_graph.hosts.requests import Masks, Request, beside, read, text_in, weights_in
from ladder_graph.hosts.weights import ollama_digest
from ladder_graph.ladder.environments import Proposed
from ladder_graph.prompts import Render
from ladder_graph.waiting import waits

KEPT = 4096
"""How many answers are remembered. A call whose answer was forgotten counts as proposed by nobody known."""

KNOWN = 64
"""How many reported model ids are remembered, to recognise a doubled one."""

RENDERS = 64
"""How many system texts are remembered, until their calls are routed."""

AWAITS = "_ahandle_event_for_handler"
"""The function of LangChain's that tells a handler of an event on an event loop, and awaits it where it can be."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class _Answer:
    environment: Environment
    calls: frozenset[tuple[str, str]]
    thread: str | None
    message: str
    beside: Mapping[str, str]
    address: str | None


class Recent(OrderedDict[K, V]):
    """A dict that forgets its oldest entries beyond a size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def put(self, key: K, value: V) -> None:
        """Remember something, as the latest."""
        self[key] = value
        self.move_to_end(key)
        while len(self) > self._size:
            self.popitem(last=False)


class Handler(BaseCallbackHandler):
    """A handler that hears of models and tools only, and costs the many other steps of a graph nothing."""

    @property
    def ignore_chain(self) -> bool:
        """Nodes and graphs are nothing to it."""
        return True

    @property
    def ignore_retriever(self) -> bool:
        """Retrievers neither."""
        return True

    @property
    def ignore_custom_event(self) -> bool:
        """Custom events neither."""
        return True


class ModelHandler(Handler):
    """One that hears of chat models only."""

    @property
    def ignore_agent(self) -> bool:
        """Tools are nothing to it."""
        return True


class Capture(ModelHandler):
    """Remembers the environment of every tool call that a chat model proposes.

    Hand it to a graph with `graph.with_config(callbacks=[capture])`; it then reaches the models of all nodes and
    subgraphs, in `invoke`, `stream` and their async forms. It holds nothing but memory; what a resume in another
    process must know, a `Keeper` takes from it.

    Args:
        masks: Tells the declared templates, and the names of run-time values that are masked in prompts.
        known: Model ids that are known already, such as the pinned one; they help to read a doubled id.
        keep: How many answers to remember.

    Example:
        >>> from ladder_graph.testing import ScriptedModel, calls
        >>> capture = Capture()
        >>> model = ScriptedModel(answers=[calls("send_email", {"to": "ana"})], reported="scripted-1-2026-01-01")
        >>> answer = model.invoke("Tell Ana.", config={"callbacks": [capture]})
        >>> call = answer.tool_calls[0]
        >>> print(capture.environment(answer.id, call["id"], call["name"], call["args"]))
        scripted-1-2026-01-01 by scripted, asked for as scripted-1
        >>> capture.environment(answer.id, call["id"], call["name"], {"to": "everybody"}) is None
        True
    """

    run_inline = True
    """In async code it runs on the event loop, without a hop to another thread and back."""

    def __init__(
        self, masks: Callable[[], Masks] = lambda: ((), ()), *, known: Iterable[str] = (), keep: int = KEPT
    ) -> None:  # fmt: skip
        self._masks = masks
        self._lock = threading.Lock()
        self._requests: Recent[UUID, tuple[Request, str | None]] = Recent(keep)
        self._answers: Recent[tuple[str | None, str], _Answer] = Recent(keep)
        self._calls: Recent[tuple[str | None, tuple[str, str]], _Answer | None] = Recent(keep)
        self._renders: Recent[str, Render] = Recent(RENDERS)
        self._known: Recent[str, None] = Recent(KNOWN)
        self.suspects = False
        """Whether any request so far showed tools that its provider runs by itself, or couldn't be read."""
        for model in known:
            self._known.put(model, None)

    def environment(
        self, message_id: str | None, call_id: str | None, name: str, args: Mapping[str, Any],
        thread: str | None = None,
    ) -> Environment | None:  # fmt: skip
        """What proposed this very tool call.

        Args:
            message_id: The id of the AIMessage that carries the call, where it is known.
            call_id: The tool call's id.
            name: The tool's name.
            args: The arguments as they stand now.
            thread: The thread that the call stands in, if that is known.

        Returns:
            The environment; None when no model proposed this call with this id, name and arguments, or only in another
            thread, when a message of this id said something else, or when two environments proposed the same and can't
            be told apart.
        """
        found = self.proposed(message_id, call_id, name, args, thread)
        return None if found is None else found.environment

    def proposed(
        self, message_id: str | None, call_id: str | None, name: str, args: Mapping[str, Any], thread: str | None
    ) -> Proposed | None:
        """As `environment`, with what the answer told beside it. It may ask a server, so not on an event loop."""
        call = call_digest(call_id, name, args)
        if call is None:
            return None
        with self._lock:
            answer = self._answer(message_id, thread)
            if answer is None:
                answer = self._calls.get((thread, call)) or self._calls.get((None, call))
            if answer is None or call not in answer.calls:
                return None
            render = self._renders.get(answer.message)
        self._weigh(answer)
        return Proposed(answer.environment, answer.message, render, answer.beside)

    def knows(self, message_id: str | None, thread: str | None = None) -> bool:
        """Whether it heard the answer that became this message of a thread, whatever the message says now."""
        with self._lock:
            return self._answer(message_id, thread) is not None

    def _answer(self, message_id: str | None, thread: str | None) -> _Answer | None:
        """The answer by its id; one that a cache of the program's gives again is heard in each thread."""
        if not message_id:
            return None
        found = self._answers.get((thread, message_id)) or self._answers.get((None, message_id))
        if found is None and thread is None:
            return next((one for (_, name), one in reversed(self._answers.items()) if name == message_id), None)
        return found

    def _weigh(self, answer: _Answer) -> None:
        """Find out which weights stand behind a tag, the first time that somebody asks."""
        env = answer.environment
        if env.weights is None and env.model and (env.provider or "").partition(" ")[0] == OLLAMA:
            waits()
            answer.environment = replace(env, weights=ollama_digest(answer.address, env.model))

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Take down the request."""
        try:
            params = kwargs.get("invocation_params")
            request = read(serialized or {}, messages[0], metadata or {}, params, self._masks())
        except BaseException:
            self.suspects = True
            raise
        if request.environment.provider_tools:
            self.suspects = True
        with self._lock:
            self._requests.put(run_id, (request, thread_here()))

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:  # noqa: ARG002  # LangChain's
        """Put the answer to its request."""
        messages = [m for generated in response.generations for g in generated if (m := _message(g)) is not None]
        with self._lock:
            if (asked := self._requests.pop(run_id, None)) is not None:
                for message in messages:
                    self._remember(*asked, message)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:  # noqa: ARG002  # LangChain's
        """Forget a request that came to nothing."""
        with self._lock:
            self._requests.pop(run_id, None)

    def _remember(self, request: Request, thread: str | None, message: AIMessage) -> None:
        env, metadata = request.environment, message.response_metadata
        reported = unfolded(text_in(metadata, ("model_name", "model")), env.requested, self._known)
        toolset = None if message.tool_calls and not _shows_tools(env) else env.toolset
        if reported:
            self._known.put(reported, None)
        proposed = [(call["id"], call_digest(call["id"], call["name"], call["args"])) for call in message.tool_calls]
        calls = frozenset(call for _, call in proposed if call is not None)
        name = message.id or next((str(given) for given, call in proposed if call is not None), "")
        environment = _answering(env, reported, toolset, weights_in(metadata))
        answer = _Answer(environment, calls, thread, name, beside(metadata, request.versions), request.address)
        if message.id:
            self._answers.put((thread, message.id), answer)
        if calls:
            self._renders.put(name, request.prompt)
        for call in calls:
            before = self._calls.get((thread, call), answer)
            same = before is not None and before.environment == environment
            self._calls.put((thread, call), answer if same else None)


# An agent has few environments, and each of its turns would make them anew.
@lru_cache(maxsize=256)
def _answering(request: Environment, reported: str | None, toolset: str | None, weights: str | None) -> Environment:
    return replace(request, reported=reported, toolset=toolset, weights=weights)


def thread_here() -> str | None:
    """The thread of the graph that this runs in; a run's metadata may name another one, as it pleases."""
    thread = (var_child_runnable_config.get() or {}).get("configurable", {}).get("thread_id")
    return None if thread is None else str(thread)


def kept_as(message_id: str, thread: str | None) -> str:
    """The name of an answer in a ledger, where a cache of the program's may give it to several threads."""
    return message_id if thread is None else f"{thread}/{message_id}"


def call_digest(call_id: str | None, name: str, args: Mapping[str, Any]) -> tuple[str, str] | None:
    """A tool call as it is known again: its id, and a digest of name and arguments; None where it has none."""
    if not call_id:
        return None
    try:
        return call_id, digest_of_call(name, args)
    except ArgumentsError:
        return None


def _message(generation: object) -> AIMessage | None:
    message = getattr(generation, "message", None)
    return message if isinstance(message, AIMessage) else None


def _shows_tools(request: Environment) -> bool:
    return bool(request.tools or request.provider_tools)
