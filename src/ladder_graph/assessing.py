"""What people see of trust, and report to it: where each cell stands, mistakes, attestations, what the numbers say."""

from __future__ import annotations

import logging
from abc import abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal

from ladder_graph.facts import Person
from ladder_graph.fingerprint import Environment
from ladder_graph.ledger import Journal, acts, incidents
from ladder_graph.ledger.cursor import Cursor
from ladder_graph.ledger.happenings import ALL, first_us, happenings
from ladder_graph.ledger.questions import micros
from ladder_graph.questions import person_of
from ladder_graph.seats import Seat
from ladder_graph.stopping import leaks
from ladder_graph.trust.case import Certificate
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.deeds import Severity, severity_of
from ladder_graph.trust.demotion import Demotion
from ladder_graph.trust.evidence import DAY
from ladder_graph.trust.findings import Findings
from ladder_graph.trust.fold import folded
from ladder_graph.trust.held import Event, Held
from ladder_graph.trust.looking import Reviewer
from ladder_graph.trust.standing import Standing
from ladder_graph.windows import Windows

log = logging.getLogger("ladder_graph")


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is known of one cell."""

    cell: CellKey
    standing: Standing
    """Where it stands by what it was granted, given and lost, whatever is in place for it."""
    held: Held
    certificate: Certificate | None
    """What is known, and whether it may go up; None on the highest rung."""
    environment: Environment | None
    """What proposes its calls; None where the chain doesn't describe it."""
    current: bool
    """It proposed the agent's last call."""


def assessed(found: Findings, cell: CellKey, last: Environment | None) -> Assessment:
    """What is known of one cell.

    Args:
        found: What the chain comes to.
        cell: The cell.
        last: What proposed the agent's last call.
    """
    return Assessment(
        cell, found.stands(cell), found.held(cell), found.certificate(cell), found.environment(cell),
        last is not None and bool(cell.env) and last.key(cell.tool) == cell.env,
    )  # fmt: skip


class Assessing(Windows):
    """The part of a desk where trust is seen."""

    seats: dict[str, Seat]
    _locked: dict[str, Environment]

    @abstractmethod
    def environments(self, agent: str | None = None) -> tuple[Environment | None, Environment | None]:
        """The environment that the start rungs are granted for, and the one last seen."""

    def findings(self, agent: str | None = None, *, until: int = ALL) -> Findings:
        """What the chain of an agent comes to now, read whole.

        Args:
            agent: Whose, where it isn't the policy's agent's.
            until: The number of the last entry that counts.
        """
        whose = agent or self.refresh().agent
        fold = self.store.scan(lambda connection: folded(whose, happenings(connection, whose, until)))
        versions = {tool: seat.edition(tool) for tool, seat in self.seats.items() if seat.version}
        return Findings(fold, self.policy, micros(self.clock()), locked=self._locked.get(whose), versions=versions)

    def trust(self, tool: str | None = None, *, agent: str | None = None) -> list[Assessment]:
        """Where each cell of an agent stands, and what is missing for the next rung.

        Args:
            tool: Only this tool's.
            agent: Whose, where it isn't the policy's agent's.
        """
        found = self.findings(agent)
        last = self.environments(found.fold.agent)[1]
        return [assessed(found, cell, last) for cell in found.cells if tool in {None, cell.tool}]

    def ready(self) -> list[Assessment]:
        """Cells that may go up now, of the policy's agent and of each one inside it."""
        policy, now = self.refresh(), micros(self.clock())
        ripe = now - policy.trust.least_days * DAY
        agents = sorted({policy.agent, *self.reading.agents(policy.agent)})
        # A chain is read whole; one that hasn't run for long enough holds nothing that could be ready.
        old = [one for one in agents if (began := self.store.scan(partial(first_us, agent=one))) and began <= ripe]
        return [one for agent in old for one in self.trust(agent=agent) if one.certificate and one.certificate.granted]

    def history(self, tool: str, *, agent: str | None = None) -> list[tuple[Event, str]]:
        """How a tool went up and down, oldest first, with who did it; empty where a rule did.

        Args:
            tool: The tool's name.
            agent: Whose, where it isn't the policy's agent's.
        """
        whose, found = agent or self.refresh().agent, list[tuple[int, Event, str]]()
        kinds: tuple[Literal["promoted", "demoted"], ...] = ("promoted", "demoted")
        for kind in kinds:
            for n, at_us, body in self.reading.of_kind(whose, kind):
                with suppress(ValueError):  # It can't be read; `verify` tells whether that is so by right.
                    if body.get("tool") == tool:
                        found.append((n, Event.of(whose, at_us, kind, body), str(body.get("by", ""))))
        return [(event, by) for _, event, by in sorted(found, key=lambda one: one[0])]

    def reviewers(self, agent: str | None = None) -> list[Reviewer]:
        """Everybody who answered an agent's questions, with what is known of how they look.

        Args:
            agent: Whose, where it isn't the policy's agent's.
        """
        return self.findings(agent).reviewers()

    def incident(
        self, action: str, severity: Severity | str, *, by: str | Person, kind: str = "", text: str = "",
        reversed_: bool = False, closed: bool = False,
    ) -> Demotion | None:  # fmt: skip
        """Report that an action was wrong; the cell that acted goes down at once where that calls for it.

        Args:
            action: Its key, or the beginning of it.
            severity: `S0` to `S4`, or the word.
            by: Who reports it.
            kind: The class of the mistake, of those that the rule names; any other is one that nobody anticipated.
            text: What happened.
            reversed_: It was none after all: an earlier report of this class counts no more.
            closed: Somebody has seen to it.

        Returns:
            Where the tool was put; None where it stays, or that was reported before.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: The severity is none.
        """
        person, level = person_of(by), severity_of(severity)

        def report(journal: Journal, cursor: Cursor) -> Demotion | None:
            found = acts.find_action(journal, cursor, action)
            rule = self.policy.rule(found.call.tool)
            said = incidents.Said(level, kind, text, kind in rule.trust.mistakes, reversed_, closed)
            return incidents.report(journal, cursor, found, said, rule.rung, person)

        return self._write(report)

    def attest(self, *, by: str | Person) -> list[tuple[str, str, str]]:
        """Try out what a promotion relies on: read the ledger back, and send calls outside each bound to the gate.

        Nothing runs. What held is written down, and counts for 30 days.

        Args:
            by: Who wants it.

        Returns:
            What was tried, for which tool (empty for all), and what didn't hold; empty where it did.
        """
        person, now = person_of(by), self.clock()
        tried = [("audit", "", self._read_back(person))]
        for tool in sorted(self.refresh().named | self.seats.keys()):
            rule = self.policy.rule(tool)
            if rule.bounds:
                tried.append(("bounds", tool, "; ".join(leaks(rule, tool, now))))

        def keep(journal: Journal, cursor: Cursor) -> None:
            for what, tool, wrong in tried:
                journal.append(cursor, self.policy.agent, "attested", "", {
                    "what": what, "tool": tool, "ok": not wrong, "text": wrong or "it holds", "by": person.name,
                    "auth": person.auth,
                })  # fmt: skip

        self._write(keep)
        return tried

    def _read_back(self, person: Person) -> str:
        """What is wrong with the ledger, after an entry was written to it and read back; empty where nothing is."""
        whose, body = self.policy.agent, {"what": "audit", "tool": "", "ok": None, "by": person.name}
        self._write(lambda journal, cursor: journal.append(cursor, whose, "attested", "", body))
        last = self.reading.entries(whose, limit=1)
        if not (last and last[-1].kind == "attested" and last[-1].body.get("by") == person.name):
            return "an entry that was written isn't the last one that is read"
        return "; ".join(self.reading.verify().problems)

    def sweep_trust(self) -> list[tuple[CellKey, Demotion]]:
        """Put down what the numbers speak against, of every agent: too many mistakes, or a long silence.

        Whoever watches does this from time to time; doing it twice changes nothing.
        """
        agents = sorted({self.refresh().agent, *self.reading.agents(self.policy.agent)})
        return [one for agent in agents for one in self._swept(self.findings(agent))]

    def _swept(self, found: Findings) -> list[tuple[CellKey, Demotion]]:
        """Put down what the numbers speak against, of one agent."""
        done = []
        for cell in found.cells:
            down = found.demotion(cell)
            if down is not None and self._put_down(cell, down):
                done.append((cell, down))
                log.info("%s goes down to %s: %s", cell, down.rung.word, down.reason)
        return done

    def _put_down(self, cell: CellKey, down: Demotion) -> bool:
        return self._write(lambda journal, cursor: acts.demote(journal, cursor, cell, down))
