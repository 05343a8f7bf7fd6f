"""What one turn of a call comes to, gathered step by step. Everything that is told of a call is read off here."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.facts import Outcome, Question, Reply, Route, Seen
from ladder_graph.scale import Rung
from ladder_graph.splitting import Divide
from ladder_graph.states import State
from ladder_graph.steps import (
    Claim,
    Execute,
    Fit,
    GoneOn,
    Heard,
    Look,
    NotClaimed,
    Pose,
    Recall,
    Ring,
    Settle,
    Step,
    Weigh,
)

DECIDING = (Weigh, Look, Divide, Recall, Fit)
"""The steps by which a rung is found."""
BROKEN = "broken"
"""What a turn ended in that an error of the machinery has ended."""
UNTOLD = "none"
"""The rung of a call that came to none, since what it came to before was told again, or a watcher saw to it; and the
state of one that a watcher found out about, and left to its own thread."""
BAD = frozenset({State.FAILED, State.UNKNOWN, State.UNDO_CONFLICT, State.UNDO_FAILED, BROKEN})
"""What a turn, a tool or an undo that went wrong ends in."""


@dataclass(slots=True)
class Answered:
    """What a person, or time, said of a question."""

    verdict: str
    seconds: float
    """From the question to the answer."""
    looked: float | None
    """Seconds that the person looked at it; None where that wasn't measured."""


class Account:
    """One turn, as far as it has come.

    Args:
        call: The call.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        self.route: Route | None = None
        self.earned = ""
        """The rung that its cell was promoted to or fell to, by its word; empty where it was neither."""
        self.question: Question | None = None
        self.fresh = False
        """Whether the question was asked in this turn."""
        self.decided: float | None = None
        """Seconds until its rung was found."""
        self.ran: float | None = None
        """Seconds that the tool ran last."""
        self.last: Step | None = None
        self._begun = self._since = time.perf_counter()

    @property
    def rung(self) -> str:
        """The rung's word."""
        if self.route is None:
            return UNTOLD if self.question is None else Rung.CONFIRM.word
        return self.route.rung.word

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes of the reasons why it isn't on a higher rung, each once."""
        return () if self.route is None else tuple(dict.fromkeys(one.code for one in self.route.reasons))

    def before(self, step: Step) -> None:
        """A step is about to be performed."""
        self.last = step
        if self.decided is None and not isinstance(step, DECIDING):
            self.decided = time.perf_counter() - self._begun
        if self.route is None and isinstance(step, Settle | Pose | Claim):
            self.route = step.route
        if isinstance(step, Execute):
            self._since = time.perf_counter()

    def after(self, step: Step, answer: Any) -> None:
        """It was performed."""
        match step, answer:
            case ((Pose() | Heard() | GoneOn()), Question()) if not self._settled():
                self.question, self.fresh = answer, answer.fresh and isinstance(step, Pose)
            case Execute(), Outcome():
                self.ran = time.perf_counter() - self._since
            case Look(), Seen():
                earned = answer.standing if answer.standing is not None else answer.earned
                self.earned = "" if earned is None else earned.word
            case (Claim() | Pose(), NotClaimed(code="stale")) | (Claim(seen=Seen(recalled=True)), NotClaimed()):
                self.route = self.decided = None  # It is found anew.

    def _settled(self) -> bool:
        """Whether it knows what was said; the call in the place of an edited one is approved as it is asked."""
        return self.question is not None and self.question.decision is not None

    def state(self, came: Any, *, cut: bool) -> str:
        """What the turn ended in.

        Args:
            came: What it came to.
            cut: It was left before it came to anything.
        """
        if cut:
            return str(State.ASKED) if isinstance(self.last, Ring) else BROKEN
        return str(came.state) if isinstance(came, Reply) else UNTOLD

    def answered(self) -> Answered | None:
        """What was said of its question; None where it has none, or waits."""
        asked = self.question
        if asked is None or (asked.decision is None and not asked.expired):
            return None
        if asked.decision is None:
            return Answered("expired", (asked.expires_at - asked.asked_at).total_seconds(), None)
        waited = (asked.decision.at - asked.asked_at).total_seconds()
        return Answered(asked.decision.verdict, max(0.0, waited), asked.decision.looked)
