"""The worker: looks again and again which threads have an answer, and goes on with them in threads of its own."""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from ladder_graph.ledger import Journal, Store
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.people import draft_statements, resumptions
from ladder_graph.ledger.people.resumptions import HEARD, LONGEST, Waiting
from ladder_graph.ledger.tables.rows import US
from ladder_graph.ledger.upkeep import lapsing
from ladder_graph.policy import Policy
from ladder_graph.resuming.heads import Head, Resumer
from ladder_graph.states import State
from ladder_graph.watcher.messenger import Messenger, Send

log = logging.getLogger("ladder_graph")

POLL = 0.25
"""Seconds between two looks at what is due."""
TELL = 1.0
"""Seconds between two looks at what people are to be told."""
HANDS = 4
"""Threads that one process goes on with at a time."""
PULSE = US
"""Microseconds between two looks at questions that nobody answered in time."""
SELDOM = 30 * PULSE
"""Microseconds between two looks at accepted drafts whose tool isn't known here either."""
GIVEN_UP = 7 * 86_400 * US
"""Microseconds after an answer from which on a thread that it can't be taken to is given up."""
ENDED = "it was gone on with from another point, and has come to its end without the answer"
"""Why an answer is taken to no thread any more."""
MISSED = 100
"""Processes that are gone, of which it is kept when they were missed, before it is looked which of them matter."""
SAID = 300
"""Characters of an error that are kept."""

_NEWS = frozenset({State.APPROVED, State.DECLINED, State.RESPONDED, State.EXPIRED, State.EDITED})
"""The states of an action that its thread need not know of yet."""


class Worker:
    """Goes on with the threads of one agent, as soon as a question of theirs is answered or past its time.

    Any number of processes may do it: each thread is in one's hand, and whoever dies is replaced.

    Args:
        store: The ledger.
        clock: Returns the present moment as an aware datetime.
        policy: The policy in force.
        resumer: Goes on with a thread.
        poll: Seconds between two looks.
        accepted: Runs accepted drafts that wait for their tool; whatever it returns counts what it ran.
        tell: Sends what people are to be told; done in a thread of its own, so that no receiver keeps a thread waiting.
    """

    def __init__(
        self, store: Store, clock: Callable[[], dt.datetime], policy: Callable[[], Policy], resumer: Resumer, *,
        poll: float = POLL, accepted: Callable[[], Sequence[object]] | None = None,
        tell: Send | None = None,
    ) -> None:  # fmt: skip
        self.store, self.clock, self.policy, self.resumer, self.poll = store, clock, policy, resumer, poll
        self.agent = resumer.agent or policy().agent
        self.name = f"{socket.gethostname()}/{os.getpid()}"
        self._accepted, self._tell = accepted, tell
        self._messenger = None if tell is None else Messenger(tell, TELL)
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._pool = ThreadPoolExecutor(HANDS, thread_name_prefix="ladder-resume")
        self._guard = threading.Lock()
        self._in_hand: dict[str, Future[None]] = {}
        self._beaten = self._lapsed = self._look_at = 0
        self._lock = ""
        self._missed: dict[str, int] = {}

    # --- its life --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Work in a thread of this process until `stop`; a second time is harmless."""
        if self._thread is None:
            self._beat(self._now())
            self._thread = threading.Thread(target=self.run, name="ladder-resume", daemon=True)
            self._thread.start()
            if self._messenger is not None:
                self._messenger.start()

    def run(self) -> None:
        """Work until `stop`. What goes wrong is logged, and it is looked again."""
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                self.tick()
            except Exception:
                log.exception("a worker could not look at what is due")
            self._woken.wait(self.poll)

    def wake(self) -> None:
        """Look now: something was answered in this process."""
        self._woken.set()

    def stop(self) -> None:
        """Stop, once the threads that were begun have come to their end; what only waited is left to others."""
        self._stopping.set()
        self._woken.set()
        if self._messenger is not None:
            self._messenger.stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.resumer.close()
        if self._beaten:
            self.store.write(lambda cursor: resumptions.leave(cursor, self.store.owner), durable=False)
            self._beaten = 0

    def settle(self) -> None:
        """Look, and wait until everything that is due is done, and told."""
        while self.tick():
            with self._guard:
                begun = list(self._in_hand.values())
            wait(begun)
        if self._tell is not None:
            self._tell(self._stopping.is_set)

    def tick(self) -> bool:
        """Look once at what is due, and begin it; whether there was anything."""
        now = self._now()
        self._beat(now)
        self._lapse(now)
        self._run_accepted(now)
        if not self.store.glance(partial(resumptions.any_due, now_us=now)):
            return False
        rows = self.store.glance(lambda cursor: resumptions.due(cursor, self.agent, now))
        for thread in dict.fromkeys(row.thread for row in rows):
            self._begin(thread)
        return bool(rows)

    def _begin(self, thread: str) -> None:
        with self._guard:
            if thread in self._in_hand or self._stopping.is_set():
                return
            self._in_hand[thread] = job = self._pool.submit(self._seen_to, thread)
        job.add_done_callback(partial(self._let_go, thread))

    def _let_go(self, thread: str, job: Future[None]) -> None:
        with self._guard:
            self._in_hand.pop(thread, None)
        if not job.cancelled() and (wrong := job.exception()) is not None:
            log.error("thread %s could not be gone on with", thread, exc_info=wrong)

    # --- one thread ------------------------------------------------------------------------------------------

    def _seen_to(self, thread: str) -> None:
        """Go on with a thread if it waits for what was answered; else say why not."""
        rows = self.store.glance(lambda cursor: resumptions.of_thread(cursor, self.agent, thread))
        if not rows:
            return
        head = self._looked(thread, rows)
        if head is None:
            return
        held = {row.question for row in rows if self._held(row)}
        for row in rows:
            if not _wants(row, head):
                self._beyond(row, head, held=row.question in held)
            elif held:
                self._put_off(row)
        if not held and any(_wants(row, head) for row in rows):
            self._go_on(thread)

    def _looked(self, thread: str, rows: Sequence[Waiting]) -> Head | None:
        """Where a thread stands; None where it can't be gone on with now, which is said in its rows."""
        try:
            head = self.resumer.look(thread)
        except Exception as wrong:  # noqa: BLE001  # a checkpointer's or a server's, which is said
            problem = f"it can't be looked at: {_words(wrong)}"
        else:
            problem = head.unclear
            if not problem:
                return head
            if not head.there and not self.resumer.lasting:
                problem = ""  # Another process has it in its memory.
        for row in rows:
            if problem and not self._held(row):
                self._troubled(row, problem)
            else:
                self._put_off(row)
        return None

    def _go_on(self, thread: str) -> None:
        taken = self._write(
            lambda cursor: resumptions.take(cursor, self.store.owner, self.agent, thread, self.resumer.how, self._now())
        )
        if not taken:
            return
        wrong = self._resumed(thread, taken)
        head = self._head_after(thread)
        for row in taken:
            self._settled(row, head, wrong)

    def _resumed(self, thread: str, taken: Sequence[Waiting]) -> Exception | None:
        """Go on with a thread that is in hand; what was wrong, if anything was."""
        try:
            # Between the look and the hold somebody may have been quicker.
            head = self.resumer.look(thread)
            if any(_wants(row, head) for row in taken) and not head.busy:
                self.resumer.resume(thread)
        except Exception as wrong:  # noqa: BLE001  # whatever a graph raises; it is said and tried again
            return wrong
        return None

    def _head_after(self, thread: str) -> Head | None:
        try:
            return self.resumer.look(thread)
        except Exception:  # noqa: BLE001  # it was said already
            return None

    def _settled(self, row: Waiting, head: Head | None, wrong: Exception | None) -> None:
        """Write down what became of one answer of a thread that was gone on with.

        A run that can't be heard of any more may still be going on, wait in a queue, or have been cancelled there.
        """
        now = self.store.glance(lambda cursor: resumptions.one(cursor, row.question)) or row
        beyond = None if head is None or head.unclear or row.call_id in head.calls else head
        if not self._known(now) or (beyond is None and wrong is not None):
            if wrong is not None:
                self._stayed(now, _words(wrong))
            elif beyond is not None:
                self._beyond(now, beyond, held=False)
            else:
                unseen = "it can't be looked at" if head is None else head.unclear
                self._stayed(now, unseen or "its run ended, and did not come to the question")
            return
        self._over(now, self.resumer.how, "" if wrong is None else f"it went on, and then failed: {_words(wrong)}")
        log.info("went on: thread %s, %s: %s (question %s)", row.thread, row.tool, row.why, row.question)
        if wrong is not None:
            log.warning("thread %s failed after that: %s", row.thread, _words(wrong))

    def _stayed(self, row: Waiting, problem: str) -> None:
        log.warning("thread %s did not go on (question %s): %s", row.thread, row.question, problem)
        self._troubled(row, problem)

    def _beyond(self, row: Waiting, head: Head, *, held: bool) -> None:
        """The thread doesn't wait at a question: it has got beyond it, ended without it, or never came to it."""
        if self._known(row) and not (held and row.state == "taken"):
            self._over(row, row.how or "by who ran it", "")
        elif held:
            self._put_off(row)
        elif self._ended_without(row, head):
            log.info("thread %s has come to its end without an answer (question %s)", row.thread, row.question)
            self._over(row, "", ENDED)
        else:
            self._troubled(row, "its thread doesn't wait at this question: it was changed, or hasn't come to it yet")

    def _ended_without(self, row: Waiting, head: Head) -> bool:
        """Whether a thread came to its end after its call had asked.

        While a run is going on, its thread may still be seen at the end of the run before it. The ids of checkpoints
        rise with time, and the ledger has the one that the call was made from.
        """
        if not head.ended:
            return False
        action = self.store.glance(lambda cursor: cursor.execute(sql.ACTION, {"key": row.action}).fetchone())
        asked_from = "" if action is None else str(action["checkpoint"]).partition("@")[0]
        return "" < asked_from < head.ended

    def _known(self, row: Waiting) -> bool:
        """Whether the call knows its answer, by the row or by how far the call is."""
        if row.state == "heard":
            return True
        place = self.store.glance(lambda cursor: cursor.execute(sql.PLACE, {"key": row.action}).fetchone())
        return place is None or State(place["state"]) not in _NEWS

    def _held(self, row: Waiting) -> bool:
        """Whether somebody has the thread of a row in hand: another process that lives, or a run in this one."""
        here = row.owner == self.store.owner.id and row.state == "heard"
        return here or resumptions.in_hand(self.store.owner, row) or self._missing(row.owner)

    def _missing(self, owner: str) -> bool:
        """Whether somebody's lock is gone only since a moment ago: with a server's restart all locks are.

        When it was first missed is kept as long as a row names them: who is dead isn't waited for a second time.
        """
        now, grace = self._now(), self.store.owner.grace_us
        if not grace or owner in {"", self.store.owner.id}:
            return False
        with self._guard:
            if len(self._missed) >= MISSED and owner not in self._missed:
                named = self.store.glance(resumptions.owners)
                self._missed = {one: since for one, since in self._missed.items() if one in named}
            # Not later than now: the clock may have been set back since.
            since = self._missed[owner] = min(self._missed.get(owner, now), now)
            return now - since < grace

    # --- its rows --------------------------------------------------------------------------------------------

    def _troubled(self, row: Waiting, problem: str) -> None:
        """It can't go on now: it is tried again, ever more seldom, and given up after a week."""
        now, tries = self._now(), row.tries + 1
        if now - row.at_us > GIVEN_UP:
            log.warning("thread %s is given up (question %s): %s", row.thread, row.question, problem)
            self._moved(row, state="lost", due_us=None, owner="", tries=tries, problem=problem)
            return
        due = now + min(LONGEST, US * 2 ** min(tries, 10) // 2)
        self._moved(row, state="waiting", due_us=due, owner="", tries=tries, problem=problem)

    def _put_off(self, row: Waiting) -> None:
        self._moved(row, due_us=self._now() + (self.store.owner.grace_us if row.owner in self._missed else HEARD))

    def _over(self, row: Waiting, how: str, problem: str) -> None:
        self._moved(row, state="over", due_us=None, owner="", how=how, problem=problem)

    def _moved(self, row: Waiting, **new: object) -> None:
        self._write(lambda cursor: resumptions.move(cursor, row, **new))

    # --- beside the threads ----------------------------------------------------------------------------------

    def _beat(self, now: int) -> None:
        owner, lock = self.store.owner, self._lock
        if 0 <= now - self._beaten < 3 * PULSE and owner.id == lock and owner.held():
            return

        def beat(cursor: Cursor) -> None:
            if lock not in {"", owner.hold()}:
                resumptions.keep(cursor, lock, owner)
            resumptions.bury(cursor, owner)
            resumptions.beat(cursor, owner, self.agent, self.name, self.resumer.how, now)

        self._write(beat)
        self._beaten, self._lock = now, owner.id

    def _lapse(self, now: int) -> None:
        """Nobody's task notices that a question is past its time while its thread sleeps."""
        if 0 <= now - self._lapsed < PULSE:
            return
        self._lapsed = now
        late = self.store.glance(lambda cursor: resumptions.late(cursor, self.agent, now))
        if not late:
            return
        journal = Journal(self.store.owner, self.policy().revision, self.clock())

        def lapse(cursor: Cursor) -> None:
            for question in late:
                lapsing.lapse(journal, cursor, question)

        self._write(lapse)

    def _run_accepted(self, now: int) -> None:
        """Drafts that were accepted where their tool wasn't known run here.

        Where the clock was set back by more than the time until the next look, it is time.
        """
        if self._accepted is None or 0 < self._look_at - now <= SELDOM:
            return
        self._look_at = now + PULSE
        if (
            self.store.glance(
                lambda cursor: cursor.execute(draft_statements.ACCEPTED, {"agent": self.agent}).fetchone()
            )
            is not None
        ):
            ran = self._accepted()
            # A tool that isn't known here either is no reason to look at it every second.
            self._look_at = now + (PULSE if ran else SELDOM)

    def _write(self, work: Callable[[Cursor], resumptions.T]) -> resumptions.T:
        return self.store.write(work, durable=False)

    def _now(self) -> int:
        return micros(self.clock())


def _wants(row: Waiting, head: Head) -> bool:
    """Whether a thread has to be run for an answer: it waits there, or a worker died while it ran the thread."""
    return row.call_id in head.calls or (head.unfinished and row.how != "" and row.owner != "")


def _words(wrong: Exception) -> str:
    """An error in one short line."""
    return " ".join(f"{type(wrong).__name__}: {wrong}".split())[:SAID]
