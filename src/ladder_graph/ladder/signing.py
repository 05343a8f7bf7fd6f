"""Signing: a named person lets a tool go up one rung on a certificate, and anybody can work it out again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ladder_graph.answers import same
from ladder_graph.errors import AnswerRefused
from ladder_graph.facts import Person
from ladder_graph.fingerprint import Environment
from ladder_graph.ladder.assessing import Assessing, Assessment, assessed
from ladder_graph.ladder.questions import person_of
from ladder_graph.ledger import Journal
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.gate import standings
from ladder_graph.policy.reading import policy_of
from ladder_graph.trust.case import Certificate, agrees
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.findings import Findings
from ladder_graph.trust.held import Event, Held, rows

_KEPT = {"agent", "tools", "reports", "trust"}
"""What of a policy a certificate is worked out from. What it leaves unsaid stays so: it is marked as assumed."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A promotion that somebody would sign."""

    assessment: Assessment
    objections: tuple[str, ...]
    """Everything that speaks against it, in words; empty where it may be signed."""


class Signing(Assessing):
    """The part of a desk where promotions are signed, and worked out anew."""

    def candidate(
        self, tool: str, *, by: str | Person, agent: str | None = None, scope: str = "", env: str | None = None
    ) -> Candidate:
        """What `promote` would sign, and everything that speaks against it. Nothing is written.

        Args:
            tool: The tool's name.
            by: Who would sign.
            agent: Whose tool, where it isn't the policy's agent's.
            scope: In which of its scopes.
            env: The environment key, or its beginning; unsaid, that of the agent's last call.

        Raises:
            AnswerRefused: There is no such cell.
        """
        person, found = person_of(by), self.findings(agent)
        cell = self._cell(found, tool, scope, env)
        last = self.environments(found.fold.agent)[1]
        return Candidate(assessed(found, cell, last), tuple(self._objections(found, cell, person)))

    def _objections(self, found: Findings, cell: CellKey, person: Person) -> Iterator[str]:
        made = found.certificate(cell)
        if made is None:
            yield "it stands on the highest rung"
        else:
            yield from (gate.text for gate in made.missing)
        if complaint := self._may_sign(found, cell, person):
            yield complaint

    def promote(
        self, tool: str, *, by: str | Person, agent: str | None = None, scope: str = "", env: str | None = None,
        reason: str = "", shown: str | None = None,
    ) -> Certificate:  # fmt: skip
        """Sign that a tool goes up one rung, in one scope and environment, on the certificate of this moment.

        Args:
            tool: The tool's name.
            by: Who signs.
            agent: Whose tool, where it isn't the policy's agent's.
            scope: In which of its scopes.
            env: The environment key, or its beginning; unsaid, that of the agent's last call.
            reason: Why, for whoever reads it later.
            shown: The `mark` of the certificate that was looked at; another one isn't signed.

        Returns:
            The certificate that was signed.

        Raises:
            AnswerRefused: There is no such cell, something is missing, or this person may not sign.
        """
        person, whose = person_of(by), agent or self.refresh().agent
        found = self.findings(whose)
        cell = self._cell(found, tool, scope, env)
        made, objections = found.certificate(cell), list(self._objections(found, cell, person))
        if made is None or objections:
            to = "" if made is None else f" to {made.to.word}"
            raise AnswerRefused(f"{cell} may not go up{to} yet: {'; '.join(objections)}")
        if shown is not None and shown != made.mark:
            raise AnswerRefused(f"the evidence of {cell} is not what it was when it was shown; look again")
        event = Event(found.now_us, "promoted", cell, made.to, reason or f"signed by {person.name}", "signed")

        def sign(journal: Journal, cursor: Cursor) -> None:
            if standings.of_tool(cursor, cell.agent, cell.tool).get(cell, Held()) != found.standings.get(cell, Held()):
                raise AnswerRefused(f"{cell} was promoted or demoted at this moment; look again")
            signed = replace(event, at_us=journal.us)
            standings.take(journal, cursor, signed, by=person, certificate=made.plain, under=self._under(found, cell))

        self._write(sign)
        return made

    def _under(self, found: Findings, cell: CellKey) -> dict[str, Any]:
        """All that a certificate is worked out from beside the entries, so that anybody can do it again."""
        policy = self.policy
        kept = policy.model_copy(update={"tools": {cell.tool: policy.rule(cell.tool)}, "people": {}, "keys": {}})
        return {
            "policy": kept.model_dump(mode="json", include=_KEPT, exclude_unset=True),
            "version": found.versions.get(cell.tool, ""),
            "locked": None if (locked := self._locked.get(cell.agent)) is None else locked.to_json(),
        }

    def _cell(self, found: Findings, tool: str, scope: str, env: str | None) -> CellKey:
        """The one cell that is meant."""
        whose = found.fold.agent
        if env is None:
            last = self.environments(whose)[1]
            cell = CellKey(whose, tool, scope, (last and last.key(tool)) or "")
            if cell in found.cells:
                return cell
            raise AnswerRefused(f"{cell} has no evidence: it has not acted as it is now")
        like = [cell for cell in found.cells if (cell.tool, cell.scope) == (tool, scope) and cell.env.startswith(env)]
        if len(like) == 1:
            return like[0]
        many = f"{len(like)} environments begin with {env!r}" if like else f"no environment begins with {env!r}"
        raise AnswerRefused(f"{many} in which {whose} has used {tool}; `ladder trust` lists them")

    def may_raise(self, agent: str, person: Person) -> str:
        """Why a person may sign for nothing of an agent; empty where they may.

        Args:
            agent: The agent.
            person: Who would sign.
        """
        wanted = self.policy.trust.promoters
        if person.auth == "unverified":
            return f"nobody checked that this is {person.name}"
        if same(person.name) in {same(agent), same(self.policy.agent)}:
            return "an agent never signs for itself"
        if not any(same(name) == same(person.name) for name in self.policy.able(wanted)):
            return f"{person.name} may not sign a promotion; {', '.join(wanted)} may"
        return ""

    def _may_sign(self, found: Findings, cell: CellKey, person: Person) -> str:
        """Why a person may not sign for a cell; empty where they may."""
        if complaint := self.may_raise(cell.agent, person):
            return complaint
        requesters = {deed.requester for deed in found.fold.deeds.values() if deed.cell == cell and deed.requester}
        if requesters and all(same(name) == same(person.name) for name in requesters):
            return f"every run that this rests on was {person.name}'s own, so somebody else must sign"
        return ""

    def recompute(self, agent: str | None = None) -> list[str]:
        """Work every standing and every promotion out anew from the entries alone.

        Returns:
            What doesn't agree with what the gate reads, or with the certificate that was signed; empty where all does.
        """
        return self.disagreements(self.findings(agent))

    def disagreements(self, found: Findings) -> list[str]:
        """What of a chain that was read doesn't agree with what the gate reads, or with what was signed.

        Args:
            found: What the chain comes to, read whole.
        """
        whose = found.fold.agent
        kept = self.reading.standings(whose)
        again = rows(found.fold.events)
        wrong = [
            f"{cell}: the gate reads another standing than its entries give"
            for cell in sorted({*kept, *again})
            if kept.get(cell) != again.get(cell)
        ]
        return [*wrong, *self._certificates(whose)]

    def _again(self, cell: CellKey, n: int, at_us: int, under: Mapping[str, Any]) -> Certificate | None:
        """The certificate that the entries before one give, under the policy of then."""
        fold = self.findings(cell.agent, until=n - 1).fold
        locked = None if under["locked"] is None else Environment.from_json(under["locked"], "the ledger")
        policy = policy_of(under["policy"], f"entry {n}")
        versions = {cell.tool: under["version"]} if under["version"] else {}
        return Findings(fold, policy, at_us, locked=locked, versions=versions).certificate(cell)

    def _certificates(self, agent: str) -> Iterator[str]:
        for n, _, body in self.reading.of_kind(agent, "promoted"):
            cell = CellKey(agent, body["tool"], body["scope"], body["env"])
            signed, under = body.get("certificate"), body.get("under")
            made = self._again(cell, n, signed["at_us"], under) if signed and under else None
            if made is None or signed is None or not agrees(made.plain, signed):
                yield f"{cell}: the certificate of entry {n} is not what the entries before it give"
