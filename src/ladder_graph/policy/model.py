"""The policy: what each tool of an agent may do. `ladder.toml` and Python are this same strict model."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from ladder_graph.calls import digest_of
from ladder_graph.policy import globs
from ladder_graph.policy.bounds import Volume
from ladder_graph.policy.checkpoints import Checkpoints, Retention
from ladder_graph.policy.console import Access, Accesses, Console
from ladder_graph.policy.fields import Many, Name, Place, Strict, Template, placed
from ladder_graph.policy.mistakes import refuse
from ladder_graph.policy.questioning import Questions
from ladder_graph.policy.reporting import Reports, Stream
from ladder_graph.policy.rules import LOWEST, Rule
from ladder_graph.policy.slack import Member, Slack
from ladder_graph.policy.trusting import Trust
from ladder_graph.policy.units import SomeSeconds
from ladder_graph.policy.watching import Metrics, Signals
from ladder_graph.policy.whole import ROLE, chatted, let_in, tied, twice_told, unanswerable, unheard
from ladder_graph.scale import Rung


class Someone(Strict):
    """A person who answers."""

    roles: Many[Name] = ()
    """What they are, for `confirm.by = ["role:finance"]`."""
    labels: Many[Name] = ()
    """What they may see, for the `labels` of a rule."""
    slack: Member | None = None
    """Their member id in Slack, such as `U0123ABCD`: whose answers from there are theirs."""
    console: Accesses = Access.VIEWER
    """What they may do in the console: `none`, `viewer`, `reviewer`, `promoter` or `admin`; or that for each agent by
    name, as `{ ops = "reviewer", "ops/research" = "viewer" }`, where an agent that isn't named is none of theirs."""

    def access(self, agent: str) -> Access:
        """What they may do in the console with an agent.

        Args:
            agent: Its name. What holds for it holds for the agents inside it that have no entry of their own.
        """
        if isinstance(self.console, Access):
            return self.console
        while agent not in self.console and "/" in agent:
            agent = agent.rpartition("/")[0]
        return self.console.get(agent, Access.NONE)


class Key(Strict):
    """A key with which an inbox signs answers. The policy never holds the key itself."""

    env: Name
    """The environment variable that holds it, in the process where the answer comes in."""
    valid: SomeSeconds = 300.0
    """Seconds by which the moment of signing may be off, as `"5m"`."""


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
    """The rules, by the tool's exact name, or by a glob for many, as `github_*`: only `*` is special. The name itself
    wins over any glob, and of two globs the one with more other characters. Each tool has its own counters."""
    reports: Reports = Reports()
    """Who reads the reports."""
    questions: Questions = Questions()
    """Who is told that a question or a draft waits."""
    people: dict[Name, Someone] = Field(default_factory=dict)
    """The people who answer, by name, with their roles. It may stay empty where no rule names a role."""
    keys: dict[Name, Key] = Field(default_factory=dict)
    """The keys of inboxes that sign answers, by the id that a signed answer names."""
    console: Console = Console()
    """The pages on which people answer."""
    slack: Slack = Slack()
    """Where questions are sent in Slack, and how answers from there are known to be genuine."""
    trust: Trust = Trust()
    """What it takes to go up a rung."""
    signals: Signals = Signals()
    """Where alerts from outside are taken, for checks of the kind `alert`."""
    metrics: Metrics = Metrics()
    """Where `/metrics` is served, by the console and by `ladder watch --listen`."""
    checkpoints: Checkpoints = Checkpoints()
    """Signed checkpoints of the ledger, and where they are exported to."""
    retention: Retention = Retention()
    """How long the ledger says what calls were about."""
    watcher: Literal["thread", "process"] = "thread"
    """Who sees watched actions through: a thread of the agent's process, which goes on when it is started again, or
    `ladder watch`, without which a tool of rung 4 with a `watch.window` asks."""
    rehearsals: Literal["advised", "required"] = "required"
    """Whether a tool stands on rung 4 only once this very undo was rehearsed with this version of it (`ladder
    rehearse`), and that passed; else it stands a rung lower. `ladder doctor` says when the last one was."""
    ask: Literal["all", "one"] = "all"
    """How many questions of one turn are open at once: all of them, each answered by its interrupt's id, or one after
    the other, for inboxes that know only one."""
    prompts: Many[Template] = ()
    """Templates of system prompts, as `"Today is {date}. You are …"`. Where the words of one stand in a prompt, what
    fills its `{slots}` makes no other environment. Of other prompts dates, times, ids and mail addresses are masked."""
    prompt_values: Many[Name] = ()
    """Names in the run's context, or in the `configurable` of its config, whose values are masked in prompts too."""
    data_version: Name | None = None
    """The version of the data that the agent works on. Another one is another environment."""
    provider_tools: Literal["refuse", "report"] = "refuse"
    """What becomes of a request to a model with tools that its provider runs by itself, past every gate: it isn't sent,
    or it is and the ledger says so."""

    @model_validator(mode="after")
    def _one_entry_each(self) -> Self:
        refuse(tied(self.tools))
        return self

    @model_validator(mode="after")
    def _somebody_can_answer(self) -> Self:
        refuse(unanswerable(self))
        return self

    @model_validator(mode="after")
    def _somebody_reads(self) -> Self:
        refuse(unheard(self))
        return self

    @model_validator(mode="after")
    def _somebody_comes_in(self) -> Self:
        refuse(let_in(self))
        return self

    @model_validator(mode="after")
    def _told_once(self) -> Self:
        refuse(twice_told(self))
        return self

    @model_validator(mode="after")
    def _slack_is_fit(self) -> Self:
        refuse(chatted(self))
        return self

    @cached_property
    def told_of_waiting(self) -> bool:
        """Whether anybody is told that a question or a draft waits, by the policy or in Slack."""
        return bool(self.questions.notify) or any("slack" in rule.confirm.via for rule in self.tools.values())

    def withheld(self, rule: Rule, name: str) -> list[str]:
        """The labels of a rule that a person doesn't hold.

        Args:
            rule: The rule.
            name: The person's name.
        """
        held = self.people[name].labels if name in self.people else ()
        return [label for label in rule.labels if label not in held]

    def stream_of(self, rule: Rule) -> tuple[str, Stream] | None:
        """The stream that reports under a rule go to, with its name; None where nobody is named to read it.

        Args:
            rule: The rule.
        """
        name = rule.channel or ""
        stream = self.reports.stream(name)
        return (name, stream) if stream is not None and stream.reader else None

    def reader_of(self, rule: Rule) -> str | None:
        """Who reads the reports under a rule, with commas; None where nobody is named."""
        found = self.stream_of(rule)
        return None if found is None else ", ".join(found[1].reader)

    def able(self, by: Collection[str]) -> set[str]:
        """The names of those who may answer, with the roles looked up.

        Args:
            by: Names and `role:…`, as in `confirm.by`.
        """
        roles = {one.removeprefix(ROLE) for one in by if one.startswith(ROLE)}
        named = {one for one in by if not one.startswith(ROLE)}
        return named | {name for name, person in self.people.items() if roles and not roles.isdisjoint(person.roles)}

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
        found = self.entry(tool)
        return LOWEST if found is None else self.tools[found]

    def entry(self, tool: str) -> str | None:
        """The entry of `tools` that is for a tool: its name, or the most specific glob; None where there is none.

        Example:
            >>> policy = Policy.from_rungs("ops", {"github_*": "confirm", "github_read_*": "bounded"})
            >>> policy.entry("github_read_issue"), policy.entry("github_close"), policy.entry("gitlab_close")
            ('github_read_*', 'github_*', None)
        """
        if tool in self.tools:
            return tool
        return globs.nearest(self._globs, tool) if self._globs else None

    @cached_property
    def _globs(self) -> tuple[str, ...]:
        return tuple(entry for entry in self.tools if globs.STAR in entry)

    @cached_property
    def named(self) -> frozenset[str]:
        """The tools that the policy names one by one."""
        return frozenset(self.tools) - frozenset(self._globs)

    @cached_property
    def revision(self) -> str:
        """A digest of what the policy allows, not of where things are kept; every entry of the ledger carries it."""
        return digest_of(
            "policy", self.model_dump(mode="json", exclude={"ledger", "drafts", "metrics", "checkpoints", "retention"})
        )[:16]

    def anchored(self, folder: str | os.PathLike[str]) -> Self:
        """This policy with every relative path in it taken from a folder."""
        base = Path(folder).absolute()
        elsewhere = self.ledger == ":memory:" or "://" in self.ledger
        return self.model_copy(
            update={
                "ledger": self.ledger if elsewhere else placed(self.ledger, base),
                "drafts": self.drafts if "://" in self.drafts else placed(self.drafts, base),
                "tools": {name: rule.anchored(base) for name, rule in self.tools.items()},
                "reports": self.reports.anchored(base),
                "questions": self.questions.anchored(base),
                "checkpoints": self.checkpoints.anchored(base),
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
