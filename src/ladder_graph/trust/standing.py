"""Where an agent stands with one tool, given what it was granted for and what it is now.

A start rung is a grant to one environment. Another environment is another agent in the same clothes: it stands lower
until it has earned its own standing.

| what changed | highest rung |
|---|---|
| the model, its provider or its weights (class A) | confirm |
| this tool's description, arguments or code: it is another tool | confirm |
| the system prompt, the parameters, the rest of the tool set, the middleware, the graph, the data (class B) | bounded |
| the system prompt is another one again and again | bounded |
| the code of other tools (class C) | as it was |
| nobody knows which model proposed the call, or the tool wasn't shown to it | confirm |
| an alias was asked for, and no model id was reported | bounded |
| another component isn't known | bounded |

What isn't known caps, and is never called a change.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from ladder_graph.facts import Reason
from ladder_graph.fingerprint import EVERYWHERE, UNREAD, Environment, diff
from ladder_graph.prompts import DYNAMIC
from ladder_graph.scale import Rung

CAPS = {"A": Rung.CONFIRM, "B": Rung.BOUNDED}
"""Class of change to the highest rung that is left."""

CODES = {
    "provider": "model_changed",
    "model": "model_changed",
    "weights": "model_changed",
    "tool": "tool_changed",
    "implementation": "tool_changed",
    "prompt": "prompt_changed",
    "parameters": "parameters_changed",
    "toolset": "toolset_changed",
    "middleware": "middleware_changed",
    "graph": "graph_changed",
    "data": "data_changed",
}
"""Component to the stable code of the reason. `environment_unknown`, `model_unreported` and `dynamic_prompt` are the
other three."""

COMPARED = {"provider": "provider", "prompt": "system prompt", "parameters": "parameters", "toolset": "tool set"}
"""Components that are compared beside the model and the tool, with their names in a sentence."""

DECLARE = (
    "the system prompt was another one too often, even with its dates, times and ids masked, so nobody can say which "
    "one the rung is for; declare a template: prompts = [...] in the policy"
)
"""What is said of a prompt that keeps changing."""

Cap = tuple[Rung, Reason]


@dataclass(frozen=True, slots=True)
class Standing:
    """The rung a cell stands on, and what holds it below its start rung."""

    rung: Rung
    reasons: tuple[Reason, ...] = ()
    """Only what lowers it, the lowest first; empty where it stands on its start rung."""


ANYWHERE = Standing(Rung.REPORT)
"""That of something of which all is known, so that nothing holds it down."""


def standing(start: Rung, pinned: Environment | None, current: Environment | None, tool: str) -> Standing:
    """Hold a grant against what proposes now.

    Args:
        start: The rung that was granted.
        pinned: The environment it was granted for; None where none is pinned yet, and the caller pins this one.
        current: The environment that proposed the call; None where nobody knows.
        tool: The tool's name.

    Example:
        >>> old = Environment("openai", "gpt-5", "gpt-5-2025-08-07", "none", "{}")
        >>> new = Environment("openai", "gpt-5", "gpt-5-2025-11-20", "none", "{}")
        >>> standing(Rung.REPORT, old, new, "send_email").rung
        <Rung.CONFIRM: 2>
    """
    return _found(start, pinned, current, tool)


# The gate asks at each call, and an agent has few environments and tools.
@functools.lru_cache(maxsize=1024)
def _found(start: Rung, pinned: Environment | None, current: Environment | None, tool: str) -> Standing:
    caps = sorted((cap for cap in _caps(pinned, current, tool) if cap[0] < start), key=lambda cap: cap[0])
    return Standing(min([start, *(rung for rung, _ in caps)]), tuple(reason for _, reason in caps))


def as_known(rung: Rung, current: Environment | None, tool: str) -> Standing:
    """The highest rung, up to one, that anything may stand on with what is known of what proposes now.

    Held against itself, an environment is capped by nothing but what isn't known of it.

    Args:
        rung: The rung in question.
        current: The environment; None where nobody knows.
        tool: The tool's name.
    """
    return standing(rung, current, current, tool)


def gaps(current: Environment) -> tuple[str, ...]:
    """What isn't known of an environment itself, whatever the tool, in words."""
    tool = next(iter(current.tools), "")
    return tuple(reason.text for reason in as_known(Rung.REPORT, current, tool).reasons)


def reached(
    granted: Standing, earned: Rung | None, cap: Rung | None, reason: str, *, current: Environment | None, tool: str,
    undeclared: bool = False,
) -> Standing:  # fmt: skip
    """Where a cell stands, by its grant and by what it was given and lost since.

    Args:
        granted: The start rung, held against what proposes now.
        earned: The rung that the cell was promoted to in this very environment, which needs no grant any more.
        cap: The rung that a demotion put it on.
        reason: Why.
        current: What proposes now. What isn't known of it caps what was earned as it caps a grant.
        tool: The tool's name.
        undeclared: The call is in no declared scope, where nothing can be earned.

    Example:
        >>> now = Environment("openai", "gpt-5", "gpt-5-2025-08-07", "none", "{}", "0" * 64, {"refund": "0" * 64})
        >>> reached(Standing(Rung.CONFIRM), Rung.BOUNDED, None, "", current=now, tool="refund").rung
        <Rung.BOUNDED: 3>
        >>> reached(Standing(Rung.CONFIRM), Rung.BOUNDED, None, "", current=None, tool="refund").rung
        <Rung.CONFIRM: 2>
    """
    found = granted
    if earned is not None and earned > granted.rung and (most := as_known(earned, current, tool)).rung > granted.rung:
        found = most
    if cap is not None and cap < found.rung:
        found = Standing(cap, (Reason("demoted", reason), *found.reasons))
    if undeclared and found.rung > Rung.CONFIRM:
        found = Standing(Rung.CONFIRM, (Reason("scope_unknown", "it is in none of the tool's scopes"), *found.reasons))
    return found


def _caps(pinned: Environment | None, current: Environment | None, tool: str) -> Iterator[Cap]:
    if current is None or current.model is None:
        yield _unknown("nobody knows which model proposed this call")
    elif pinned is not None and pinned.model is None:
        yield _unknown("nobody knows which model the rung was granted to")
    else:
        yield from _gaps(current, tool)
        yield from _compared(pinned, current, tool) if pinned else ()


def _gaps(current: Environment, tool: str) -> Iterator[Cap]:
    """What isn't known of the environment itself; it caps the first call as it caps all later ones."""
    if not current.certain:
        text = f"{current.requested} is a name for several models, and the answer doesn't say which one it came from"
        yield Rung.BOUNDED, Reason("model_unreported", text)
    if current.toolset and tool not in current.tools:
        yield _unknown(f"{tool} was not among the tools that the model was shown")
    if missing := [name for name in COMPARED if getattr(current, name) is None]:
        text = f"nobody knows the {_listed(missing)} of what proposed this call"
        yield Rung.BOUNDED, Reason("environment_unknown", text)
    yield from _unfixed(current, tool)


def _unfixed(environment: Environment, tool: str) -> Iterator[Cap]:
    """What of an environment is known to be nothing fixed, so that a grant for it would be one for anything."""
    if environment.prompt == DYNAMIC:
        yield Rung.BOUNDED, Reason("dynamic_prompt", DECLARE)
    if UNREAD in {environment.data.get(EVERYWHERE), environment.data.get(tool)}:
        yield Rung.BOUNDED, Reason("environment_unknown", "the declared version of the data can't be read")


def _compared(pinned: Environment, current: Environment, tool: str) -> Iterator[Cap]:
    if pinned == current:
        return
    for change in diff(pinned, current, tool):
        if change.klass in CAPS:
            yield CAPS[change.klass], Reason(CODES[change.component], change.text)
    if current.certain and not pinned.certain and pinned.model != current.model:
        text = f"the rung was granted to {pinned.requested} and no model was reported; {current.model} may be another"
        yield Rung.BOUNDED, Reason("model_unreported", text)
    if missing := [name for name in COMPARED if getattr(pinned, name) is None]:
        text = f"nobody knows the {_listed(missing)} of what the rung was granted to"
        yield Rung.BOUNDED, Reason("environment_unknown", text)
    if current.prompt != DYNAMIC:
        yield from _unfixed(pinned, tool)
    granted, present = _known(pinned, tool), _known(current, tool)
    for name in granted if pinned.model == current.model else ():
        if (granted[name] is None) != (present[name] is None):
            side = "what proposed this call" if present[name] is None else "what the rung was granted to"
            yield Rung.BOUNDED, Reason("environment_unknown", f"nobody knows {name} in {side}, to compare it")


def _known(environment: Environment, tool: str) -> dict[str, object]:
    """Components that need not be known, but must not be known on one side alone."""
    return {
        "the weights": environment.weights, f"the code of {tool}": environment.implementations.get(tool),
        "the middleware": environment.middleware, "the graph": environment.graph,
        "the data version": environment.data.get(EVERYWHERE), f"the data version of {tool}": environment.data.get(tool),
    }  # fmt: skip


def _listed(components: list[str]) -> str:
    return " and ".join(COMPARED[name] for name in components)


def _unknown(text: str) -> Cap:
    return Rung.CONFIRM, Reason("environment_unknown", text)
