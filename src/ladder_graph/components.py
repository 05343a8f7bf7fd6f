"""The components of an environment, made of what a request and its answer carried."""

from __future__ import annotations

import marshal
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

from ladder_graph.calls import canonical, digest_of
from ladder_graph.errors import ArgumentsError
from ladder_graph.prompts import kind_of, render

LONGEST_PLAIN = 400
"""Parameters up to this many characters stay readable in the lock file; longer ones become a hash."""

PARAMETERS = frozenset({
    "temperature", "top_p", "top_k", "min_p", "typical_p", "tfs_z", "seed", "logit_bias",
    "max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens", "num_predict", "num_ctx", "n_ctx",
    "stop", "stop_sequences", "frequency_penalty", "presence_penalty", "repetition_penalty", "repeat_penalty",
    "repeat_last_n", "mirostat", "mirostat_eta", "mirostat_tau",
    "reasoning", "reasoning_effort", "effort", "think", "thinking", "thinking_budget", "thinking_level",
    "thinking_config", "output_config", "verbosity", "chat_template_kwargs", "enable_thinking",
    "response_format", "response_schema", "response_json_schema", "response_mime_type", "text", "format", "grammar",
    "guided_json", "guided_regex", "guided_choice", "guided_grammar", "structured_outputs", "stop_token_ids",
    "parallel_tool_calls", "context_management", "truncation", "skills",
})  # fmt: skip
"""What counts as a parameter: whatever bears on which tokens are drawn. Keys, headers, metadata, streaming flags,
retries and time-outs differ from request to request without the agent being another one; and middleware sets
`tool_choice` for single steps."""

CARRIERS = ("model_kwargs", "options", "generation_config", "container", "extra_body")
"""Parameters that carry further parameters, which are looked through; the last one has the last word in a request."""

OPEN = frozenset(CARRIERS) - {"container"}
"""Those in which whatever isn't `ASIDE` counts: a provider's own parameters, which nobody can list. What stands beside
them is mostly LangChain's own, and a container bears an id of its own in each conversation."""

DEEPEST = 4
"""Carriers within carriers that are looked through; what lies deeper counts as a whole."""

ASIDE = frozenset({
    "container",
    # Of whom and for what, which run, and under which id.
    "metadata", "user", "user_id", "safety_identifier", "tags", "labels", "store", "trace", "trace_id", "run_id",
    "request_id", "rid", "client_request_id", "correlation_id", "session_id", "thread_id", "conversation",
    "conversation_id", "previous_response_id", "idempotency_key", "litellm_metadata", "litellm_call_id",
    "litellm_session_id", "litellm_trace_id",
    # How it is sent, kept and billed.
    "stream", "streaming", "stream_options", "stream_usage", "background", "timeout", "request_timeout",
    "default_request_timeout", "max_retries", "num_retries", "headers", "extra_headers", "default_headers",
    "additional_headers", "extra_query", "default_query", "service_tier", "priority", "prompt_cache_key",
    "prompt_cache_retention", "prompt_cache_options", "cache_control", "cache_salt", "cache", "caching", "keep_alive",
    "num_gpu", "num_thread", "kv_transfer_params",
    "api_key", "authorization", "access_token", "auth_token", "password", "credentials", "organization", "project",
    # What comes back beside the tokens, or only makes them come sooner.
    "include", "usage", "logprobs", "top_logprobs", "prompt_logprobs", "prediction",
    # For single steps; or what is another component.
    "tool_choice", "function_call",
    "model", "model_name", "model_id", "deployment_name", "base_url", "api_base", "openai_api_base", "azure_endpoint",
    "anthropic_api_url", "endpoint", "messages", "input", "contents", "documents", "prompt", "instructions", "system",
    "system_instruction", "cached_content", "tools", "web_search_options", "mcp_servers", "plugins",
    "search_parameters",
})  # fmt: skip
"""What surely doesn't bear on which tokens are drawn, or counts elsewhere."""

_SECRET = ("token", "credentials", "secret", "apikey")
"""How the name of a secret ends, which is another one every hour."""
_SPECIAL = tuple(f"{kind}token" for kind in ("bos", "eos", "pad", "unk", "sep", "mask", "stop", "start", "end"))
"""Those of tokens that a model reads or draws, which are no secrets."""

_Carrier = tuple[str, Mapping[str, Any], Collection[str]]

_PASSING = {kind: f"<{kind}>" for kind in ("uuid", "moment", "time", "epoch")}
"""What stands for a value that is an id or a moment as a whole, made for a single request as far as can be seen. One
in a longer text, as in a name, and a date tell versions apart."""
_ID = 64
"""Characters of an id or a moment at most."""
_PLAIN = 2
"""The form of marshalled values in which equal ones are written alike, whoever else refers to them."""
_AS_JSON = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
"""Whether there is nothing but what JSON is made of."""
_SHORT = 16
"""Characters of the hash of a parameter that nobody knows."""


def carried(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a request carries, by name, whatever parameter carries it.

    Example:
        >>> carried({"model_kwargs": {"tools": [1]}, "tools": [2], "extra_body": {"system": "Be kind."}})
        {'tools': [2], 'model_kwargs': {'tools': [1]}, 'extra_body': {'system': 'Be kind.'}, 'system': 'Be kind.'}
    """
    inside = {name: one for name in CARRIERS if isinstance(one := source.get(name), Mapping)}
    last = inside.pop("extra_body", {})
    return {**{k: v for one in inside.values() for k, v in one.items()}, **source, **last} if inside or last else source


def prompt_component(texts: Iterable[str]) -> str:
    """The system prompt as a component: a hash of the text with its dates, times, ids and addresses masked.

    Example:
        >>> prompt_component(["It is 10:15."]) == prompt_component(["It is 10:16."])
        True
    """
    return render("\n\n".join(text for text in texts if text)).component


def parameters_component(*sources: Mapping[str, Any]) -> str | None:
    """The parameters that count, out of everything a request carries; a later source overrides an earlier one.

    Those of `PARAMETERS` count wherever they stand, and all others inside of what carries a provider's own.

    Returns:
        Canonical JSON, a hash of it beyond `LONGEST_PLAIN` characters, or None when a value can't be read.

    Example:
        >>> parameters_component({"temperature": 0.0, "api_key": "…", "stream": True, "top_p": None})
        '{"temperature":0}'
        >>> parameters_component({"extra_body": {"use_beam_search": True, "user": "ana"}, "use_beam_search": None})
        '{"use_beam_search":true}'
    """
    try:
        orjson.dumps(sources, option=_AS_JSON)  # It refuses an array, which marshal would take for its bytes.
        plain = marshal.dumps(sources, _PLAIN)  # type: ignore[arg-type]  # it says so where they can't be
    except (ValueError, TypeError):  # There are objects in it.
        return _parameters(sources)
    return _parameters_in(plain)


# Each turn of an agent asks with the parameters of the one before.
@lru_cache(maxsize=64)
def _parameters_in(plain: bytes) -> str | None:
    return _parameters(marshal.loads(plain))  # noqa: S302  # written right before, by `parameters_component`


def _parameters(sources: tuple[Mapping[str, Any], ...]) -> str | None:
    counted: dict[str, Any] = {}
    for source in sources:
        for name, carrier, inner in _carriers(source):
            for key, value in carrier.items():
                if value is None or key in inner:
                    continue
                if key in PARAMETERS:
                    counted[key] = _schema(value)
                # LangChain also puts what a carrier holds beside it, where it may be bound anew.
                elif key in counted or (name in OPEN and key not in ASIDE and not _secret(key, value)):
                    counted[str(key)] = _unlisted(value)
    try:
        text = canonical(counted).decode()
    except ArgumentsError:
        return None
    return text if len(text) <= LONGEST_PLAIN else digest_of("parameters", text)


def _carriers(source: Mapping[str, Any], name: str = "", deep: int = 0) -> Iterator[_Carrier]:
    """What holds parameters: its name, what is in it, and what of that comes by itself afterwards."""
    inner = [one for one in CARRIERS if deep < DEEPEST and isinstance(source.get(one), Mapping)]
    yield name, source, inner
    for one in inner:
        yield from _carriers(source[one], one, deep + 1)


def _secret(name: object, value: object) -> bool:
    """Whether a parameter that nobody knows is a secret by its name; a number is none."""
    ending = str(name).casefold().replace("_", "").replace("-", "")
    return ending.endswith(_SECRET) and not (ending.endswith(_SPECIAL) or isinstance(value, int | float))


def _unlisted(value: object) -> object:
    """A parameter that nobody knows: numbers as they are, and a hash of anything else, since it may be a secret."""
    lasting = _lasting(value)
    if isinstance(lasting, int | float):
        return lasting
    try:
        return digest_of("parameter", lasting)[:_SHORT]
    except ArgumentsError:  # An object of some class, whose repr may be another one in each process.
        return type(value).__qualname__


def _lasting(value: object) -> object:
    """A value with what is made for a single request masked."""
    match value:
        case {"lc": 1, "id": name}:  # What LangChain writes for an object, with its address.
            return name
        case Mapping():
            return {_key(key): _lasting(one) for key, one in value.items()}
        case list() | tuple():
            return [_lasting(one) for one in value]
        case int() | float():
            return _PASSING.get(kind_of(str(value).partition(".")[0]), value)
        case str() if len(value) <= _ID:
            return _PASSING.get(kind_of(value), value)
        case _:
            return _schema(value)


def _key(key: object) -> object:
    """A key as JSON has it, as of a token's number."""
    return str(key) if isinstance(key, int | float) else key


def _schema(value: object) -> object:
    """A class that an answer is to be made of, by its schema where it has one; everything else as it is."""
    if isinstance(value, Mapping):
        return {_key(key): one for key, one in value.items()}
    if not isinstance(value, type):
        return value
    made = getattr(value, "model_json_schema", None)
    try:
        return made() if callable(made) else value.__qualname__
    except Exception:  # noqa: BLE001  # pydantic has many for what it can't describe, and the user's own code runs in it
        return value.__qualname__


def schema_component(description: object, schema: object) -> str:
    """One tool as the model sees it: a hash of its description and argument schema.

    Raises:
        ArgumentsError: The schema is no JSON.
    """
    return digest_of("schema", description, schema)


def toolset_component(tools: Mapping[str, str], provider_tools: Iterable[str] = ()) -> str:
    """The whole tool set as one hash, in whatever order the tools were given."""
    return digest_of("toolset", sorted([name, schema] for name, schema in tools.items()), sorted(provider_tools))


def unfolded(reported: str | None, requested: str | None, known: Iterable[str] = ()) -> str | None:
    """A reported model id without the doubling that merging stream chunks may cause (`gpt-5gpt-5`).

    Only an id that is the requested one, or a known one, several times over is unfolded; `aaaa` stays `aaaa`.

    Example:
        >>> unfolded("gpt-5gpt-5", "gpt-5"), unfolded("aaaa", "model-a")
        ('gpt-5', 'aaaa')
    """
    if not reported:
        return None
    for whole in filter(None, (requested, *known)):
        if len(reported) > len(whole) and whole * (len(reported) // len(whole)) == reported:
            return whole
    return reported
