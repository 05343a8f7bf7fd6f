"""The ladder: policy, ledger and clock, and everything that agents and people do with them."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ladder_graph import answers
from ladder_graph.calls import Call
from ladder_graph.driving import Host, Turn, adrive, drive
from ladder_graph.errors import AnswerRefused, LadderError, PolicyError, ProviderToolsRefused
from ladder_graph.fingerprint import Environment
from ladder_graph.flow import Gate, life, routed
from ladder_graph.ledger import Action, Draft, Entry, Journal, Reading, Report, Store, Verification, acts
from ladder_graph.ledger.rows import US
from ladder_graph.ledger.sqlite import MEMORY
from ladder_graph.policy import Policy, load_policy
from ladder_graph.routing import Footing, effective, lowered
from ladder_graph.rungs.acting import Plan
from ladder_graph.rungs.draft import take_up
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Decision, Person, Question, Reason, Reply, Route, Step
from ladder_graph.tools import NOTHING, Declaration, declared_at
from ladder_graph.trust.standing import standing
from ladder_graph.workspace import Workspace

if TYPE_CHECKING:
    from langchain.agents.middleware import AgentMiddleware
    from langchain_core.tools import BaseTool
    from langgraph.graph.state import CompiledStateGraph, StateGraph

log = logging.getLogger("ladder_graph")
T = TypeVar("T")
Source = str | os.PathLike[str]


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


@dataclass(slots=True)
class Seat:
    """One tool under the ladder, as a mount knows it."""

    declaration: Declaration = NOTHING
    can_ask: bool = False
    host: Callable[[], Host] | None = None
    """Makes a host that runs the tool outside its graph, for accepted drafts; None where that can't be done."""


class Ladder:
    """Puts every tool call of an agent on one of six rungs. Fails closed: what it can't decide doesn't run.

    Args:
        agent: The agent's name; the ledger keeps one chain for each.
        rungs: The one-line form: tool names to rungs, such as `{"read_status": "report", "send_email": "confirm"}`,
            or to mappings of a rule's fields. A tool that isn't listed gets the lowest rung.
        policy: A `ladder.toml`, or a `Policy`; instead of `agent` and `rungs`.
        ledger: Where the ledger lives: a file, or `":memory:"`. The policy says it otherwise, `ladder.db` by default.
        lock: The environment that the start rungs are granted for; `ladder.lock` beside the policy file if there is one,
            and else the first environment seen.
        clock: Returns the present moment as an aware datetime; for tests.

    Raises:
        PolicyError: The policy has problems; all are listed.
        LedgerError: The ledger can't be used.

    Example:
        >>> ladder = Ladder(agent="ops", rungs={"send_email": "confirm"}, ledger=":memory:")
        >>> [(cell.tool, str(cell.claimed)) for cell in ladder.status()]
        [('send_email', 'confirm (2)')]
        >>> ladder.close()
    """

    def __init__(
        self,
        agent: str | None = None,
        rungs: Mapping[str, Any] | None = None,
        *,
        policy: Policy | Source | None = None,
        ledger: Source | None = None,
        lock: Source | None = None,
        clock: Callable[[], dt.datetime] | None = None,
    ) -> None:
        if policy is not None and (agent is not None or rungs is not None):
            raise PolicyError(["give either policy=, or agent= and rungs=, not both"], "Ladder(...)")
        file = None if policy is None or isinstance(policy, Policy) else Path(policy)
        if isinstance(policy, Policy):
            self.policy = policy
        elif file is not None:
            self.policy = load_policy(file)
        else:
            self.policy = Policy.from_rungs(agent or "agent", rungs or {})
        self.store = Store(os.fspath(ledger) if ledger is not None else self.policy.ledger)
        self.reading = Reading(self.store)
        self.clock = clock or _now
        self.workspace = Workspace(self._drafts_directory())
        self.seats: dict[str, Seat] = {}
        self._seats_of: dict[tuple[str, str], Seat] = {}
        self._declared: dict[str, Declaration] = {}
        self._locked = _read_lock(Path(lock) if lock is not None else file and file.with_name("ladder.lock"))
        self._latest: dict[str, str] = {}
        self._said: set[str] = set()
        self._met: set[tuple[str, str]] = set()

    def _drafts_directory(self) -> Path:
        """Beside the ledger, unless the policy names a place of its own; drafts of a ledger in memory go with it."""
        drafts = Path(self.policy.drafts)
        if drafts.is_absolute():
            return drafts
        if self.store.source == MEMORY:
            return Path(tempfile.gettempdir()) / f"ladder-drafts-{secrets.token_hex(8)}"
        return Path(self.store.source).parent / drafts

    # --- agents ----------------------------------------------------------------------------------------------

    def wrap(
        self,
        graph: CompiledStateGraph[Any, Any, Any, Any] | StateGraph[Any, Any, Any, Any],
        *,
        checkpointer: Any = None,
        agent: str | None = None,
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """Put a graph under the ladder: its ToolNode becomes the gate, with the six rungs behind it.

        Args:
            graph: A compiled `create_agent` or `create_deep_agent` graph, or a raw `StateGraph` (compiled or not) with
                a `ToolNode`. It is left as it is; a new graph comes back.
            checkpointer: Replaces the graph's own; `"host"` says that a LangGraph server or a parent graph brings one.
            agent: The name to act under, where it isn't the policy's.

        Returns:
            A compiled graph with the nodes `suggest draft confirm bounded rollback report`.

        Raises:
            NoCheckpointer: A tool stands on a rung that must ask, and nothing can wait for the answer.
            MountError: The graph has no ToolNode, or one that can't be gated.
        """
        from ladder_graph.hosts.graph import wrap

        return wrap(self, graph, checkpointer=checkpointer, agent=agent or self.policy.agent)

    def middleware(self, *others: AgentMiddleware[Any, Any, Any]) -> list[AgentMiddleware[Any, Any, Any]]:
        """The ladder as middleware for `create_agent(middleware=…)`, around the agent's other middleware.

        Args:
            others: The agent's own middleware, in its order. The gate goes outside it, so that what it repeats isn't
                asked twice, and the seal inside, so that what runs is what was allowed.
        """
        from ladder_graph.hosts.middleware import LadderMiddleware, SealMiddleware

        seal = SealMiddleware()
        return [LadderMiddleware(self, seal=seal), *others, seal]

    def guard(self, tool: BaseTool | Callable[..., Any], *, agent: str | None = None) -> BaseTool:
        """A sealed copy of a tool that can't run past the ladder, whoever calls it.

        For tools that are handed to sub-agents, to agents inside other tools, or to graphs that no mount reaches. Under
        a rung's permit it runs exactly what was allowed. Called without one, in a task that holds one tool call, the
        call goes through its whole life right there, questions included. Called by hand it raises `NotPermitted`.

        Args:
            tool: A tool, or a function to make one of.
            agent: The name to act under, where it isn't the policy's. Inside another agent, the inner one's name is
                added to it, as in `"ops/research"`.

        Raises:
            MountError: It can't be sealed, or runs an agent whose own tools aren't guarded.

        Example:
            >>> import contextlib
            >>> def wipe(disk: str) -> str:
            ...     "Wipe a disk."
            ...     return f"wiped {disk}"
            >>> with contextlib.closing(Ladder(agent="ops", rungs={"wipe": "confirm"}, ledger=":memory:")) as ladder:
            ...     guarded = ladder.guard(wipe)
            >>> guarded.invoke({"disk": "sda"})
            Traceback (most recent call last):
            ladder_graph.errors.NotPermitted: wipe is guarded, and was called by hand, ...
        """
        from ladder_graph.hosts.guard import guard

        return guard(self, tool, agent or self.policy.agent)

    def declare(self, tool: str, declaration: Declaration) -> None:
        """Declare undo, drafter or probe for a tool one doesn't own, by its name. Before mounting."""
        self._declared[tool] = self._declared.get(tool, NOTHING).merged(declaration)
        for (_, name), seat in self._seats_of.items():
            if name == tool:
                seat.declaration = seat.declaration.merged(declaration)
        self.seats.setdefault(tool, Seat(self._declared[tool]))

    def seat(
        self, tool: str, declaration: Declaration, *, agent: str, can_ask: bool, host: Callable[[], Host] | None = None
    ) -> None:
        """Take a tool under the ladder; called by the mounts, once for each tool of each agent."""
        named = self.policy.rule(tool).undo
        said = declaration.merged(declared_at(named) if named else NOTHING)
        seat = Seat(said.merged(self._declared.get(tool, NOTHING)), can_ask, host)
        self._seats_of[agent, tool] = seat
        # An agent inside may have another tool of the same name.
        if not agent.startswith(f"{self.policy.agent}/") or tool not in self.seats:
            self.seats[tool] = seat
        if tool not in self.policy.tools:
            self._say(f"the policy of {agent} doesn't name the tool {tool}, so it only suggests; add [tools.{tool}]")
        self._write(
            lambda journal, cursor: acts.found(
                journal, cursor, agent, tool, can_ask=can_ask, reversible=seat.declaration.reversible
            ),
            durable=False,
        )

    def seat_of(self, agent: str, tool: str) -> Seat:
        """What is known in this process of an agent's tool; of a tool of that name, where the agent isn't mounted."""
        return self._seats_of.get((agent, tool)) or self.seats.get(tool) or Seat()

    def repeatable(self, tool: str, agent: str | None = None) -> bool:
        """Whether running a tool a second time has no second effect: it only reads, or is declared idempotent."""
        return self.policy.rule(tool).read_only or self.seat_of(agent or self.policy.agent, tool).declaration.idempotent

    def gate(self, call: Call, environment: Environment | None, at_most: Rung = Rung.REPORT) -> Gate:
        """Everything that decides about a call except what the ledger knows of it.

        Args:
            call: The proposed call.
            environment: What proposed it, or None where that isn't known.
            at_most: The rung the graph already sent it to.
        """
        rule = self.policy.rule(call.tool)
        pinned = self._observe(call.agent, environment)
        seat = self.seat_of(call.agent, call.tool)
        footing = Footing(seat.can_ask, seat.declaration.reversible, self.policy.reports.reader)
        return Gate(rule, standing(rule.rung, pinned, environment, call.tool), footing, self.clock(), at_most)

    def route(self, call: Call, environment: Environment | None) -> Route:
        """The rung a call would go to now. Nothing is written about the call, and nothing runs."""
        gate = self.gate(call, environment)
        found: Generator[Step, Any, tuple[Route, Plan, Any]] = routed(call, gate)
        route, _, _ = drive(found, self._turn(call, None))
        return route

    def run(self, call: Call, environment: Environment | None, host: Host, at_most: Rung = Rung.REPORT) -> Reply:
        """Take one call through its whole life.

        Raises:
            LedgerError: The ledger refused; nothing ran that isn't recorded.
        """
        return drive(life(call, self.gate(call, environment, at_most)), self._turn(call, host))

    async def arun(self, call: Call, environment: Environment | None, host: Host, at_most: Rung = Rung.REPORT) -> Reply:
        """As `run`, on the event loop."""
        return await adrive(life(call, self.gate(call, environment, at_most)), self._turn(call, host))

    def refuse(self, agent: str, thread: str, call: Mapping[str, Any], text: str) -> None:
        """Write down a call that could not even be considered: no id, no such tool, malformed arguments."""
        raw = {"call": str(call.get("id")), "tool": str(call.get("name")), "arguments": repr(call.get("args"))[:2000]}
        body = {"thread": thread, "text": text, **raw}
        # What is malformed may hold what JSON can't: repr has escaped it in the arguments, and this does in the rest.
        plain = {key: value.encode("utf-8", "backslashreplace").decode() for key, value in body.items()}
        self._write(lambda journal, cursor: journal.append(cursor, agent, "refused", "", dict(plain)), durable=False)

    def meet_provider_tools(self, agent: str, tools: Sequence[str]) -> None:
        """A request to a model carries tools that its provider runs by itself: refuse it or report it, as the policy says.

        Args:
            agent: Whose request it is.
            tools: Their names.

        Raises:
            ProviderToolsRefused: The request must not be sent.
        """
        met = self.policy.provider_tools
        named = ", ".join(sorted(tools))
        if (agent, named) not in self._met:
            self._met.add((agent, named))
            body = {"tools": sorted(tools), "met": met}
            if self._write(lambda journal, cursor: journal.append_once(cursor, agent, "provider_tools", body), durable=False):
                log.warning("a model of %s is given tools that its provider runs past every gate: %s (%s)", agent, named, met)
        if met == "refuse":
            raise ProviderToolsRefused(
                f"a model of {agent} is given tools that its provider runs by itself, where no rung sees their calls: "
                f"{named}. The request was not sent. Take them off, or say provider_tools = \"report\" in the policy"
            )

    def _turn(self, call: Call, host: Host | None) -> Turn:
        reports = self.policy.reports
        return Turn(
            store=self.store, revision=self.policy.revision, clock=self.clock, workspace=self.workspace,
            rule=self.policy.rule(call.tool), reader=reports.reader and (reports.reader, int(reports.sla * US)) or None,
            declaration=self.seat_of(call.agent, call.tool).declaration, host=host or _Nowhere(),
        )  # fmt: skip

    def _observe(self, agent: str, environment: Environment | None) -> Environment | None:
        """The pinned environment; a new one is written down, and said, before any of its calls runs."""
        if environment is None or environment.model is None:
            return self._locked.get(agent) or self.store.read(lambda cursor: acts.pinned_of(cursor, agent))
        key = acts.environment_key(environment)
        if self._latest.get(agent) == key:
            return self._locked.get(agent) or self.store.read(lambda cursor: acts.pinned_of(cursor, agent))
        pinned, news = self._write(
            lambda journal, cursor: acts.observe(journal, cursor, agent, environment, self._locked.get(agent)),
            durable=False,
        )
        self._latest[agent] = key
        if news:
            log.warning("%s", news)
        return pinned

    def _say(self, text: str) -> None:
        """Say a thing once in this process."""
        if text not in self._said:
            self._said.add(text)
            log.warning("%s", text)

    # --- people ----------------------------------------------------------------------------------------------

    def pending(self) -> list[Question]:
        """Open questions, oldest first. A question that is past its time shows until somebody touches it."""
        return self.reading.pending(self.policy.agent)

    def question(self, question: str) -> Question:
        """One question, whatever became of it, unless its approval was used.

        Args:
            question: Its id, or the beginning of it.

        Raises:
            UnknownQuestion: There is none.
            AnswerRefused: It was answered and used, or asked anew.
        """
        journal = self._journal()
        return self.store.read(lambda cursor: acts.find_question(journal, cursor, question))

    def approve(
        self, question: str, *, by: str | Person, typed: str | None = None, digest: str | None = None
    ) -> Question:
        """Say yes to exactly one frozen action. The waiting thread runs it when it is resumed: `graph.invoke(None, config)`.

        Args:
            question: The question's id, or the beginning of it.
            by: Who says so; a plain name is vouched for by the calling program.
            typed: The exact value of the argument that must be typed, where the rule asks for it.
            digest: The digest of what the person was shown; refused if it isn't this question's.

        Raises:
            UnknownQuestion: There is none.
            AnswerRefused: Not by this person, not any more, not for these arguments.
        """
        return self._answer(question, answers.Answer("approve", typed=typed, digest=digest), by)

    def decline(self, question: str, *, by: str | Person, reason: str) -> Question:
        """Say no, with the reason that the agent will read.

        Raises:
            UnknownQuestion: There is none.
            AnswerRefused: Not any more.
        """
        return self._answer(question, answers.Answer("decline", reason=reason), by)

    def _answer(self, prefix: str, answer: answers.Answer, by: str | Person) -> Question:
        person = person_of(by)

        def work(journal: Journal, cursor: Any) -> Question:
            question = acts.find_question(journal, cursor, prefix)
            if question.decision is not None:
                raise AnswerRefused(f"{question.decision.by.name} has answered already: {question.decision.verdict}")
            complaint = answers.objection(question, answer, person, journal.now)
            if complaint is not None:
                raise AnswerRefused(complaint)
            decision = Decision(answer.verdict, person, journal.now, answer.reason)
            taken = journal.answer(cursor, question, decision)
            if taken is None:
                raise AnswerRefused("somebody else answered at the same moment; look again")
            return taken

        return self._write(work)

    def suggestions(self) -> list[Action]:
        """Suggestions of rung 0, oldest first, with what people made of them."""
        return self.reading.actions(self.policy.agent, state=State.SUGGESTED)

    def adopt(self, action: str, *, by: str | Person, reason: str = "") -> None:
        """Mark a suggestion as one that somebody acted on."""
        self._judge(action, "adopted", by, reason)

    def dismiss(self, action: str, *, by: str | Person, reason: str = "") -> None:
        """Mark a suggestion as one that nobody wants."""
        self._judge(action, "dismissed", by, reason)

    def _judge(self, action: str, verdict: Literal["adopted", "dismissed"], by: str | Person, reason: str) -> None:
        person = person_of(by)
        self._write(
            lambda journal, cursor: acts.judge_suggestion(journal, cursor, action, verdict, person, reason)
        )

    def drafts(self) -> list[Draft]:
        """Drafts of rung 1, oldest first."""
        return self.reading.drafts(self.policy.agent)

    def accept(self, action: str, *, by: str | Person) -> Reply | None:
        """Accept a draft: its call runs once, as this person's act.

        Returns:
            What came of it; None where the tool isn't known in this process, in which case `run_accepted` in the
            agent's process runs it.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: It is no draft that waits.
        """
        person = person_of(by)
        known = self._write(
            lambda journal, cursor: acts.decide_draft(journal, cursor, action, person, accept=True, reason="")
        )
        return self._take_up(known.call, person)

    def reject(self, action: str, *, by: str | Person, reason: str) -> None:
        """Reject a draft, with a reason.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: It is no draft that waits.
        """
        person = person_of(by)
        self._write(
            lambda journal, cursor: acts.decide_draft(journal, cursor, action, person, accept=False, reason=reason)
        )

    def run_accepted(self) -> list[Reply]:
        """Run drafts that were accepted where the tool wasn't known, such as by `ladder drafts accept`."""
        agents = sorted({self.policy.agent, *self.reading.agents(self.policy.agent)})
        waiting = self._write(
            lambda journal, cursor: [one for agent in agents for one in acts.approved_calls(journal, cursor, agent)]
        )
        replies = [self._take_up(call, by) for call, by in waiting]
        return [reply for reply in replies if reply is not None]

    def _take_up(self, call: Call, person: Person) -> Reply | None:
        seat = self.seat_of(call.agent, call.tool)
        if seat.host is None:
            return None
        rule = self.policy.rule(call.tool)
        route = Route(Rung.DRAFT, (Reason("accepted", f"{person.name} accepted its draft"),))
        return drive(take_up(call, route, Plan(rule), person), self._turn(call, seat.host()))

    def reports(self, *, unread: bool = True) -> list[Report]:
        """Reports of rung 5, oldest first."""
        return self.reading.reports(self.policy.agent, unread=unread)

    def acknowledge(self, action: str, *, by: str | Person) -> None:
        """Say that a report was read.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: There is no unread report on it.
        """
        person = person_of(by)
        self._write(lambda journal, cursor: acts.acknowledge(journal, cursor, action, person))

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
        self, tool: str, to: Rung | str, *, reason: str, by: str | Person | None = None, agent: str | None = None
    ) -> None:
        """Put a tool on a lower rung from its next call on. Lowering needs no evidence.

        Args:
            tool: The tool's name.
            to: The rung it may not stand above any more.
            reason: Why; shown wherever the rung is.
            by: Who did it, where it was a person.
            agent: Whose tool, where it isn't that of the policy's agent, such as `"ops/research"`.
        """
        rung, person, whose = Rung.parse(to), None if by is None else person_of(by), agent or self.policy.agent
        self._write(lambda journal, cursor: acts.demote(journal, cursor, whose, tool, rung, reason, by=person))

    # --- looking ---------------------------------------------------------------------------------------------

    def status(self) -> list[Cell]:
        """Where the agent, and each agent inside it, really stands with each tool, and why it isn't higher."""
        agents = sorted({self.policy.agent, *self.reading.agents(self.policy.agent)})
        return [cell for agent in agents for cell in self._cells(agent)]

    def _cells(self, agent: str) -> list[Cell]:
        environments = self.reading.environments(agent)
        current = Environment.read(environments[-1].components, "the ledger") if environments else None
        pinned = self._locked.get(agent) or self.store.read(lambda cursor: acts.pinned_of(cursor, agent))
        demotions, footings = self.reading.standings(agent), self.reading.footings(agent)
        now = self.clock()
        overdue = sum(report.overdue(now) for report in self.reports() if report.action.agent == agent)
        # An agent inside another has the tools that a mount found; the policy's names are those of the outer one.
        named = self.policy.tools.keys() if agent == self.policy.agent else set()
        cells = []
        for tool in sorted(named | footings.keys()):
            rule, found = self.policy.rule(tool), footings.get(tool)
            # Before any call there is nothing to compare: the grant stands as the policy gives it.
            earned = standing(rule.rung, pinned, current if environments else pinned, tool)
            if not environments and pinned is None:
                earned = type(earned)(rule.rung)
            footing = Footing(
                found.can_ask if found else True,
                found.reversible if found else self.seat_of(agent, tool).declaration.reversible,
                self.policy.reports.reader,
            )
            route = effective(rule, earned, footing, overdue)
            if found is None and tool not in self.seats:
                route = Route(route.rung, tuple(_UNSEEN if one.code == "no_undo" else one for one in route.reasons))
            if (row := demotions.get(tool)) is not None:
                route = lowered(route, Rung(row.rung), Reason("demoted", row.reason))
            cells.append(Cell(agent, tool, rule.rung, route, str(current) if current else ""))
        return cells

    def actions(self, *, limit: int | None = None, state: State | None = None) -> list[Action]:
        """The agent's actions, oldest first; the latest `limit` of them, or only those in one state."""
        return self.reading.actions(self.policy.agent, limit=limit, state=state)

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
        self, *, limit: int = 50, tool: str | None = None, thread: str | None = None, action: str | None = None
    ) -> list[Entry]:
        """The ledger's entries, newest last; the latest `limit` of them.

        Args:
            limit: How many at most.
            tool: Only those about calls of this tool.
            thread: Only those of this LangGraph thread.
            action: Only those of the action whose key begins like this.
        """
        return self.reading.entries(self.policy.agent, limit=limit, tool=tool, thread=thread, action=action)

    def in_doubt(self) -> list[Action]:
        """Actions that a person must look at: outcome unknown, undo in trouble, or their process gone; oldest first."""
        journal = self._journal()

        def left(action: Action) -> bool:
            known = self.store.read(lambda cursor: journal.known(cursor, action.key))
            return known is not None and known.state is State.STARTED and not known.owner_alive

        states = (State.UNKNOWN, State.UNDO_CONFLICT, State.UNDO_FAILED)
        found = [action for state in states for action in self.actions(state=state)]
        found += [action for action in self.actions(state=State.STARTED) if left(action)]
        return sorted(found, key=lambda action: action.at)

    def verify(self) -> Verification:
        """Check every hash chain of the ledger, from its first entry to its head."""
        return self.reading.verify()

    def environments(self, agent: str | None = None) -> tuple[Environment | None, Environment | None]:
        """The environment that the start rungs are granted for, and the one that was last seen; None where there is none.

        Args:
            agent: Whose, where it isn't the policy's agent.
        """
        whose = agent or self.policy.agent
        seen = self.reading.environments(whose)
        pinned = self._locked.get(whose) or self.store.read(lambda cursor: acts.pinned_of(cursor, whose))
        return pinned, Environment.read(seen[-1].components, "the ledger") if seen else None

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
            _write_lock(Path(path), whose, granted)
            self._locked[whose] = granted
        return granted

    def close(self) -> None:
        """Close the ledger; what lived in memory is gone, its drafts included."""
        self.store.close()
        if self.store.source == MEMORY and not Path(self.policy.drafts).is_absolute():
            shutil.rmtree(self.workspace.directory, ignore_errors=True)

    def _journal(self) -> Journal:
        return Journal(self.store.owner, self.policy.revision, self.clock())

    def _write(self, work: Callable[[Journal, Any], T], *, durable: bool = True) -> T:
        journal = self._journal()
        return self.store.write(lambda cursor: work(journal, cursor), durable=durable)


_UNSEEN = Reason("not_mounted", "no graph with it was mounted yet, so nobody knows whether it can be undone")
"""What is said instead of `no_undo` where there was nothing to look at."""


class _Nowhere:
    """A host for routing alone, which runs nothing."""

    def __getattr__(self, name: str) -> Any:
        raise LadderError(f"there is no host here to {name}")


def person_of(by: str | Person) -> Person:
    """A person from a name that the calling program vouches for.

    Raises:
        AnswerRefused: The name is empty.
    """
    person = by if isinstance(by, Person) else Person(by.strip(), "code")
    if not person.name:
        raise AnswerRefused("nobody's name is on the answer; say who you are")
    return person


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


def _now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC)


def _read_lock(path: Path | None) -> dict[str, Environment]:
    """The environments in a `ladder.lock`, by agent; none where there is no such file."""
    if path is None or not path.exists():
        return {}
    try:
        agents: Mapping[str, Any] = json.loads(path.read_text())["agents"]
        return {agent: Environment.from_json(components, str(path)) for agent, components in agents.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise PolicyError([f"{path}: no lock file of ours ({type(wrong).__name__}: {wrong})"], str(path)) from wrong


def _write_lock(path: Path, agent: str, environment: Environment) -> None:
    agents = {name: env.to_json() for name, env in _read_lock(path).items()} | {agent: environment.to_json()}
    path.write_text(json.dumps({"version": 1, "agents": agents}, indent=2, sort_keys=True) + "\n")

