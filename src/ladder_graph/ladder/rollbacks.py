"""Rolling a thread back to before one of its actions: the effects in reverse, and then the conversation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ladder_graph.errors import AnswerRefused, ForkRefused
from ladder_graph.facts import Known, Person
from ladder_graph.ladder.questions import person_of
from ladder_graph.ladder.sagas import Sagas
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import without_nul
from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.undoing import rollbacks, sagas
from ladder_graph.ledger.undoing.rollbacks import Line, Since
from ladder_graph.policy import HANDOVER, Policy, Rule
from ladder_graph.states import State
from ladder_graph.steps import UndoOutcome
from ladder_graph.undo import word_of
from ladder_graph.unwinding import (
    SETTLED,
    Came,
    Due,
    Member,
    due,
    left_standing,
    rolled_back,
    under_its_rest,
    without_effect,
)
from ladder_graph.watcher.unwinding import GONE

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from ladder_graph.hosts.forking import Point

RUNS = "it runs in this moment"
WAITS = "another call is at the same thing, and it is undone once that is over"
"""Why a member is left that began while others were undone."""


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """What rolling a thread back would do."""

    thread: str
    to: str
    """The key of the action before which the thread would stand; it is undone with the others."""
    tool: str
    """That action's tool."""
    undo: tuple[Member, ...]
    """What would be undone, in this order."""
    nothing: tuple[Member, ...]
    """What had no effect, or was undone before."""
    stays: tuple[Member, ...]
    """What can't be undone, the latest in front: a call without an undo, and everything before it."""
    running: tuple[Member, ...]
    """What runs in this moment. As long as there is any, nothing is rolled back."""
    questions: int
    """How many questions would be closed."""
    forked: bool
    """The thread was forked there before, and did nothing since: it isn't forked once more."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """What came of rolling a thread back."""

    thread: str
    to: str
    members: tuple[Member, ...]
    """What the thread did from the action on, in the order of the effects, with what came of each."""
    forked: str
    """The checkpoint that the thread goes on from; empty where the conversation was not forked."""
    text: str
    """What the agent reads."""
    again: bool = False
    """The thread was forked there before, and did nothing since, so it wasn't forked once more."""

    @property
    def whole(self) -> bool:
        """Whether nothing of it stands any more."""
        return all(one.came in SETTLED for one in self.members)


class Rollbacks(Sagas):
    """The part of a desk where threads are rolled back."""

    @abstractmethod
    def rule_of(self, agent: str, tool: str, policy: Policy | None = None) -> Rule:
        """What holds for an agent's tool."""

    def rollback_plan(
        self, thread: str, *, to: str, graph: CompiledStateGraph[Any, Any, Any, Any] | None = None
    ) -> RollbackPlan:
        """What rolling a thread back would do; nothing is done.

        Args:
            thread: The LangGraph thread.
            to: The key of one of its actions, or the beginning of it.
            graph: The graph whose thread it is, with its checkpointer.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: It is of another thread.
            ForkRefused: There is no checkpoint to go on from.
        """
        known, found, _ = self._from(thread, to, graph)
        members = list(found.members)
        undo: list[Member] = []
        nothing: list[Member] = []
        stays: list[Member] = []
        while (step := due(members)) is not None:
            match step.kind:
                case "skip":
                    stays += left_standing(step.members)
                case "no-op":
                    nothing += map(without_effect, step.members)
                case _:
                    undo += step.members
            members = [one for one in members if one not in step.members]
        running = tuple(one for one in found.members if one.running)
        return RollbackPlan(
            thread, known.call.key, known.call.tool, tuple(undo), tuple(nothing), tuple(stays), running,
            len(found.waiting), found.forked,
        )  # fmt: skip

    def rollback(
        self, thread: str, *, to: str, by: str | Person, reason: str = "",
        graph: CompiledStateGraph[Any, Any, Any, Any] | None = None,
    ) -> Rollback:  # fmt: skip
        """Undo what a thread did from an action on, in reverse, and let its conversation go on from before that.

        The action itself is undone too, and with it what the same message has proposed. A call that can't be undone
        ends it: it stays, and what was before it. What conflicts or fails is told, and ends nothing. Questions that the
        thread asked since are closed.

        The conversation is forked from the checkpoint before the message that proposed the action, with a message by
        which the agent reads what was rolled back, by whom and why; nothing that was said is deleted.
        `graph.invoke(None, config)` goes on from there. A second time is harmless.

        Args:
            thread: The LangGraph thread.
            to: The key of one of its actions, or the beginning of it.
            by: Who says so.
            reason: Why; the agent reads it.
            graph: The graph whose thread it is, with its checkpointer. Without it the effects are undone, and the
                conversation stays as it is.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: It is of another thread, or a call of the thread is running. Nothing was done.
            ForkRefused: There is no checkpoint to go on from. Nothing was done.
        """
        person = person_of(by)
        known, found, point = self._from(thread, to, graph)
        if running := [one for one in found.members if one.running]:
            raise AnswerRefused(
                f"{running[0].tool} (action {running[0].action[:12]}) of thread {thread} is running; wait for it"
            )
        said = f"{person.name} rolled thread {thread} back" + (f": {reason}" if reason else "")
        members = self._rolled_back(found.members, said)
        text = rolled_back(members, person.name, reason, known.call.tool)
        self._signed_off(known, found, members, person, reason)
        # Whoever says it twice doesn't want to lose what was said in between.
        forked = "" if point is None or found.forked else self._fork(graph, point, text, known, person)
        return Rollback(thread, known.call.key, members, forked, text, again=found.forked)

    def _from(self, thread: str, to: str, graph: Any) -> tuple[Known, Since, Point | None]:
        """The action, what the thread did from it on, and where its conversation would go on."""
        journal = self._journal()
        known = self.store.read(lambda cursor: acts.find_action(journal, cursor, to))
        if known.call.thread not in {thread, without_nul(thread)}:
            raise AnswerRefused(f"action {known.call.short} is of thread {known.call.thread}, and not of {thread}")
        point = None if graph is None else self._point(graph, known)
        calls, tasks = ((), ()) if point is None else (point.calls, point.tasks)
        line = None if point is None else self._line(graph, known, point)
        found = self.store.read(lambda cursor: rollbacks.since(cursor, journal, known, calls, tasks, line))
        # What only reads changed nothing.
        acted = [one for one in found.members if not self._only_read(one)]
        return known, replace(found, members=tuple(acted)), point

    def _only_read(self, member: Member) -> bool:
        """Whether a call's tool only reads, or handed over to another agent."""
        if self.policy.entry(member.tool) is not None:
            return self.policy.rule(member.tool).read_only
        began = [
            one for one in self.reading.entries(self.policy.agent, limit=100, action=member.action)
            if one.kind == State.STARTED
        ]  # fmt: skip
        if any(self.rule_of(one.agent, member.tool).read_only for one in began):
            return True
        # Where its agent isn't mounted: by this same policy nothing but a hand-over runs on that rung without an entry.
        same = {"policy": self.policy.revision, "rung": HANDOVER.rung}
        return bool(began) and all(same.items() <= {key: one.body.get(key) for key in same}.items() for one in began)

    def _rolled_back(self, members: tuple[Member, ...], why: str) -> tuple[Member, ...]:
        """Undo them in reverse; each with what came of it."""
        left = {one.action: one for one in members}
        while (step := due(list(left.values()))) is not None:
            left |= {one.action: one for one in self._done(step, why)}
        return tuple(left.values())

    def _done(self, step: Due, why: str) -> list[Member]:
        """Do what is due; those whom it was about, with what came of them."""
        first = step.members[0]
        match step.kind:
            case "undo":
                return [self._undone(first, why)]
            case "no-op":
                return [without_effect(first)]
            case "stay":
                return [under_its_rest(first)]
            case "skip":
                return left_standing(step.members)
            case "wait":
                return [replace(first, came="skipped", text=RUNS)]

    def _undone(self, member: Member, why: str) -> Member:
        """Undo one; where it stands then, with what came of it."""
        scope = self.store.glance(lambda cursor: sagas.waits_for(cursor, member.action))
        if scope:
            self.watcher.unwinding.go_on(scope)
        window = self.watcher.unwinding.undo(member.action, why)
        if window is None:
            return replace(member, came="failed", text=GONE)
        journal = self._journal()
        known = self.store.read(lambda cursor: journal.known(cursor, member.action))
        if known is None or known.state not in {State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED}:
            return replace(member, came="failed", text=WAITS if window.phase == "undo" else window.why)
        entries = self.reading.entries(self.policy.agent, limit=100, action=member.action)
        last = next((one for one in reversed(entries) if one.kind == known.state), None)
        detail = "" if last is None else str(last.body.get("text", ""))
        state: Any = known.state
        word: Came = word_of(UndoOutcome(state, detail))
        return replace(member, state=state, came=word, text="" if word in SETTLED else detail)

    def _signed_off(
        self, known: Known, found: Since, members: tuple[Member, ...], person: Person, reason: str
    ) -> None:  # fmt: skip
        """Write it down, and close the questions that nobody needs an answer to any more."""
        key, journal = known.call.key, self._journal()
        body: Mapping[str, Any] = {
            "thread": known.call.thread, "by": person.name, "auth": person.auth, "reason": reason,
            "came": {one.action: one.came for one in members},
        }  # fmt: skip

        def work(cursor: Cursor) -> None:
            for one in found.waiting:
                waits = journal.known(cursor, one)
                if waits is not None and waits.state in {State.ASKED, State.APPROVED}:
                    text = f"NOT RUN: {person.name} rolled the conversation back in which {waits.call.tool} was asked."
                    journal.withdraw(cursor, waits.call, text)
            journal.append(cursor, known.call.agent, "rolled_back", key, body)

        self.store.write(work)

    def _point(self, graph: Any, known: Known) -> Point:
        from ladder_graph.hosts.forking import point_before

        return point_before(graph, known.call, known.checkpoint)

    def _line(self, graph: Any, known: Known, point: Point) -> Line | None:
        """The steps of the conversation, where they are needed: of one agent alone its chain says the order."""
        from ladder_graph.hosts.forking import line_to

        thread = known.call.thread
        several = self.store.read(lambda cursor: rollbacks.agents(cursor, thread)) > 1
        return line_to(graph, thread, point) if several else None

    def _fork(self, graph: Any, point: Point, text: str, known: Known, person: Person) -> str:
        from ladder_graph.hosts.forking import fork

        try:
            made = fork(graph, point, text)
        except ForkRefused as refused:
            raise ForkRefused(f"the effects were dealt with, and the conversation is as it was: {refused}") from refused
        journal = self._journal()
        self.store.write(
            lambda cursor: journal.append(cursor, known.call.agent, "forked", known.call.key, {
                "thread": known.call.thread, "checkpoint": made, "by": person.name, "auth": person.auth, "text": text,
            })
        )  # fmt: skip
        return made
