"""Carrying over: a person decides that a changed agent keeps what it had earned, or that it earns it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ladder_graph.errors import AnswerRefused
from ladder_graph.facts import Person
from ladder_graph.fingerprint import Environment
from ladder_graph.ladder.pins import Pins, Sighting
from ladder_graph.ladder.questions import person_of
from ladder_graph.ladder.suspecting import Suspecting
from ladder_graph.ledger import Journal
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.gate import standings
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.evidence import DAY
from ladder_graph.trust.held import Event, Held, nearest
from ladder_graph.trust.standing import Standing, as_known, reached, standing

Keep = Literal["all", "part", "none"]
"""All of the rung, one rung less than it was, or none of it: it earns its rungs again from where it stands."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What it cost one tool, in one scope, that the agent is another one now."""

    before: CellKey
    after: CellKey
    stood: Standing
    """Where it stood, by what it was granted, given and lost, as what it was."""
    stands: Standing
    """Where it stands as what it is."""
    most: Rung
    """The highest rung that can be carried over: what it was put down for as what it is stays, and what isn't known of
    that caps it."""
    waits_us: int = 0
    """Until when it must wait after a demotion, wherever it stands; 0 where it needn't."""

    @property
    def fell(self) -> bool:
        """Whether it stands lower than it did."""
        return self.stands.rung < self.stood.rung

    def kept(self, keep: Keep) -> Rung:
        """Where it would stand after a choice."""
        wanted = {"all": self.most, "part": Rung(max(0, self.stood.rung - 1)), "none": self.stands.rung}[keep]
        return max(self.stands.rung, min(wanted, self.most))


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody decided about a change."""

    at_us: int
    keep: Keep
    by: str
    reason: str
    before: str
    """The key of the environment in which it was earned."""
    after: str
    """That of the one that has it now."""


class Carrying(Pins, Suspecting):
    """The part of a desk where it is decided what a changed agent keeps."""

    def costs(self, before: Sighting, after: Sighting, agent: str | None = None) -> list[Cost]:
        """What it cost each tool of an agent that it is another one now.

        Args:
            before: What it was.
            after: What it is.
            agent: Whose, where it isn't the policy's agent's.
        """
        whose = agent or self.policy.agent
        return list(self._costs(whose, self.environments(whose)[0], before, after, self.reading.standings(whose)))

    def _costs(
        self, agent: str, pinned: Environment | None, before: Sighting, after: Sighting, found: dict[CellKey, Held]
    ) -> Iterator[Cost]:
        now = micros(self.clock())
        for tool in self._judged(agent, after.environment):
            rule = self.policy.rule(tool)
            keys = [one.environment.key(tool) or "" for one in (before, after)]
            for scope in rule.scope.names if rule.scope else ("",):
                cells = [CellKey(agent, tool, scope, key) for key in keys]
                held = [nearest(found, cell) for cell in cells]
                stood, stands = (
                    reached(
                        standing(rule.rung, pinned, one.environment, tool), own.earned, own.cap, own.reason,
                        current=one.environment, tool=tool,
                    )
                    for one, own in zip((before, after), held, strict=True)
                )  # fmt: skip
                most = min(
                    as_known(stood.rung, after.environment, tool).rung, rule.ceiling,
                    Rung.REPORT if held[1].cap is None else held[1].cap,
                )  # fmt: skip
                waits = max(one.cooldown_us for one in held)
                yield Cost(
                    cells[0], cells[1], stood, stands, max(stands.rung, most) if all(keys) else stands.rung,
                    waits if waits > now else 0,
                )  # fmt: skip

    def carry_over(
        self, before: str, after: str, keep: Keep, *, by: str | Person, reason: str, agent: str | None = None,
        shown: tuple[tuple[CellKey, Rung], ...] | None = None,
    ) -> list[Cost]:  # fmt: skip
        """Decide, in a person's name, what a changed agent keeps of what it had earned; it counts from the next call.

        What it was put down for stays, and no evidence comes along: for any further rung it shows anew that it is
        right. Each standing that is carried over is an entry of the ledger, with both environments.

        Args:
            before: The beginning of the key of what it was.
            after: The beginning of the key of what it is.
            keep: `all`, `part` (one rung less than it had), or `none`, which only writes the decision down.
            by: Who decides.
            reason: Why, for whoever reads it later.
            agent: Whose, where it isn't the policy's agent's.
            shown: The cells that were shown to fall, with the rung of each after this choice; where it would be
                others, nothing is done.

        Returns:
            What was carried over, tool by tool.

        Raises:
            AnswerRefused: This person may not sign, gives no reason, or there is nothing to carry over.
        """
        person, whose, why = person_of(by), agent or self.refresh().agent, reason.strip()
        if complaint := self.may_raise(whose, person):
            raise AnswerRefused(complaint)
        if not why:
            raise AnswerRefused("give a reason: whoever reads it later sees nothing else of why it stands there")
        old, new = self.sighting(before, whose), self.sighting(after, whose)
        pinned = self.environments(whose)[0]

        def work(journal: Journal, cursor: Cursor) -> list[Cost]:
            tools = self._judged(whose, new.environment)
            found = {cell: held for tool in tools for cell, held in standings.of_tool(cursor, whose, tool).items()}
            fallen = [one for one in self._costs(whose, pinned, old, new, found) if one.fell]
            if shown is not None and shown != tuple((one.after, one.kept(keep)) for one in fallen):
                raise AnswerRefused(f"{whose} stands elsewhere than when this was shown; look again")
            if keep == "none":
                body = {"before": old.key, "after": new.key, "reason": why, "by": person.name, "auth": person.auth}
                journal.append(cursor, whose, "earns_again", "", body)
                return []
            carried = [one for one in fallen if one.kept(keep) > one.stands.rung]
            if not carried:
                raise AnswerRefused(f"nothing of {whose} would stand higher by it, so there is nothing to carry over")
            for one in carried:
                wait = -(-(one.waits_us - journal.us) // DAY) if one.waits_us else 0
                event = Event(journal.us, "carried", one.after, one.kept(keep), why, "carried", "keep", wait)
                standings.take(
                    journal, cursor, event, by=person, keep=keep, before=old.key, after=new.key,
                    earned_as=one.before.env, stood=int(one.stood.rung),
                )  # fmt: skip
            return carried

        return self._write(work)

    def choices(self, agent: str | None = None) -> list[Chosen]:
        """What people decided about changes of an agent, the latest first; one decision about many tools is one.

        Args:
            agent: Whose, where it isn't the policy's agent's.
        """
        whose = agent or self.policy.agent
        found = {
            Chosen(at_us, _keep(body), *(str(body.get(name, "")) for name in ("by", "reason", "before", "after")))
            for kind in ("carried", "earns_again") for _, at_us, body in self.reading.of_kind(whose, kind)
        }  # fmt: skip
        return sorted(found, key=lambda one: one.at_us, reverse=True)


def _keep(body: dict[str, object]) -> Keep:
    """What an entry says was kept; what can't be read is the least."""
    said = body.get("keep")
    return "all" if said == "all" else "part" if said == "part" else "none"
