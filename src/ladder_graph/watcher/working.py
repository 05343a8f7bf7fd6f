"""Working off windows. Everything that is decided by is in the ledger, so a watcher may die at any point.

A measurement that dies with it is taken again, and an undo is taken over by the next one, since its owner's lock is
gone.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from functools import partial

from ladder_graph.calls import Call
from ladder_graph.facts import Known
from ladder_graph.flow import left_behind
from ladder_graph.ledger import Journal, Refused, Store
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.actions.questions import Terms
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.gate import acts, starts
from ladder_graph.ledger.people.filing import filing_of, page
from ladder_graph.ledger.undoing import sagas
from ladder_graph.ledger.watching import measurements, signals, watches
from ladder_graph.ledger.watching.measurements import Measured
from ladder_graph.ledger.watching.outboxes import RESOURCE
from ladder_graph.ledger.watching.watches import PULSE, Window, watched
from ladder_graph.observing import Observers
from ladder_graph.policy import Policy, Rule
from ladder_graph.policy.checks import Check, Http, Prometheus
from ladder_graph.rungs.acting import Plan
from ladder_graph.rungs.undoing import undo
from ladder_graph.scale import Rung
from ladder_graph.states import AT_WORK, UNDOABLE, State
from ladder_graph.steps import Claimed, NotClaimed
from ladder_graph.tools import NOTHING, Declaration
from ladder_graph.trust.cells import EVERY, CellKey
from ladder_graph.trust.demotion import unanticipated
from ladder_graph.turns.driving import drive
from ladder_graph.turns.hosting import Alone
from ladder_graph.turns.turn import Turn
from ladder_graph.undo.apart import TIMEOUT
from ladder_graph.watcher.posting import Post
from ladder_graph.watcher.sighting import Sighting
from ladder_graph.watcher.unwinding import Unwinding

log = logging.getLogger("ladder_graph")

PORTION = 50
"""Windows that are read, or written down, at one go: agents wait for the same ledger."""
KNOWN = 50_000
"""Windows of which a process remembers that their spec is what was written down."""

_UNDOABLE = UNDOABLE | AT_WORK
"""The states that an undo may begin from, or go on from; where somebody is at it, the claim finds that out."""
_PHASES = {"kept": "kept", "hold": "held", "undo": "undo"}
"""The phase that a window comes to, by what it was judged."""


def unknown_tool(agent: str, tool: str) -> Declaration:
    """Of no tool anything is known here but what its artifact says."""
    del agent, tool
    return NOTHING


class Work:
    """What is done about one window, or about several that are measured alike.

    Args:
        store: The ledger.
        clock: Returns the present moment as an aware datetime.
        policy: The policy in force, whose revision each entry carries.
        declared: What a tool of an agent declares, where this process knows it; else its artifact says it.
        limit: Seconds that an undo in a process of its own may take.
        observers: Who looks on.
    """

    def __init__(
        self, store: Store, clock: Callable[[], dt.datetime], policy: Callable[[], Policy],
        declared: Callable[[str, str], Declaration] = unknown_tool, *, limit: float = TIMEOUT,
        observers: Observers | None = None,
    ) -> None:  # fmt: skip
        self.store, self.clock, self.policy, self.declared, self.limit = store, clock, policy, declared, limit
        self.observers = observers or Observers()
        self._authentic: dict[str, int] = {}
        self._post = Post(store)
        self.unwinding = Unwinding(
            store, self.journal, partial(self.undo, its_turn=True), lambda tool: filing_of(self.policy(), tool)
        )

    def _armed(self, window: Window) -> None:
        """The action hasn't finished: it runs, or its process is gone and somebody must find out."""
        known = self._known(window)
        state = None if known is None else known.state
        if known is None:
            self._hold(window, "the ledger holds nothing of its action")
        elif state in AT_WORK and not known.owner_alive:
            rule = Rule(rung=Rung.ROLLBACK) if self._spoilt(window) else _rule(window)
            life = left_behind(Plan(rule, undoable=True), known)
            drive(self.observers.over(known.call, life), self.turn(known.call, rule))
        elif state in AT_WORK:
            self._again(window, PULSE)
        elif state is State.DONE:  # A person found that out.
            here = self._here()
            self.store.write(partial(watches.opened, window=window, at=here, after=None), durable=False)
        else:
            self.store.write(partial(watches.over, window=window, phase="over", why=known.text), durable=False)

    def look(self, windows: Sequence[Window]) -> list[Window]:
        """Measure what is due in windows that are measured alike, and write down what was found.

        Returns:
            Those that are to be undone.
        """
        sound = [window for window in windows if not self._spoilt(window)]
        for window in windows:
            if window not in sound:
                self._hold(window, "what it was to be watched by was changed since")
        seen = self._sighted(sound)
        found: dict[int, Measured] = {}
        for one in seen:
            for place in one.judged().to_measure:
                if place not in found or not _shared(one.checks[place]):
                    found[place] = one.measure(place)
                # Each window has an axis of its own.
                one.new.append(Measured(place, one.now, found[place].verdict, found[place].text))
        journal = self.journal()

        def noted(cursor: Cursor, portion: Sequence[Sighting]) -> list[Window]:
            return [one.window for one in portion if self._note(cursor, journal, one)]

        portions = [seen[n : n + PORTION] for n in range(0, len(seen), PORTION)]
        return [one for part in portions for one in self.store.write(partial(noted, portion=part), durable=False)]

    def _sighted(self, windows: Sequence[Window]) -> list[Sighting]:
        """Everything that windows are judged by, read at one moment or a few."""
        if not windows:
            return []
        since, here = min(window.begun.wall_us for window in windows), self._here()
        heard = self.store.glance(lambda cursor: signals.signals(cursor, since))

        def read(cursor: Cursor, portion: Sequence[Window]) -> list[Sighting]:
            return [Sighting.of(cursor, self.store, here, window, heard) for window in portion]

        portions = [windows[n : n + PORTION] for n in range(0, len(windows), PORTION)]
        seen = [one for part in portions for one in self.store.read(partial(read, portion=part))]
        for one in seen:
            if one.spoilt:
                self._hold(one.window, one.spoilt)
        return [one for one in seen if not one.spoilt]

    def _note(self, cursor: Cursor, journal: Journal, seen: Sighting) -> bool:
        """Write down what was measured, and what came of it; whether that is to undo it."""
        window, judgement = seen.window, seen.judged()
        first, now = len(seen.before) + 1, seen.here.wall_us
        if judgement.phase == "watching":
            due = now + max(0, (judgement.due or 0) - seen.now)
            kept = watches.change(cursor, window, due_us=due, until_us=seen.until)
            if kept and not measurements.note(cursor, window.action, first, seen.new):
                watches.again(cursor, window, now)
            return False
        phase, body = _PHASES[judgement.phase], {"text": judgement.why, "measured": len(seen.before) + len(seen.new)}
        if phase == "undo":
            changed = watches.change(cursor, window, phase=phase, due_us=now + PULSE, why=judgement.why)
        else:
            changed = watches.over(cursor, window, phase, judgement.why)
        if changed and phase != "kept":
            measurements.note(cursor, window.action, first, seen.new)
        if changed:
            journal.append(cursor, window.agent, "watched", window.action, {"phase": phase, **body})
            level = logging.WARNING if phase == "held" else logging.INFO
            log.log(level, "%s: %s (action %s): %s", phase, window.tool, window.action[:8], judgement.why)
        if changed and phase == "undo":
            sagas.condemn(cursor, journal, window.action, f"{window.tool} turned bad: {judgement.why}")
        if changed and phase == "held":
            page(journal, cursor, window.agent, window.action, filing_of(self.policy(), window.tool))
        if window.resource.startswith(RESOURCE):
            self._post.hurry()
        return changed and phase == "undo"

    def undo(self, window: Window, *, its_turn: bool = False, told: bool = False) -> None:
        """Undo an action, unless somebody is at it, or one that ended later on the same thing comes first.

        One whose scope is to be undone waits for its turn in that, which `its_turn` says has come. One before a point
        of no return that stopped that undo is left to a person, who may have `told` it.
        """
        here = self.store.glance(lambda cursor: watches.window_of(cursor, window.action))
        if here is None or here.phase != "undo":
            return  # Somebody else has seen to it.
        if not its_turn and (scope := self.store.glance(lambda cursor: sagas.waits_for(cursor, here.action))):
            self._again(here, PULSE)
            self.unwinding.go_on(scope)
            return
        if not its_turn and not told and self.store.glance(lambda cursor: sagas.left_standing(cursor, here.action)):
            self._hold(here, f"{here.why}; the undo of its scope stopped before it came to this")
            return
        known = self._known(here)
        if known is None:
            self._hold(here, "the ledger holds nothing of its action that could be undone", demoted=True)
        elif known.owner_alive or self.store.glance(lambda cursor: sagas.goes_first(cursor, here)):
            self._again(here, PULSE // 4)
        elif known.state not in _UNDOABLE:
            self.store.write(
                partial(watches.over, window=here, phase="over", why=f"it is {known.state}"), durable=False
            )
        else:
            self._undo(here, known)

    def _undo(self, here: Window, known: Known) -> None:
        journal = self.journal()
        why = watches.trouble_of(here.why) or known.text or "nobody knows how far it came"

        def claim(cursor: Cursor) -> Claimed | NotClaimed:
            now = watches.window_of(cursor, here.action)
            if now is None or (now.phase, now.attempts) != (here.phase, here.attempts):
                return NotClaimed("busy", "somebody else has seen to it.")
            claimed = journal.take_over(cursor, known.call, known.fence, undo=why)
            if isinstance(claimed, Claimed):
                journal.refuse_beside(cursor, here)
            return claimed

        try:
            claimed = self._written(claim)
            if isinstance(claimed, NotClaimed):
                self._again(here, PULSE)
                return
            artifact = known.artifact or {}  # Where it is gone, it isn't the one that was stored.
            turn = self.turn(known.call, Rule(rung=Rung.ROLLBACK))
            life = undo(known.call, claimed.fence, artifact, why, begun=True)
            drive(self.observers.over(known.call, life), turn)
        finally:
            # Whatever came of it: this process isn't at it any more, and lives.
            self.store.owner.end(here.action, known.fence + 1)

    def _written(self, claim: Callable[[Cursor], Claimed | NotClaimed]) -> Claimed | NotClaimed:
        try:
            return self.store.write(claim)
        except Refused as refused:
            return refused.refusal

    # --- what they share -------------------------------------------------------------------------------------

    def _spoilt(self, window: Window) -> bool:
        """Whether somebody changed what a window is watched by; it might run a program of theirs."""
        mark = hash(window.spec)
        if self._authentic.get(window.action) == mark:
            return False
        try:
            watched(window.spec)
        except (ValueError, KeyError, TypeError):
            return True
        if not self.store.glance(lambda cursor: starts.authentic(cursor, window)):
            return True
        if len(self._authentic) >= KNOWN:
            self._authentic.clear()
        self._authentic[window.action] = mark
        return False

    def _hold(self, window: Window, why: str, *, demoted: bool = False) -> None:
        """Leave it to a person."""
        journal = self.journal()

        def hold(cursor: Cursor) -> None:
            if not watches.over(cursor, window, "held", why):
                return
            journal.append(cursor, window.agent, "watched", window.action, {"phase": "held", "text": why})
            page(journal, cursor, window.agent, window.action, filing_of(self.policy(), window.tool))
            log.warning("held: %s (action %s): %s", window.tool, window.action[:8], why)
            if demoted:
                said = f"action {window.action[:8]} of it can't be undone: {why}"
                cell = CellKey(window.agent, window.tool, EVERY, EVERY)
                acts.demote(journal, cursor, cell, unanticipated(Rung.ROLLBACK, said), window.action)

        self.store.write(hold)

    def _again(self, window: Window, later_us: int) -> None:
        """It is nobody's turn yet."""
        due = self._here().wall_us + later_us
        self.store.write(lambda cursor: watches.again(cursor, window, due), durable=False)

    def _known(self, window: Window) -> Known | None:
        """Its action; None where the ledger has none that could be read."""
        journal = self.journal()
        try:
            return self.store.glance(lambda cursor: journal.known(cursor, window.action))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def _here(self) -> Moment:
        return Moment.at(self.clock())

    def journal(self) -> Journal:
        """The ledger's transactions at this moment."""
        return Journal(self.store.owner, self.policy().revision, self.clock())

    def turn(self, call: Call, rule: Rule) -> Turn:
        """What the steps of an action's life are performed by, where nothing of its own process is left.

        Args:
            call: The action's.
            rule: What holds for it.
        """
        return Turn(
            store=self.store, policy=self.policy(), clock=self.clock, workspace=None, terms=Terms(rule, "", ""),
            filing=filing_of(self.policy(), call.tool), declaration=self.declared(call.agent, call.tool), host=Alone(),
            apart=True, limit=self.limit,
        )  # fmt: skip


def _rule(window: Window) -> Rule:
    """The rule that an action was claimed under, as far as the watch goes."""
    watch, checks = watched(window.spec)
    return Rule(rung=Rung.ROLLBACK, checks=checks, watch=watch)


def _shared(check: Check) -> bool:
    """Whether a check asks the same whatever the call was."""
    return isinstance(check, Http | Prometheus)
