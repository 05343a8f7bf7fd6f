"""What people do about trust: see what is missing for the next rung, sign a promotion, report a mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ladder_graph.answers import same
from ladder_graph.errors import AnswerRefused
from ladder_graph.fingerprint import Environment
from ladder_graph.ledger import Journal, acts, incidents, standings
from ladder_graph.ledger.cursor import Cursor
from ladder_graph.ledger.happenings import ALL, happenings
from ladder_graph.ledger.questions import micros
from ladder_graph.policy.reading import policy_of
from ladder_graph.questions import person_of
from ladder_graph.seats import Seat
from ladder_graph.steps import Person
from ladder_graph.stopping import leaks
from ladder_graph.trust.case import Certificate
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.deeds import Severity
from ladder_graph.trust.demotion import Demotion
from ladder_graph.trust.findings import Findings
from ladder_graph.trust.fold import folded
from ladder_graph.trust.held import Event, Held, rows
from ladder_graph.trust.looking import Reviewer
from ladder_graph.trust.standing import Standing
from ladder_graph.windows import Windows


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


class Assessing(Windows):
    """The part of a desk where trust is."""

    seats: dict[str, Seat]
    _locked: dict[str, Environment]

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
        last = self.reading.environments(found.fold.agent)
        current = Environment.read(last[-1].components, "the ledger") if last else None
        return [
            Assessment(
                cell, found.stands(cell), found.held(cell), found.certificate(cell), found.environment(cell),
                current is not None and current.key(cell.tool) == cell.env,
            )
            for cell in found.cells if tool in {None, cell.tool}
        ]  # fmt: skip

    def reviewers(self, agent: str | None = None) -> list[Reviewer]:
        """Everybody who answered an agent's questions, with what is known of how they look.

        Args:
            agent: Whose, where it isn't the policy's agent's.
        """
        return self.findings(agent).reviewers()

    def promote(
        self, tool: str, *, by: str | Person, agent: str | None = None, scope: str = "", env: str | None = None,
        reason: str = "",
    ) -> Certificate:  # fmt: skip
        """Sign that a tool goes up one rung, in one scope and environment, on the certificate of this moment.

        Args:
            tool: The tool's name.
            by: Who signs.
            agent: Whose tool, where it isn't the policy's agent's.
            scope: In which of its scopes.
            env: The environment key, or its beginning; unsaid, that of the agent's last call.
            reason: Why, for whoever reads it later.

        Returns:
            The certificate that was signed.

        Raises:
            AnswerRefused: There is no such cell, something is missing, or this person may not sign.
        """
        person, whose = person_of(by), agent or self.refresh().agent
        found = self.findings(whose)
        cell = self._cell(found, tool, scope, env)
        if complaint := self._may_sign(found, cell, person):
            raise AnswerRefused(complaint)
        made = found.certificate(cell)
        if made is None:
            raise AnswerRefused(f"{cell} stands on the highest rung")
        if not made.granted:
            missing = "; ".join(gate.text for gate in made.missing)
            raise AnswerRefused(f"{cell} may not go up to {made.to.word} yet: {missing}")
        event = Event(found.now_us, "promoted", cell, made.to, reason or f"signed by {person.name}", "signed")

        def sign(journal: Journal, cursor: Cursor) -> None:
            if standings.of_tool(cursor, cell.agent, cell.tool).get(cell, Held()) != found.standings.get(cell, Held()):
                raise AnswerRefused(f"{cell} was promoted or demoted at this moment; look again")
            signed = replace(event, at_us=journal.us)
            standings.take(
                journal, cursor, signed, by=person, certificate=certified(made), under=self._under(found, cell)
            )

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
            last = self.reading.environments(whose)
            current = Environment.read(last[-1].components, "the ledger") if last else None
            wanted = (current.key(tool) if current else None) or ""
            cell = CellKey(whose, tool, scope, wanted)
            if cell in found.cells:
                return cell
            raise AnswerRefused(f"{cell} has no evidence: it has not acted as it is now")
        like = [cell for cell in found.cells if (cell.tool, cell.scope) == (tool, scope) and cell.env.startswith(env)]
        if len(like) == 1:
            return like[0]
        many = f"{len(like)} environments begin with {env!r}" if like else f"no environment begins with {env!r}"
        raise AnswerRefused(f"{many} in which {whose} has used {tool}; `ladder trust` lists them")

    def _may_sign(self, found: Findings, cell: CellKey, person: Person) -> str:
        """Why a person may not sign for a cell; empty where they may."""
        wanted = self.policy.trust.promoters
        if person.auth == "unverified":
            return f"nobody checked that this is {person.name}"
        if same(person.name) in {same(cell.agent), same(self.policy.agent)}:
            return "an agent never signs for itself"
        if not any(same(name) == same(person.name) for name in self.policy.able(wanted)):
            return f"{person.name} may not sign a promotion; {', '.join(wanted)} may"
        requesters = {deed.requester for deed in found.fold.deeds.values() if deed.cell == cell and deed.requester}
        if requesters and all(same(name) == same(person.name) for name in requesters):
            return f"every run that this rests on was {person.name}'s own, so somebody else must sign"
        return ""

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

    def sweep(self) -> list[tuple[CellKey, Demotion]]:
        """Put down what the numbers speak against, of every agent: too many mistakes, or a long silence.

        Whoever watches does this from time to time; doing it twice changes nothing.
        """
        done = []
        for agent in sorted({self.refresh().agent, *self.reading.agents(self.policy.agent)}):
            found = self.findings(agent)
            for cell in found.cells:
                down = found.demotion(cell)
                if down is not None and self._put_down(cell, down):
                    done.append((cell, down))
        return done

    def _put_down(self, cell: CellKey, down: Demotion) -> bool:
        return self._write(lambda journal, cursor: acts.demote(journal, cursor, cell, down))

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
            if made is None or signed is None or not agrees(certified(made), signed):
                yield f"{cell}: the certificate of entry {n} is not what the entries before it give"


_KEPT = {"agent", "tools", "reports", "trust"}
"""What of a policy a certificate is worked out from. What it leaves unsaid stays so: it is marked as assumed."""


def severity_of(value: Severity | str) -> Severity:
    """A severity from `S2`, `2` or its word.

    Raises:
        AnswerRefused: It is none.
    """
    if isinstance(value, Severity):
        return value
    text = value.strip().upper().removeprefix("S") if value.strip().upper()[:2] in _LEVELS else value.strip().upper()
    if text in Severity.__members__:
        return Severity[text]
    if text in {str(int(one)) for one in Severity}:
        return Severity(int(text))
    known = ", ".join(f"S{int(one)} ({one.name.lower()})" for one in Severity)
    raise AnswerRefused(f"{value!r} is no severity; they are {known}")


_LEVELS = {f"S{int(one)}" for one in Severity}


def certified(made: Certificate) -> dict[str, Any]:
    """A certificate for the ledger's entry."""
    plain = asdict(made)
    plain["cell"], plain["rung"], plain["to"] = list(made.cell), int(made.rung), int(made.to)
    return plain


def agrees(one: object, other: object) -> bool:
    """Whether two certificates say the same; a float may differ in its last digits from one machine to another."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(agrees(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(agrees, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= 1e-9 * max(1.0, abs(one))
    return one == other
