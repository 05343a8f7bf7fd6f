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

from ladder_graph.calls import digest_of
from ladder_graph.components import toolset_component
from ladder_graph.errors import PolicyError
from ladder_graph.prompts import DYNAMIC

OLLAMA = "ollama"
"""The provider whose model names are tags, which anybody can move."""

EVERYWHERE = "*"
"""The name under which a data version stands that is for all tools of an agent."""

UNREAD = "unread"
"""The data version of an agent whose declared function failed: it is one, and nobody knows which."""

_DATED = re.compile(r"(?:^|[-@_.])(?:20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01]))(?:$|[-@_.:])")


_PINNED = re.compile(r"claude-(?:opus|sonnet|haiku)-(\d+)-(\d{1,2})")
"""Anthropic's ids without a date; from generation 4.6 on they are no aliases any more."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What an agent was made of when it proposed a call.

    Args:
        provider: Who serves the model, with the host where it isn't the provider's usual one.
        requested: The model id that was asked for; it may be an alias.
        reported: The model id that the answer gave.
        prompt: Hash of the system text, or `"none"`, or `"dynamic"`; see `ladder_graph.prompts`.
        parameters: The parameters that count, as canonical JSON, or a hash of it where it is long.
        toolset: Hash over all tools; see `toolset_component`.
        tools: Tool name to the hash of its description and argument schema.
        provider_tools: Names of the tools that the provider runs by itself; they never reach a rung.
        weights: What tells local weights apart under one name: Ollama's digest, the fingerprint of a vLLM server.
        implementations: Tool name to the hash of its code and declared version, as far as they are known.
        middleware: The agent's middleware, each as `class:hash of its settings`; None where nobody knows.
        graph: Hash of the graph's nodes and edges.
        data: Tool name to the declared version of the data it works on; `"*"` is for all tools.

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
    weights: str | None = None
    implementations: Mapping[str, str] = field(default_factory=dict, hash=False)
    middleware: tuple[str, ...] | None = None
    graph: str | None = None
    data: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in _MAPPINGS:
            object.__setattr__(self, name, MappingProxyType(dict(sorted(getattr(self, name).items()))))
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
        """Whether the model id names one model: it was reported, or the requested id is none that can move.

        Ollama reports the name that was asked for, whatever stands behind it; there the weights must be known.
        """
        if (self.provider or "").partition(" ")[0] == OLLAMA:
            return bool(self.weights)
        return bool(self.reported) or bool(self.requested and _names_one(self.requested))

    def key(self, tool: str) -> str | None:
        """The environment part of this tool's cell: equal keys, same evidence.

        Returns:
            SHA-256 in hex over all components, of the single tools only this one's; None when the model is unknown,
            because evidence about an unknown model is evidence about nothing.
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
        mappings = {name: dict(getattr(self, name)) for name in _MAPPINGS}
        middleware = None if self.middleware is None else list(self.middleware)
        return {**plain, **mappings, "provider_tools": list(self.provider_tools), "middleware": middleware}

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
        middleware = None if value["middleware"] is None else tuple(value["middleware"])
        return cls(**{**value, "provider_tools": tuple(value["provider_tools"]), "middleware": middleware})


def _names_one(model: str) -> bool:
    """Whether a model id bears a date, or is one that its provider doesn't move."""
    pinned = _PINNED.fullmatch(model)
    return bool(_DATED.search(model)) or (pinned is not None and (int(pinned[1]), int(pinned[2])) >= (4, 6))


# The gate asks for these at each call, and an agent has few environments.
@functools.lru_cache(maxsize=1024)
def _key(environment: Environment, tool: str) -> str:
    env = environment
    agents = (env.provider, env.model, env.weights, env.prompt, env.parameters, env.toolset, env.graph)
    middleware = None if env.middleware is None else list(env.middleware)
    tools = (env.tools.get(tool), env.implementations.get(tool), env.data.get(tool))
    return digest_of("environment", *agents, middleware, env.data.get(EVERYWHERE), *tools)


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


_TEXTS = ("provider", "requested", "reported", "weights", "prompt", "parameters", "toolset", "graph")
_MAPPINGS = ("tools", "implementations", "data")


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
    wrong = list(_shapes(value))
    yield from wrong
    tools, hosted = value.get("tools", {}), value.get("provider_tools", [])
    if not wrong and value.get("toolset") not in {None, toolset_component(tools, hosted)}:
        yield "toolset: is not the hash of these tools; the file was edited by hand or cut"


def _shapes(value: Mapping[str, Any]) -> Iterable[str]:
    hashes = {"tools": "schema", "implementations": "code", "data": "data"}
    for name, noun in hashes.items():
        found = value.get(name, {})
        if not (isinstance(found, Mapping) and _texts((*found, *found.values()))):
            yield f"{name}: must map each tool's name to the {'version' if name == 'data' else 'hash'} of its {noun}"
    for name in ("provider_tools", "middleware"):
        found = value.get(name, [])
        if not (isinstance(found, list) and _texts(found)) and not (found is None and name == "middleware"):
            yield f"{name}: must be a list of names"


def _texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) and value for value in values)


# --- differences -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One component that is another one now."""

    component: Literal[
        "provider", "model", "weights", "tool", "implementation", "prompt", "parameters", "toolset", "middleware",
        "graph", "data",
    ]  # fmt: skip
    klass: Literal["A", "B", "C"]
    """`A`: somebody else acts, or with another tool; back to asking. `B`: the same one under other conditions. `C`: it
    bears on the agent from far, and lowers nothing."""
    before: str
    after: str
    text: str
    """What changed, in words."""


def diff(before: Environment, after: Environment, tool: str | None = None) -> tuple[Change, ...]:
    """What changed between two environments; a component that is unknown on either side has not changed.

    Args:
        before: The environment a grant was made for.
        after: The one that proposes now.
        tool: The tool in question. Its own schema, code and data are then told apart from the rest. Without one, each
            tool whose code changed counts as another tool.
    """
    found = (
        _plain(before, after, "provider", "A", "the model's provider"), _model(before, after),
        _weights(before, after), tool and _tool(before, after, tool),
        _code(before, after, tool), _plain(before, after, "prompt", "B", "the system prompt"),
        _plain(before, after, "parameters", "B", "the model's parameters"), _toolset(before, after, tool),
        _middleware(before, after), _plain(before, after, "graph", "B", "the graph"), _data(before, after, tool),
        tool and _others_code(before, after, tool),
    )  # fmt: skip
    return tuple(change for change in found if isinstance(change, Change))


def _plain(
    before: Environment, after: Environment,
    component: Literal["provider", "prompt", "parameters", "graph"], klass: Literal["A", "B"], noun: str,
) -> Change | None:  # fmt: skip
    old, new = getattr(before, component), getattr(after, component)
    # A prompt that keeps changing is said to be dynamic, once, and isn't a change at each call.
    if not (old and new) or old == new or DYNAMIC in {old, new}:
        return None
    return Change(component, klass, old, new, f"{noun} changed {_hashes(old, new)}")


def _model(before: Environment, after: Environment) -> Change | None:
    old, new = before.model, after.model
    if not (old and new) or old == new:
        return None
    one_unreported = not (before.reported and after.reported)
    if one_unreported and before.requested == after.requested:
        return None  # the same alias was asked for, and one of the answers doesn't say what stood behind it
    return Change("model", "A", old, new, f"the model changed from {old} to {new}")


def _weights(before: Environment, after: Environment) -> Change | None:
    old, new = before.weights, after.weights
    if not (old and new) or old == new or before.model != after.model:
        return None
    return Change("weights", "A", old, new, f"the weights behind {after.model} changed {_hashes(old, new)}")


def _tool(before: Environment, after: Environment, tool: str) -> Change | None:
    if not (before.toolset and after.toolset):
        return None
    old, new = before.tools.get(tool), after.tools.get(tool)
    if new is None or old == new:
        return None
    if old is None:
        return Change("tool", "A", "", new, f"{tool} was not among the agent's tools before")
    return Change("tool", "A", old, new, f"the description or arguments of {tool} changed {_hashes(old, new)}")


def _code(before: Environment, after: Environment, tool: str | None) -> Change | None:
    changed = _other_code(before, after)
    if tool is not None and tool not in changed:
        return None
    named = ", ".join(changed) if tool is None else tool
    old, new = ", ".join(before.implementations.values()), ", ".join(after.implementations.values())
    return Change("implementation", "A", old, new, f"the code of {named} changed") if changed else None


def _others_code(before: Environment, after: Environment, tool: str) -> Change | None:
    changed = [name for name in _other_code(before, after) if name != tool]
    old, new = ", ".join(before.implementations.values()), ", ".join(after.implementations.values())
    return Change("implementation", "C", old, new, f"the code of {', '.join(changed)} changed") if changed else None


def _other_code(before: Environment, after: Environment) -> list[str]:
    old, new = before.implementations, after.implementations
    return [name for name in new if name in old and old[name] != new[name]]


def _middleware(before: Environment, after: Environment) -> Change | None:
    old, new = before.middleware, after.middleware
    if old is None or new is None or old == new:
        return None
    ours, theirs = ({one.partition(":")[0]: one for one in found} for found in (old, new))
    told = [
        *(f"{name} came" for name in theirs.keys() - ours.keys()), *(f"{name} went" for name in ours.keys() - theirs),
        *(f"{name} is set up otherwise" for name in ours.keys() & theirs if ours[name] != theirs[name]),
    ]  # fmt: skip
    said = ", ".join(sorted(told)) or "another number or order"
    return Change("middleware", "B", ", ".join(old), ", ".join(new), f"the middleware changed: {said}")


def _data(before: Environment, after: Environment, tool: str | None) -> Change | None:
    whose = sorted({*before.data, *after.data}) if tool is None else [EVERYWHERE, tool]
    told = []
    for name in whose:
        old, new = before.data.get(name), after.data.get(name)
        if old != new and old and new and UNREAD not in {old, new}:
            told.append(f"the data {'' if name == EVERYWHERE else f'of {name} '}changed from {old} to {new}")
    spelled = [", ".join(f"{name}: {at.data[name]}" for name in at.data) for at in (before, after)]
    return Change("data", "B", spelled[0], spelled[1], "; ".join(told)) if told else None


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
