"""What trust is earned on: how a tool's calls are told apart, what a mistake costs, and what people's time costs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ladder_graph.policy.bounds.shape import follow
from ladder_graph.policy.fields import Argument, Many, Name, Number, Scalar, Strict
from ladder_graph.policy.units import MicroDollars
from ladder_graph.scale import Rung

OTHER = "?"
"""The scope of a call whose value nobody declared, or that can't be read. It stands no higher than confirm."""

_TAKEN = frozenset({OTHER, "*", ""})
"""What no scope may be called: `*` stands for all of them, and nothing at all for a tool without any."""

MOST = 8
"""Scopes of one tool: each has to earn its own trust, and more would never see enough calls."""

_UNDECLARED: dict[Rung, float] = {
    Rung.SUGGEST: 6.0, Rung.DRAFT: 4.0, Rung.CONFIRM: 2.0, Rung.BOUNDED: 0.4, Rung.ROLLBACK: 0.2, Rung.REPORT: 0.05,
}  # fmt: skip
"""Minutes of a person's time that one action takes on each rung, where the policy doesn't say. They are assumed."""

_ALPHA: dict[Rung, float] = {
    Rung.DRAFT: 0.20, Rung.CONFIRM: 0.20, Rung.BOUNDED: 0.10, Rung.ROLLBACK: 0.05, Rung.REPORT: 0.01,
}  # fmt: skip
"""Chance of a wrong promotion to each rung, however often it is looked at."""


class Scope(Strict):
    """By what the calls of a tool are told apart: evidence in one scope says nothing about another.

    Example:
        >>> Scope(argument="stage", values=["staging", "production"]).of({"stage": "production"})
        'production'
        >>> amounts = Scope(argument="amount", edges=[100, 1000])
        >>> [amounts.of({"amount": value}) for value in (5, 500, 5000, "5", None)]
        ['<=100', '<=1000', '>1000', '?', '?']
    """

    argument: Argument
    """The argument that decides; dots lead into nested ones."""
    values: Many[Scalar] = ()
    """Its values, each a scope of its own, compared with their types. Any other value is the scope `?`."""
    edges: Many[Number] = ()
    """For a number, where one scope ends and the next begins, rising."""
    risks: dict[Name, Name] = Field(default_factory=dict)
    """Scope to risk class, for scopes that a mistake costs alike."""
    pooling: Literal["sibling", "floor"] = "sibling"
    """`sibling`: each scope earns its own certificate, and the others only shape the bet. `floor`: up to the rung
    bounded, the certificate may come from all scopes of one risk class, with a little evidence of its own."""

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if bool(self.values) == bool(self.edges):
            raise ValueError('needs either values = ["staging", "production"] or edges = [100, 1000]')
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError("edges must rise, each greater than the one before")
        if len(set(self.names)) != len(self.names):
            raise ValueError("values holds two that are written alike")
        if taken := [name for name in self.names if name in _TAKEN]:
            raise ValueError(f"values: {taken[0]!r} is no name for a scope; it stands for something else")
        if len(self.names) > MOST:
            raise ValueError(f"makes {len(self.names)} scopes, and {MOST} are the most that can each earn trust")
        if strange := [name for name in self.risks if name not in self.names]:
            raise ValueError(f"risks: there is no scope {strange[0]!r}; the scopes are {', '.join(self.names)}")
        if self.pooling == "floor" and not self.risks:
            raise ValueError('pooling = "floor" needs risks, as { staging = "low", test = "low" }')
        return self

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All declared scopes; `?` is none of them."""
        if self.values:
            return tuple(map(_label, self.values))
        return (*(f"<={_label(edge)}" for edge in self.edges), f">{_label(self.edges[-1])}")

    def of(self, arguments: Mapping[str, Any]) -> str:
        """The scope of a call with these arguments.

        Args:
            arguments: Of the frozen call.
        """
        value = follow(arguments, self.argument)
        if self.values:
            same = (one for one in self.values if type(one) is type(value) and one == value)
            return next(map(_label, same), OTHER)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124  # NaN
            return OTHER
        return next((f"<={_label(edge)}" for edge in self.edges if value <= edge), self.names[-1])

    def alike(self, scope: str) -> tuple[str, ...]:
        """The other scopes of the same risk class."""
        risk = self.risks.get(scope)
        return tuple(name for name in self.names if risk is not None and name != scope and self.risks.get(name) == risk)


def _label(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class Probe(Strict):
    """A call that is known to be wrong, to be put among the questions. It never runs."""

    arguments: dict[str, Any]
    """What would be called. It must look like a real call."""
    why: Name
    """What is wrong with it, for whoever has answered."""


class Stake(Strict):
    """What is at stake with one tool, beside what a mistake costs at most (`mistake`)."""

    rollback_cost: MicroDollars = 0
    """What it costs to undo one call, as `"$5"`."""
    mistakes: Many[Name] = ()
    """The classes of mistakes that are expected and handled, as `"wrong_recipient"`. Any other is one that nobody
    anticipated, and weighs heavier."""
    single_pattern: bool = False
    """Its calls are all alike by nature, so that their sameness isn't held against them."""
    probes: Many[Probe] = ()
    """Calls that are known to be wrong, by which it is measured whether anybody looks."""
    cosmetic: Many[Argument] = ()
    """Arguments that a person may reword without the agent having been wrong, such as `subject`."""


class Trust(Strict):
    """What it takes to go up."""

    mode: Literal["certificate", "expected_loss"] = "certificate"
    """`certificate`: the chance of a wrong promotion is bounded, however often it is looked at. `expected_loss`: up to
    the rung bounded, where a mistake is capped, the expected loss alone decides. That is sooner, and promises nothing.
    """
    wage: MicroDollars | None = None
    """What an hour of the people costs who answer, as `"$60"`; unsaid, $60 is assumed."""
    waiting: MicroDollars = 0
    """What an hour costs in which a call waits for its answer."""
    minutes: dict[Name, Annotated[float, Field(ge=0, le=10_000)]] = Field(default_factory=dict)
    """Minutes of a person's time for one action on a rung, by its word. What isn't said is assumed, and what can be
    measured replaces it."""
    alpha: dict[Name, Annotated[float, Field(ge=1e-9, le=0.5)]] = Field(default_factory=dict)
    """Chance of a wrong promotion to a rung, by its word, from a billionth to a half."""
    least_days: Annotated[int, Field(ge=0, le=3650)] = 21
    """Days that an agent stays on a rung at least."""
    active_days: Annotated[int, Field(ge=0, le=3650)] = 14
    """Days of these on which it must have acted."""
    probes: Literal["written", "mutated", "off"] = "written"
    """Which probes are put among the questions of a tool: those of its rule, also real calls with one mistake put in,
    or none. A probe never runs, and is revealed as soon as it is answered."""
    probe_share: Annotated[float, Field(gt=0, le=0.05)] = 0.05
    """The share of questions that are probes, in the long run: one in twenty at most; and one a week at least, where
    there was one before."""
    loss_budget: MicroDollars | None = None
    """What a tool may lose in a day at the most, by its cap on a mistake and its bounds on calls a day."""
    promoters: Many[Name] = ("role:promoter",)
    """Who may sign a promotion, by name or as `role:…`. Nobody signs for a call that they proposed themselves."""

    @model_validator(mode="after")
    def _rungs(self) -> Self:
        words = {rung.word for rung in Rung}
        for key, known in (("minutes", words), ("alpha", {rung.word for rung in _ALPHA})):
            if strange := [word for word in getattr(self, key) if word not in known]:
                listed = ", ".join(rung.word for rung in Rung if rung.word in known)
                raise ValueError(f"{key}: {strange[0]!r} is none of the rungs {listed}")
        return self

    def minutes_on(self, rung: Rung) -> tuple[float, bool]:
        """Minutes of a person's time for one action on a rung, and whether that is declared."""
        said = self.minutes.get(rung.word)
        return (_UNDECLARED[rung], False) if said is None else (said, True)

    def alpha_to(self, rung: Rung) -> float:
        """Chance of a wrong promotion to a rung that is put up with."""
        return self.alpha.get(rung.word, _ALPHA[rung])
