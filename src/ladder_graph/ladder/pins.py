"""The environments of an agent as people see them: which were there, what changed between two, which one is granted."""

from __future__ import annotations

import datetime as dt
import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ladder_graph import lockfile
from ladder_graph.errors import LadderError
from ladder_graph.facts import Person
from ladder_graph.fingerprint import Change, Environment, diff
from ladder_graph.ladder.questions import person_of
from ladder_graph.ladder.windows import Windows
from ladder_graph.ledger import Reading
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.evidence import provenance
from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.tables.standing_rows import EnvironmentRow
from ladder_graph.prompts import DYNAMIC
from ladder_graph.scale import Rung
from ladder_graph.trust.standing import Standing, standing

Source = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Span:
    """When something was seen."""

    first: dt.datetime
    last: dt.datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """An environment that proposed calls of an agent, or that its rungs are granted to."""

    key: str
    """Digest of all its components. The key of a cell is another one, for each tool."""
    environment: Environment
    seen: Span | None
    """When calls came from it; None where none did so far."""
    granted: bool
    """The policy's rungs are granted to it."""
    beside: Mapping[str, Mapping[str, Span]]
    """What its answers bore that makes no other environment: name to values."""
    changes: tuple[Change, ...]
    """What is different from the one that the rungs are granted to."""
    stands: Mapping[str, Standing]
    """Where each of its tools stands by what it is, of those that the policy has an entry for. Demotions, missing undos
    and unread reports may hold a tool lower still; `ladder status` counts all of it."""


@dataclass(frozen=True, slots=True)
class Fallen:
    """Where a tool would stand in one environment under a grant for another."""

    tool: str
    granted: Rung
    """By the policy."""
    standing: Standing
    changes: tuple[Change, ...]
    """What changed for this tool, each change in its class."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between two environments, and what that means."""

    before: Sighting
    after: Sighting
    tools: tuple[Fallen, ...]
    prompt: tuple[str, ...]
    """The lines of the system prompts' diff; empty where they are the same, or one wasn't kept."""
    hidden: tuple[tuple[dt.datetime, str], ...]
    """What changed in the later prompt where dates, times and ids are masked: when, and what, in words."""


class Pins(Windows):
    """The part of a desk where environments are."""

    reading: Reading
    _locked: dict[str, Environment]

    def environments(self, agent: str | None = None) -> tuple[Environment | None, Environment | None]:
        """The environment that the start rungs are granted for, and the one last seen; None where there is none.

        Args:
            agent: Whose, where it isn't the policy's agent.
        """
        whose = agent or self.policy.agent
        seen = self.reading.environments(whose)
        pinned = self._locked.get(whose) or self.store.read(lambda cursor: acts.pinned_of(cursor, whose))
        return pinned, Environment.read(seen[-1].components, "the ledger") if seen else None

    def sightings(self, agent: str | None = None) -> list[Sighting]:
        """Every environment of an agent that is known, the one that was last seen first.

        Args:
            agent: Whose, where it isn't the policy's agent.
        """
        whose = agent or self.policy.agent
        pinned, _ = self.environments(whose)
        found = [self._sighting(whose, row, pinned) for row in reversed(self.reading.environments(whose))]
        if pinned is not None and all(one.environment != pinned for one in found):
            found.append(self._described(whose, pinned, pinned, None, {}))
        return found

    def sighting(self, prefix: str, agent: str | None = None) -> Sighting:
        """The environment whose key begins like this.

        Args:
            prefix: The beginning of its key.
            agent: Whose, where it isn't the policy's agent.

        Raises:
            LadderError: There is none, or more than one.
        """
        whose = agent or self.policy.agent
        found = [one for one in self.sightings(whose) if prefix and one.key.startswith(prefix.lower())]
        if len(found) == 1:
            return found[0]
        if found:
            raise LadderError(f"{len(found)} environments of {whose} begin with {prefix!r}; write more of the key")
        raise LadderError(f"{whose} has no environment {prefix!r}; `ladder fingerprint` lists them")

    def difference(
        self, before: str | None = None, after: str | None = None, agent: str | None = None
    ) -> Difference:  # fmt: skip
        """What changed from one environment to another, and what that means for each tool.

        Args:
            before: The beginning of a key; the one that the rungs are granted to by default.
            after: The beginning of another one; the one last seen by default.
            agent: Whose, where it isn't the policy's agent.

        Raises:
            LadderError: There is no such environment, or none at all.
        """
        whose = agent or self.policy.agent
        known = self.sightings(whose)
        if not known or (before is None and not any(one.granted for one in known)):
            raise LadderError(f"no call of {whose} was seen yet, so there is nothing to compare; run the agent once")
        old = next(one for one in known if one.granted) if before is None else self.sighting(before, whose)
        new = known[0] if after is None else self.sighting(after, whose)
        return Difference(old, new, self._fallen(old.environment, new.environment), *self._prompts(whose, old, new))

    def pin(
        self, *, by: str | Person, path: Source | None = None, agent: str | None = None,
        environment: Environment | None = None,
    ) -> Environment | None:  # fmt: skip
        """Grant the policy's start rungs for an environment, in a person's name.

        Args:
            by: Whose grant it is.
            path: Where to write `ladder.lock`, which then wins over the ledger; nowhere if None.
            agent: Whose rungs, where they aren't the policy's agent's.
            environment: What they are granted for; the last one seen by default.

        Returns:
            The environment, or None where none was seen yet.
        """
        whose, person = agent or self.policy.agent, person_of(by)
        granted = environment or self.environments(whose)[1]
        if granted is None:
            return None
        self._write(lambda journal, cursor: acts.pin(journal, cursor, whose, granted, person))
        if path is not None:
            lockfile.write(Path(path), whose, granted)
            self._locked[whose] = granted
        return granted

    def _sighting(self, agent: str, row: EnvironmentRow, pinned: Environment | None) -> Sighting:
        environment = Environment.read(row.components, "the ledger")
        beside = {
            name: {value: Span(*map(_moment, when)) for value, when in values.items()}
            for name, values in json.loads(row.beside).items()
        }
        return self._described(agent, environment, pinned, Span(_moment(row.first_us), _moment(row.last_us)), beside)

    def _described(
        self, agent: str, environment: Environment, pinned: Environment | None, seen: Span | None,
        beside: Mapping[str, Mapping[str, Span]],
    ) -> Sighting:  # fmt: skip
        changes = () if pinned is None else diff(pinned, environment)
        stands = {
            tool: standing(self.policy.rule(tool).rung, pinned, environment, tool)
            for tool in self._judged(agent, environment)
        }
        key = acts.environment_key(environment)
        return Sighting(key, environment, seen, environment == pinned, beside, changes, stands)

    def _judged(self, agent: str, *environments: Environment) -> list[str]:
        """The tools of environments that the policy has an entry for."""
        shown = {tool for one in environments for tool in one.tools}
        named = self.policy.named if agent == self.policy.agent else frozenset()
        known = shown | (named if not shown else frozenset())
        return sorted(tool for tool in known if self.policy.entry(tool) is not None)

    def _fallen(self, before: Environment, after: Environment) -> tuple[Fallen, ...]:
        rungs = {tool: self.policy.rule(tool).rung for tool in self._judged(self.policy.agent, before, after)}
        return tuple(
            Fallen(tool, rung, standing(rung, before, after, tool), diff(before, after, tool))
            for tool, rung in rungs.items()
        )

    def _prompts(
        self, agent: str, before: Sighting, after: Sighting
    ) -> tuple[tuple[str, ...], tuple[tuple[dt.datetime, str], ...]]:
        old, new = before.environment.prompt, after.environment.prompt

        def read(cursor: Cursor) -> tuple[str | None, str | None, list[tuple[int, str]]]:
            texts = [provenance.first_text(cursor, agent, one) if one else None for one in (old, new)]
            told = provenance.told_of(cursor, agent, new) if new not in {None, DYNAMIC} else []
            return texts[0], texts[1], told

        was, now, told = self.store.read(read)
        lines = () if was is None or now is None else _lines(was, now)
        return lines, tuple((_moment(at), text) for at, text in told)


def _lines(before: str, after: str) -> tuple[str, ...]:
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
    return tuple(line for line in found if not line.startswith(("---", "+++", "@@")))


def _moment(us: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(us / 1_000_000, tz=dt.UTC)
