"""What proposed a call: the model, its prompt, its parameters and its tools, as components that can be compared.

The fingerprint belongs to a call, not to the process: a fallback model in the middle of a thread is another
environment from that message on. What isn't known is `None`, which is never read as a change and never as trust.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal

from ladder_graph.calls import canonical, digest_of
from ladder_graph.errors import ArgumentsError, PolicyError

NO_PROMPT = "none"
"""The prompt component of a request without any system text: known, and empty."""

LONGEST_PLAIN = 400
"""Parameters up to this many characters stay readable in the lock file; longer ones become a hash."""

PARAMETERS = frozenset({
    "temperature", "top_p", "top_k", "min_p", "typical_p", "tfs_z", "seed", "logit_bias",
    "max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens", "num_predict", "num_ctx", "n_ctx",
    "stop", "stop_sequences", "frequency_penalty", "presence_penalty", "repetition_penalty", "repeat_penalty",
    "repeat_last_n", "mirostat", "mirostat_eta", "mirostat_tau",
    "reasoning", "reasoning_effort", "effort", "think", "thinking", "thinking_budget", "thinking_level",
    "thinking_config", "output_config", "verbosity", "chat_template_kwargs",
})  # fmt: skip
"""What counts as a parameter: whatever bears on which tokens are drawn. Keys, headers, metadata, streaming flags,
retries and time-outs differ from request to request without the agent being another one."""

CARRIERS = ("model_kwargs", "extra_body", "options", "generation_config")
"""Parameters that carry further parameters, which are looked through."""

_DATED = re.compile(r"(?:^|[-@_.])(?:20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01]))(?:$|[-@_.:])")


@dataclass(frozen=True, slots=True)
class Environment:
    """What an agent was made of when it proposed a call.

    Args:
        provider: Who serves the model, with the host where it isn't the provider's usual one.
        requested: The model id that was asked for; it may be an alias.
        reported: The model id that the answer gave.
        prompt: Hash of the system text, or `"none"`; see `prompt_component`.
        parameters: The parameters that count, as canonical JSON, or a hash of it where it is long.
        toolset: Hash over all tools; see `toolset_component`.
        tools: Tool name to the hash of its description and argument schema.
        provider_tools: Names of the tools that the provider runs by itself; they never reach a rung.

    Example:
        >>> one = Environment("openai", "gpt-5", "gpt-5-2025-08-07", prompt="none", parameters="{}")
        >>> two = Environment("openai", "gpt-5", "gpt-5-2025-11-20", prompt="none", parameters="{}")
        >>> one.key("send_email") == two.key("send_email")
        False
        >>> [change.text for change in diff(one, two)]
        ['the model changed from gpt-5-2025-08-07 to gpt-5-2025-11-20']
    """

    provider: str | None = None
    requested: str | None = None
    reported: str | None = None
    prompt: str | None = None
    parameters: str | None = None
    toolset: str | None = None
    tools: Mapping[str, str] = field(default_factory=dict, hash=False)
    provider_tools: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "tools", MappingProxyType(dict(sorted(self.tools.items()))))
        object.__setattr__(self, "provider_tools", tuple(sorted(self.provider_tools)))

    def __str__(self) -> str:
        served = f" by {self.provider}" if self.provider else ""
        asked = f", asked for as {self.requested}" if self.requested not in {None, self.model} else ""
        return f"{self.model or 'an unknown model'}{served}{asked}"

    @property
    def model(self) -> str | None:
        """The model id that counts: the reported one, the requested one where nothing was reported."""
        return self.reported or self.requested

    @property
    def certain(self) -> bool:
        """Whether the model id names one model: it was reported, or the requested id bears a date."""
        return bool(self.reported) or bool(self.requested and _DATED.search(self.requested))

    def key(self, tool: str) -> str | None:
        """The environment part of this tool's cell: equal keys, same evidence.

        Returns:
            SHA-256 in hex over provider, model, prompt, parameters, tool set and this tool's schema; None when the
            model is unknown, because evidence about an unknown model is evidence about nothing.
        """
        return None if self.model is None else _key(self, tool)

    @property
    def text(self) -> str:
        """All components as canonical JSON text: equal texts, equal environments."""
        return _text(self)

    @classmethod
    def read(cls, text: str, source: str) -> Environment:
        """Read what `text` wrote; the same text is checked once.

        Raises:
            PolicyError: It is no environment.
        """
        return _read(text, source)

    def to_json(self) -> dict[str, Any]:
        """All components as a plain JSON object, for `ladder.lock` and the ledger."""
        plain = {name: getattr(self, name) for name in _TEXTS}
        return {**plain, "tools": dict(self.tools), "provider_tools": list(self.provider_tools)}

    @classmethod
    def from_json(cls, value: object, source: str = "ladder.lock") -> Environment:
        """Read what `to_json` wrote, and believe none of it unchecked.

        Args:
            value: The JSON value.
            source: Where it stands, for the message.

        Raises:
            PolicyError: It has another shape, or its tool set hash doesn't belong to its tools.
        """
        problems = list(_problems(value))
        if problems or not isinstance(value, Mapping):
            raise PolicyError(problems, source)
        return cls(**{**value, "provider_tools": tuple(value["provider_tools"])})


# The gate asks for these at each call, and an agent has few environments.
@functools.lru_cache(maxsize=1024)
def _key(environment: Environment, tool: str) -> str:
    seen = (environment.provider, environment.model, environment.prompt, environment.parameters, environment.toolset)
    return digest_of("environment", *seen, environment.tools.get(tool))


@functools.lru_cache(maxsize=256)
def _text(environment: Environment) -> str:
    return json.dumps(environment.to_json(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@functools.lru_cache(maxsize=256)
def _read(text: str, source: str) -> Environment:
    try:
        value = json.loads(text)
    except ValueError as wrong:
        raise PolicyError([f"{source}: no JSON ({wrong})"], source) from wrong
    return Environment.from_json(value, source)


_TEXTS = ("provider", "requested", "reported", "prompt", "parameters", "toolset")


def _problems(value: object) -> Iterable[str]:
    if not isinstance(value, Mapping):
        yield f"an environment must be an object, and is {type(value).__name__}"
        return
    names = {f.name for f in fields(Environment)}
    yield from (f"{name}: no such component" for name in sorted(map(str, set(value) - names)))
    yield from (f"{name}: is missing" for name in sorted(names - set(value)))
    for name in _TEXTS:
        if not (value.get(name) is None or (isinstance(value[name], str) and value[name])):
            yield f"{name}: must be text or null, and is {value[name]!r}"
    tools, hosted = value.get("tools", {}), value.get("provider_tools", [])
    if not (isinstance(tools, Mapping) and _texts((*tools, *tools.values()))):
        yield "tools: must map each tool's name to the hash of its schema"
    elif not (isinstance(hosted, list) and _texts(hosted)):
        yield "provider_tools: must be a list of names"
    elif value.get("toolset") not in {None, toolset_component(tools, hosted)}:
        yield "toolset: is not the hash of these tools; the file was edited by hand or cut"


def _texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) and value for value in values)


# --- components --------------------------------------------------------------------------------------------------


def prompt_component(texts: Iterable[str]) -> str:
    """The system prompt as a component: a hash of the text as it was sent, the conversation left out.

    A prompt with the date in it is another prompt every day. That is a false alarm, and never a missed one.
    """
    said = tuple(text for text in texts if text)
    return _prompt_of(said) if said else NO_PROMPT


# An agent sends the same text at each of its turns.
@functools.lru_cache(maxsize=64)
def _prompt_of(said: tuple[str, ...]) -> str:
    return digest_of("prompt", *said)


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
                counted |= {k: v for k, v in carrier.items() if k in PARAMETERS and v is not None}
    try:
        text = canonical(counted).decode()
    except ArgumentsError:
        return None
    return text if len(text) <= LONGEST_PLAIN else digest_of("parameters", text)


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


# --- differences -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One component that is another one now."""

    component: Literal["provider", "model", "tool", "prompt", "parameters", "toolset"]
    klass: Literal["A", "B"]
    """`A`: somebody else acts, or with another tool; back to asking. `B`: the same one under other conditions."""
    before: str
    after: str
    text: str
    """What changed, in words."""


def diff(before: Environment, after: Environment, tool: str | None = None) -> tuple[Change, ...]:
    """What changed between two environments; a component that is unknown on either side has not changed.

    Args:
        before: The environment a grant was made for.
        after: The one that proposes now.
        tool: The tool in question. Its own schema is then told apart from the rest of the tool set.
    """
    found = (_provider(before, after), _model(before, after), tool and _tool(before, after, tool),
             _prompt(before, after), _parameters(before, after), _toolset(before, after, tool))  # fmt: skip
    return tuple(change for change in found if isinstance(change, Change))


def _provider(before: Environment, after: Environment) -> Change | None:
    old, new = before.provider, after.provider
    if not (old and new) or old == new:
        return None
    return Change("provider", "A", old, new, f"the model's provider changed from {old} to {new}")


def _model(before: Environment, after: Environment) -> Change | None:
    old, new = before.model, after.model
    if not (old and new) or old == new:
        return None
    one_unreported = not (before.reported and after.reported)
    if one_unreported and before.requested == after.requested:
        return None  # the same alias was asked for, and one of the answers doesn't say what stood behind it
    return Change("model", "A", old, new, f"the model changed from {old} to {new}")


def _tool(before: Environment, after: Environment, tool: str) -> Change | None:
    if not (before.toolset and after.toolset):
        return None
    old, new = before.tools.get(tool), after.tools.get(tool)
    if new is None or old == new:
        return None
    if old is None:
        return Change("tool", "A", "", new, f"{tool} was not among the agent's tools before")
    return Change("tool", "A", old, new, f"the description or arguments of {tool} changed {_hashes(old, new)}")


def _prompt(before: Environment, after: Environment) -> Change | None:
    old, new = before.prompt, after.prompt
    if not (old and new) or old == new:
        return None
    return Change("prompt", "B", old, new, f"the system prompt changed {_hashes(old, new)}")


def _parameters(before: Environment, after: Environment) -> Change | None:
    old, new = before.parameters, after.parameters
    if not (old and new) or old == new:
        return None
    return Change("parameters", "B", old, new, f"the model's parameters changed from {_short(old)} to {_short(new)}")


def _toolset(before: Environment, after: Environment, tool: str | None) -> Change | None:
    old, new = before.toolset, after.toolset
    if not (old and new) or old == new:
        return None
    told = ", ".join(_tool_changes(before, after, tool))
    return Change("toolset", "B", old, new, f"the tool set changed: {told}") if told else None


def _tool_changes(before: Environment, after: Environment, tool: str | None) -> Iterable[str]:
    old, new = _others(before, tool), _others(after, tool)
    yield from (f"{name} came" for name in sorted(new.keys() - old.keys()))
    yield from (f"{name} went" for name in sorted(old.keys() - new.keys()))
    yield from (f"{name} is another one" for name in sorted(old.keys() & new.keys()) if old[name] != new[name])


def _others(environment: Environment, tool: str | None) -> dict[str, str]:
    every = {**dict.fromkeys(environment.provider_tools, "run by the provider"), **environment.tools}
    return {name: schema for name, schema in every.items() if name != tool}


def _hashes(old: str, new: str) -> str:
    return f"from {_short(old)} to {_short(new)}"


def _short(component: str) -> str:
    return component[:8] if re.fullmatch(r"[0-9a-f]{64}", component) else component
