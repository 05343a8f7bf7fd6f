"""What became of each action, as far as it bears on trust, folded from the ledger's entries in any order.

Every part of a deed only grows, and what was said twice counts once, so that order, restarts and duplicates make no
difference. What a deed is worth is worked out when somebody asks, never kept as a running number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from ladder_graph.scale import Rung
from ladder_graph.trust.cells import CellKey


class Happening(NamedTuple):
    """One entry of an agent's chain."""

    agent: str
    """Whose chain it is."""
    at_us: int
    """When, in microseconds since the epoch."""
    kind: str
    """What: a state of a call, or an event such as `incident`."""
    action: str
    """The action's key; empty for what is about no single one."""
    body: Mapping[str, Any]
    """What it says; empty once it was erased."""


class Severity(IntEnum):
    """How bad a mistake was."""

    COSMETIC = 0
    """S0: nobody minds."""
    MINOR = 1
    """S1: put right by the way, as by a health check that undid it."""
    REAL = 2
    """S2: it had a consequence."""
    SEVERE = 3
    """S3: it hurt."""
    BREACH = 4
    """S4: it cost more than a mistake may; what was taken for the cost of one is wrong."""

    @property
    def loss(self) -> float:
        """The loss, in units of one full mistake."""
        return (0.0, 0.1, 1.0, 1.0, 1.0)[self]


@dataclass(frozen=True, slots=True, order=True)
class Incident:
    """What somebody reported about an action. Of two reports of one class the later counts."""

    at_us: int
    severity: Severity
    reversed: bool = False
    """It was none after all."""
    closed: bool = False
    """Somebody has seen to it."""
    anticipated: bool = True
    """Its class is one of those that the rule expects."""


class Look(NamedTuple):
    """One look of a person at an action."""

    at_us: int
    by: str
    seconds: float | None = None
    """How long they looked; None where that wasn't measured."""
    characters: int = 0
    """How much there was to read."""


BLAMELESS = "policy"
"""The fault of a no that says nothing about the agent: it came at a bad moment, or isn't wanted any more."""

_ENDS = frozenset({"done", "failed", "unknown", "undone", "undo_conflict", "undo_failed"})
_JUDGED = frozenset({"approved", "adopted", "declined", "dismissed", "edited", "responded", "expired"})


@dataclass(slots=True)
class Deed:
    """One action, as far as the entries that have come tell of it."""

    cell: CellKey | None = None
    """Where it belongs; None until its first entry has come, or where nobody knows what proposed it."""
    thread: str = ""
    at_us: int = 0
    """When it was proposed."""
    rung: Rung = Rung.SUGGEST
    signature: int = 0
    """Stands for the form of its arguments."""
    beyond: bool = False
    """It was outside its bounds, and stopped there."""
    by_person: bool = False
    """Its arguments are a person's, so it says nothing about the agent."""
    arguments: Mapping[str, Any] | None = None
    """What was asked about, to be held against what an editor made of it."""
    ends: dict[str, int] = field(default_factory=dict)
    """What came of it: state to the moment."""
    judged: dict[str, Look] = field(default_factory=dict)
    """What people said of it: verdict to the look behind it."""
    edited: Mapping[str, Any] | None = None
    """The arguments that an editor put in."""
    blameless: bool = False
    """The no had reasons outside the agent."""
    read: Look | None = None
    """Who read its report."""
    incidents: dict[str, Incident] = field(default_factory=dict)
    """Class to what was last said of it."""
    overran: bool = False
    """It cost more than was held for it."""

    @property
    def pending(self) -> bool:
        """Whether nothing is known of it yet."""
        return not (self.ends.keys() - {"unknown"} or self.judged or self.incidents)

    @property
    def look(self) -> Look | None:
        """The look behind the latest yes, or at its report."""
        seen = [look for verdict, look in self.judged.items() if verdict in {"approved", "adopted"}]
        return max([*seen, *([self.read] if self.read else [])], default=None)

    @property
    def counts(self) -> bool:
        """Whether it says anything about the agent: it took effect, or a person judged what it would have been."""
        if self.by_person or self.cell is None:
            return False
        if self.incidents or self.ends.keys() & {"done", "undone", "undo_conflict", "undo_failed"}:
            return True
        if self.judged.keys() & {"declined", "dismissed"}:
            return not self.blameless
        if "edited" in self.judged or "adopted" in self.judged:
            return True
        # A draft that was accepted is judged by that; what was approved and failed, or never ran, is not.
        return "approved" in self.judged and self.rung is Rung.DRAFT

    def reworded(self, cosmetic: frozenset[str]) -> bool:
        """Whether an editor changed no more than may be reworded.

        Args:
            cosmetic: The arguments that may.
        """
        before, after = self.arguments, self.edited
        if before is None or after is None:
            return False
        changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        return changed <= cosmetic

    def loss(self, cosmetic: frozenset[str]) -> float:
        """The loss, in units of one full mistake.

        Args:
            cosmetic: The arguments that a person may reword without the agent having been wrong.
        """
        found = [one.severity.loss for one in self.incidents.values() if not one.reversed]
        if self.judged.keys() & {"declined", "dismissed"} and not self.blameless:
            found.append(1.0)
        if "edited" in self.judged and not self.reworded(cosmetic):
            found.append(1.0)
        if self.ends.keys() & {"undo_conflict", "undo_failed"}:
            found.append(Severity.REAL.loss)
        elif "undone" in self.ends:
            found.append(Severity.MINOR.loss)
        return min(1.0, sum(found))

    @property
    def severe(self) -> bool:
        """Whether somebody was hurt."""
        return any(one.severity >= Severity.SEVERE and not one.reversed for one in self.incidents.values())

    @property
    def known_us(self) -> int | None:
        """When the first mistake in it became known; None where none is."""
        found = [one.at_us for one in self.incidents.values() if not one.reversed and one.severity.loss]
        found += [self.ends[end] for end in ("undone", "undo_conflict", "undo_failed") if end in self.ends]
        found += [self.judged[no].at_us for no in ("declined", "dismissed", "edited") if no in self.judged]
        return min(found, default=None)


def add(deed: Deed, entry: Happening) -> None:
    """Take one entry into the deed that it is about."""
    kind, body = entry.kind, entry.body
    if "digest" in body and "tool" in body and "arguments" in body:
        _first(deed, entry)
    if kind in _ENDS:
        deed.ends[kind] = min(entry.at_us, deed.ends.get(kind, entry.at_us))
    elif kind in _JUDGED:
        _judge(deed, entry)
    elif kind == "acknowledged":
        look = _look(entry)
        deed.read = look if deed.read is None else min(deed.read, look)
    elif kind == "incident":
        _report(deed, entry)
    elif kind == "overrun":
        deed.overran = True


def _first(deed: Deed, entry: Happening) -> None:
    body = entry.body
    if body.get("env"):
        deed.cell = CellKey(entry.agent, str(body["tool"]), str(body.get("scope", "")), str(body["env"]))
    deed.thread, deed.at_us = str(body.get("thread", "")), entry.at_us
    deed.rung = Rung(body.get("rung", 0))
    deed.signature = signature(body["arguments"])
    deed.by_person = "edited_from" in body
    deed.beyond = any(reason and str(reason[0]).startswith("outside_") for reason in body.get("reasons", ()))
    if deed.rung <= Rung.CONFIRM:
        deed.arguments = body["arguments"]


def _judge(deed: Deed, entry: Happening) -> None:
    look, before = _look(entry), deed.judged.get(entry.kind)
    deed.judged[entry.kind] = look if before is None else min(before, look)
    if entry.kind == "edited":
        deed.edited = entry.body.get("arguments")
    if entry.body.get("fault") == BLAMELESS:
        deed.blameless = True


def _look(entry: Happening) -> Look:
    seconds = entry.body.get("looked")
    length = float(seconds) if isinstance(seconds, int | float) else None
    return Look(entry.at_us, str(entry.body.get("by", "")), length, int(entry.body.get("characters") or 0))


def _report(deed: Deed, entry: Happening) -> None:
    body = entry.body
    said = Incident(
        entry.at_us, Severity(body.get("severity", Severity.REAL)), bool(body.get("reversed")),
        bool(body.get("closed")), bool(body.get("anticipated")),
    )  # fmt: skip
    klass = str(body.get("class", ""))
    # Of what was said in one microsecond the worst counts: a report over its reversal, an open one over a closed one.
    before = deed.incidents.get(klass)
    if before is None or _later(before) < _later(said):
        deed.incidents[klass] = said


def _later(one: Incident) -> tuple[Any, ...]:
    return one.at_us, not one.reversed, one.severity, not one.closed, not one.anticipated


def signature(arguments: Any) -> int:
    """A number that is the same for arguments of the same form: names, types, and values by their rough size.

    Example:
        >>> one, two = {"to": "ana@shop.example", "n": 3}, {"to": "bob@shop.example", "n": 7}
        >>> signature(one) == signature(two), signature(one) == signature({"to": "ana@shop.example", "n": 300})
        (True, False)
    """
    return hash_of(_form(arguments))


def hash_of(form: str) -> int:
    """A hash that is the same in every process, unlike `hash`."""
    from zlib import crc32

    return crc32(form.encode("utf-8", "surrogatepass"))


_WORD = 16
"""Characters up to which a text that is one word counts by its value, as `staging` does."""


def _form(value: Any) -> str:
    match value:
        case bool() | None:
            return str(value)
        case int() | float():
            return f"{'-' if value < 0 else ''}{len(str(abs(int(value)))) if abs(value) < 1e15 else 'n'}"  # noqa: PLR2004
        case str():
            return value if len(value) <= _WORD and value.isidentifier() else f"s{len(value).bit_length()}"
        case Mapping():
            return "{" + ",".join(f"{name}:{_form(value[name])}" for name in sorted(value)) + "}"
        case list() | tuple():
            return f"[{len(value).bit_length()}{_form(value[0]) if value else ''}]"
        case _:
            return type(value).__name__
