"""What became of each action, as far as it bears on trust, folded from the ledger's entries in any order.

Every part of a deed only grows, and what was said twice counts once, so that order, restarts and duplicates make no
difference. What a deed is worth is worked out when somebody asks, never kept as a running number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from ladder_graph.errors import AnswerRefused
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import EVERY, CellKey
from ladder_graph.trust.forms import reworded, same, signature
from ladder_graph.trust.looks import Look, look_of, rank


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


def severity_of(value: Severity | str) -> Severity:
    """A severity from `S2`, `2` or its word.

    Raises:
        AnswerRefused: It is none.

    Example:
        >>> severity_of("s2"), severity_of("real")
        (<Severity.REAL: 2>, <Severity.REAL: 2>)
    """
    if isinstance(value, Severity):
        return value
    text = value.strip().upper().removeprefix("S") if value.strip().upper()[:2] in _LEVELS else value.strip().upper()
    if text in Severity.__members__:
        return Severity[text]
    if text in {str(int(one)) for one in Severity}:
        return Severity(int(text))
    known = ", ".join(f"S{int(one)} ({one.name.lower()})" for one in Severity)
    raise AnswerRefused(f"{value!r} is no severity; they are {known}")


_LEVELS = {f"S{int(one)}" for one in Severity}


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
    first_us: int | None = None
    """When a mistake of this class was first reported, whatever was said of it later; None where none was."""

    @property
    def loss(self) -> float:
        """The loss, in units of one full mistake; 0 where it was none after all."""
        return 0.0 if self.reversed else self.severity.loss


LOOK = "look"
"""The class of an incident by which a reader wants somebody to look into an action. It says nothing against the agent
until somebody has, and is open until they close it."""

BLAMELESS = "policy"
"""The fault of a no that says nothing about the agent: it came at a bad moment, or isn't wanted any more."""

_ENDS = frozenset({"done", "failed", "unknown", "undone", "undo_conflict", "undo_failed"})
_JUDGED = frozenset({"approved", "adopted", "declined", "dismissed", "edited", "responded", "expired"})
_YES = frozenset({"approved", "adopted"})
_NO = frozenset({"declined", "dismissed"})
_VERDICTS = _YES | _NO | {"edited"}
"""What a person says who looked at what the agent proposed."""
_EFFECT = frozenset({"done", "undone", "undo_conflict", "undo_failed"})
_PUT_BACK = ("undone", "undo_conflict", "undo_failed")
_MESS = frozenset({"undo_conflict", "undo_failed"})

_NONE: Mapping[str, Any] = MappingProxyType({})
"""What most actions have none of; one for all of them, since a ledger holds millions."""


def _none() -> Mapping[str, Any]:
    return _NONE


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
    ends: Mapping[str, int] = field(default_factory=_none)
    """What came of it: state to the moment."""
    judged: Mapping[str, Look] = field(default_factory=_none)
    """What people said of it: verdict to the look behind it."""
    edited: Mapping[str, Any] | None = None
    """The arguments that an editor put in."""
    edited_us: int = 0
    """When."""
    blameless: bool = False
    """A no had reasons outside the agent."""
    blamed: bool = False
    """A no had none."""
    report: str = ""
    """The digest that it was filed in, on rung 5."""
    read_by_us: int = 0
    """By when that had to be read, as it was known then."""
    read: Look | None = None
    """Who gave a verdict on it there."""
    incidents: Mapping[str, Incident] = field(default_factory=_none)
    """Class to what was last said of it."""
    requester: str = ""
    """Whose run proposed it, where it was asked about and that is known."""

    @property
    def pending(self) -> bool:
        """Whether nothing is known of it yet."""
        return not (self.ends.keys() - {"unknown"} or self.judged or self.incidents)

    @property
    def looks(self) -> list[Look]:
        """Everybody who looked at it and said what they think, and at its report."""
        seen = [look for verdict, look in self.judged.items() if verdict in _VERDICTS]
        return [*seen, self.read] if self.read is not None else seen

    @property
    def look(self) -> Look | None:
        """The latest of them."""
        return max(self.looks, key=rank, default=None)

    @property
    def excused(self) -> bool:
        """Whether every no had reasons outside the agent."""
        return self.blameless and not self.blamed

    @property
    def shown(self) -> bool:
        """Whether it is a trial of the agent: it took effect, or a person judged what it would have been."""
        if self.by_person or self.cell is None:
            return False
        if not self.ends.keys().isdisjoint(_EFFECT):
            return True
        said = self.judged.keys()
        if not said.isdisjoint(_NO):
            return not self.excused
        # A draft that was accepted is judged by that; what was approved and failed, or never ran, is not.
        return "edited" in said or "adopted" in said or ("approved" in said and self.rung is Rung.DRAFT)

    @property
    def counts(self) -> bool:
        """Whether it says anything about the agent: it is a trial, or somebody reported a mistake in it."""
        if self.shown:
            return True
        faults = any(one.loss for one in self.incidents.values())
        return faults and not self.by_person and self.cell is not None

    def reworded(self, cosmetic: frozenset[str]) -> bool:
        """Whether an editor changed no more than may be reworded.

        Args:
            cosmetic: The arguments that may; dots lead into nested ones.
        """
        before, after = self.arguments, self.edited
        return before is not None and after is not None and reworded(before, after, cosmetic)

    def loss(self, cosmetic: frozenset[str]) -> float:
        """The loss, in units of one full mistake.

        Args:
            cosmetic: The arguments that a person may reword without the agent having been wrong.
        """
        found = [loss for _, loss in self.faults]
        if not (self.judged.keys().isdisjoint(_NO) or self.excused):
            found.append(1.0)
        if "edited" in self.judged and not self.reworded(cosmetic):
            found.append(1.0)
        # Whole sums are the same in any order, and those of fractions would not be.
        return min(1.0, math.fsum(found))

    @property
    def faults(self) -> list[tuple[int, float]]:
        """What went wrong by what it did: when each became known, and the loss in units of one full mistake."""
        found = [(one.first_us or one.at_us, one.loss) for one in self.incidents.values() if one.loss]
        if mess := [self.ends[end] for end in _MESS if end in self.ends]:
            found.append((min(mess), Severity.REAL.loss))
        elif "undone" in self.ends:
            found.append((self.ends["undone"], Severity.MINOR.loss))
        return found

    @property
    def severe(self) -> bool:
        """Whether somebody was hurt."""
        return any(one.severity >= Severity.SEVERE and not one.reversed for one in self.incidents.values())

    @property
    def known_us(self) -> int | None:
        """When the first mistake in it became known; None where none is."""
        found = [one.first_us or one.at_us for one in self.incidents.values() if one.loss]
        found += [self.ends[end] for end in _PUT_BACK if end in self.ends]
        found += [self.judged[no].at_us for no in (*_NO, "edited") if no in self.judged]
        return min(found, default=None)

    @property
    def clean(self) -> bool:
        """Whether nobody found anything, so that there is nothing to work out."""
        return not self.incidents and self.ends.keys() <= _FINE and self.judged.keys().isdisjoint(_FOUND)


_FINE = frozenset({"done", "failed", "unknown"})
_FOUND = _NO | {"edited"}


def add(deed: Deed, entry: Happening) -> None:
    """Take one entry into the deed that it is about.

    An entry that can't be read never speaks for the agent: a look without a name or a length is a glance, a report
    without a severity is a real mistake that nobody anticipated.
    """
    said: object = entry.body
    if type(said) is not dict and not isinstance(said, Mapping):  # A dict is known at once.
        entry = entry._replace(body=_NONE)
    kind, body = entry.kind, entry.body
    if "digest" in body and "tool" in body and "arguments" in body:
        _first(deed, entry)
    if kind in _ENDS:
        # What something in between answered had no effect, however good the answer was.
        end = "failed" if body.get("untouched") else kind
        if entry.at_us < deed.ends.get(end, _NEVER):
            deed.ends = {**deed.ends, end: entry.at_us}
    elif kind in _JUDGED:
        _judge(deed, entry)
    elif kind == "acknowledged":
        look = look_of(entry.at_us, entry.body)
        deed.read = look if deed.read is None else min(deed.read, look, key=rank)
    elif kind == "incident":
        _report(deed, entry)
    elif kind == "question":
        deed.requester = str(body.get("requester") or deed.requester)


_RUNGS = {int(rung): rung for rung in Rung}
_SEVERITIES = {int(severity): severity for severity in Severity}
_NEVER = 1 << 63


def _first(deed: Deed, entry: Happening) -> None:
    """There is one entry that an action was first written down with; of several the earliest counts."""
    if deed.at_us:
        other = Deed()
        _place(other, entry)
        if _origin(deed) <= _origin(other):
            return
    _place(deed, entry)


def _origin(deed: Deed) -> tuple[Any, ...]:
    plain = deed.thread, deed.rung, deed.signature, deed.by_person, deed.beyond, repr(deed.arguments), deed.report
    return deed.at_us, deed.cell or (), *plain, deed.read_by_us


def _place(deed: Deed, entry: Happening) -> None:
    body = entry.body
    rung, arguments = body.get("rung"), body["arguments"]
    deed.cell = _cell(entry.agent, _text(body["tool"]), _text(body.get("scope", "")), _text(body.get("env")))
    deed.thread, deed.at_us = _text(body.get("thread")) or "", entry.at_us
    deed.rung = _RUNGS.get(rung, Rung.SUGGEST) if type(rung) is int else Rung.SUGGEST
    deed.signature = signature(arguments)
    deed.by_person = "edited_from" in body
    deed.beyond = _outside(body.get("reasons"))
    due = body.get("read_by")
    deed.report, deed.read_by_us = _text(body.get("report")) or "", due if type(due) is int else 0
    asked = deed.rung <= Rung.CONFIRM and isinstance(arguments, Mapping)
    deed.arguments = arguments if asked else None


@lru_cache(maxsize=4096)  # A ledger has few cells, and millions of actions in them.
def _cell(agent: str, tool: str | None, scope: str | None, env: str | None) -> CellKey | None:
    if not (tool and env) or scope is None or EVERY in {scope, env}:
        return None
    return CellKey(agent, tool, scope, env)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _outside(reasons: object) -> bool:
    for reason in reasons if isinstance(reasons, list) else ():
        if isinstance(reason, list) and reason and isinstance(reason[0], str) and reason[0].startswith("outside_"):
            return True
    return False


def _judge(deed: Deed, entry: Happening) -> None:
    kind, look, before = entry.kind, look_of(entry.at_us, entry.body), deed.judged.get(entry.kind)
    if before is not None:
        # A yes may be void and be given anew, and the last one let it run; a mistake is known from the first no on.
        look = max(before, look, key=rank) if kind in _YES else min(before, look, key=rank)
    deed.judged = {**deed.judged, kind: look}
    if kind == "edited":
        _edit(deed, entry)
    elif kind in _NO:
        fits = entry.body.get("fault") == BLAMELESS
        deed.blameless, deed.blamed = deed.blameless or fits, deed.blamed or not fits


def _edit(deed: Deed, entry: Happening) -> None:
    said = entry.body.get("arguments")
    arguments = said if isinstance(said, Mapping) else None
    if not deed.edited_us or entry.at_us < deed.edited_us:
        deed.edited, deed.edited_us = arguments, entry.at_us
    elif entry.at_us == deed.edited_us and not same(deed.edited, arguments):
        deed.edited = None  # Nobody can tell which of the two it was.


def _report(deed: Deed, entry: Happening) -> None:
    body = entry.body
    severity, none = body.get("severity"), body.get("reversed") is True
    said = Incident(
        entry.at_us, _SEVERITIES.get(severity, Severity.REAL) if type(severity) is int else Severity.REAL, none,
        body.get("closed") is True, body.get("anticipated") is True, None if none else entry.at_us,
    )  # fmt: skip
    klass = _text(body.get("class")) or ""
    if (before := deed.incidents.get(klass)) is not None:
        # Of what was said in one microsecond the worst counts: a report over its reversal, an open one over a closed.
        first = min((at for at in (before.first_us, said.first_us) if at is not None), default=None)
        said = replace(max(before, said, key=_later), first_us=first)
    deed.incidents = {**deed.incidents, klass: said}


def _later(one: Incident) -> tuple[Any, ...]:
    return one.at_us, not one.reversed, one.severity, not one.closed, not one.anticipated
