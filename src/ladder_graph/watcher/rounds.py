"""The watcher: looks again and again at what is due, and has it done in threads of its own."""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

from ladder_graph.ledger import Store
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.gate import beside, starts
from ladder_graph.ledger.watching import watchers, watches
from ladder_graph.ledger.watching.watches import BATCH, PULSE, Window, watched
from ladder_graph.observing import Observers
from ladder_graph.policy import Policy
from ladder_graph.tools import Declaration
from ladder_graph.watcher.hands import Hands
from ladder_graph.watcher.messenger import Send
from ladder_graph.watcher.orphans import Orphans
from ladder_graph.watcher.sighting import asks_by
from ladder_graph.watcher.sweeps import OFTEN, SOON, Sweeps
from ladder_graph.watcher.working import Work, unknown_tool

log = logging.getLogger("ladder_graph")

POLL = 0.1
"""Seconds between two looks at what is due."""
LEASE = 15 * PULSE
"""Microseconds after which a window that somebody took is due again, if it wasn't put back before."""
WORKERS = 8
"""Windows that one process measures at a time; beside them as many that it undoes, as many that it finds out about, and
outboxes that it sends from, messages to people among them."""
MESSAGES = "messages"
"""What is sent to people, among the directories of outboxes."""
RESOURCES = 1024
"""Resources of which a process remembers since when others wait for what was left on them."""
JUMP = PULSE // 10
"""Microseconds that the wall clock may go back, as servers of time do it, before anything is looked at anew."""


class Watcher(Work):
    """Measures, keeps, holds and undoes, as `ladder_graph.watch.phase` says, and sees to what was left behind.

    Args:
        store: The ledger.
        clock: Returns the present moment as an aware datetime.
        policy: The policy in force, whose revision each entry carries.
        declared: What a tool of an agent declares, where this process knows it; else its artifact says it.
        poll: Seconds between two looks.
        sweep: Puts down what the numbers speak against; done after a minute, and then every hour.
        reports: Does what is due about reports; done every ten seconds.
        tell: Sends what people are to be told; begun after that, and done apart, as no receiver may hold up anything.
        observers: Who looks on at what it undoes.
    """

    def __init__(
        self, store: Store, clock: Callable[[], dt.datetime], policy: Callable[[], Policy],
        declared: Callable[[str, str], Declaration] = unknown_tool, *, poll: float = POLL,
        sweep: Callable[[], object] | None = None, reports: Callable[[], object] | None = None,
        tell: Send | None = None, observers: Observers | None = None,
    ) -> None:  # fmt: skip
        super().__init__(store, clock, policy, declared, observers=observers)
        self.poll, self._sweeps = poll, Sweeps(sweep)
        self._reports = Sweeps(None if reports is None else partial(self._report, reports, tell), SOON, OFTEN)
        self._orphans = Sweeps(Orphans(self).look, SOON, OFTEN)
        self.checkpoints = Sweeps(None)
        """Makes checkpoints and hands them out, where this process is to."""
        self.name = f"{socket.gethostname()}/{os.getpid()}"
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._looking = Hands(WORKERS, "ladder-watch")
        # Apart from the others, so that no slow measurement keeps an undo waiting.
        self._undoing = Hands(WORKERS, "ladder-undo")
        # Apart from both, since nothing ends a probe or a sending that hangs: it keeps none but its kind waiting.
        self._asking = Hands(WORKERS, "ladder-ask")
        self._sending = Hands(WORKERS, "ladder-send")
        self._seen_to: dict[tuple[str, str], tuple[str, float]] = {}
        self._beaten: int | None = None
        self._last: Moment | None = None

    @property
    def _all(self) -> tuple[Hands, ...]:
        return self._looking, self._undoing, self._asking, self._sending

    @property
    def running(self) -> bool:
        """Whether it watches in a thread of this process."""
        return self._thread is not None

    def start(self) -> None:
        """Watch in a thread of this process until `stop`; a second time is harmless.

        When it returns, everybody who looks sees that a watcher lives.
        """
        if self._thread is None:
            self._stopping.clear()
            self._beat(self._now())
            self._thread = threading.Thread(target=self.run, name="ladder-watch", daemon=True)
            self._thread.start()

    def run(self) -> None:
        """Watch until `stop`. What goes wrong is logged, and it is looked again."""
        while not self._stopping.is_set():
            if not _said(self.tick):
                self._stopping.wait(self.poll)

    def stop(self) -> None:
        """Stop, once what was begun is done; what only waited is left to others."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for hands in self._all:
            hands.stop()
        if self._beaten is not None:
            self.store.write(lambda cursor: watchers.leave(cursor, self.store.owner), durable=False)
            self._beaten = None

    def see_to(self, action: str) -> float | None:
        """Begin at once what is to be done about an action that nobody is at: find out about it, or undo it.

        It is done in a thread of the watcher's, whether or not that watches here: a probe that hangs keeps nobody.

        Args:
            action: Its key.

        Returns:
            Since when something that was left on its resource is seen to, by the monotonic clock; None where the
            action runs, or is over.
        """
        found, taken, window = self.store.glance(partial(self._found, action=action))
        if window is None or not (found is None or (found and taken)):
            return None
        place, now = (window.agent, window.resource), time.monotonic()
        first, since = self._seen_to.get(place, (action, now))
        if first != action and self.store.glance(partial(beside.occupies, self.journal(), action=first)) is False:
            first, since = action, now
        if len(self._seen_to) >= RESOURCES:
            self._seen_to.clear()
        self._seen_to[place] = first, since
        if found is None:
            self._begin_once(window)
        return since

    def _found(self, cursor: Cursor, action: str) -> tuple[bool | None, bool, Window | None]:
        """Whether an action occupies its resource, whether it was taken over, and its window."""
        occupies = beside.occupies(self.journal(), cursor, action)
        return occupies, starts.taken_over(cursor, action), watches.window_of(cursor, action)

    def catch_up(self, agent: str, resource: str) -> None:
        """A call that was at a resource is over: begin what had to wait for it."""

        def undo() -> None:
            for window in self.store.glance(lambda cursor: watches.to_undo(cursor, agent, resource)):
                self.undo(window)

        self._undoing.begin([f"{agent} {resource}"], self._here().wall_us + LEASE, undo)

    def _begin_once(self, window: Window) -> None:
        hands = {"armed": self._asking, "undo": self._undoing}.get(window.phase)
        if hands is not None and not hands.busy(window.action):
            now = self._now()
            self._begin([window], now, now + LEASE)

    def settle(self) -> None:
        """Look, and wait until everything that is due is done."""
        self.tick()
        while any(hands.wait() for hands in self._all):
            self.tick()

    def tick(self) -> bool:
        """Look once at what is due, and begin it; whether more is due than one process takes at a time."""
        self.policy()  # Who follows a file takes up an edit here, also while nothing is due.
        now = self._now()
        if self._looking.full:
            return False  # Nor is it said that somebody watches: where that lasts, nobody does.
        self._beat(now)
        if self._post.turn(now):
            for directory in self._post.directories(now):
                if not self._sending.busy(directory):
                    self._sending.begin([directory], now, partial(self._post.release, directory))
        for scope in self.unwinding.due(now):
            if not self._undoing.busy(scope):
                self._undoing.begin([scope], now + LEASE, partial(self.unwinding.go_on, scope))
        for name, hands, sweeps in (
            ("trust", self._looking, self._sweeps), ("reports", self._looking, self._reports),
            ("checkpoints", self._looking, self.checkpoints), ("orphans", self._asking, self._orphans),
        ):  # fmt: skip
            # One that is at it still comes to its turn later.
            if not hands.busy(name) and (sweep := sweeps.turn(now)) is not None:
                hands.begin([name], now, sweep)
        due = self.store.glance(watches.next_due)
        if due is None or due > now:
            return False
        lease = now + LEASE
        taken = self.store.write(lambda cursor: watches.take(cursor, now, lease), durable=False)
        self._begin(taken, now, lease)
        return len(taken) == BATCH

    def _report(self, reports: Callable[[], object], tell: Send | None) -> None:
        try:
            reports()
        finally:
            # What failed about a report keeps nobody from hearing of the others, and of what is asked.
            if tell is not None and not self._sending.busy(MESSAGES):
                self._sending.begin([MESSAGES], self._here().wall_us, partial(tell, self._stopping.is_set))

    def _beat(self, now: int) -> None:
        if self._beaten is not None and 0 <= now - self._beaten < PULSE:
            return

        def beat(cursor: Cursor) -> None:
            watchers.beat(cursor, self.store.owner, self.name, now)
            watchers.bury(cursor, self.store.owner, now)

        self.store.write(beat, durable=False)
        self._beaten = now

    def _now(self) -> int:
        """The present in microseconds. Where the clock was set back, what is due by the old one is due now."""
        here = self._here()
        if self._last is None:
            behind = self.store.glance(watchers.ahead) - here.wall_us - PULSE
        else:
            behind = here.since(self._last)[1] - (here.wall_us - self._last.wall_us) - JUMP
        if behind > 0:
            self.store.write(lambda cursor: watches.hurry(cursor, here.wall_us), durable=False)
        self._last = here
        return here.wall_us

    def _begin(self, windows: Sequence[Window], now: int, lease: int) -> None:
        """Begin what is to be done: those that are measured alike are measured together."""
        alike: defaultdict[str, list[Window]] = defaultdict(list)
        for window in windows:
            if window.phase == "undo":
                self._begin_undo(window, lease)
            elif window.phase == "armed":
                if self._asking.free(window.action, now, lease):
                    self._asking.begin([window.action], lease, partial(self._armed, window))
            elif self._looking.free(window.action, now, lease):
                alike[window.action if self._alone(window) else window.spec].append(window)
        for group in alike.values():
            self._looking.begin([one.action for one in group], lease, partial(self._looked, group))

    def _alone(self, window: Window) -> bool:
        """Whether what is done about a window takes a while that no other one should wait for."""
        return self._spoilt(window) or any(map(asks_by, watched(window.spec)[1]))

    def _begin_undo(self, window: Window, lease: int) -> None:
        if not self._undoing.busy(window.action):
            self._undoing.begin([window.action], lease, partial(self.undo, window))

    def _looked(self, windows: Sequence[Window]) -> None:
        for window in self.look(windows):
            self._begin_undo(window, self._here().wall_us + LEASE)


def _said(look: Callable[[], bool]) -> bool:
    """Do it. What goes wrong is logged and goes no further: it is looked again."""
    try:
        return look()
    except Exception:
        log.exception("a watcher could not look at what is due")
        return False
