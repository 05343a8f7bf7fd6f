"""All that the chain of one agent tells about trust. A verdict is a function of this, of the policy and of the moment.

Nothing here is a running number: whatever the order in which entries came, and however often, the same ledger gives the
same verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from ladder_graph.errors import PolicyError
from ladder_graph.fingerprint import Environment
from ladder_graph.trust.deeds import Deed, Happening, add
from ladder_graph.trust.held import Event, Kind
from ladder_graph.trust.reviewers import Probes

_SHADOWS = frozenset({"shadow", "shadowed"})
"""What a shadow takes down. It ran under nobody's rung, so it is evidence for none, in whichever chain it stands."""


@dataclass(frozen=True, slots=True)
class Drill:
    """One rehearsal of an undo."""

    at_us: int
    tool: str
    version: str
    passed: bool


class Replay(NamedTuple):
    """What fixed prompts were answered with, once."""

    at_us: int
    answers: dict[str, str]
    """Prompt to a digest of the calls that it was answered with."""


@dataclass(slots=True)
class Digested:
    """A report, as far as the chain tells whether it was read in time."""

    due_us: int | None = None
    """By when it had to be read; None where it wasn't made yet."""
    read_us: int | None = None
    lapsed: bool = False
    """Its time was over, by whichever clock, before it was read."""


@dataclass(slots=True)
class Fold:
    """What the entries of one agent's chain have told so far."""

    agent: str
    deeds: dict[str, Deed] = field(default_factory=dict)
    """Action to what became of it."""
    events: list[Event] = field(default_factory=list)
    """What took cells up and down, in the order of the chain."""
    drills: list[Drill] = field(default_factory=list)
    attested: dict[tuple[str, str], int] = field(default_factory=dict)
    """What was carried out, for which tool (empty for all), to when it last held."""
    digests: dict[str, Digested] = field(default_factory=dict)
    """Reports by their ids."""
    probes: dict[str, Probes] = field(default_factory=dict)
    """Reviewer to the probes that they were shown."""
    replays: list[Replay] = field(default_factory=list)
    """Of fixed prompts, oldest first, since the agent came to be what it is."""
    environments: list[Environment] = field(default_factory=list)
    """What proposed calls, as far as the chain describes it; the pinned one and the changes."""
    pinned: Environment | None = None
    """What the start rungs were granted to."""

    def take(self, entry: Happening) -> None:
        """Take one entry in."""
        said: Any
        match entry.kind:
            case "promoted" | "demoted" | "sampled" | "carried":
                self._event(entry)
            case "rehearsed":
                said = entry.body
                drill = Drill(entry.at_us, str(said.get("tool")), str(said.get("version")), bool(said.get("passed")))
                self.drills.append(drill)
            case "attested" if entry.body.get("ok") is True:
                what = str(entry.body.get("what")), str(entry.body.get("tool", ""))
                self.attested[what] = max(entry.at_us, self.attested.get(what, 0))
            case "probe":
                by, missed = str(entry.body.get("by")), int(not entry.body.get("caught"))
                self.probes[by] = self.probes.get(by, Probes()) + Probes(1, missed)
            case "replayed":
                said = entry.body.get("answers")
                answers = {str(name): str(one) for name, one in said.items()} if type(said) is dict else {}
                self.replays.append(Replay(entry.at_us, answers))
            case "pinned" | "environment":
                self._environment(entry)
            case "digest" | "read" | "lapsed":
                self._digest(entry)
            case _ if entry.action and entry.kind not in _SHADOWS:
                if (deed := self.deeds.get(entry.action)) is None:
                    deed = self.deeds[entry.action] = Deed()
                add(deed, entry)

    def _event(self, entry: Happening) -> None:
        try:
            self.events.append(Event.of(entry.agent, entry.at_us, cast("Kind", entry.kind), entry.body))
        except (KeyError, ValueError, TypeError):
            return  # It was erased, or is not ours; `verify` tells which.

    def _digest(self, entry: Happening) -> None:
        said, due = str(entry.body.get("digest", "")), entry.body.get("due_us")
        known = self.digests.setdefault(said, Digested())
        if entry.kind == "digest" and type(due) is int:
            known.due_us = due if known.due_us is None else min(due, known.due_us)
        elif entry.kind == "read":
            known.read_us = entry.at_us if known.read_us is None else min(entry.at_us, known.read_us)
        elif entry.kind == "lapsed":
            known.lapsed = True

    def _environment(self, entry: Happening) -> None:
        try:
            found = Environment.from_json(entry.body.get("components"), "the ledger")
        except PolicyError:
            return
        self.environments.append(found)
        if entry.body.get("changed") is not False:
            self.replays.clear()
        if entry.kind == "pinned":
            self.pinned = found


def folded(agent: str, entries: Iterable[Happening]) -> Fold:
    """Fold the chain of one agent."""
    fold = Fold(agent)
    for entry in entries:
        fold.take(entry)
    return fold
