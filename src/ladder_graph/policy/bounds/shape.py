"""What every bound has in common: how it answers, and what it may ask of the ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ladder_graph.calls import Call
from ladder_graph.policy.fields import Argument, Strict


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
    """The counter's key: agent, tool and measure."""
    window: str
    """The window the counter counts in, such as `2026-11-22`."""
    amount: int
    """How much this call takes: calls, or micro-dollars."""
    limit: int
    """How much the window holds."""
    unit: str
    """`calls` or `micro_usd`, for the words."""


def look_up(call: Call, argument: str) -> Any:
    """The value of an argument of the frozen call, or `MISSING`; dots lead into nested ones."""
    here: Any = call.arguments
    for step in argument.split("."):
        if not isinstance(here, dict) or step not in here:
            return MISSING
        here = here[step]
    return here


class ArgumentBound(Strict):
    """The parent of bounds that look at one argument of the frozen call."""

    argument: Argument
    """The argument's name; dots lead into nested ones, as in `message.to`."""

    def value(self, call: Call) -> Any:
        """The argument's value, or `MISSING`."""
        return look_up(call, self.argument)

    def breach(self, code: str, value: object, wanted: str) -> Breach:
        """Say in words how the value misses the bound; a missing value asks, it never allows."""
        if value is MISSING:
            return Breach(code, f"{self.argument} is missing, and the bound {wanted}")
        return Breach(code, f"{self.argument} is {shorten(value)}, and the bound {wanted}")


class QuotaBound(Strict):
    """The parent of bounds that count: they make a `Charge`, and the ledger decides."""

    @property
    def counter(self) -> str:
        """What of a tool is counted: measure, window and calendar. No two bounds of a tool may share it."""
        raise NotImplementedError

    def charge(self, call: Call, now: dt.datetime) -> Charge | Breach:
        """What this call takes from the quota at this moment, or a breach where that can't be told."""
        raise NotImplementedError

    def quota(self, call: Call) -> str:
        """The counter's key. A slash in a name is quoted, so that no two tools share a counter by their names."""
        return f"{quote(call.agent, safe='')}/{quote(call.tool, safe='')}/{self.counter}"


def shorten(value: object, most: int = 80) -> str:
    """A value as JSON-like text, cut where it gets long, with the cut said."""
    text = repr(value)
    size = len(value) if isinstance(value, str) else len(text)
    return text if len(text) <= most else f"{text[:most]}… ({size} characters)"
