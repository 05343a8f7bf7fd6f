"""Working off windows. Everything that is decided by is in the ledger, so a watcher may die at any point.

A measurement that dies with it is taken again, and an undo is taken over by the next one, since its owner's lock is
gone.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from ladder_graph.calls import Call
from ladder_graph.driving import drive
from ladder_graph.flow import left_behind
from ladder_graph.hosting import Alone
from ladder_graph.ledger import Journal, Store, watches
from ladder_graph.ledger.clocks import Moment
from ladder_graph.ledger.cursor import Cursor
from ladder_graph.ledger.outboxes import RESOURCE
from ladder_graph.ledger.questions import Terms
from ladder_graph.ledger.watches import PULSE, Measured, Window, watched
from ladder_graph.policy import Policy, Rule
from ladder_graph.policy.checks import Check, Http, Prometheus
from ladder_graph.rungs.acting import Plan
from ladder_graph.rungs.undoing import undo
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Known, NotClaimed
from ladder_graph.tools import NOTHING, Declaration
from ladder_graph.turns import Turn
from ladder_graph.watcher.posting import Post
from ladder_graph.watcher.sighting import Sighting

log = logging.getLogger("ladder_graph")

POLL = 0.1
"""Seconds between two looks at what is due."""
LEASE = 15 * PULSE
"""Microseconds after which a window that somebody took is due again, if it wasn't put back before."""
WORKERS = 8
"""Windows that one process measures or undoes at a time."""

_PHASES = {"kept": "kept", "hold": "held", "undo": "undo"}
"""The phase that a window comes to, by what it was judged."""


def unknown_tool(agent: str, tool: str) -> Declaration:
    """Of no tool anything is known here but what its artifact says."""
    del agent, tool
    return NOTHING


class Watcher:
    """Measures, keeps, holds and undoes, as `ladder_graph.watch.phase` says.

    Args:
        store: The ledger.
        clock: Returns the present moment as an aware datetime.
        policy: The policy in force, whose revision each entry carries.
        declared: What a tool of an agent declares, where this process knows it; else its artifact says it.
        poll: Seconds between two looks.
    """

    def __init__(
        self, store: Store, clock: Callable[[], dt.datetime], policy: Callable[[], Policy],
        declared: Callable[[str, str], Declaration] = unknown_tool, *, poll: float = POLL,
    ) -> None:  # fmt: skip
        self.store, self.clock, self.policy, self.declared, self.poll = store, clock, policy, declared, poll
        self.name = f"{socket.gethostname()}/{os.getpid()}"
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._jobs: set[Future[None]] = set()
        self._beaten: int | None = None
        self._newest: tuple[int, int | None] | None = None
        self._base: Moment | None = None
        self._reached = 0
        self._post = Post(store)

    # --- running ---------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether it watches in a thread of this process."""
        return self._thread is not None

    def start(self) -> None:
        """Watch in a thread of this process until `stop`; a second time is harmless.

        When it returns, everybody who looks sees that a watcher lives.
        """
        if self._thread is None:
            self._beat(self._now())
            self._thread = threading.Thread(target=self.run, name="ladder-watch", daemon=True)
            self._thread.start()

    def run(self) -> None:
        """Watch until `stop`. What goes wrong is logged, and it is looked again."""
        while not self._stopping.is_set():
            _said(self.tick)
            self._stopping.wait(self.poll)

    def stop(self) -> None:
        """Stop, once what was begun is done."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        if self._beaten is not None:
            self.store.write(lambda cursor: watches.leave(cursor, self.store.owner), durable=False)
            self._beaten = None

    def settle(self) -> None:
        """Look, and wait until everything that is due is done."""
        self.tick()
        while self._jobs:
            for job in wait(self._jobs).done:
                job.result()
            self.tick()

    def tick(self) -> None:
        """Look once at what is due, and begin it."""
        now = self._now()
        self._beat(now)
        self._jobs = {job for job in self._jobs if not job.done()}
        if self._post.turn(now):
            self._begin(partial(self._post.release, now))
        newest, due = self.store.glance(lambda cursor: (watches.newest_signal(cursor), watches.next_due(cursor)))
        if newest != self._newest:
            self._newest, due = newest, now
            self.store.write(lambda cursor: watches.hurry(cursor, now), durable=False)
        if due is None or due > now or len(self._jobs) > 2 * WORKERS:
            return
        taken = self.store.write(lambda cursor: watches.take(cursor, now, now + LEASE), durable=False)
        for job in self._sorted(taken):
            self._begin(job)

    def _beat(self, now: int) -> None:
        if self._beaten is None or now - self._beaten >= PULSE:
            self.store.write(lambda cursor: watches.beat(cursor, self.store.owner, self.name, now), durable=False)
            self._beaten = now

    def _now(self) -> int:
        """The present in microseconds, which never goes back: who sets the clock back can't stop the watch."""
        here = Moment.at(self.clock())
        if self._base is None:
            self._base = here
            self._reached = self.store.glance(watches.last_beat) or 0
        since = here.boot_us - self._base.boot_us
        self._reached = max(self._reached, here.wall_us, self._base.wall_us + since)
        return self._reached

    def _begin(self, job: Callable[[], None]) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="ladder-watch")
        self._jobs.add(self._pool.submit(_said, job))

    def _sorted(self, windows: Sequence[Window]) -> list[Callable[[], None]]:
        """What is to be done: those that are measured alike are measured together."""
        jobs: list[Callable[[], None]] = []
        alike: defaultdict[str, list[Window]] = defaultdict(list)
        for window in windows:
            match window.phase:
                case "armed":
                    jobs.append(partial(self._armed, window))
                case "undo":
                    jobs.append(partial(self.undo, window))
                case _:
                    shared = all(map(_shared, watched(window.spec)[1]))
                    alike[window.spec if shared else window.action].append(window)
        return [*jobs, *(partial(self.look, group) for group in alike.values())]

    # --- one window ------------------------------------------------------------------------------------------

    def _armed(self, window: Window) -> None:
        """The action hasn't finished: it runs, or its process is gone and somebody must find out."""
        known = self._known(window)
        if known is None or known.state not in {State.STARTED, State.UNDOING} or known.owner_alive:
            self._again(window, PULSE)
            return
        rule = _rule(window)
        drive(left_behind(Plan(rule, undoable=True), known), self._turn(known.call, rule))

    def look(self, windows: Sequence[Window]) -> None:
        """Measure what is due in windows that are measured alike, and act on what was found."""
        journal = self._journal()
        seen = [Sighting.of(self.store, journal, window) for window in windows]
        found: dict[int, Measured] = {}
        for one in seen:
            for place in one.judged().to_measure:
                if place not in found or not _shared(one.checks[place]):
                    found[place] = one.measure(place)
                # Each window has an axis of its own.
                one.new.append(Measured(place, one.now, found[place].verdict, found[place].text))

        def noted(cursor: Cursor) -> None:
            for one in seen:
                self._note(cursor, journal, one)

        self.store.write(noted, durable=False)
        for one in seen:
            if one.judged().phase == "undo":
                self.undo(one.window)

    def _note(self, cursor: Cursor, journal: Journal, seen: Sighting) -> None:
        """Write down what was measured, and what came of it."""
        window, judgement = seen.window, seen.judged()
        watches.note(cursor, window.action, len(seen.before) + 1, seen.new)
        if judgement.phase == "watching":
            due = self._reached + max(0, (judgement.due or 0) - seen.now)
            watches.change(cursor, window, due_us=due, until_us=seen.until)
            return
        phase, body = _PHASES[judgement.phase], {"text": judgement.why, "measured": len(seen.before) + len(seen.new)}
        if phase == "undo":
            changed = watches.change(cursor, window, phase=phase, due_us=self._reached + PULSE, why=judgement.why)
        else:
            changed = watches.over(cursor, window, phase, judgement.why)
        if changed:
            journal.append(cursor, window.agent, "watched", window.action, {"phase": phase, **body})
            log.info("%s: %s (action %s): %s", phase, window.tool, window.action[:8], judgement.why)
        if window.resource.startswith(RESOURCE):
            self._post.hurry()

    def undo(self, window: Window) -> None:
        """Undo an action, unless somebody is at it, or one that began later on the same thing comes first."""
        known = self._known(window)
        if known is None or known.artifact is None:
            return
        here = self.store.glance(lambda cursor: watches.window_of(cursor, window.action)) or window
        if known.owner_alive or self.store.glance(lambda cursor: watches.later_undo(cursor, here)):
            self._again(here, PULSE // 4)
            return
        why, journal = here.why or known.text or "nobody knows how far it came", self._journal()
        claimed = self.store.write(lambda cursor: journal.take_over(cursor, known.call, known.fence, undo=why))
        if isinstance(claimed, NotClaimed):
            self._again(here, PULSE)
            return
        drive(
            undo(known.call, claimed.fence, known.artifact, why, begun=True), self._turn(known.call, _rule(window))
        )  # fmt: skip

    def _again(self, window: Window, later_us: int) -> None:
        """It is nobody's turn yet."""
        due = self._reached + later_us
        self.store.write(lambda cursor: watches.change(cursor, window, due_us=due), durable=False)

    def _known(self, window: Window) -> Known | None:
        journal = self._journal()
        return self.store.glance(lambda cursor: journal.known(cursor, window.action))

    def _journal(self) -> Journal:
        return Journal(self.store.owner, self.policy().revision, self.clock())

    def _turn(self, call: Call, rule: Rule) -> Turn:
        return Turn(
            store=self.store, policy=self.policy(), clock=self.clock, workspace=None, terms=Terms(rule, "", ""),
            reader=None, declaration=self.declared(call.agent, call.tool), host=Alone(), apart=True,
        )  # fmt: skip


def _rule(window: Window) -> Rule:
    """The rule that an action was claimed under, as far as the watch goes."""
    watch, checks = watched(window.spec)
    return Rule(rung=Rung.ROLLBACK, checks=checks, watch=watch)


def _shared(check: Check) -> bool:
    """Whether a check asks the same whatever the call was."""
    return isinstance(check, Http | Prometheus)


def _said(job: Callable[[], None]) -> None:
    """Do it. What goes wrong is logged and goes no further: the window is due again, and others are due meanwhile."""
    try:
        job()
    except Exception:
        log.exception("a watcher could not do what was due")
