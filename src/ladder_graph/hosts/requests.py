"""A request to a chat model, read as a callback sees it: whatever the model's class, and after every middleware."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables.config import var_child_runnable_config

from ladder_graph.components import carried, parameters_component
from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.parsing import parsed
from ladder_graph.hosts.toolset import shown
from ladder_graph.prompts import Render, chosen, render

MODEL_IDS = ("model", "model_name", "model_id", "deployment_name")
"""Where a request may carry the model id, the first one that is text."""

ENDPOINTS = ("openai_api_base", "base_url", "azure_endpoint", "anthropic_api_url", "api_base", "endpoint")
"""Where a model object may carry the address it talks to."""

USUAL_HOSTS = frozenset({"api.openai.com", "api.anthropic.com"})
"""Hosts that go without saying."""

PROMPTS = ("instructions", "system", "system_instruction")
"""Parameters that carry system text beside the messages."""

STORED = "prompt"
"""A parameter that names a prompt which its provider keeps, with its version."""

CACHED = "cached_content"
"""One that names what its provider keeps of earlier requests, system text included: nobody here can read it."""

RUNTIME = "__pregel_runtime"
"""Where LangGraph's config keeps the run's context."""

BESIDE = ("system_fingerprint", "service_tier")
"""What an answer bears of the machines behind it: told to people, and no other environment."""

VLLM = "vllm-"
"""How the fingerprint of a vLLM server begins, which tells its weights and settings apart."""

REPEATED = 8
"""Characters from which a text that is another one twice over was doubled by merging chunks."""


_NEVER_SYSTEM = frozenset({HumanMessage, AIMessage, ToolMessage})

Masks = tuple[tuple[str, ...], tuple[str, ...]]
"""What is known of prompts beforehand: templates, and names of values of the run."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    environment: Environment
    """As far as the request tells; nothing is reported yet."""
    prompt: Render
    address: str | None
    """Where the model is asked, if the model object has an address of its own."""
    versions: str
    """LangChain's packages, in words."""


def read(
    serialized: Mapping[str, Any], messages: Sequence[BaseMessage], metadata: Mapping[str, Any], params: object,
    masks: Masks,
) -> Request:  # fmt: skip
    """Read a request.

    Args:
        serialized: The model object, as LangChain writes it down.
        messages: What was sent.
        metadata: Of the run; LangChain puts the provider and the model's name in it.
        params: The invocation parameters.
        masks: What is known of prompts.
    """
    asked: Mapping[str, Any] = params if isinstance(params, Mapping) else {}
    seen = _made(serialized, asked)
    made: Mapping[str, Any] = seen or {}
    whole = carried({**made, **asked})
    tools, provider_tools, toolset = shown(whole)
    usual = {name: metadata.get(f"ls_{name}") for name in ("temperature", "max_tokens", "stop")}
    stated = _beside_messages(whole)
    templates, names = masks
    text = "\n\n".join(filter(None, (*_system(messages), *(stated or ()))))
    prompt = render(text, templates, _values(names) if names else ())
    address = text_in(whole, ENDPOINTS)
    known = isinstance(params, Mapping)
    environment = _environment(
        _provider(text_in(metadata, ("ls_provider",)), address),
        text_in(asked, MODEL_IDS) or text_in(metadata, ("ls_model_name",)),
        None if stated is None else prompt.component,
        parameters_component(usual, made, asked) if known and seen is not None else None,
        toolset if known else None,
        tuple(tools.items()),
        provider_tools,
    )
    return Request(environment, prompt, address, _versions(metadata))


# An agent has few environments, and each of its turns would make them anew.
@lru_cache(maxsize=256)
def _environment(
    provider: str | None, requested: str | None, prompt: str | None, parameters: str | None, toolset: str | None,
    tools: tuple[tuple[str, str], ...], provider_tools: tuple[str, ...],
) -> Environment:  # fmt: skip
    return Environment(
        provider=provider, requested=requested, prompt=prompt, parameters=parameters, toolset=toolset,
        tools=dict(tools), provider_tools=provider_tools,
    )  # fmt: skip


def text_in(source: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The first of these that is text, and not empty."""
    for name in names:
        value = source.get(name)
        if value and isinstance(value, str):
            return value
    return None


def weights_in(metadata: Mapping[str, Any]) -> str | None:
    """What an answer tells of local weights: a vLLM server's fingerprint."""
    found = _single(text_in(metadata, ("system_fingerprint",)))
    return found if found and found.startswith(VLLM) else None


def beside(metadata: Mapping[str, Any], versions: str) -> dict[str, str]:
    """What an answer bears that makes no other environment.

    Args:
        metadata: The answer's.
        versions: LangChain's packages, in words.
    """
    found = {name: _single(text_in(metadata, (name,))) for name in BESIDE}
    return {name: value for name, value in {**found, "versions": versions}.items() if value}


def _single(text: str | None) -> str | None:
    """A text without the doubling that merging chunks may cause."""
    half = len(text or "") // 2
    return text[:half] if text and half >= REPEATED // 2 and text == text[:half] * 2 else text


def _made(serialized: Mapping[str, Any], asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the model object was made with; None where nobody can tell.

    Some classes, like that of Ollama, leave their settings out of the parameters. They show in the object's repr.
    """
    if kwargs := serialized.get("kwargs"):
        return kwargs if isinstance(kwargs, Mapping) else {}
    if text_in(asked, MODEL_IDS) is not None or "repr" not in serialized:
        return {}
    return _constructor(str(serialized["repr"]))


@lru_cache(maxsize=64)
def _constructor(text: str) -> Mapping[str, Any] | None:
    """The keyword arguments in a repr, as far as they are plain; None where it is no call."""
    try:
        tree = parsed(text, "eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    call = tree.body if isinstance(tree, ast.Expression) else None
    if not isinstance(call, ast.Call):
        return None
    found: dict[str, Any] = {}
    for keyword in call.keywords:
        try:
            found[str(keyword.arg)] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue  # An object of some class, which is no parameter.
    return found


def _values(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The values of this run that bear these names: in its context first, then in its config."""
    configurable = (var_child_runnable_config.get() or {}).get("configurable", {})
    context = getattr(configurable.get(RUNTIME), "context", None)
    found = {}
    for name in names:
        given = context.get(name) if isinstance(context, Mapping) else getattr(context, name, None)
        found[name] = configurable.get(name) if given is None else given
    return chosen(found)


def _versions(metadata: Mapping[str, Any]) -> str:
    found = metadata.get("lc_versions")
    return ", ".join(f"{name} {found[name]}" for name in sorted(found)) if isinstance(found, Mapping) else ""


def _provider(name: str | None, endpoint: str | None) -> str | None:
    """The provider, with the host where it isn't the usual one: the same id elsewhere may be another model."""
    parts = urlsplit(endpoint or "")
    host = parts.netloc.rpartition("@")[2]  # an address may carry a password
    return f"{name} at {host}" if name and host and host not in USUAL_HOSTS else name


def _beside_messages(whole: Mapping[str, Any]) -> list[str] | None:
    """System text that a request carries beside its messages; None where nobody can tell which."""
    said = [_text_of(whole[name]) for name in PROMPTS if whole.get(name)]
    if isinstance(stored := whole.get(STORED), Mapping):  # What fills its slots makes no other prompt.
        versioned = stored.get("id") and stored.get("version")
        said.append(f"{STORED} {stored['id']} {stored['version']}" if versioned else None)
    if whole.get(CACHED):
        said.append(None)
    return None if None in said else [text for text in said if text]


def _text_of(value: object) -> str | None:
    """Text, or blocks and parts of it, as text; None where something else is among them."""
    match value:
        case str():
            return value
        case Mapping():
            return _text_of(value["text"] if isinstance(value.get("text"), str) else value.get("parts"))
        case list() | tuple():
            parts = [_text_of(one) for one in value]
            return None if None in parts else "\n\n".join(part for part in parts if part)
        case _:
            return None


def _system(messages: Iterable[BaseMessage]) -> Iterator[str]:
    for message in messages:
        if type(message) in _NEVER_SYSTEM:  # A conversation is long, and a class is quicker looked at than asked for.
            continue
        if isinstance(message, SystemMessage) or (
            isinstance(message, ChatMessage) and message.role in {"system", "developer"}
        ):
            yield str(message.text)
