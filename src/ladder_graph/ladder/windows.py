"""What people do about watched actions: see them, keep one, undo one, watch one longer."""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from ladder_graph.errors import AnswerRefused
from ladder_graph.facts import Known, Person
from ladder_graph.ladder.questions import Questions, person_of
from ladder_graph.ladder.seats import Seat
from ladder_graph.ledger import Action, Journal
from ladder_graph.ledger.actions import parts
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.gate import acts, following
from ladder_graph.ledger.tables.rows import US
from ladder_graph.ledger.undoing import sagas
from ladder_graph.ledger.watching import measurements, rehearsals, signals, watchers, watches
from ladder_graph.ledger.watching.measurements import Measured
from ladder_graph.ledger.watching.outboxes import posted
from ladder_graph.ledger.watching.rehearsals import Rehearsed
from ladder_graph.ledger.watching.watches import Window
from ladder_graph.states import AT_WORK, UNDOABLE, State
from ladder_graph.tools import Declaration, declaration_of
from ladder_graph.watch import Signal
from ladder_graph.watch.kept import kept_alert
from ladder_graph.watcher import Watcher

if TYPE_CHECKING:
    from ladder_graph.undo import Rehearsal

Phase = Literal["armed", "open", "undo", "held"]
"""The action hasn't finished, is watched, is to be undone, or waits for a person."""


@dataclass(frozen=True, slots=True)
class Watched:
    """An action in its window."""

    action: str
    """The action's key."""
    agent: str
    tool: str
    phase: Phase
    began: dt.datetime
    until: dt.datetime
    """When the window ends."""
    why: str
    """What was found, in words."""
    attempts: int
    """How often its undo was tried."""
    measured: tuple[Measured, ...]
    """What was measured so far."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A message of an outbox that may have been sent. It isn't tried again."""

    agent: str
    tool: str
    file: Path
    """It holds the message. Whoever has found out takes it away."""


@dataclass(frozen=True, slots=True)
class After:
    """Everything that goes on after actions ran."""

    watched: list[Watched]
    watchers: list[tuple[str, dt.datetime]]
    """The processes that watch, with the moment when each last said so."""
    doubtful: list[Doubtful]


class Windows(Questions):
    """The part of a desk where watched actions are."""

    watcher: Watcher

    def watched(self) -> list[Watched]:
        """Actions that are watched, are to be undone, or wait for a person; what ends first in front."""
        return self.store.read(lambda cursor: [_watched(cursor, one) for one in watches.windows(cursor)])

    def window(self, action: str) -> Watched | None:
        """The window of one action; None where it has none, or it is over.

        Args:
            action: Its whole key.
        """

        def read(cursor: Cursor) -> Watched | None:
            found = watches.window_of(cursor, action)
            return _watched(cursor, found) if found is not None and found.phase in get_args(Phase) else None

        return self.store.read(read)

    def parts(self, action: str) -> list[Action]:
        """The actions that ran in place of one that went by a part first: the part, and the rest once that ran.

        Args:
            action: Its whole key.
        """
        row = self.store.read(lambda cursor: parts.of(cursor, action))
        found = [] if row is None else [self.reading.action(row[name]) for name in ("part", "rest")]
        return [one for one in found if one is not None]

    def after(self) -> After:
        """What is watched, by whom, and what is in doubt."""
        return After(self.watched(), self.watchers(), self.doubtful())

    def watchers(self) -> list[tuple[str, dt.datetime]]:
        """The processes that watch, with the moment when each last said so."""
        now = micros(self.clock())
        found = self.store.read(lambda cursor: watchers.watchers(cursor, self.store.owner, now))
        return [(name, _moment(beat)) for name, beat in found]

    def doubtful(self) -> list[Doubtful]:
        """Messages in outboxes of this machine of which nobody knows whether they were sent."""
        from ladder_graph.undo.outboxes import in_doubt

        found = sorted(self.store.read(posted), key=lambda one: (one.agent, one.tool, one.directory))
        return [Doubtful(one.agent, one.tool, file) for one in found for file in in_doubt(one.directory)]

    def keep(self, action: str, *, by: str | Person, reason: str = "") -> Watched | None:
        """Keep a watched action: it is good, whatever its checks would have said later.

        One whose undo didn't work stays as it was left, and its undo isn't tried any more.

        Args:
            action: Its key, or the beginning of it.
            by: Who keeps it.
            reason: Why.

        Returns:
            The window, where it isn't over yet; None where it is.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: It isn't watched, and doesn't wait for a person; or its undo is under way.
        """
        return self._tell("keep", action, by, reason)

    def extend(self, action: str, *, seconds: float, by: str | Person, reason: str = "") -> Watched | None:
        """Watch an action longer.

        Args:
            action: Its key, or the beginning of it.
            seconds: From now on. An earlier end than the present one changes nothing.
            by: Who says so.
            reason: Why.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: It isn't watched, or its watch is over and it waits for a person.
        """
        return self._tell("extend", action, by, reason, until=micros(self.clock()) + int(seconds * US))

    def deliver(self, alerts: Sequence[Signal]) -> int:
        """Take in alerts from outside: all of them in one durable write, or none. Every watcher looks at once.

        Args:
            alerts: As `ladder_graph.watch.alertmanager.signals_of` reads them.

        Returns:
            How many are new. One that was delivered before counts from its first delivery.
        """
        kept = [kept_alert(one) for one in alerts]
        return self.store.write(lambda cursor: signals.deliver(cursor, kept))

    @abstractmethod
    def declared(self, tool: str, own: Declaration) -> Declaration:
        """What holds for a tool that declares this itself."""

    def rehearse(
        self, tool: Any, arguments: Mapping[str, Any], *, by: str | Person, foreign: Callable[[], Any] | None = None
    ) -> tuple[Rehearsal, str]:
        """Try a tool's undo out, and write down what came of it for the tool and the undo at hand.

        The tool is really called, several times, and past every rung. Use a place where nobody minds.

        Args:
            tool: A LangChain tool, or the function.
            arguments: The arguments of the call. It must change something.
            by: Who wants it.
            foreign: Changes what the call changed, as somebody else would after it.

        Returns:
            What was tried, and the version of the tool that it is for.

        Raises:
            LadderError: It is no tool, or the arguments don't fit it. Nothing was tried, and nothing is written down.
        """
        from ladder_graph.hosts.rehearsing import fit, original
        from ladder_graph.undo.rehearsing import rehearse

        person, (plain, code) = person_of(by), original(tool)
        read = fit(plain, arguments)
        said = self.declared(plain.name, declaration_of(plain))
        version = Seat(said, version=code).edition(plain.name)
        found = rehearse(plain, arguments, declaration=said, foreign=foreign, read=read)
        text = "; ".join(f"{step.name}: {step.text}" for step in found.steps if not step.ok)
        whose = [one for one, tools in self._having().items() if one == self.policy.agent or plain.name in tools]

        def keep(journal: Journal, cursor: Cursor) -> None:
            tried = Rehearsed(journal.us, found.passed, text)
            rehearsals.rehearsed(cursor, plain.name, version, said.undo_edition, tried)
            for agent in whose:
                journal.append(cursor, agent, "rehearsed", "", {
                    "tool": plain.name, "version": version, "undo": said.undo_edition, "passed": found.passed,
                    "by": person.name, "auth": person.auth, "text": text or "passed", "untried": list(found.untried),
                })  # fmt: skip

        self._write(keep)
        return found, version

    def _having(self) -> dict[str, set[str]]:
        """The policy's agent and those inside it, each with the tools that a mount found it with."""
        agents = {self.policy.agent, *self.reading.agents(self.policy.agent)}
        return {one: set(self.reading.footings(one)) for one in sorted(agents)}

    def undo(self, action: str, *, by: str | Person, reason: str = "") -> State:
        """Undo an action now, whether it is watched or not, from what was stored before it.

        Args:
            action: Its key, or the beginning of it.
            by: Who wants it undone.
            reason: Why.

        Returns:
            Where the action is now: undone, or in which way that didn't work. Where it still stands since what lies on
            it could not be undone, as the rest of a call on its part: where that is.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: No undo was made before it, or it isn't done, nor left behind by a process that is gone.
        """
        person, journal = person_of(by), self._journal()
        window = self.store.write(lambda cursor: wanted_back(journal, cursor, action, person, reason))
        self._undo_now(window)

        def found(cursor: Cursor) -> State:
            known = acts.find_action(journal, cursor, action)
            return (known if known.state is not State.DONE else acts.find_action(journal, cursor, window.action)).state

        return self.store.read(found)

    def undone_first(self, action: str) -> str:
        """The key of the action whose undo comes first where this one is to be undone; its own where none does.

        Args:
            action: Its key, or the beginning of it.

        Raises:
            UnknownQuestion: There is no such action.
        """
        journal = self._journal()
        return self.store.read(lambda cursor: _meant(journal, cursor, action)).call.key

    def _undo_now(self, window: Window) -> None:
        """Undo what somebody wants back, unless another process is at it."""
        self.watcher.undo(window, told=True)
        part = self.store.read(lambda cursor: following.part_to_undo(cursor, window.action))
        if part is not None:
            self.watcher.undo(part, told=True)

    def _tell(
        self, kind: Literal["keep", "extend"], action: str, by: str | Person, reason: str, **more: Any
    ) -> Watched | None:
        person, journal = person_of(by), self._journal()

        def tell(cursor: Cursor) -> Window:
            known = _meant(journal, cursor, action)
            window = watches.window_of(cursor, known.call.key)
            left = kind == "keep" and window is not None and _left_to_people(cursor, window, known)
            if window is None or not (left or window.phase == "open"):
                raise AnswerRefused(f"action {known.call.short} {_standing(window, known)}: it is {known.state}")
            _signed(journal, cursor, known, kind, person, reason)
            if left:
                after = " after its undo didn't work" if known.state in _MESSES else ""
                seen_to(cursor, journal, window, f"{person.name} kept it{after}")
                return window
            body = {"by": person.name, "reason": reason, **more}
            key = f"{kind}/{window.action}/{journal.us}/{person.name}"
            signals.deliver(cursor, [signals.Signal(key, journal.us, kind, window.action, body)])
            watches.again(cursor, window, journal.us)
            return window

        window = self.store.write(tell)
        now = self.store.read(lambda cursor: watches.window_of(cursor, window.action))
        if now is not None and now.phase == "open":
            for one in self.watcher.look([now]):
                self.watcher.undo(one)
        return next((one for one in self.watched() if one.action == window.action), None)


def wanted_back(journal: Journal, cursor: Cursor, action: str, person: Person, reason: str) -> Window:
    """Write down that a person wants an action undone; from then on whoever watches sees to it.

    Args:
        journal: The moment.
        cursor: In a transaction.
        action: The action's key, or the beginning of it.
        person: Who wants it.
        reason: Why.

    Returns:
        The window of the action that is to be undone.

    Raises:
        UnknownQuestion: There is no such action.
        AnswerRefused: No undo was made before it, or it isn't done, nor left behind by a process that is gone.
    """
    known = _meant(journal, cursor, action)
    window = watches.window_of(cursor, known.call.key)
    if known.artifact is None or window is None:
        raise AnswerRefused(f"no undo of action {known.call.short} was made before it")
    if known.state not in UNDOABLE and not _left_behind(known):
        lives = ", and its process lives" if known.state in AT_WORK else ""
        raise AnswerRefused(f"action {known.call.short} can't be undone now: it is {known.state}{lives}")
    said = f"{person.name} said so" + (f": {reason}" if reason else "")
    watches.change(cursor, window, phase="undo", due_us=journal.us, why=said)
    _signed(journal, cursor, known, "undo", person, reason)
    return window


def seen_to(cursor: Cursor, journal: Journal, window: Window, said: str) -> None:
    """A watch is over, and the undo may have failed: a person has seen to it, and nothing is tried any more."""
    watches.over(cursor, window, "kept", said)
    journal.append(cursor, window.agent, "watched", window.action, {"phase": "kept", "text": said})


_MESSES = frozenset({State.UNDO_CONFLICT, State.UNDO_FAILED})


def _left_to_people(cursor: Cursor, window: Window, known: Known) -> bool:
    """Whether a person may end a window for good: it is held, or its undo didn't work, and nobody is at it."""
    tried = window.phase == "undo" and known.state in _MESSES and not sagas.waits_for(cursor, window.action)
    return tried or window.phase == "held"


def _left_behind(known: Known) -> bool:
    """Whether the process is gone that ran an action, or undid it."""
    return known.state in AT_WORK and not known.owner_alive


def _standing(window: Window | None, known: Known) -> str:
    if window is not None and known.artifact is not None and _left_behind(known):
        return f"was left by a process that is gone (ladder undo {known.call.short} undoes it)"
    match None if window is None else window.phase:
        case "held":
            return "waits for a person, who keeps or undoes it"
        case "undo":
            return "is to be undone, and can be kept once that was tried and didn't work"
        case _:
            return "isn't watched"


def _meant(journal: Journal, cursor: Cursor, action: str) -> Known:
    """The action that a person means: of a call that went by a part first, the last one that had effect."""
    known = acts.find_action(journal, cursor, action)
    last = following.last_of(journal, cursor, known.call)
    return known if last == known.call.key else acts.find_action(journal, cursor, last)


def _signed(journal: Journal, cursor: Cursor, known: Known, kind: str, person: Person, reason: str) -> None:
    journal.append(cursor, known.call.agent, "told", known.call.key, {
        "kind": kind, "by": person.name, "auth": person.auth, "reason": reason,
    })  # fmt: skip


def _watched(cursor: Cursor, window: Window) -> Watched:
    return Watched(
        window.action, window.agent, window.tool, cast("Phase", window.phase), _moment(window.begun.wall_us),
        _moment(window.until_us), window.why, window.attempts, tuple(measurements.measurements(cursor, window.action)),
    )  # fmt: skip


def _moment(us: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(us / US, tz=dt.UTC)
