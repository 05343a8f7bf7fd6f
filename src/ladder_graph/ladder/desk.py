"""The people's side of a ladder: answering, judging, reading, and seeing where an agent really stands."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ladder_graph.calls import Call
from ladder_graph.explaining import Explanation, explained
from ladder_graph.facts import Person, Reason, Route
from ladder_graph.fingerprint import Environment
from ladder_graph.ladder.accepting import Accepting
from ladder_graph.ladder.browsing import Browsing
from ladder_graph.ladder.carrying import Carrying
from ladder_graph.ladder.continuing import Continuing
from ladder_graph.ladder.digesting import Digesting
from ladder_graph.ladder.questions import person_of
from ladder_graph.ladder.restoring import Restoring
from ladder_graph.ladder.retaining import Retaining
from ladder_graph.ladder.rollbacks import Rollbacks
from ladder_graph.ladder.seats import Seat
from ladder_graph.ledger import Action, Entry, Verification
from ladder_graph.ledger.actions import quotas
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.sqlite import MEMORY
from ladder_graph.ledger.evidence import shadows
from ladder_graph.ledger.gate import acts, standings
from ladder_graph.ledger.lists import chronicle, tallies
from ladder_graph.ledger.people import filing, outgoing
from ladder_graph.ledger.proof.checkpoints_alone import Key, Placed
from ladder_graph.ledger.reports import digests
from ladder_graph.ledger.watching import rehearsals, watchers
from ladder_graph.ledger.watching.rehearsals import Rehearsed
from ladder_graph.policy import HANDOVER, Policy, Rule
from ladder_graph.policy.bounds import Charge
from ladder_graph.policy.scene import NOTHING_SAID, Said, Scene
from ladder_graph.policy.trusting import OTHER
from ladder_graph.routing import Footing, Watching, effective, goes_by_a_part, lowered
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.trust.cells import EVERY, CellKey
from ladder_graph.trust.demotion import Demotion
from ladder_graph.trust.held import nearest
from ladder_graph.trust.standing import Standing, reached, standing
from ladder_graph.turns.deciding import Fitting
from ladder_graph.watch.kept import fires


@dataclass(frozen=True, slots=True)
class Cell:
    """Where one agent really stands with one tool, and why."""

    agent: str
    tool: str
    claimed: Rung
    """Where the policy wants it."""
    route: Route
    """Where it stands, with everything that keeps it from a higher rung."""
    environment: str
    """What proposed its last call, in words; empty before the first."""
    entry: str | None
    """The entry of the policy that is for it: its name, or a glob; None where the policy has none."""
    mistake: int | None = None
    """What one wrong call costs at most, in micro-dollars, where the policy says so."""
    beyond: int = 0
    """Calls outside its bounds that people let run since midnight, UTC. They took nothing from its quotas."""
    part_first: bool = False
    """It acts on a part of a call first, where a call has one."""
    scope: str = ""
    """The scope of the tool, where its calls are told apart."""

    @property
    def name(self) -> str:
        """The tool, with its scope where it has any."""
        return f"{self.tool} [{self.scope}]" if self.scope else self.tool


class Desk(Browsing, Carrying, Rollbacks, Accepting, Digesting, Continuing, Retaining, Restoring):
    """What people do with a ladder. `Ladder` is one; it needs no graph to be there, so the command line is one too."""

    seats: dict[str, Seat]
    _seats_of: dict[tuple[str, str], Seat]

    # --- people ----------------------------------------------------------------------------------------------

    def suggestions(self, *, limit: int | None = None) -> list[Action]:
        """Suggestions of rung 0, oldest first, with what people made of them; the latest `limit` of them."""
        return self.actions(state=State.SUGGESTED, limit=limit)

    def adopt(self, action: str, *, by: str | Person, reason: str = "") -> None:
        """Mark a suggestion as one that somebody acted on."""
        self._judge(action, "adopted", by, reason)

    def dismiss(self, action: str, *, by: str | Person, reason: str = "") -> None:
        """Mark a suggestion as one that nobody wants."""
        self._judge(action, "dismissed", by, reason)

    def _judge(self, action: str, verdict: Literal["adopted", "dismissed"], by: str | Person, reason: str) -> None:
        person = person_of(by)
        self._write(lambda journal, cursor: acts.judge_suggestion(journal, cursor, action, verdict, person, reason))

    def resolve(self, action: str, *, happened: bool, by: str | Person, reason: str = "") -> None:
        """Say what became of an action in doubt, after having looked.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: It isn't in doubt.
        """
        person = person_of(by)
        self._write(
            lambda journal, cursor: acts.resolve(journal, cursor, action, person, happened=happened, reason=reason)
        )

    def demote(
        self, tool: str, to: Rung | str, *, reason: str, by: str | Person | None = None, agent: str | None = None,
        scope: str = EVERY,
    ) -> bool:  # fmt: skip
        """Put a tool on a lower rung from its next call on. Lowering needs no evidence.

        Args:
            tool: The tool's name.
            to: The rung it may not stand above any more.
            reason: Why; shown wherever the rung is.
            by: Who did it, where it was a person.
            agent: Whose tool, where it isn't that of the policy's agent, such as `"ops/research"`.
            scope: In which scope of it; unsaid, in all of them.

        Returns:
            Whether anything changed: it may have been held as low as that before.
        """
        person, whose = None if by is None else person_of(by), agent or self.policy.agent
        cell, down = CellKey(whose, tool, scope, EVERY), Demotion(Rung.parse(to), reason)
        return self._write(lambda journal, cursor: acts.demote(journal, cursor, cell, down, by=person)) is not None

    # --- looking ---------------------------------------------------------------------------------------------

    def status(self) -> list[Cell]:
        """Where the agent, and each agent inside it, really stands with each tool, and why it isn't higher."""
        whose = self.refresh().agent
        agents = sorted({whose, *self.reading.agents(whose)})
        return [cell for agent in agents for cell in self._cells(agent)]

    def sweep(self) -> list[tuple[CellKey, Demotion]]:
        """Close late questions, see to reports, erase what was kept for long, put down what the numbers speak against.

        Whoever watches does so from time to time; doing it twice changes nothing.

        Returns:
            What was put down.
        """
        self.sweep_questions()
        self.sweep_retention()
        return [*self.sweep_reports(), *self.sweep_trust()]

    def sweep_hourly(self) -> None:
        """Close late questions, put down what the numbers speak against, erase what was kept for long enough."""
        self.sweep_questions()
        self.sweep_trust()
        self.sweep_retention()

    def explain(
        self, tool: str, arguments: Mapping[str, Any], *, agent: str | None = None, requester: str | None = None,
        facts: Mapping[str, Any] | None = None, said: Said = NOTHING_SAID,
    ) -> Explanation:  # fmt: skip
        """Which rung a call would get now, and every reason. Nothing is written, and nothing but predicates runs.

        The tool stands where `status` has it, and each bound is held against the arguments and the quotas of this
        moment. Another call may take what is left before it comes.

        Args:
            tool: The tool's name.
            arguments: What it would be called with, as they are; they are not typed by its schema.
            agent: Whose call, where it isn't the policy's agent's, such as `"ops/research"`.
            requester: Whose run it would be.
            facts: What would be known of the run, such as its tenant.
            said: What would have been said before.

        Raises:
            ArgumentsError: The arguments have no canonical form, so that no call could have them.

        Example:
            >>> from ladder_graph import Ladder
            >>> ladder = Ladder(agent="ops", rungs={"send_email": "bounded"}, ledger=":memory:")
            >>> told = ladder.explain("send_email", {"to": "ana@shop.example"})
            >>> told.route.rung.word, told.bounds[0].left
            ('bounded', 100)
            >>> ladder.close()
        """
        call = Call(agent or self.refresh().agent, "explain", "explain", tool, dict(arguments))
        rule = self.rule_of(call.agent, tool)
        (cell,) = self._cells(call.agent, tool, "" if rule.scope is None else rule.scope.of(call.arguments))

        scene = Scene(self.clock(), requester, facts or {}, lambda: said)

        def left(charge: Charge) -> int:
            return self.store.read(lambda cursor: quotas.left(cursor, charge))

        return explained(call, rule, cell.route, scene, left, entry=cell.entry, part_first=cell.part_first)

    def _cells(self, agent: str, only: str | None = None, within: str | None = None) -> list[Cell]:
        environments = self.reading.environments(agent)
        current = Environment.read(environments[-1].components, "the ledger") if environments else None
        pinned = self._locked.get(agent) or self.store.read(lambda cursor: acts.pinned_of(cursor, agent))
        standings, footings = self.reading.standings(agent), self.reading.footings(agent)
        now = self.clock()
        beyond = self.reading.beyond(agent, now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0))
        here = Moment.at(now)
        # An agent inside another has the tools that a mount found; the policy's names are those of the outer one.
        named = self.policy.named if agent == self.policy.agent else frozenset[str]()
        cells = []
        for tool in sorted(named | footings.keys()) if only is None else (only,):
            rule, found = self.rule_of(agent, tool), footings.get(tool)
            # Before any call there is nothing to compare: the grant stands as the policy gives it.
            granted = standing(rule.rung, pinned, current if environments else pinned, tool)
            if rule is HANDOVER or (not environments and pinned is None):
                granted = Standing(rule.rung)
            seat, named_reader = self.seat_of(agent, tool), self.policy.reader_of(rule)
            if found is None:
                footing = replace(seat.footing(named_reader), can_ask=True)
            else:
                outward = tuple(json.loads(found.outward))
                footing = Footing(
                    found.can_ask, found.reversible, named_reader, outward, found.unportable, found.ttl,
                    bool(found.canary),
                )  # fmt: skip
            last, env = str(current) if current else "", (current.key(tool) if current else None) or ""
            watching = self._watching(rule, agent, tool)
            scopes = rule.scope.names if rule.scope else ("",)
            for scope in scopes if within is None else (within,):
                held = nearest(standings, CellKey(agent, tool, scope, env))
                earned = reached(
                    granted, held.earned, held.cap, held.reason, current=current, tool=tool, undeclared=scope == OTHER
                )
                acted = CellKey(agent, tool, scope, env)
                overdue = self.store.read(partial(filing.late, cell=acted, here=here))
                route = effective(rule, earned, footing, len(overdue), watching)
                if (caution := self.caution(rule)) is not None and route.rung >= Rung.CONFIRM:
                    route = lowered(route, Rung.CONFIRM, caution)
                if found is None and tool not in self.seats:
                    route = Route(route.rung, tuple(_UNSEEN if one.code == "no_undo" else one for one in route.reasons))
                cells.append(Cell(
                    agent, tool, rule.rung, route, last, self.policy.entry(tool), rule.mistake, beyond.get(tool, 0),
                    goes_by_a_part(rule, footing), scope,
                ))  # fmt: skip
        return cells

    def _watching(self, rule: Rule, agent: str, tool: str) -> Watching:
        """Who is there after an action of a tool."""

        def read(cursor: Cursor) -> tuple[bool, str, str]:
            now = micros(self.clock())
            alive = not rule.watch.window or bool(watchers.watchers(cursor, self.store.owner, now))
            reported = rule.rung is Rung.REPORT
            mute = outgoing.mute(cursor, digests.outlet(rule.channel or ""), now) if reported else None
            return alive, fires(cursor, rule.checks, now), mute or ""

        alive, firing, mute = self.store.read(read)
        if self.policy.rehearsals != "required" or rule.rung < Rung.ROLLBACK:
            return Watching(alive, firing=firing, mute=mute)
        # Where nobody knows which version would run, the last one has to do.
        found = self.rehearsed(agent, tool) if self.editions(agent, tool) else self.last_rehearsal(tool)
        return Watching(alive, found is not None and found.passed, firing, mute)

    def editions(self, agent: str, tool: str) -> tuple[str, str] | None:
        """Which version of a tool, and of its undo, would run: as it is known here, else as it was last mounted."""
        seat = self.seat_of(agent, tool)
        if seat.version:
            return seat.edition(tool), seat.declaration.undo_edition
        found = self.reading.footings(agent).get(tool)
        return None if found is None else (found.version, found.undo)

    def rehearsed(self, agent: str, tool: str) -> Rehearsed | None:
        """The rehearsal of the undo that would run with the version that would run; None where there was none."""
        editions = self.editions(agent, tool)
        if editions is None:
            return None
        return self.store.read(lambda cursor: rehearsals.rehearsal_of(cursor, tool, *editions))

    def last_rehearsal(self, tool: str) -> Rehearsed | None:
        """The last rehearsal of a tool, whatever its version and its undo."""
        return self.store.read(rehearsals.last_of_each).get(tool)

    def seat_of(self, agent: str, tool: str) -> Seat:
        """What is known in this process of an agent's tool; of a tool of that name, where the agent isn't mounted."""
        return self._seats_of.get((agent, tool)) or self.seats.get(tool) or Seat()

    def rule_of(self, agent: str, tool: str, policy: Policy | None = None) -> Rule:
        """What holds for an agent's tool: its entry; without one, that a known hand-over runs, and all else suggests.

        Args:
            agent: Whose tool.
            tool: Its name.
            policy: The policy in force, if that was looked up a moment ago.
        """
        policy = policy or self.policy
        seat = self._seats_of.get((agent, tool))
        return HANDOVER if seat is not None and seat.hands_over and policy.entry(tool) is None else policy.rule(tool)

    def capped(self, agent: str, tool: str) -> Rung:
        """The rung that no call of an agent's tool may stand above, in any scope, since it was put down."""
        held = self.store.read(lambda cursor: standings.of_tool(cursor, agent, tool))
        return min((one.cap for one in held.values() if one.cap is not None), default=Rung.REPORT)

    def fitting(self, call: Call) -> Fitting:
        """How arguments for a call's tool are typed."""
        return self.seat_of(call.agent, call.tool).fitted

    def action(self, action: str) -> Action:
        """One action by its key, or the beginning of it.

        Raises:
            UnknownQuestion: There is none, or more than one.
        """
        journal = self._journal()
        known = self.store.read(lambda cursor: acts.find_action(journal, cursor, action))
        found = self.reading.action(known.call.key)
        assert found is not None  # noqa: S101  # it was there a moment ago, and actions are never deleted
        return found

    def log(
        self, *, limit: int = 50, tool: str | None = None, thread: str | None = None, action: str | None = None,
        shadow: bool = False,
    ) -> list[Entry]:  # fmt: skip
        """The ledger's entries, newest last; the latest `limit` of them.

        Args:
            limit: How many at most.
            tool: Only those about calls of this tool.
            thread: Only those of this LangGraph thread.
            action: Only those of the action whose key begins like this.
            shadow: What shadows took down instead.
        """
        agent = self.policy.agent
        if tool is not None and action is None and not shadow:
            return self.store.read(
                lambda cursor: chronicle.latest(cursor, tallies.chains(cursor, agent), tool, limit, thread=thread)
            )
        whose = shadows.chain_of(agent) if shadow else agent
        return self.reading.entries(whose, limit=limit, tool=tool, thread=thread, action=action)

    def shadowed(self) -> shadows.Shadowed:
        """What the shadows of the agent and of those inside it would have decided, tool by tool; all of it is read."""
        chains = self.store.read(lambda cursor: tallies.chains(cursor, shadows.chain_of(self.policy.agent)))
        return self.store.scan(lambda connection: shadows.tallied(connection, chains))

    def verify(
        self, exported: Iterable[tuple[str, int, str]] = (), anchors: Iterable[Placed] = (), keys: Sequence[Key] = ()
    ) -> Verification:
        """Check every hash chain of the ledger, from its first entry to its head.

        Args:
            exported: Heads that were kept elsewhere, as `heads` gave them. Without them nobody can see that a chain was
                cut or rewritten by somebody who may write the ledger and computes the hashes anew.
            anchors: Checkpoints that were kept elsewhere: where each lies, and its text.
            keys: The public keys that may have signed them; without any, no signature is checked.
        """
        return self.reading.verify(exported, anchors, keys)

    def heads(self) -> list[tuple[str, int, str]]:
        """Where each chain ends: agent, number of its last entry, that entry's hash. To be kept elsewhere."""
        return self.reading.heads()

    def close(self) -> None:
        """Close the ledger; what lived in memory is gone, its drafts included."""
        self.detach()
        self.assessor.stop()
        if self.messenger is not None:
            self.messenger.stop()
        self.watcher.stop()
        self.store.close()
        if self.store.source == MEMORY and not Path(self.policy.drafts).is_absolute():
            shutil.rmtree(self.workspace.directory, ignore_errors=True)


_UNSEEN = Reason("not_mounted", "no graph with it was mounted yet, so nobody knows whether it can be undone")
"""What is said instead of `no_undo` where there was nothing to look at."""


def signed_in() -> Person:
    """The user who is signed in to this machine, as the system knows them."""
    if os.name == "nt":  # pragma: no cover  # the suite runs on POSIX
        return Person(os.getlogin(), "os-user")
    import pwd

    # Not `getpass.getuser`, which believes the environment: LOGNAME=ana would make anybody ana.
    try:
        return Person(pwd.getpwuid(os.getuid()).pw_name, "os-user")
    except KeyError:
        return Person(f"uid-{os.getuid()}", "os-user")
