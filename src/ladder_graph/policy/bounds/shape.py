"""What every bound has in common: how it answers, and what it may ask of the ledger."""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Literal
from urllib.parse import quote

from ladder_graph.calls import LARGEST_EXACT_INTEGER, Call
from ladder_graph.policy.fields import Argument, Strict
from ladder_graph.policy.scene import Scene


class Missing:
    """An argument that isn't there; told apart from one that is null."""

    def __repr__(self) -> str:
        return "missing"


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Breach:
    """Why a call is outside a bound: it becomes a question before anything ran."""

    bound: str
    """The bound's kind, a stable code."""
    text: str
    """The bound, the value and what is left, in plain words."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What a call would take from a quota. The ledger holds it in the claim's own transaction."""

    quota: str
    """The counter's key: agent, what is counted of it, measure and window."""
    window: str
    """The window the counter counts in, for the words, such as `2026-11-22`."""
    amount: int
    """How much this call takes: calls, or micro-dollars."""
    limit: int
    """How much the window holds."""
    unit: str
    """`calls` or `micro_usd`, for the words."""
    start: int = 0
    """When this window, or this bucket of a sliding one, began: microseconds since the epoch."""
    reach: int = 0
    """How many microseconds back from there earlier buckets still count; 0 for a window of the calendar."""
    interval: int = 0
    """For a rate, the microseconds that one call makes the next one wait, with `start` as the moment and `limit` as
    how many may come at once; 0 for a window."""


def look_up(call: Call, argument: str) -> Any:
    """The value of an argument of the frozen call, or `MISSING`; dots lead into nested ones."""
    return follow(call.arguments, argument)


def follow(table: Mapping[str, Any], path: str) -> Any:
    """The value at the end of a dotted path, or `MISSING`."""
    if "." not in path:
        return table.get(path, MISSING)
    here: Any = table
    for step in path.split("."):
        if not isinstance(here, dict | Mapping) or step not in here:  # A dict is known at once.
            return MISSING
        here = here[step]
    return here


class ArgumentBound(Strict):
    """The parent of bounds that look at one argument of the frozen call."""

    argument: Argument
    """The argument's name; dots lead into nested ones, as in `message.to`."""

    def value(self, call: Call) -> Any:
        """The argument's value, or `MISSING`."""
        return follow(call.arguments, self.argument)

    def breach(self, code: str, value: object, wanted: str) -> Breach:
        """Say in words how the value misses the bound; a missing value asks, it never allows."""
        if value is MISSING:
            return Breach(code, f"{self.argument} is missing, and the bound {wanted}")
        return Breach(code, f"{self.argument} is {shorten(value)}, and the bound {wanted}")


class QuotaBound(Strict):
    """The parent of bounds that count: they make charges, and the ledger decides."""

    by: Literal["tool", "thread", "user", "agent"] = "tool"
    """What shares a counter: the calls of this tool, those of them in one thread or in the runs of one user, or
    those of every tool of the agent whose rule has a bound like this one. Where nobody knows whose run it is, `user`
    asks."""
    each_value_of: Argument | None = None
    """Each value of this argument has a counter of its own, and so has each entry of a list: at most three mails for
    each recipient. Letter case and spaces around don't make another value."""

    @property
    def measure(self) -> str:
        """What is counted: calls, or money and where its amount comes from."""
        raise NotImplementedError

    @property
    def span(self) -> str:
        """The window it is counted in."""
        raise NotImplementedError

    @cached_property
    def counter(self) -> str:
        """What of a tool is counted: measure and window. No two bounds of a tool may share it."""
        parts = [self.measure, self.span]
        if self.each_value_of is not None:
            parts.insert(1, f"each:{self.each_value_of}")
        if self.by != "tool":
            parts.insert(1, f"by:{self.by}")
        return "/".join(parts)

    def charge(self, call: Call, now: dt.datetime) -> Charge | Breach:
        """What this call takes from a counter at this moment, or a breach where that can't be told."""
        raise NotImplementedError

    def charges(self, call: Call, scene: Scene) -> tuple[Charge, ...] | Breach:
        """What this call takes from each counter it draws on, or a breach where that can't be told."""
        charge = self.charge(call, scene.now)
        if isinstance(charge, Breach):
            return charge
        if self.by == "user":
            if scene.requester is None:
                return self._untold("nobody knows whose run this is, and the bound counts for each user")
            charge = replace(charge, quota=self.quota(call, user=scene.requester))
        return (charge,) if self.each_value_of is None else self._of_each(charge, look_up(call, self.each_value_of))

    def _of_each(self, charge: Charge, value: object) -> tuple[Charge, ...] | Breach:
        counted = _counted(value)
        if not counted:
            return self._untold(
                f"{self.each_value_of} is {shorten(value)}, and the bound counts by plain text and whole numbers"
            )
        return tuple(
            replace(
                charge,
                quota=f"{charge.quota}={_digest(one)}",
                window=f"{charge.window} for {self.each_value_of} = {shorten(one)}",
            )
            for one in counted
        )

    def _untold(self, text: str) -> Breach:
        return Breach(getattr(self, "kind", "quota"), text)

    def quota(self, call: Call, user: str = "") -> str:
        """The counter's key. A slash in a name is quoted, so that no two tools share a counter by their names."""
        tool = "*" if self.by == "agent" else _quoted(call.tool)
        thread = f"@{_quoted(call.thread)}" if self.by == "thread" else ""
        owner = f"~{_digest(user)}" if user else ""
        return f"{_quoted(call.agent)}/{tool}{thread}{owner}/{self.counter}"


_MOST_VALUES = 100
"""Entries of a list that are counted one by one: each is a counter that one claim writes."""


_LONGEST = 1000
"""Characters of a text that has a counter of its own, or names something, where they aren't all ASCII."""


def _counted(value: object) -> tuple[str, ...]:
    """The values that have a counter each, in one spelling; none where one of them has no plain one."""
    entries = value if isinstance(value, list | tuple) else [value]
    if len(entries) > _MOST_VALUES:
        return ()
    spellings = [spelt(entry) for entry in entries]
    return () if None in spellings else tuple(dict.fromkeys(entry for entry in spellings if entry))


def spelt(value: object) -> str | None:
    """One spelling for what a tool may take for the same: another letter case, width, or spaces around it."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, int):
        return str(value) if abs(value) <= LARGEST_EXACT_INTEGER else None
    if len(value) > _LONGEST and not value.isascii():
        return None  # What marks are heaped up on takes n**2 steps to normalise.
    text = unicodedata.normalize("NFKC", value).strip().casefold()
    return text if text and text.isprintable() else None


@lru_cache(maxsize=1024)
def _quoted(name: str) -> str:
    return quote(name, safe="")


def _digest(value: str) -> str:
    """What stands for a value in a counter's key, which is never erased: nobody's address is written there."""
    return hashlib.sha256(value.encode()).hexdigest()[:32]


def shorten(value: object, most: int = 80) -> str:
    """A value in the words of JSON, cut where it gets long, with the cut said."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    size = len(value) if isinstance(value, str) else len(text)
    return text if len(text) <= most else f"{text[:most]}… ({size} characters)"
