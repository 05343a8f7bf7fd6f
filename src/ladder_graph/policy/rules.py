"""The rule of one tool: where it stands, what bounds it, how it is confirmed, and what notices that it went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ladder_graph.calls import Call, digest_of
from ladder_graph.policy.bounds import Bound, Origin, Predicate, Table, Under
from ladder_graph.policy.bounds.shape import QuotaBound
from ladder_graph.policy.checks import Check
from ladder_graph.policy.fields import Argument, ImportPath, Many, Name, RungField, Strict
from ladder_graph.policy.mistakes import BESIDE, Mistake, refuse
from ladder_graph.policy.trusting import OTHER, Scope, Stake
from ladder_graph.policy.units import MicroDollars, SomeSeconds
from ladder_graph.policy.watching import Watch, problems
from ladder_graph.scale import Rung


class Confirm(Strict):
    """How a question about this tool is answered."""

    by: Many[Name] = ()
    """Who may answer, by name or as `role:name`; empty means anybody who is named."""
    type: Argument | None = None
    """The argument whose exact value must be typed to approve: the fact that matters, not "yes". A value that is no
    text is typed as JSON. For high impact it is the tool's name where nothing else is said."""
    expires: SomeSeconds = 86400.0
    """Seconds until an unanswered question is declined, as `"24h"`."""
    decisions: Many[Literal["approve", "decline", "edit", "respond"]] = ("approve", "decline", "edit", "respond")
    """What may be answered. `edit` runs other arguments than the model's, `respond` gives the model a text instead."""
    quorum: int = Field(default=1, ge=1, le=20)
    """How many different people must approve; one no is enough."""
    not_requester: bool = False
    """Whoever's run proposed the call may not approve it."""
    via: Many[Literal["slack"]] = ()
    """Where else than in the console and on the command line an answer is taken: `slack`, for low impact only."""

    @field_validator("decisions")
    @classmethod
    def _with_a_no(cls, decisions: tuple[str, ...]) -> tuple[str, ...]:
        if "decline" not in decisions:
            raise ValueError('must hold "decline": whoever is asked can always say no')
        return decisions


def _doubled(bounds: Iterable[Bound]) -> Iterator[Mistake]:
    """Bounds of one rule that would count on the same counter."""
    counted: dict[str, int] = {}
    for place, bound in enumerate(bounds):
        if isinstance(bound, QuotaBound) and (first := counted.setdefault(bound.counter, place)) != place:
            text = f"is a {bound.kind} bound on the same counter ({bound.counter}) as {BESIDE}; keep the tighter one"
            yield Mistake(("bounds", first), text, ("bounds", place))


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
    """The tool changes nothing; then it needs neither bounds nor undo, unless it carries something out (`egress`)."""
    egress: bool | None = None
    """Whether the tool sends its arguments outside, as a search or a fetch does: from rung 3 up, it then needs a bound
    on an argument, and counting calls alone isn't enough. Where it isn't said, the schema of a tool that only reads
    tells: each argument that names a place or somebody, as `url`, `host` or `to`, needs a bound."""
    impact: Literal["low", "medium", "high"] = "low"
    """How bad a wrong call is. Above low, a person whose identity nobody checked may not approve."""
    mistake: MicroDollars | None = None
    """What one wrong call costs at most, as `"$200"`. It is told to whoever is asked, and a call whose cost, by a bound
    on cost, is higher asks."""
    labels: Many[Name] = ()
    """Access labels of what the tool touches, as `"customer-data"`: only who holds all of them may approve its calls,
    put other arguments in, answer in its place, or decide about its drafts."""
    channel: Name | None = None
    """The stream that the tool's reports go to, of those under `reports.channels`; unsaid, to the reader of all."""
    bounds: Many[Bound] = ()
    """What it may do without asking, from rung 3 up; every one of them must hold."""
    undo: ImportPath | None = None
    """The `Declaration` of its undo, as `module:name`; for a tool that doesn't declare one itself."""
    checks: Many[Check] = ()
    """Health checks after the action, from rung 4 up; one bad one undoes it."""
    watch: Watch = Watch()
    """How the action is watched after the reply."""
    confirm: Confirm = Confirm()
    """How its questions are answered."""
    scope: Scope | None = None
    """By what its calls are told apart for trust; unsaid, all of them are alike."""
    trust: Stake = Stake()
    """What is at stake, for what it earns."""
    data_version: Name | None = None
    """The version of the data that the tool works on, as `"catalogue-2026-03"`. Another one is another environment."""

    @field_validator("ceiling")
    @classmethod
    def _above_the_rung(cls, ceiling: Rung, info: ValidationInfo) -> Rung:
        rung = info.data.get("rung", Rung.SUGGEST)
        if ceiling < rung:
            raise ValueError(f"is {ceiling}, below the rung {rung} that the tool starts on; lower the rung or raise it")
        return ceiling

    @model_validator(mode="after")
    def _one_counter_each(self) -> Self:
        refuse(_doubled(self.bounds))
        return self

    @model_validator(mode="after")
    def _can_be_watched(self) -> Self:
        refuse(problems(self.watch, self.checks))
        return self

    @cached_property
    def revision(self) -> str:
        """A digest of this rule alone; an edit elsewhere in the policy leaves it as it is."""
        return digest_of("rule", self.model_dump(mode="json"))[:16]

    @cached_property
    def found(self) -> dict[Any, Any]:
        """What is kept by those who work something out of this rule again and again. A copy begins without it."""
        return {}

    @cached_property
    def takes_time(self) -> bool:
        """Whether a bound runs other people's code, reads a conversation, parses SQL, or looks at files."""
        return any(isinstance(bound, Predicate | Origin | Table | Under) for bound in self.bounds)

    def undeclared(self, call: Call) -> bool:
        """Whether a call is in none of the scopes that are declared for its tool."""
        return self.scope is not None and self.scope.of(call.arguments) == OTHER

    @property
    def noticed(self) -> bool:
        """Whether anything would call for an undo: a health check, or that nobody keeps the action."""
        return bool(self.checks) or self.watch.confirm == "required"

    @property
    def measures_a_part(self) -> bool:
        """Whether a health check could say that the part of a call is good, before the rest runs."""
        return any(
            check.vouches and not check.dry_run and bool(check.before_the_reply or self.watch.canary)
            for check in self.checks
        )

    def of_a_part(self) -> Self:
        """The rule that the part of a call is watched under, which goes first."""
        return self.model_copy(update={"watch": self.watch.of_a_part()})

    def anchored(self, folder: Path) -> Self:
        """This rule with the directories of its bounds taken from a folder."""
        bounds = tuple(bound.anchored(folder) if isinstance(bound, Under) else bound for bound in self.bounds)
        return self.model_copy(update={"bounds": bounds})


LOWEST = Rule()
"""The rule for a tool that no policy names: it suggests."""
HANDOVER = Rule(rung=Rung.BOUNDED, read_only=True, egress=False)
"""The rule for a hand-over that no policy names: it only says who goes on, and whose calls have rungs of their own."""
