"""Retention: what calls were about is erased once it was kept for as long as the policy says."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from ladder_graph.facts import Person
from ladder_graph.ladder.erasing import Erasing
from ladder_graph.ledger.evidence import shadows
from ladder_graph.ledger.tables.rows import US
from ladder_graph.ledger.upkeep import retention
from ladder_graph.ledger.upkeep.portions import Portion
from ladder_graph.ledger.upkeep.retention import STATES, Place

log = logging.getLogger("ladder_graph")

POLICY = Person("retention", "code")
"""Whose erasure it is."""
REASON = "kept for as long as the policy says"


@dataclass(slots=True)
class Seen:
    """How far this process has come, so that what was erased long ago isn't looked through every hour."""

    places: dict[tuple[str, str], int] = field(default_factory=dict)
    """For agent and state: before when nothing is left to erase, in microseconds."""


class Retaining(Erasing):
    """The part of a desk where retention is seen to."""

    _seen: Seen | None = None

    def keeps(self, tool: str) -> float | None:
        """Seconds for which the payloads of a tool's actions are kept; None where that has no end.

        Args:
            tool: The tool's name.
        """
        said = self.policy.retention
        if tool in said.tools:
            return said.tools[tool]
        of_labels = [said.labels[label] for label in self.policy.rule(tool).labels if label in said.labels]
        return min([*of_labels, *([said.payloads] if said.payloads is not None else [])], default=None)

    def sweep_retention(self) -> int:
        """Erase what was kept for long enough, of every agent.

        Returns:
            How many entries it was.
        """
        said = self.refresh().retention
        lengths = [*said.tools.values(), *said.labels.values(), *([said.payloads] if said.payloads else [])]
        if not lengths:
            return 0
        count = actions = 0
        with ExitStack() as erasing:
            for portion in self._kept_long_enough(min(lengths)):
                if not count + actions:
                    erasing.enter_context(self.store.database.overwriting())
                for file in self._erase_portion(portion, POLICY, REASON):
                    log.warning("retention: %s couldn't be deleted; delete it by hand", file)
                count, actions = count + len(portion.entries), actions + len(portion.actions)
        if count + actions:
            log.info("retention: %d entries about %d actions erased", count, actions)
        return count

    def _kept_long_enough(self, shortest: float) -> Iterator[Portion]:
        now = self._journal().us
        agents = self.reading.agents(self.policy.agent)
        for agent in agents:
            for state in STATES:
                yield from self._old(agent, state, now, now - int(shortest * US))
            yield from self._of_scopes(agent, now, now - int(shortest * US))
        for stream in (*agents, *map(shadows.chain_of, agents)):
            yield from self._loose(stream, now, now - int(shortest * US))

    def _old(self, agent: str, state: str, now: int, before: int) -> Iterator[Portion]:
        seen = self._seen = self._seen or Seen()
        place, first_left = Place(seen.places.get((agent, state), -1)), before
        while found := self.store.glance(
            partial(retention.old_actions, agent=agent, state=state, before_us=before, place=place)
        ):
            place = Place(found[-1].updated_us, found[-1].key)
            old = [one for one in found if not one.erased]
            due = [one for one in old if not one.busy and self._outlived(one.tool, now - one.updated_us)]
            first_left = min([first_left, *(one.updated_us - 1 for one in old if one not in due)])
            if due:
                keys = [one.key for one in due]
                yield self.store.glance(partial(retention.portion_of, agent=agent, actions=keys))
        seen.places[agent, state] = first_left

    def _outlived(self, tool: str, age_us: int) -> bool:
        keeps = self.keeps(tool)
        return keeps is not None and age_us > keeps * US

    def _of_scopes(self, stream: str, now: int, before: int) -> Iterator[Portion]:
        """What scopes say goes with the first of their calls, or once it was kept for as long as anything is."""
        longest = self.policy.retention.payloads
        place: Place | None = Place()
        while place is not None:
            found, place = self.store.glance(partial(retention.of_scopes, stream=stream, before_us=before, place=place))
            due = tuple(
                one for one, erased in found if erased or (longest is not None and now - one.at_us > longest * US)
            )
            if due:
                yield Portion(stream, due, ())

    def _loose(self, stream: str, now: int, before: int) -> Iterator[Portion]:
        place: Place | None = Place()
        while place is not None:
            found, place = self.store.glance(partial(retention.loose, stream=stream, before_us=before, place=place))
            due = tuple(one for one in found if self._outlived(str(one.kept.get("tool", "")), now - one.at_us))
            if due:
                yield Portion(stream, due, ())
