"""The policy: what each tool of an agent may do. `ladder.toml` and Python are this same strict model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator

from ladder_graph.calls import digest_of
from ladder_graph.policy.bounds import Bound, Under, Volume
from ladder_graph.policy.bounds.shape import QuotaBound
from ladder_graph.policy.checks import Check
from ladder_graph.policy.fields import ImportPath, Many, Name, Place, RungField, Strict, placed
from ladder_graph.policy.units import SomeSeconds
from ladder_graph.scale import Rung


class Confirm(Strict):
    """How a question about this tool is answered."""

    by: Many[Name] = ()
    """Who may answer, by name; empty means anybody who is named."""
    type: Name | None = None
    """The argument whose exact value must be typed to approve: the fact that matters, not "yes"."""
    expires: SomeSeconds = 86400.0
    """Seconds until an unanswered question is declined, as `"24h"`."""


class Rule(Strict):
    """What one tool may do.

    Example:
        >>> rule = Rule(rung="bounded", bounds=[{"kind": "volume", "limit": 3}])
        >>> rule.rung.word, rule.bounds[0].limit
        ('bounded', 3)
    """

    rung: RungField = Rung.SUGGEST
    """Where the tool starts: a grant for one environment (model, prompt, parameters, tools)."""
    ceiling: RungField = Rung.REPORT
    """The highest rung it may ever stand on."""
    read_only: bool = False
    """The tool changes nothing and carries nothing out; then it needs neither bounds nor undo."""
    impact: Literal["low", "medium", "high"] = "low"
    """How bad a wrong call is. Above low, a person whose identity nobody checked may not approve."""
    bounds: Many[Bound] = ()
    """What it may do without asking, from rung 3 up; every one of them must hold."""
    undo: ImportPath | None = None
    """The `Declaration` of its undo, as `module:name`; for a tool that doesn't declare one itself."""
    checks: Many[Check] = ()
    """Health checks after the action, from rung 4 up; one bad one undoes it."""
    confirm: Confirm = Confirm()
    """How its questions are answered."""

    @field_validator("ceiling")
    @classmethod
    def _above_the_rung(cls, ceiling: Rung, info: ValidationInfo) -> Rung:
        rung = info.data.get("rung", Rung.SUGGEST)
        if ceiling < rung:
            raise ValueError(f"is {ceiling}, below the rung {rung} that the tool starts on; lower the rung or raise it")
        return ceiling

    @field_validator("bounds")
    @classmethod
    def _one_counter_each(cls, bounds: tuple[Bound, ...]) -> tuple[Bound, ...]:
        counted: dict[str, int] = {}
        for place, bound in enumerate(bounds):
            if isinstance(bound, QuotaBound) and (first := counted.setdefault(bound.counter, place)) != place:
                raise ValueError(
                    f"entries [{first}] and [{place}] are {bound.kind} bounds on the same counter ({bound.counter}); "
                    "keep the tighter one"
                )
        return bounds

    @cached_property
    def revision(self) -> str:
        """A digest of this rule alone; an edit elsewhere in the policy leaves it as it is."""
        return digest_of("rule", self.model_dump(mode="json"))[:16]

    def anchored(self, folder: Path) -> Self:
        """This rule with the directories of its bounds taken from a folder."""
        bounds = tuple(bound.anchored(folder) if isinstance(bound, Under) else bound for bound in self.bounds)
        return self.model_copy(update={"bounds": bounds})


class Reports(Strict):
    """Who reads what was done unasked at rung 5."""

    reader: Name | None = None
    """The person who must acknowledge; without a name nobody stands on rung 5."""
    sla: SomeSeconds = 86400.0
    """Seconds within which a report must be acknowledged, as `"24h"`."""


LOWEST = Rule()
"""The rule for a tool that no policy names: it suggests."""

SHORTHAND_LIMIT = 100
"""Calls per day and tool that the one-line form allows unasked, so that even it runs inside a bound."""


class Policy(Strict):
    """What an agent may do, tool by tool. A tool that isn't listed gets the lowest rung."""

    agent: Name = "agent"
    """The agent's name; the ledger keeps one chain for each."""
    ledger: Place = "ladder.db"
    """Where the ledger lives: a file, relative to the policy file, or `:memory:`, or the URL of a database."""
    drafts: Place = "drafts"
    """The drafts workspace: a directory, relative to the policy file."""
    tools: dict[Name, Rule] = Field(default_factory=dict)
    """The rules, by the tool's exact name."""
    reports: Reports = Reports()
    """Who reads the reports."""
    provider_tools: Literal["refuse", "report"] = "refuse"
    """What becomes of a request to a model with tools that its provider runs by itself, past every gate: it isn't sent,
    or it is and the ledger says so."""

    @classmethod
    def from_rungs(cls, agent: str, rungs: Mapping[str, Any]) -> Policy:
        """The one-line form: tool names to rungs, rules, or a mapping of a rule's fields.

        A bare rung from `bounded` up also gets a bound of 100 calls a day, since no call runs unasked without one.

        Raises:
            PolicyError: A rung or a field is unknown.

        Example:
            >>> policy = Policy.from_rungs("ops", {"read_status": "report", "send_email": "confirm"})
            >>> policy.rule("send_email").rung.word, policy.rule("drop_table").rung.word
            ('confirm', 'suggest')
        """
        from ladder_graph.policy.reading import policy_of

        return policy_of({"agent": agent, "tools": {name: _rule(value) for name, value in rungs.items()}}, "rungs")

    def rule(self, tool: str) -> Rule:
        """The rule for a tool; the lowest one where none is written."""
        return self.tools.get(tool, LOWEST)

    @cached_property
    def revision(self) -> str:
        """A digest of what the policy allows, not of where things are kept; every entry of the ledger carries it."""
        return digest_of("policy", self.model_dump(mode="json", exclude={"ledger", "drafts"}))[:16]

    def anchored(self, folder: str | os.PathLike[str]) -> Self:
        """This policy with every relative path in it taken from a folder."""
        base = Path(folder).absolute()
        elsewhere = self.ledger == ":memory:" or "://" in self.ledger
        return self.model_copy(
            update={
                "ledger": self.ledger if elsewhere else placed(self.ledger, base),
                "drafts": self.drafts if "://" in self.drafts else placed(self.drafts, base),
                "tools": {name: rule.anchored(base) for name, rule in self.tools.items()},
            }
        )


def _rule(value: object) -> Any:
    if isinstance(value, Rule):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    try:
        unasked = Rung.parse(value) >= Rung.BOUNDED
    except ValueError:
        unasked = False  # The rung itself is reported with everything else that is wrong.
    return {"rung": value, "bounds": [Volume(limit=SHORTHAND_LIMIT)] if unasked else []}
