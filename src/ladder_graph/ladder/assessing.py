"""What people see of trust, and report to it: where each cell stands, mistakes, what the numbers say."""

from __future__ import annotations

import datetime as dt
import json
import logging
from abc import abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal

from ladder_graph.errors import LedgerUnwritable
from ladder_graph.facts import Person, Reason
from ladder_graph.fingerprint import Environment
from ladder_graph.ladder.attesting import Attesting
from ladder_graph.ladder.folds import KEPT, Folds
from ladder_graph.ladder.questions import person_of
from ladder_graph.ledger import Journal
from ladder_graph.ledger.actions.questions import micros, moment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.evidence import assessments, incidents
from ladder_graph.ledger.evidence.happenings import ALL, first_us, happenings
from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.lists import tallies
from ladder_graph.ledger.tables.rows import US
from ladder_graph.scale import Rung
from ladder_graph.trust.case import Certificate
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.deeds import Severity, severity_of
from ladder_graph.trust.demotion import Demotion
from ladder_graph.trust.evidence import DAY
from ladder_graph.trust.findings import Findings
from ladder_graph.trust.fold import Fold, folded
from ladder_graph.trust.held import Event, Held
from ladder_graph.trust.looking import Reviewer
from ladder_graph.trust.standing import Standing
from ladder_graph.watcher.assessor import Assessor

log = logging.getLogger("ladder_graph")

HOUR = 3600.0
"""Seconds after which a chain that isn't kept in memory is read for assessments again."""


SHORT = 4000
"""Entries of a chain up to which it is worked out for a page what they come to."""


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

    @property
    def text(self) -> str:
        """All of it as JSON."""
        environment, standing = self.environment, self.standing
        return json.dumps({
            "cell": self.cell, "rung": int(standing.rung),
            "reasons": [[one.code, one.text] for one in standing.reasons],
            "held": self.held.text, "certificate": None if self.certificate is None else self.certificate.plain,
            "environment": None if environment is None else environment.to_json(), "current": self.current,
        }, separators=(",", ":"))  # fmt: skip

    @classmethod
    def read(cls, text: str) -> Assessment:
        """Read what `text` wrote."""
        said = json.loads(text)
        certificate, environment = said["certificate"], said["environment"]
        return cls(
            CellKey(*said["cell"]),
            Standing(Rung(said["rung"]), tuple(Reason(code, why) for code, why in said["reasons"])),
            Held.read(said["held"]), None if certificate is None else Certificate.of(certificate),
            None if environment is None else Environment.from_json(environment, "the ledger"), said["current"],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Assessed:
    """What was known of one cell at a moment."""

    known: Assessment
    at: dt.datetime
    """When it was worked out."""
    n: int
    """The last entry of the chain that was read for it."""
    same_policy: bool
    """The policy is still the one that it was worked out under."""


def _assessed_before(kept: assessments.Kept, revision: str) -> Assessed:
    return Assessed(Assessment.read(kept.said), moment(kept.at_us), kept.n, kept.policy == revision)


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


class Assessing(Attesting):
    """The part of a desk where trust is seen."""

    _locked: dict[str, Environment]
    _folds: Folds | None = None
    _looks: dict[str, list[Reviewer]]
    assessor: Assessor

    @abstractmethod
    def environments(self, agent: str | None = None) -> tuple[Environment | None, Environment | None]:
        """The environment that the start rungs are granted for, and the one last seen."""

    @property
    def folds(self) -> Folds:
        """The chains as far as this process has read them for assessments."""
        if self._folds is None:
            self._folds = Folds(self.store)
        return self._folds

    def _kept_of(self, agent: str) -> tuple[list[assessments.Kept], int]:
        """What is kept of an agent's cells, and how long its chain is."""
        return self.store.read(lambda cursor: (assessments.kept(cursor, agent), tallies.length(cursor, agent)))

    def assessments(self, tool: str | None = None, *, agent: str | None = None) -> list[Assessed]:
        """What was last worked out of each cell, of the policy's agent and those inside it; no chain is read for it.

        `keep_assessing` keeps it a minute old, and `trust` and `sweep` write it too.

        Args:
            tool: Only this tool's.
            agent: Only of this agent, and of those inside it.
        """
        whose, revision = agent or self.policy.agent, self.policy.revision

        def read(cursor: Cursor) -> list[Assessed]:
            return [
                _assessed_before(one, revision)
                for name in tallies.chains(cursor, whose) for one in assessments.kept(cursor, name)
                if tool in {None, one.cell.tool}
            ]  # fmt: skip

        return self.store.read(read)

    def keep_assessing(self) -> None:
        """Keep `assessments` a minute old in a thread of this process, until the ladder is closed.

        `ladder watch` and a console do so. Up to a quarter of a million actions are kept in memory for it, a little
        less than a kilobyte each; an agent's chain beyond that is read once an hour.
        """
        self.folds.most = KEPT
        self.assessor.start()

    def refresh_assessments(self, older: float = 60.0) -> int:
        """Work out anew what was last worked out longer ago than this, from what is new in each chain.

        A chain that is too long to be kept in memory is read at most once an hour.

        Args:
            older: Seconds.

        Returns:
            For how many agents that was done.
        """
        agents = sorted({self.refresh().agent, *self.reading.agents(self.policy.agent)})
        return sum(self._assess(agent) for agent in agents if self._aged(agent, older))

    def known(self, agent: str, most: int = SHORT) -> list[Assessed]:
        """What is known of each cell of one agent: worked out now where its chain is short, and else as it was last.

        Args:
            agent: Whose.
            most: Entries up to which a chain is short.
        """
        kept, length = self._kept_of(agent)
        if length and length <= most and (self._aged(agent, 1.0) or any(one.n < length for one in kept)):
            with suppress(LedgerUnwritable):
                self._assess(agent)
            kept = self.store.read(lambda cursor: assessments.kept(cursor, agent))
        return [_assessed_before(one, self.policy.revision) for one in kept]

    def looks(self, agent: str) -> list[Reviewer] | None:
        """How people answer an agent's questions, as it was last worked out in this process; None where it wasn't yet.

        Args:
            agent: Whose.
        """
        self.known(agent)
        return self._looks.get(agent)

    def _aged(self, agent: str, older: float) -> bool:
        """Whether it is time to work an agent's cells out anew."""
        kept, length = self._kept_of(agent)
        if not length:
            return False
        long = not self.folds.keeps(agent) and length > 2 * KEPT
        age = micros(self.clock()) - min((one.at_us for one in kept), default=0)
        other = any(one.policy != self.policy.revision for one in kept)
        return not 0 <= age < (HOUR if long else older) * US or (other and not long)

    def _assess(self, agent: str) -> bool:
        """Work out and keep what is known of an agent's cells; what else is new in its chain is read for it."""
        with self.folds.lock:
            read = self.folds.of(agent)
            found = self._found(read.fold)
            self._keep(found, read.n, [assessed(found, cell, self._last(agent)) for cell in found.cells])
            self._looks[agent] = found.reviewers()
        return True

    def _keep(self, found: Findings, n: int, known: Iterable[Assessment]) -> None:
        said = {one.cell: one.text for one in known}
        whose, at_us, revision = found.fold.agent, found.now_us, self.policy.revision
        self.store.write(lambda cursor: assessments.keep(cursor, whose, n, at_us, revision, said), durable=False)

    def _last(self, agent: str) -> Environment | None:
        return self.environments(agent)[1]

    def _found(self, fold: Fold) -> Findings:
        """What a fold comes to now."""
        versions = {tool: seat.edition(tool) for tool, seat in self.seats.items() if seat.version}
        locked = self._locked.get(fold.agent)
        return Findings(fold, self.policy, micros(self.clock()), locked=locked, versions=versions)

    def findings(self, agent: str | None = None, *, until: int = ALL) -> Findings:
        """What the chain of an agent comes to now, read whole.

        Args:
            agent: Whose, where it isn't the policy's agent's.
            until: The number of the last entry that counts.
        """
        whose = agent or self.refresh().agent
        fold = self.store.scan(lambda connection: folded(whose, happenings(connection, whose, until)))
        return self._found(fold)

    def trust(self, tool: str | None = None, *, agent: str | None = None) -> list[Assessment]:
        """Where each cell of an agent stands, and what is missing for the next rung.

        Args:
            tool: Only this tool's.
            agent: Whose, where it isn't the policy's agent's.
        """
        whose = agent or self.refresh().agent
        with self.folds.lock:
            read = self.folds.of(whose, anew=True)
            found, last = self._found(read.fold), self._last(whose)
            known = [assessed(found, cell, last) for cell in found.cells]
        with suppress(LedgerUnwritable):  # Whoever only looks needs no rights to write.
            self._keep(found, read.n, known)
        return [one for one in known if tool in {None, one.cell.tool}]

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
        kinds: tuple[Literal["promoted", "demoted", "carried"], ...] = ("promoted", "demoted", "carried")
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

    def sweep_trust(self) -> list[tuple[CellKey, Demotion]]:
        """Put down what the numbers speak against, of every agent: too many mistakes, or a long silence.

        Whoever watches does this from time to time; doing it twice changes nothing.
        """
        agents = sorted({self.refresh().agent, *self.reading.agents(self.policy.agent)})
        return [one for agent in agents for one in self._sweep(agent)]

    def _sweep(self, agent: str) -> list[tuple[CellKey, Demotion]]:
        with self.folds.lock:
            done = self._swept(self._found(self.folds.of(agent, anew=True).fold))
        self._assess(agent)  # With what was just put down.
        return done

    def _swept(self, found: Findings) -> list[tuple[CellKey, Demotion]]:
        """Put down what the numbers speak against, of one agent."""
        done = []
        for cell in found.cells:
            due = found.demotion(cell)
            if due is not None and (down := self._put_down(cell, due)) is not None:
                done.append((cell, down))
                log.info("%s goes down to %s: %s", cell, down.rung.word, down.reason)
        return done

    def _put_down(self, cell: CellKey, down: Demotion) -> Demotion | None:
        """A demotion as it was written down; None where nothing changed."""
        return self._write(lambda journal, cursor: acts.demote(journal, cursor, cell, down))
