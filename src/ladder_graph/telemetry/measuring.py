"""Counting and timing calls, for whichever meter takes the figures: OpenTelemetry's, or our own page."""

from __future__ import annotations

from typing import Any, Protocol

from ladder_graph.calls import Call
from ladder_graph.facts import Outcome, Route
from ladder_graph.states import State
from ladder_graph.steps import Execute, Step, Undo, UndoOutcome
from ladder_graph.telemetry.account import Account
from ladder_graph.telemetry.catalog import ANSWER, CALLS, DECISION, EXECUTION, LOOK, REASONS, UNDOS, Metric


class Meter(Protocol):
    """Takes figures. The labels stand in the order of the metric's own."""

    def add(self, metric: Metric, labels: tuple[str, ...]) -> None:
        """One more."""

    def record(self, metric: Metric, labels: tuple[str, ...], value: float) -> None:
        """One value of a histogram."""


class Measuring:
    """Looks on at calls, and tells a meter.

    Args:
        meter: Takes the figures.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def meets(self, call: Call, *, found: bool) -> Measured:
        """A turn of a call begins."""
        return Measured(self._meter, call, found=found)

    def routed(self, call: Call, route: Route, seconds: float) -> None:
        """Its rung was found before its turn."""
        self._meter.record(DECISION, (call.agent, call.tool, route.rung.word), seconds)


class Measured:
    """One turn."""

    trace = ""

    def __init__(self, meter: Meter, call: Call, *, found: bool) -> None:
        self._meter, self._account, self._found = meter, Account(call), found
        self._of = (call.agent, call.tool)

    def before(self, step: Step) -> None:
        """A step is about to be performed."""
        self._account.before(step)

    def after(self, step: Step, answer: Any) -> None:
        """It was performed."""
        self._account.after(step, answer)
        match step, answer:
            case Execute(), Outcome():
                self._meter.record(EXECUTION, (*self._of, answer.kind), self._account.ran or 0.0)
            case Undo(), UndoOutcome():
                self._meter.add(UNDOS, (*self._of, str(answer.state)))

    def over(self, came: Any, *, cut: bool) -> None:
        """The turn is over."""
        account = self._account
        state = account.state(came, cut=cut)
        if state == State.ASKED and not account.fresh:
            return  # Its question was counted when it was asked.
        self._meter.add(CALLS, (*self._of, account.rung, state))
        for reason in account.reasons:
            self._meter.add(REASONS, (*self._of, reason))
        if account.route is not None and account.decided is not None and not self._found:
            self._meter.record(DECISION, (*self._of, account.rung), account.decided)
        self._answered(account, asked=state == State.ASKED)

    def _answered(self, account: Account, *, asked: bool) -> None:
        answered = None if asked else account.answered()
        if answered is None:
            return
        self._meter.record(ANSWER, (*self._of, answered.verdict), answered.seconds)
        if answered.looked is not None:
            self._meter.record(LOOK, (*self._of, answered.verdict), answered.looked)
