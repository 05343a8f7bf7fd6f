"""What would be erased, and how it is divided, so that no transaction is long and no action is ever half erased."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PORTION = 200
"""Payloads that are erased in one transaction, so that no call waits long for it."""

SCOPE = "saga"
"""The kind of the entries that say what became of a scope."""


@dataclass(frozen=True, slots=True)
class Said:
    """One entry that says something."""

    stream: str
    n: int
    kind: str
    action: str
    payload: str
    at_us: int
    kept: Mapping[str, Any]
    """What stays of it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What would be erased."""

    entries: tuple[Said, ...]
    actions: tuple[str, ...]
    """The actions that would be erased whole, by their keys."""
    bare: tuple[tuple[str, str], ...]
    """Those of them that no entry says more of, with their agents: what they came back with stands in their rows."""
    waiting: tuple[str, ...]
    """Actions that it would be true of as well, and that aren't over."""
    scopes: tuple[str, ...]
    """Scopes that it would be true of as well, and that aren't over, by their ids."""
    staying: tuple[tuple[str, int, str], ...]
    """Entries that name the person and are never erased: agent, number and kind."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What is erased in one transaction: whole actions of one chain, with everything that holds anything of them."""

    stream: str
    entries: tuple[Said, ...]
    actions: tuple[str, ...]

    def without(self, actions: set[str]) -> Portion:
        """The same, but for some actions of it."""
        if not actions:
            return self
        entries = tuple(one for one in self.entries if one.action not in actions)
        return Portion(self.stream, entries, tuple(one for one in self.actions if one not in actions))


def portions(found: Found) -> Iterator[Portion]:
    """Divide what was found; an action is never divided, so that none is ever half erased.

    Args:
        found: What is to be erased.
    """
    # What scopes say goes first: which of them an action was in isn't looked for any more once that is erased.
    groups: dict[tuple[bool, str, str], list[Said]] = {(True, *one): [] for one in found.bare}
    for said in found.entries:
        groups.setdefault((said.kind != SCOPE, said.stream, said.action or said.payload), []).append(said)
    chosen = frozenset(found.actions)
    at, entries, actions = "", list[Said](), list[str]()
    for (_, stream, key), group in sorted(groups.items()):
        full = len(entries) + len(group) > PORTION or len(actions) == PORTION
        if (entries or actions) and (stream != at or full):
            yield Portion(at, tuple(entries), tuple(actions))
            entries, actions = [], []
        at, entries = stream, entries + group
        actions += [key] if key in chosen else []
    if entries or actions:
        yield Portion(at, tuple(entries), tuple(actions))
