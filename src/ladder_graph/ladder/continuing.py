"""Going on after an answer: which threads have one and don't know it yet, and who will tell them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ladder_graph.errors import LadderError
from ladder_graph.facts import Reply
from ladder_graph.ladder.messaging import Messaging
from ladder_graph.ledger.actions.questions import micros, moment
from ladder_graph.ledger.people import resumptions
from ladder_graph.ledger.people.resumptions import State, Waiting, Why

if TYPE_CHECKING:
    from ladder_graph.resuming import Resumer, Worker

BY_HAND = "graph.invoke(None, config)"
"""How a thread is gone on with by hand."""
BY_WORKER = "ladder resume-worker MODULE:GRAPH"
"""What goes on with threads by itself."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """An answer that a thread is to go on with."""

    question: str
    """The question's id."""
    action: str
    """The action's key."""
    agent: str
    tool: str
    thread: str
    """The LangGraph thread."""
    why: Why
    """What was said."""
    at: dt.datetime
    """When."""
    state: State
    """waiting, taken (a worker has it in hand), heard (the call knows), over, or lost (given up)."""
    tries: int
    """How often going on went wrong."""
    problem: str
    """Why it couldn't go on the last time; empty where nothing was wrong."""
    next: dt.datetime | None
    """When somebody looks next; None once nobody needs to."""
    words: str
    """What happens next, in words for whoever answered."""


class Continuing(Messaging):
    """The part of a desk where it is seen to that an answer is heard."""

    worker: Worker | None = None

    def attach(self, resumer: Resumer, *, poll: float | None = None) -> Worker:
        """Go on with threads in this process as soon as they are answered, wherever that was done.

        It works in threads of its own until `close`, and runs accepted drafts too.

        Args:
            resumer: How it is gone on with: `InProcess(graph)`, or `Server(url, assistant)`.
            poll: Seconds between two looks at what was answered elsewhere; a quarter where it isn't said.

        Raises:
            LadderError: Something is attached already.
        """
        from ladder_graph.resuming.working import POLL, Worker

        if self.worker is not None:
            raise LadderError("this ladder goes on with threads already; detach what is attached first")
        self.worker = Worker(
            self.store,
            self.clock,
            self.refresh,
            resumer,
            poll=poll or POLL,
            accepted=self.run_accepted,
            tell=self.send_messages,
        )
        self.worker.start()
        return self.worker

    def detach(self) -> None:
        """Go on with no threads here any more, once those that were begun have come to their end."""
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.stop()

    def go_on(self) -> None:
        """Look at once, where something is attached."""
        if self.worker is not None:
            self.worker.wake()

    def run_accepted(self) -> list[Reply]:
        """Run drafts that were accepted where their tool wasn't known. A desk without a graph runs nothing."""
        return []

    def resumers(self, agent: str | None = None) -> list[tuple[str, str]]:
        """The processes that go on with an agent's threads now: name, and how."""
        whose, now = agent or self.policy.agent, micros(self.clock())
        return self.store.read(lambda cursor: resumptions.workers(cursor, self.store.owner, whose, now))

    def resumptions(self, *, limit: int = 100) -> list[Resumption]:
        """Answers whose threads haven't gone on yet, oldest first; behind them those that were given up."""
        found = self.store.read(lambda cursor: resumptions.listed(cursor, self.policy.agent, limit))
        working = bool(self.resumers())
        return [self._told(row, working=working) for row in found]

    def resumption(self, question: str) -> Resumption | None:
        """What becomes of the answer to one question; None where it isn't answered, or nothing waits for it.

        Args:
            question: Its whole id.
        """
        found = self.store.read(lambda cursor: resumptions.one(cursor, question))
        return None if found is None else self._told(found, working=bool(self.resumers(found.agent)))

    def stuck(self, question: str) -> str:
        """What keeps a thread from going on with the answer to one question, in words; empty where nothing is known of.

        Args:
            question: Its whole id.
        """
        found = self.store.read(lambda cursor: resumptions.one(cursor, question))
        if found is None or not found.problem or found.state in {"taken", "heard"} or _went_on(found):
            return ""
        return self._told(found, working=bool(self.resumers(found.agent))).words

    def _told(self, row: Waiting, *, working: bool) -> Resumption:
        dead = row.owner not in {"", self.store.owner.id} and not self.store.owner.lives(row.owner)
        heard = row.state == "heard" and (dead or (row.due_us is not None and row.due_us < micros(self.clock())))
        return Resumption(
            row.question, row.action, row.agent, row.tool, row.thread, row.why, moment(row.at_us), row.state,
            row.tries, row.problem, None if row.due_us is None else moment(max(row.due_us, row.at_us)),
            words(row, working=working, dead=dead, unseen=heard and not working),
        )  # fmt: skip


def words(row: Waiting, *, working: bool, dead: bool, unseen: bool) -> str:
    """What happens next with an answer.

    Args:
        row: Its row.
        working: Somebody goes on with threads of this agent.
        dead: Whoever had it in hand is gone.
        unseen: The call has heard it some time ago, and nobody has looked since.
    """
    if unseen:
        return (
            f"thread {row.thread} has heard the answer, and no worker has looked whether it went on ({BY_WORKER} does)"
        )
    if _went_on(row):
        return f"thread {row.thread} went on {row.how}".strip()
    if row.state == "over":
        return f"thread {row.thread} needs no answer any more: {row.problem}"
    if row.state == "lost":
        return f"thread {row.thread} was given up: {row.problem}"
    if row.state == "heard" and not dead:
        return f"thread {row.thread} has the answer and goes on"
    if row.state == "taken" and not dead:
        return f"a worker goes on with thread {row.thread} now"
    if not working:
        trouble = f" The last try: {row.problem}." if row.problem else ""
        return f"thread {row.thread} goes on when a worker runs ({BY_WORKER}), or at {BY_HAND}.{trouble}"
    if row.problem:
        return f"thread {row.thread} can't go on now, and keeps the answer: {row.problem}"
    return f"a worker is about to go on with thread {row.thread}"


def _went_on(row: Waiting) -> bool:
    """Whether a thread went on with its answer, however it ended."""
    return row.state == "over" and row.how != ""
