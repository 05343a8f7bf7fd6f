"""One turn of a call: how each step that `ladder_graph.flow` yields is performed, except running the tool.

Most steps are a transaction of the ledger; the rest is the host's or a tool author's code.
"""

from __future__ import annotations

import copy
import functools
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from ladder_graph.calls import Call
from ladder_graph.drafting import Drawn
from ladder_graph.facts import Asking, Outcome, Question
from ladder_graph.ledger import Journal
from ladder_graph.ledger.actions import members, quotas
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.actions.questions import nonce_of, word_of
from ladder_graph.ledger.actions.tellings import attended, trace_of
from ladder_graph.ledger.database.cursor import Cursor, Hoped
from ladder_graph.ledger.gate import acts, beside, starts
from ladder_graph.ledger.people.filing import page
from ladder_graph.ledger.undoing import joining, sagas
from ladder_graph.recalling import looked_again
from ladder_graph.splitting import Await, Divide, Join, split
from ladder_graph.states import State
from ladder_graph.steps import (
    NOTHING_TO_UNDO,
    Claim,
    Claimed,
    Compose,
    Fit,
    GoneOn,
    Heard,
    Look,
    Measure,
    NotClaimed,
    Pose,
    Prepare,
    Probe,
    Recall,
    Record,
    Ring,
    Settle,
    StandBy,
    Step,
    TakeOver,
    Traced,
    Undo,
    UndoOutcome,
    Wait,
    Weigh,
)
from ladder_graph.trust.demotion import after_undo
from ladder_graph.turns.awaiting import Patience, Waiting, left_alone, outlasted, stood_by
from ladder_graph.turns.deciding import Fitting, unchecked
from ladder_graph.turns.hearing import hear, went_on
from ladder_graph.turns.looking import Looking
from ladder_graph.turns.posing import posed, stands
from ladder_graph.turns.reading import draft_of, undo_of
from ladder_graph.turns.workspace import Workspace
from ladder_graph.undo import touched, touched_from, undo, undo_apart, undo_from
from ladder_graph.undo import word_of as came_to
from ladder_graph.undo.apart import TIMEOUT
from ladder_graph.unwinding import NOTHING_HAPPENED, SETTLED
from ladder_graph.waiting import waits
from ladder_graph.watch import measure

log = logging.getLogger("ladder_graph")
T = TypeVar("T")

_WRITTEN = (Settle, Pose, Heard, GoneOn, Claim, TakeOver, Record)  # the steps that are a transaction of the ledger
_AS_THEY_ARE = frozenset({Claim, Record})  # nothing is done before these two, which every call that runs has
_TOOK_EFFECT = frozenset({State.DONE, State.UNDOING})  # what a call that can be undone comes to once it has run
_UNDOES = frozenset({State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED})  # the states that an undo ends in


@dataclass(slots=True, kw_only=True)
class Turn(Looking):
    """Everything needed to perform the steps of one call."""

    workspace: Workspace | None
    """Where drafts go; None where none can come about."""
    claim: Claim | None = None
    """The call's own claim, once it was made."""
    after: dict[str, str | None] = field(default_factory=dict)
    """The touched resource's fingerprint right after each action that ran in this turn, by its key."""
    since: dict[str, int] = field(default_factory=dict)
    """How long the agent's chain was before the undo of an action was made, by the action's key."""
    patience: Patience = field(default_factory=Patience)
    begun: bool = False
    """Whether the call is claimed: it is seen through then, whoever still waits for it."""
    left: bool = False
    """Whether its caller was cancelled."""
    fitted: Fitting = unchecked
    """Types arguments by the tool's schema."""
    apart: bool = False
    """Whether an undo runs in a process of its own, which is killed when it takes too long, where it can."""
    limit: float = TIMEOUT
    """Seconds that it may take there."""
    catch_up: Callable[[str, str], object] = field(default=lambda *_: None)
    """Begins what had to wait for an agent's call on a resource."""
    see_to: Callable[[str], float | None] = field(default=lambda _: None)
    """Sees to an action that keeps others from its resource, though nobody is at it; tells since when that lasts."""
    witnessed: bool = False
    """Whether the tool ran in this turn, or its checks were bad: an undo is called for by that, by no dead process."""
    wrote: Journal | None = None
    """The transactions of the last claim or record, until that is committed."""
    endings: list[Callable[[], None]] = field(default_factory=list)
    """What tells the ledger's owner that the task which ran an action is over."""

    def transaction(self, step: Step) -> tuple[Callable[[Cursor], Any], bool] | None:
        """The ledger's part of a step, with whether it must reach the disk; None where the step isn't the ledger's."""
        self.wrote = None
        if not isinstance(step, _WRITTEN) or (isinstance(step, Pose) and step.asked is not None):
            return None
        journal = self.journal()
        self.wrote = journal if type(step) in _AS_THEY_ARE else None
        match step:
            case Settle():
                return lambda cursor: journal.settle(cursor, step), False
            case Pose():
                asking = self.host.asking()
                return lambda cursor: self._posed(cursor, journal, step, asking), False
            case Heard():
                return hear(self.policy, self.host, journal, step), True
            case GoneOn():
                return lambda cursor: went_on(cursor, journal, step), False
            case Claim():
                if step.alone:
                    alone, left_too = self.patience.lasts()
                    step = replace(step, alone=alone, left_too=left_too)
                self.claim = step
                return self._claimed(step, lambda cursor: self._joined(cursor, journal, step)), step.durable
            case TakeOver():
                return self._claimed(step, lambda cursor: self._taken_over(cursor, journal, step)), True
            case Record():
                return self._record(journal, step), False

    def noted(self, answer: T) -> T:
        """The answer to a step that is committed; a question gets its word, which the ledger doesn't know."""
        if self.wrote is not None and self.memory is not None:
            written, us = self.wrote.written, self.wrote.us
            self.memory.grew(written, us)
            claim = self.claim if isinstance(answer, Claimed) and len(written) == 1 else None
            if claim is not None and claim.seen is not None and looked_again(claim.seen, n := written[0][1], us):
                self.memory.stood(self._cell(claim.call), claim.seen, n, us)
        if isinstance(answer, Question):
            word = word_of(self.host.asking().seed, answer.id)
            return cast("T", replace(answer, word=word if nonce_of(word) == answer.nonce else ""))
        return answer

    @property
    def _scoped_effect(self) -> bool:
        """Whether the call is a member of a scope; a read is none."""
        return bool(self.saga) and not self.terms.rule.read_only

    def _claimed(self, step: Claim | TakeOver, claim: Callable[[Cursor], Any]) -> Callable[[Cursor], Any]:
        """A claim that is remembered until the task is over, however that ends, and whether or not it held."""

        def work(cursor: Cursor) -> Any:
            claimed = claim(cursor)
            if isinstance(claimed, Hoped):
                self.endings.append(claimed.forget)
            elif isinstance(claimed, Claimed):
                self.endings.append(functools.partial(self.store.owner.end, step.call.key, claimed.fence))
            return claimed

        return work

    def _posed(self, cursor: Cursor, journal: Journal, step: Pose, asking: Asking) -> Question:
        """The question; a call that is asked about in a scope belongs to it, wherever it runs once it is answered."""
        journal.refuse_stale(cursor, step)
        if self._scoped_effect:
            joining.refuse(cursor, self.saga)  # Nobody is asked in vain.
        posed = journal.pose(
            cursor, step.call, step.route, self.terms, asking, part_first=step.part_first, told=step.told
        )
        asked = attended(cursor, posed)
        if self._scoped_effect:
            joining.waits(cursor, self.saga, step.call)
        return replace(asked, trace=trace_of(cursor, asked)) if step.trace else asked

    def _joined(self, cursor: Cursor, journal: Journal, step: Claim) -> Claimed | Hoped[Claimed]:
        """The claim, as a member of the scope that the call is made in, or was asked about in. A read is no member."""
        since = self.since.get(step.call.key)
        claim = functools.partial(journal.claim, cursor, step, self.terms, self.filing, since)
        if not self._scoped_effect:
            return journal.hope(cursor, step) or claim()
        if step.split is not None:  # Its part and its rest are what has an effect, and each of them is a member.
            joining.refuse(cursor, self.saga)
            return claim()
        return joining.admitted(cursor, journal, self.saga, step, claim)

    def _taken_over(self, cursor: Cursor, journal: Journal, step: TakeOver) -> Claimed | NotClaimed:
        """An action that is taken over; where that is to undo it, its scope is undone with it."""
        taken = journal.take_over(cursor, step.call, step.fence, undo=step.undo)
        if isinstance(taken, Claimed) and step.undo and self.saga:
            sagas.condemn(cursor, journal, step.call.key, f"{step.call.tool} went wrong: {step.undo}")
        return taken

    def barred(self) -> Outcome | None:
        """Why what was claimed may not run after all; None where it may."""
        if self.terms.rule.read_only or self.store.owner.held():
            return None
        # To everybody else this process died with its lock, so somebody may be finding out about the call already.
        said = "The session that shows that this process lives was cut. Nothing ran."
        return Outcome("failed", text=said, barred=True)

    def over(self) -> None:
        """The task is over: what it left `started` is in doubt from now on, though this process lives."""
        for ending in self.endings:
            ending()
        if self.claim is not None and self.claim.artifact and (at := self.claim.artifact.get("resource")):
            self.catch_up(self.claim.call.agent, at)

    def perform(self, step: Step) -> Any:
        """Everything that isn't a transaction or the tool itself."""
        if isinstance(step, Look):
            return self.look(step)
        waits()  # It may be anybody's code, and take its time.
        match step:
            case Weigh():
                return step.done()
            case Pose():
                return self.noted(step.asked)
            case Ring() | Fit() | Recall() | Join():
                return self._of_the_host(step)
            case Compose() | Prepare() | Divide():
                return self._of_the_tool(step)
            case Measure():
                found = measure(step.checks, step.call.arguments)
                self.witnessed = self.witnessed or found is not None
                return found
            case Undo():
                came = self._undo(step)
                level = logging.INFO if came.state is State.UNDONE else logging.WARNING
                log.log(level, "%s: %s (action %s) %s", came_to(came), step.call.tool, step.call.short, came.text)
                return came
            case Probe():
                return self._probe(step)
            case _:
                raise TypeError(f"{type(step).__name__} is no step that is performed here")

    def _of_the_tool(self, step: Compose | Prepare | Divide) -> Any:
        match step:
            case Compose():
                return draft_of(step.call, self.declaration, self.fitted)
            case Prepare():
                if self.declaration.resource is not None:
                    length = functools.partial(self.journal().length, agent=step.call.agent)
                    self.since[step.call.key] = self.store.glance(length)
                return undo_of(step.call, self.declaration, self.fitted)
            case Divide():
                canary = self.declaration.canary
                return None if canary is None else split(step.call, canary, self.fitted)

    def _of_the_host(self, step: Ring | Fit | Recall | Join) -> Any:
        match step:
            case Join():
                return self.host.joined(step.split, step.first, step.last)
            case Ring():
                return self.host.ring(step.question, step.complaint)
            case Recall():
                return self.host.recalls(step.call, step.earlier)
            case Fit():
                found = self.host.fitted(step.call, step.call.arguments)
                return f"REFUSED: {found}" if isinstance(found, str) else None

    def written(self, step: Step) -> Step:
        """Do what must be done outside the transaction before a step is written: a draft's file comes first.

        A question that stands as it was needs none; its `asked` says so, and no other one has that from here on.
        """
        if type(step) in _AS_THEY_ARE:
            return step
        if isinstance(step, Settle) and isinstance(step.draft, Drawn) and self.workspace is not None:
            return replace(step, draft=self.workspace.filed(step.call, step.draft, self.terms.rule.labels))
        if isinstance(step, Pose):
            now = self.clock()
            # A scope is looked at with its members.
            if not self._scoped_effect and stands(step, self.terms, now):
                return step
            return posed(step, self.store, self.terms, self.declaration, self.host, now)
        return step

    @property
    def undoable(self) -> bool:
        """Whether an undo was made before the action."""
        return self.claim is not None and self.claim.artifact is not None

    def executed(self) -> None:
        """Take the fingerprint right after the action, by which a later undo knows what somebody else changed."""
        self.witnessed = True
        if self.claim is not None and self.claim.artifact is not None:
            self.after[self.claim.call.key] = touched(self.declaration, self.claim.artifact)

    def _record(self, journal: Journal, step: Record) -> Callable[[Cursor], bool | Hoped[bool]]:
        reply = self._reply(step)
        detail = step.outcome.text if step.outcome is not None else ""

        def work(cursor: Cursor) -> bool | Hoped[bool]:
            hoped = None if self.saga or self.apart or self.undoable else journal.hope_for(cursor, step, reply)
            if hoped:
                return hoped
            cost = step.outcome.cost if step.outcome is not None else None
            held = quotas.overrun(cursor, step.call.key, cost) if cost is not None else None
            recorded = journal.record(cursor, step, reply, self.after.get(step.call.key))
            if recorded and cost is not None and held is not None:
                acts.overran(journal, cursor, step.call, cost, held)
            # A watcher's turn knows nothing of scopes; any other one has looked.
            scoped = recorded and bool(self.saga or self.apart)
            if scoped and step.outcome is not None and step.outcome.untouched:
                sagas.came(cursor, journal, step.call.key, "no-op", NOTHING_HAPPENED)
            elif scoped and step.state in _TOOK_EFFECT:
                members.took_effect(cursor, step.call.key)
            if scoped and self._calls_for_undo(step):
                sagas.condemn(cursor, journal, step.call.key, f"{step.call.tool} went wrong: {detail or step.text}")
            if scoped and step.state in _UNDOES:
                word = came_to(UndoOutcome(cast("Any", step.state), detail))
                sagas.came(cursor, journal, step.call.key, word, "" if word in SETTLED else detail)
            if (down := after_undo(step.call, step.state)) is not None:
                acts.demote(journal, cursor, acts.cell_of(step.call), down, step.call.key)
                if recorded:
                    page(journal, cursor, step.call.agent, step.call.key, self.filing)
            return recorded

        return work

    def _calls_for_undo(self, step: Record) -> bool:
        """Whether this outcome undoes the whole scope: the call went wrong, and it wasn't the machinery alone."""
        if step.state in {State.FAILED, State.UNKNOWN}:
            return step.outcome is not None and not step.outcome.barred
        return step.state is State.UNDOING and self.witnessed

    def _reply(self, step: Record) -> bytes | None:
        """The tool's reply as it is kept for a replay; None where there is none, or nobody needs it."""
        outcome, asked = step.outcome, self.claim is not None and self.claim.question is not None
        # A read that ran unasked is simply repeated after a crash.
        repeated = step.state is State.DONE and self.terms.rule.read_only and not asked
        if outcome is None or outcome.reply is None or repeated or step.state not in {State.DONE, State.FAILED}:
            return None
        try:
            return self.host.encode(outcome.reply)
        except Exception:  # noqa: BLE001  # the effect took place, and that must be recorded, whatever the tool replied
            return None

    def _kept(self, call: Call) -> starts.Kept:
        """What the ledger holds beside the undo of a call."""
        return self.store.glance(functools.partial(starts.kept, action=call.key, now=Moment.at(self.clock())))

    def _undo(self, step: Undo) -> UndoOutcome:
        """Undo from the artifact that was stored; in a process that doesn't know the tool, by what it names itself."""
        kept = self._kept(step.call)
        if not kept.genuine:
            return UndoOutcome(State.UNDO_FAILED, "its undo artifact is not the one that was stored with the claim")
        if kept.untouched:
            return UndoOutcome(State.UNDONE, NOTHING_TO_UNDO)
        after = self.after.get(step.call.key) or kept.after
        if after is None and kept.lies_under(step.artifact["before"], lambda: self._now(step.artifact)):
            later = f"nobody knows how it left things, and a later call was at them (action {kept.under[:12]})"
            return UndoOutcome(State.UNDO_CONFLICT, later)
        if self.apart and step.artifact.get("undo"):
            return undo_apart(step.artifact, after, age=kept.age, timeout=self.limit)
        try:
            if self.declaration.undo is None:
                return undo_from(step.artifact, after, age=kept.age)
            return undo(self.declaration, step.artifact, after, age=kept.age)
        except SystemExit as left:
            return UndoOutcome(State.UNDO_FAILED, f"it tried to end the process: {left!r}")

    def _probe(self, step: Probe) -> Traced:
        """What became of a call: by its probe, or by whether what it touches is still as it was before."""
        if self.declaration.idempotent:
            return "absent"
        found: Traced = "cannot tell"
        if self.declaration.probe is not None:
            with suppress(Exception):  # Any tool author's code; a probe that fails can't tell.
                found = self.declaration.probe(copy.deepcopy(step.call.arguments), step.call.key)
        if found != "cannot tell" or step.artifact is None or not self._kept(step.call).genuine:
            return found
        now = self._now(step.artifact)
        return found if now is None else "absent" if now == step.artifact["before"] else "changed"

    def _now(self, artifact: Any) -> str | None:
        """The fingerprint, at this moment, of what an undo artifact is about; None where nobody can tell."""
        return touched(self.declaration, artifact) or touched_from(artifact)

    def waiting(self, step: Wait | Await | StandBy) -> Waiting[Any]:
        """What is waited for: that another run of the call is over, or the watch over it, or another call."""
        if isinstance(step, StandBy):
            occupies = functools.partial(beside.occupies, self.journal(), action=step.action)
            return stood_by(self.store, occupies, functools.partial(self.see_to, step.action), self.patience)
        if isinstance(step, Await):
            return outlasted(self.store, self.clock, step.call.key)
        return left_alone(lambda: self.look(Look(step.call)))
