"""What is taken down of a call when it is asked about, since it can't be found out later. Pure records, kept as JSON.

The conversation is only there while its task runs, and a tool's declaration only in the agent's own process; whoever
answers may sit before another one. The ledger keeps this with the question, as a payload that can be erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from ladder_graph.calls import normalise
from ladder_graph.policy.sources import Source

LONGEST = 2_000
"""Characters of one text of a tool's author."""

MOST_WORDS = 4_000
"""Characters of the agent's own words."""

MOST = 100
"""Changes, arguments or checks that are taken down."""

Level = Literal["ok", "warn", "stop"]
"""How a check came out: it holds, it is outside a bound, or somebody must look twice."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a call changes."""

    thing: str
    """What it is, such as `invoice 4471`."""
    before: str | None = None
    """How it is now; None where that isn't known."""
    after: str | None = None
    """How it would be afterwards; None where that isn't known before it runs."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a call reaches, in words. What stands behind the first colon is a remark, as in `"yes: by e-mail"`."""

    people: str = ""
    """Whom it concerns; empty where that isn't known, as for the others."""
    money: str = ""
    """What it costs, or moves."""
    outside: str = ""
    """Whether anything leaves our systems."""
    undone: str = ""
    """Whether it can be undone."""


@dataclass(frozen=True, slots=True)
class Check:
    """What one bound, or a look at a value, says of an argument or of the whole call."""

    level: Level
    text: str
    argument: str = ""
    """Which argument it is about; empty for the whole call."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """What a tool declares about taking it back."""

    nature: str = ""
    """What can be done about its effect (`ladder_graph.tools.Kind`); empty where the tool doesn't say."""
    undo: str = ""
    """The undo by import path; empty without one."""
    ttl: float | None = None
    """Seconds in which it can be undone; None for ever."""


@dataclass(frozen=True, slots=True)
class Telling:
    """All of it."""

    title: str = ""
    """The question in plain words; empty where the tool has none of its own."""
    deed: str = ""
    """What a yes does, such as `Run the refund`; empty as above."""
    words: str = ""
    """The agent's own words, in which it proposed the call. Nobody has checked them."""
    length: int = 0
    """Characters of these words before they were cut."""
    order: tuple[str, ...] = ()
    """The arguments in the order in which they were given; the ledger keeps them in that of the alphabet."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    """Where the value of each argument came from."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What the tool takes for arguments that the call leaves out."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What the tool's schema says of each argument, as JSON Schema, for whoever puts others in."""
    checks: tuple[Check, ...] = ()
    """What the bounds said of it."""
    changes: tuple[Change, ...] = ()
    """What it changes."""
    changes_by: Literal["tool", "undo", ""] = ""
    """Who says so: the tool, or the adapter of its undo; empty where nobody does."""
    trouble: tuple[str, ...] = ()
    """What the tool's author wanted to say, and failed to."""
    reach: Reach = Reach()
    """How far it reaches, as far as the tool says so."""
    remedy: str = ""
    """What to do if it turns out wrong, in the words of the tool's author; empty where they say nothing."""
    undoing: Undoing = Undoing()
    """What the tool declares about taking it back."""
    trace: str = ""
    """The span that asked, as a W3C `traceparent`; empty where nobody traced it."""

    def to_json(self) -> dict[str, Any]:
        """It as plain JSON, without what is empty."""
        found = {
            **asdict(self),
            "sources": {name: asdict(source) for name, source in self.sources.items()},
            "defaults": {name: normalise(value) for name, value in self.defaults.items()},
        }
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items() if value}

    @classmethod
    def read(cls, body: object) -> Telling | None:
        """What `to_json` wrote; None where it can't be read, or was erased."""
        if not isinstance(body, Mapping):
            return None
        try:
            return cls(**{name: _read(name, value) for name, value in body.items() if name in _NAMES})
        except (TypeError, ValueError, AttributeError):
            return None

    def edited(self, before: Mapping[str, Any], after: Mapping[str, Any], by: str) -> Telling:
        """What still holds once somebody has put other arguments in.

        Args:
            before: The arguments that it was taken down for.
            after: The arguments in their place, both as plain JSON.
            by: Who put them in.
        """
        put = {name: Source("person", by) for name, value in after.items() if _other(before, name, value)}
        touched = {*put, *(before.keys() - after.keys())}
        kept = {name: source for name, source in self.sources.items() if name in after}
        return replace(
            self, title="", sources={**kept, **put}, changes=(), changes_by="", trouble=(), reach=Reach(),
            defaults={name: value for name, value in self.defaults.items() if name not in after},
            checks=tuple(one for one in self.checks if one.argument and one.argument.split(".")[0] not in touched),
        )  # fmt: skip

    def told_of(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> Telling:
        """The same of another call, in which nothing shows that it is another one: for a probe.

        Args:
            before: The arguments that it was taken down for.
            after: The other call's, both as plain JSON.
        """
        swapped = [(str(before[name]), str(value)) for name, value in after.items() if _other(before, name, value)
                   and name in before and len(str(before[name])) > 1]  # fmt: skip

        def reworded(text: str) -> str:
            for old, new in swapped:
                text = text.replace(old, new)
            return text

        return replace(
            self, title=reworded(self.title), remedy=reworded(self.remedy),
            changes=tuple(
                Change(reworded(one.thing), one.before and reworded(one.before), one.after and reworded(one.after))
                for one in self.changes
            ),
            reach=Reach(**{name: reworded(text) for name, text in asdict(self.reach).items()}),
            checks=tuple(replace(one, text=reworded(one.text)) for one in self.checks),
        )  # fmt: skip


_NAMES = frozenset(one.name for one in fields(Telling))


def _other(before: Mapping[str, Any], name: str, value: Any) -> bool:
    return name not in before or type(before[name]) is not type(value) or before[name] != value


def _read(name: str, value: Any) -> Any:
    match name:
        case "sources":
            return {key: Source(**one) for key, one in value.items()}
        case "checks":
            return tuple(_checked(Check(**one)) for one in value)
        case "changes":
            return tuple(Change(**one) for one in value)
        case "trouble" | "order":
            return tuple(map(str, value))
        case "reach":
            return Reach(**value)
        case "undoing":
            return Undoing(**value)
        case _:
            return value


def _checked(check: Check) -> Check:
    if check.level not in get_args(Level):
        raise ValueError(f"{check.level} is no level")
    return check


def cut(text: str, most: int = LONGEST) -> str:
    """A text cut where it gets long, with the cut said."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
