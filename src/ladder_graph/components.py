"""The components of an environment, made of what a request and its answer carried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ladder_graph.calls import canonical, digest_of
from ladder_graph.errors import ArgumentsError
from ladder_graph.prompts import render

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

    Returns:
        Canonical JSON, a hash of it beyond `LONGEST_PLAIN` characters, or None when a value can't be read.

    Example:
        >>> parameters_component({"temperature": 0.0, "api_key": "…", "stream": True, "top_p": None})
        '{"temperature":0}'
    """
    counted: dict[str, Any] = {}
    for source in sources:
        for carrier in (source, *(source[name] for name in CARRIERS if name in source)):
            if isinstance(carrier, Mapping):
                counted |= {k: _schema(v) for k, v in carrier.items() if k in PARAMETERS and v is not None}
    try:
        text = canonical(counted).decode()
    except ArgumentsError:
        return None
    return text if len(text) <= LONGEST_PLAIN else digest_of("parameters", text)


def _schema(value: object) -> object:
    """A class that an answer is to be made of, by its schema where it has one; everything else as it is."""
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
