"""Where the value of an argument came from, for whoever is asked: who said it first in the conversation. Pure.

It is told as the origin bound tells it, by whole values and their types. Where it can't be told, the agent wrote it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ladder_graph.policy.bounds.origin import held, leaves
from ladder_graph.policy.bounds.words import Type, found_in, spelt
from ladder_graph.policy.scene import Output, Said

Where = Literal["user", "tool", "agent", "partly", "several", "default", "person"]
"""Who said a value: the user, a tool's answer, the agent alone, the agent in part, several of the others, the tool's
own default, or a person who put it in."""

LATEST = 200
"""Answers of tools, and messages of the user, that are looked through, from the latest on."""

MOST_CHARACTERS = 2_000_000
"""Characters of the conversation that are looked through."""

MOST_LEAVES = 100
"""Plain values in one argument that are looked for; of a larger one nothing is told but that the agent wrote it."""

_KINDS: tuple[Type, ...] = ("email", "iban", "phone", "date", "url", "word", "text")
"""What a text may be, the most telling first."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from."""

    where: Where
    by: str = ""
    """The tool, the person, or who there were, with commas."""
    steps: int = 0
    """For a tool, how many answers ago it said so; 1 is the last answer."""

    @property
    def words(self) -> str:
        """It in words.

        Example:
            >>> Source("tool", "read_invoice", 2).words, Source("agent").words
            ('looked up by read_invoice, 2 steps ago', 'written by the agent')
        """
        match self.where:
            case "user":
                return "the user wrote it"
            case "tool":
                ago = f", {self.steps} steps ago" if self.steps > 1 else ""
                return f"looked up by {self.by}{ago}"
            case "partly":
                return "in part written by the agent"
            case "several":
                return f"from {self.by}"
            case "default":
                return "the tool's default"
            case "person":
                return f"put in by {self.by}"
            case _:
                return "written by the agent"


AGENT = Source("agent")
"""Nobody else is known to have said it."""


def sources(arguments: Mapping[str, Any], said: Said) -> dict[str, Source]:
    """Where the value of each argument came from.

    Args:
        arguments: The arguments of the call.
        said: The conversation so far.

    Example:
        >>> told = Said(user=("Refund order 4711.",), outputs=(Output("read_order", '{"total": 240}'),))
        >>> [one.words for one in sources({"order": "4711", "cents": 240, "why": "x"}, told).values()]
        ['the user wrote it', 'looked up by read_order', 'written by the agent']
    """
    heard = _Heard.of(said)
    return {name: _source(value, heard) for name, value in arguments.items()}


def _source(value: Any, heard: _Heard) -> Source:
    if not isinstance(value, dict | list | tuple):
        return heard.source(value)
    found: dict[Source, None] = {}
    for count, leaf in enumerate(leaves(value, whole=True)):
        if count == MOST_LEAVES:
            return AGENT
        found[heard.source(leaf)] = None
    if len(found) <= 1:
        return next(iter(found), AGENT)
    if AGENT in found:
        return Source("partly")
    return Source("several", ", ".join(dict.fromkeys(one.by or "the user" for one in found)))


@dataclass(slots=True)
class _Heard:
    """The latest of a conversation, read once for each type of value."""

    user: tuple[str, ...]
    outputs: tuple[Output, ...]
    _users: dict[Type, frozenset[str]] = field(default_factory=dict)
    _answers: dict[tuple[int, Type], frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, said: Said) -> _Heard:
        room = MOST_CHARACTERS
        user, outputs = list[str](), list[Output]()
        for text in reversed(said.user[-LATEST:]):
            room -= len(text)
            if room >= 0:
                user.append(text)
        for output in reversed(said.outputs[-LATEST:]):
            room -= len(output.text)
            if room < 0:
                break
            outputs.append(output)
        return cls(tuple(user), tuple(outputs))

    def source(self, leaf: Any) -> Source:
        """Who said a plain value."""
        for kind, spelling in _spellings(leaf):
            if spelling in self._by_the_user(kind):
                return Source("user")
            for steps, output in enumerate(self.outputs, 1):
                if spelling in self._by(steps, output, kind):
                    return Source("tool", output.tool, steps)
        return AGENT

    def _by_the_user(self, kind: Type) -> frozenset[str]:
        if kind not in self._users:
            self._users[kind] = frozenset(one for text in self.user for one in found_in(text, kind))
        return self._users[kind]

    def _by(self, steps: int, output: Output, kind: Type) -> frozenset[str]:
        if (steps, kind) not in self._answers:
            self._answers[steps, kind] = frozenset(held(output, kind))
        return self._answers[steps, kind]


def _spellings(leaf: Any) -> Iterator[tuple[Type, str]]:
    """As what a plain value may have been said, in one spelling for each type."""
    if isinstance(leaf, dt.date):
        leaf = leaf.isoformat()
    kinds: tuple[Type, ...] = _KINDS if isinstance(leaf, str) else ("number",)
    for kind in kinds:
        spelling = spelt(leaf, kind)
        if spelling is not None:
            yield kind, spelling
