"""Bounds on the type of an argument: which values it may have at all."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.patterns import compiled, longest
from ladder_graph.policy.bounds.shape import ArgumentBound, Breach, shorten
from ladder_graph.policy.fields import Number, Scalar, Some

_NAMED = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}
"""Control characters that a pattern may ask for by writing them, and how it writes them."""


_SCALARS = frozenset({str, int, float, bool})


def _quick(pattern: str) -> str:
    longest(pattern)
    return pattern


class OneOf(ArgumentBound):
    """The argument must be one of these values, of the same type.

    Example:
        >>> bound = OneOf(argument="env", values=["staging"])
        >>> bound.check(Call("ops", "t1", "c1", "deploy", {"env": "production"})).text
        "env is 'production', and the bound allows 'staging'"
    """

    kind: Literal["one_of"] = "one_of"
    values: Some[Scalar]
    """What is allowed. `1` and `true` are different values."""

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not."""
        value = self.value(call)
        if type(value) in _SCALARS and (type(value), value) in self._allowed:
            return None
        return self.breach(self.kind, value, self._wanted)

    @cached_property
    def _allowed(self) -> frozenset[tuple[type, Scalar]]:
        return frozenset((type(value), value) for value in self.values)

    @cached_property
    def _wanted(self) -> str:
        return f"allows {', '.join(map(shorten, self.values))}"


class Equals(ArgumentBound):
    """The argument must be this value, of the same type.

    Example:
        >>> Equals(argument="dry_run", to=True).check(Call("ops", "t1", "c1", "deploy", {"dry_run": 1})).text
        'dry_run is 1, and the bound wants true'
    """

    kind: Literal["equals"] = "equals"
    to: Scalar
    """What is allowed. `1` and `true` are different values."""

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not."""
        value = self.value(call)
        if type(value) is type(self.to) and value == self.to:
            return None
        return self.breach(self.kind, value, f"wants {shorten(self.to)}")


class Matches(ArgumentBound):
    r"""The argument must be text that matches the whole pattern.

    Digits, letters, spaces and letter case mean ASCII. Invisible and control characters are outside any pattern; a
    line break or a tab is inside only where the pattern writes it as `\n`, `\r` or `\t`. A pattern that could be
    made to hang is refused when the policy is read, and text too long to be matched quickly is outside.
    """

    kind: Literal["matches"] = "matches"
    pattern: Annotated[str, Field(max_length=1000), AfterValidator(_quick)]
    """A regular expression for the whole value, not for a part of it."""

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not."""
        value, most = self.value(call), longest(self.pattern)
        readable = isinstance(value, str) and len(value) <= most and self._visible(value)
        if readable and compiled(self.pattern).fullmatch(value):
            return None
        return self.breach(self.kind, value, f"wants at most {most} characters of text that match {self.pattern}")

    def _visible(self, value: str) -> bool:
        if value.isprintable():
            return True
        named = {char for char, written in _NAMED.items() if written in self.pattern or char in self.pattern}
        return all(char.isprintable() or char in named for char in value)


class Range(ArgumentBound):
    """The argument must be a number within limits, both included."""

    kind: Literal["range"] = "range"
    least: Number | None = None
    """The smallest allowed number."""
    most: Number | None = None
    """The largest allowed number."""

    @field_validator("most")
    @classmethod
    def _ordered(cls, most: float | None, info: ValidationInfo) -> float | None:
        least = info.data.get("least")
        if most is not None and least is not None and least > most:
            raise ValueError(f"is {most}, below least = {least}, so nothing would be inside; swap them")
        return most

    @model_validator(mode="after")
    def _limited(self) -> Self:
        if self.least is None and self.most is None:
            raise ValueError("say least = 0, most = 100, or both; without either it bounds nothing")
        return self

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not. Text that looks like a number is no number."""
        value = self.value(call)
        if self._holds(value):
            return None
        return self.breach(self.kind, value, self._wanted)

    @cached_property
    def _wanted(self) -> str:
        return f"wants a number from {self._spell(self.least)} to {self._spell(self.most)}"

    def _holds(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        finite = isinstance(value, int) or math.isfinite(value)
        low = self.least is None or value >= self.least
        return finite and low and (self.most is None or value <= self.most)

    @staticmethod
    def _spell(limit: float | None) -> str:
        return "any" if limit is None else str(limit)


class Length(ArgumentBound):
    """The argument must be text, or a list, of at most this length."""

    kind: Literal["length"] = "length"
    most: Annotated[int, Field(ge=0)]
    """Characters of a text, or entries of a list."""

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not."""
        value = self.value(call)
        if isinstance(value, str | list) and len(value) <= self.most:
            return None
        return self.breach(self.kind, value, f"allows a length of at most {self.most}")


class Count(ArgumentBound):
    """The argument must be a list, or a table, that holds so many entries.

    Text is outside: whatever it lists, only the tool knows where one entry ends.
    """

    kind: Literal["count"] = "count"
    most: Annotated[int, Field(ge=0)]
    """Entries at most."""
    least: Annotated[int, Field(ge=0)] = 0
    """Entries at least."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"most is {self.most}, below least = {self.least}, so nothing would be inside; swap them")
        return self

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not."""
        value = self.value(call)
        if isinstance(value, list | tuple | dict) and self.least <= len(value) <= self.most:
            return None
        return self.breach(self.kind, value, f"allows a list of {self.least} to {self.most} entries")
