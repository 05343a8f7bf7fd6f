"""What a shadow does with a call: sees it begin and end, and has the rest worked out elsewhere.

In the agent's own thread or on its event loop it only takes down what the call looks like, and puts that into a queue
that never waits; one thread does the rest. So a ledger that is slow, locked or full delays nobody, and costs at most
`MOST` notes of memory. What doesn't fit any more is lost, counted, and said in the ledger once that takes entries
again. Nothing that goes wrong here comes to the agent.
"""

from __future__ import annotations

import atexit
import copy
import datetime as dt
import logging
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig

from ladder_graph.hosts.capture import Capture
from ladder_graph.hosts.conversation import messages_in, thread_of
from ladder_graph.hosts.foreseeing import Foreseeing, Place, Sighting
from ladder_graph.hosts.identity import facts, requesting
from ladder_graph.hosts.replies import messages_of_reply
from ladder_graph.hosts.scenery import is_inside
from ladder_graph.hosts.toolhost import failure_of
from ladder_graph.ledger.evidence import shadows
from ladder_graph.ledger.evidence.shadows import Ended

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

log = logging.getLogger("ladder_graph")
Note = Callable[[], None]

MOST = 10_000
"""Notes that may wait for the ledger. A call makes two; the first holds a copy of its arguments, and the conversation
so far, whose messages it shares with the agent."""
AT_EXIT = 5.0
"""Seconds for which a process that ends, or a ladder that is closed, waits for what isn't written yet."""


class Shadowing:
    """Takes down what the gate of one ladder would have decided, for all graphs that have its shadow.

    Args:
        ladder: Whose policy, ledger and clock.
        most: Notes that may wait.
    """

    def __init__(self, ladder: Ladder, most: int = MOST) -> None:
        self._ladder = ladder
        self._foreseeing = Foreseeing(ladder)
        self._most = most
        self._notes: SimpleQueue[Note | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._said = False
        self._untold = 0
        self.lost = 0
        """Calls and endings that were not taken down: they didn't fit into the queue, or something went wrong."""
        self.failures = 0
        """How often something went wrong. The first time is logged, with what it was."""
        _LIVE.add(self)
        # The thread knows this only as long as it does something, so that a ladder that was dropped takes it along.
        weakref.finalize(self, self._notes.put, None).atexit = False
        self.start()

    def start(self) -> None:
        """Start the thread that writes, unless it runs; it doesn't survive a fork."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=_work, args=(weakref.ref(self), self._notes), name="ladder-shadow", daemon=True
                )
                self._thread.start()

    # --- in the agent's thread, or on its event loop ------------------------------------------------------------------

    def began(self, place: Place, call: Mapping[str, Any], config: RunnableConfig) -> Sighting | None:
        """A call begins; it doesn't wait for anything.

        Args:
            place: Where.
            call: The tool call.
            config: The task's own config.

        Returns:
            What its end belongs to; None where the call can't be taken down.
        """
        try:
            requester, messages = requesting(config), messages_in(config)
            sighting = Sighting(
                place, copy.deepcopy(dict(call)), messages, is_inside(config), _thread(config, messages),
                None if requester is None else requester.name, facts(config), self._ladder.clock(),
            )  # fmt: skip
            return sighting if self._put(partial(self._foreseeing.take_down, sighting)) else None
        except Exception as wrong:  # noqa: BLE001  # whatever it is, the agent goes on
            self._failed(wrong)
            return None

    def ended(self, sighting: Sighting | None, output: Any = None, wrong: BaseException | None = None) -> None:
        """A call has ended.

        Args:
            sighting: What `began` gave back.
            output: What the ToolNode made of it.
            wrong: What it raised.
        """
        if sighting is None:
            return
        try:
            self._put(partial(self._end, sighting, output, wrong, self._ladder.clock()))
        except Exception as failure:  # noqa: BLE001  # as above
            self._failed(failure)

    def _put(self, note: Note) -> bool:
        if self._thread is not None and not self._thread.is_alive():
            self.start()
        if self._notes.qsize() >= self._most:
            self._lose("the shadow falls behind, and loses calls; the ledger is slow, locked or full")
            return False
        self._notes.put(note)
        return True

    def guarded(self, work: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        """Do something beside the agent; what goes wrong with it is counted and not raised."""
        try:
            work(*args, **kwargs)
        except Exception as wrong:  # noqa: BLE001  # as above
            self._failed(wrong)

    # --- in the thread that writes ------------------------------------------------------------------------------------

    def write(self, note: Note) -> None:
        """Do what a note says, and say what was lost before it; nothing that goes wrong comes out."""
        try:
            note()
            self._tell()
        except Exception as wrong:  # noqa: BLE001  # as above
            self._failed(wrong)

    def _end(self, sighting: Sighting, output: Any, wrong: BaseException | None, at: dt.datetime) -> None:
        if not sighting.action:
            return
        end = _ending(sighting, output, wrong, at)
        journal, agent = self._foreseeing.journal(self._ladder.policy, at), sighting.place.agent
        self._ladder.store.write(
            lambda cursor: shadows.ended(journal, cursor, agent, sighting.action, end), durable=False
        )

    def _tell(self) -> None:
        """Say in the ledger how many calls it doesn't hold."""
        with self._lock:
            calls, self._untold = self._untold, 0
        if calls:
            policy = self._ladder.policy
            journal = self._foreseeing.journal(policy, self._ladder.clock())
            self._ladder.store.write(lambda cursor: shadows.lost(journal, cursor, policy.agent, calls), durable=False)

    # --- what went wrong ----------------------------------------------------------------------------------------------

    def _failed(self, wrong: Exception) -> None:
        self.failures += 1
        self._lose("a shadow could not take a call down; the agent goes on, and this is said once", wrong)

    def _lose(self, text: str, wrong: Exception | None = None) -> None:
        with self._lock:
            self.lost += 1
            self._untold += 1
            said, self._said = self._said, True
        if not said:
            log.warning("%s", text, exc_info=wrong)

    def flush(self, seconds: float = AT_EXIT) -> bool:
        """Wait until everything that was seen so far is written.

        Args:
            seconds: For how long at most.

        Returns:
            Whether it is.
        """
        done = threading.Event()
        self._notes.put(done.set)
        return done.wait(seconds)

    def stop(self) -> None:
        """Write what was seen, as long as that takes no more than some seconds, and end the thread."""
        self.flush()
        _LIVE.discard(self)
        self._notes.put(None)
        if self._thread is not None:
            self._thread.join(AT_EXIT)


def _work(whose: weakref.ref[Shadowing], notes: SimpleQueue[Note | None]) -> None:
    while (note := notes.get()) is not None:
        if (shadowing := whose()) is not None:  # Else nobody is left who could ask what was seen.
            shadowing.write(note)
        del note, shadowing  # What they hold must be gone while this waits.


def _thread(config: RunnableConfig, messages: Sequence[Any]) -> str:
    """The thread; of a run without one, what stands for the run in all of its steps: the id of its first message."""
    first = getattr(messages[0], "id", None) if messages else None
    if first and config.get("configurable", {}).get("thread_id") is None:
        return f"run:{first}"
    return thread_of(config)


def _ending(sighting: Sighting, output: Any, wrong: BaseException | None, at: dt.datetime) -> Ended:
    took = max(0, round((at - sighting.at) / dt.timedelta(microseconds=1)))
    if wrong is not None:
        came = failure_of(wrong)
        if came.kind in {"done", "paused"}:
            return Ended(came.kind, took)
        return Ended("failed", took, harmless=came.kind == "failed")
    answers = [one for one in messages_of_reply(output) if one.tool_call_id == sighting.call.get("id")]
    failed = any(one.status == "error" for one in answers)
    digest = shadows.hashed("\n".join(str(one.text) for one in answers)) if answers else ""
    return Ended("failed" if failed else "done", took, digest)


class ShadowCapture(Capture):
    """Takes down what proposed calls, and lets nothing that goes wrong with that be heard of."""

    def __init__(self, shadowing: Shadowing, ladder: Ladder) -> None:
        super().__init__(ladder.masks)
        self._shadowing = shadowing

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        """Take down the request."""
        self._shadowing.guarded(super().on_chat_model_start, *args, **kwargs)

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        """Put the answer to its request."""
        self._shadowing.guarded(super().on_llm_end, *args, **kwargs)


_LIVE: weakref.WeakSet[Shadowing] = weakref.WeakSet()


@atexit.register
def _before_the_end() -> None:
    for one in list(_LIVE):
        one.flush()
