"""Takes down what proposed each tool call, while the model is being asked.

A callback handler sees the request after every middleware has had its say, and the answer before anybody can rewrite
it. So the fingerprint is that of the model that really answered, fallbacks and routers included, and a message that
was put into the state by hand is attributed to nobody. It fails closed: what couldn't be taken down is unknown.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, SystemMessage
from langchain_core.outputs import LLMResult

from ladder_graph.calls import digest_of
from ladder_graph.errors import ArgumentsError
from ladder_graph.fingerprint import (
    Environment,
    parameters_component,
    prompt_component,
    unfolded,
)
from ladder_graph.hosts.toolset import shown

KEPT = 4096
"""How many answers are remembered. A call whose answer was forgotten counts as proposed by nobody known."""

KNOWN = 64
"""How many reported model ids are remembered, to recognise a doubled one."""

MODEL_IDS = ("model", "model_name", "model_id", "deployment_name")
"""Where a request may carry the model id, the first one that is text."""

ENDPOINTS = ("openai_api_base", "base_url", "azure_endpoint", "anthropic_api_url", "api_base", "endpoint")
"""Where a model object may carry the address it talks to."""

USUAL_HOSTS = frozenset({"api.openai.com", "api.anthropic.com"})
"""Hosts that go without saying."""

PROMPTS = ("instructions", "system", "system_instruction")
"""Parameters that carry system text beside the messages."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Answer:
    environment: Environment
    calls: frozenset[tuple[str, str]]


class _Recent(OrderedDict[K, V]):
    """A dict that forgets its oldest entries beyond a size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def put(self, key: K, value: V) -> None:
        self[key] = value
        self.move_to_end(key)
        while len(self) > self._size:
            self.popitem(last=False)


class ModelHandler(BaseCallbackHandler):
    """A handler that hears of chat models only, and costs the many other steps of a graph nothing."""

    @property
    def ignore_chain(self) -> bool:
        """Nodes and graphs are nothing to it."""
        return True

    @property
    def ignore_agent(self) -> bool:
        """Tools neither."""
        return True

    @property
    def ignore_retriever(self) -> bool:
        """Retrievers neither."""
        return True

    @property
    def ignore_custom_event(self) -> bool:
        """Custom events neither."""
        return True


class Capture(ModelHandler):
    """Remembers the environment of every tool call that a chat model proposes.

    Hand it to a graph with `graph.with_config(callbacks=[capture])`; it then reaches the models of all nodes and
    subgraphs, in `invoke`, `stream` and their async forms. It holds nothing but memory: after a resume in another
    process the environment of an earlier message is unknown.

    Args:
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

    def __init__(self, *, known: Iterable[str] = (), keep: int = KEPT) -> None:
        self._lock = threading.Lock()
        self._requests: _Recent[UUID, Environment] = _Recent(keep)
        self._answers: _Recent[str, _Answer] = _Recent(keep)
        self._calls: _Recent[tuple[str, str], Environment | None] = _Recent(keep)
        self._known: _Recent[str, None] = _Recent(KNOWN)
        self.suspects = False
        """Whether any request so far showed tools that its provider runs by itself, or couldn't be read."""
        for model in known:
            self._known.put(model, None)

    def environment(
        self, message_id: str | None, call_id: str | None, name: str, args: Mapping[str, Any]
    ) -> Environment | None:
        """What proposed this very tool call.

        Args:
            message_id: The id of the AIMessage that carries the call, where it is known.
            call_id: The tool call's id.
            name: The tool's name.
            args: The arguments as they stand now.

        Returns:
            The environment; None when no model proposed this call with this id, name and arguments, when a message
            of this id said something else, or when two environments proposed the same and can't be told apart.
        """
        call = _call(call_id, name, args)
        if call is None:
            return None
        with self._lock:
            answer = self._answers.get(message_id) if message_id else None
            if answer is not None:
                return answer.environment if call in answer.calls else None
            return self._calls.get(call)

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
            request = _request(serialized or {}, messages[0], metadata or {}, kwargs.get("invocation_params"))
        except BaseException:
            self.suspects = True
            raise
        if request.provider_tools:
            self.suspects = True
        with self._lock:
            self._requests.put(run_id, request)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:  # noqa: ARG002  # LangChain's
        """Put the answer to its request."""
        messages = [m for generated in response.generations for g in generated if (m := _message(g)) is not None]
        with self._lock:
            if (request := self._requests.pop(run_id, None)) is not None:
                for message in messages:
                    self._remember(request, message)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:  # noqa: ARG002  # LangChain's
        """Forget a request that came to nothing."""
        with self._lock:
            self._requests.pop(run_id, None)

    def _remember(self, request: Environment, message: AIMessage) -> None:
        reported = unfolded(_text(message.response_metadata, ("model_name", "model")), request.requested, self._known)
        toolset = None if message.tool_calls and not _shows_tools(request) else request.toolset
        environment = _answering(request, reported, toolset)
        if reported:
            self._known.put(reported, None)
        proposed = (_call(call["id"], call["name"], call["args"]) for call in message.tool_calls)
        calls = frozenset(call for call in proposed if call is not None)
        if message.id:
            self._answers.put(message.id, _Answer(environment, calls))
        for call in calls:
            same = self._calls.get(call, environment) == environment
            self._calls.put(call, environment if same else None)


# An agent has few environments, and each of its turns would make them anew.
@lru_cache(maxsize=256)
def _answering(request: Environment, reported: str | None, toolset: str | None) -> Environment:
    return replace(request, reported=reported, toolset=toolset)


def _call(call_id: str | None, name: str, args: Mapping[str, Any]) -> tuple[str, str] | None:
    if not call_id:
        return None
    try:
        return call_id, digest_of("call", name, args)
    except ArgumentsError:
        return None


def _message(generation: object) -> AIMessage | None:
    message = getattr(generation, "message", None)
    return message if isinstance(message, AIMessage) else None


def _shows_tools(request: Environment) -> bool:
    return bool(request.tools or request.provider_tools)


# --- the request -------------------------------------------------------------------------------------------------


def _request(
    serialized: Mapping[str, Any], messages: Sequence[BaseMessage], metadata: Mapping[str, Any], params: object
) -> Environment:
    made: Mapping[str, Any] = serialized.get("kwargs") or {}
    asked: Mapping[str, Any] = params if isinstance(params, Mapping) else {}
    whole = {**made, **asked}
    tools, provider_tools, toolset = shown(whole)
    usual = {name: metadata.get(f"ls_{name}") for name in ("temperature", "max_tokens", "stop")}
    return Environment(
        provider=_provider(_text(metadata, ("ls_provider",)), _text(whole, ENDPOINTS)),
        requested=_text(asked, MODEL_IDS) or _text(metadata, ("ls_model_name",)),
        prompt=prompt_component((*_system(messages), *(asked[k] for k in PROMPTS if isinstance(asked.get(k), str)))),
        parameters=parameters_component(usual, made, asked) if isinstance(params, Mapping) else None,
        toolset=toolset if isinstance(params, Mapping) else None,
        tools=tools,
        provider_tools=provider_tools,
    )


def _text(source: Mapping[str, Any], names: Iterable[str]) -> str | None:
    return next((value for name in names if isinstance(value := source.get(name), str) and value), None)


def _provider(name: str | None, endpoint: str | None) -> str | None:
    """The provider, with the host where it isn't the usual one: the same id elsewhere may be another model."""
    parts = urlsplit(endpoint or "")
    host = parts.netloc.rpartition("@")[2]  # an address may carry a password
    return f"{name} at {host}" if name and host and host not in USUAL_HOSTS else name


def _system(messages: Iterable[BaseMessage]) -> Iterator[str]:
    for message in messages:
        if isinstance(message, SystemMessage) or (
            isinstance(message, ChatMessage) and message.role in {"system", "developer"}
        ):
            yield str(message.text)
