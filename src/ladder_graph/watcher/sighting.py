"""One look at one window: everything that it is judged by, read from the ledger at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from ladder_graph.ledger import Store
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.gate import starts
from ladder_graph.ledger.watching import measurements, signals
from ladder_graph.ledger.watching.measurements import Measured
from ladder_graph.ledger.watching.watches import Window, watched
from ladder_graph.policy.checks import Check, Command, Python, Sql
from ladder_graph.policy.watching import Watch
from ladder_graph.watch import Judgement, Surroundings, Taken, Told, judge, measured, told_of
from ladder_graph.watch.kept import alert_of
from ladder_graph.watch.signals import Signal
from ladder_graph.watch.verdicts import Verdict


@dataclass(slots=True)
class Sighting:
    """A window as it is seen at one moment.

    Its moments are on an axis of its own, which begins where the action had run. Where the wall clock and the machine's
    own don't agree about how long ago that was, good health must last by the one that nobody sets, and the time in
    which somebody must keep the action is over by either.

    Args:
        store: The ledger.
        window: The window.
        here: The moment.
        arguments: Those of the call, where a check asks by them.
        before: What was measured before.
        heard: What came in from outside since the action.
    """

    store: Store
    window: Window
    here: Moment
    arguments: Mapping[str, Any]
    before: list[Measured]
    heard: list[signals.Signal]
    spoilt: str = ""
    """Why it can't be judged, in words; empty where it can."""
    new: list[Measured] = field(default_factory=list)
    """What was measured now."""

    @classmethod
    def of(cls, cursor: Cursor, store: Store, here: Moment, window: Window, heard: list[signals.Signal]) -> Sighting:
        """Read it.

        Args:
            cursor: Of the ledger.
            store: The same ledger, for what is read later.
            here: The moment.
            window: The window, whose spec is what was written down with the claim.
            heard: Everything that came in from outside lately.
        """
        given = starts.arguments(cursor, window.action) if any(map(asks_by, watched(window.spec)[1])) else {}
        since = window.begun.wall_us
        return cls(
            store, window, here, given or {}, measurements.measurements(cursor, window.action),
            [one for one in heard if one.at_us >= since], "" if given is not None else "its arguments were changed",
        )  # fmt: skip

    @property
    def watch(self) -> Watch:
        """How it is watched."""
        return watched(self.window.spec)[0]

    @property
    def checks(self) -> tuple[Check, ...]:
        """What is measured."""
        return watched(self.window.spec)[1]

    @property
    def began(self) -> int:
        """When the action had run."""
        return self.window.begun.wall_us

    @property
    def now(self) -> int:
        """The moment, on the window's axis."""
        trusted, most = self.here.since(self.window.begun)
        return self.began + max(0, most if self.watch.confirm == "required" else trusted)

    @property
    def until(self) -> int:
        """When it ends, with what people have put on it."""
        extended = (
            int(one.body["until"]) for one in self.heard if one.kind == "extend" and one.action == self.window.action
        )
        return max(self.window.until_us, *extended, 0)

    def judged(self) -> Judgement:
        """What is to be done."""
        taken = [Taken(one.which, one.at_us, cast("Verdict", one.verdict)) for one in (*self.before, *self.new)]
        now = self.now
        persons = [_told(one, now) for one in self.heard if one.action == self.window.action and one.kind != "alert"]
        alerts = list(told_of(self.checks, self._alerts(now), self.began))
        return judge(self.watch, self.checks, self.began, now, taken, [*alerts, *persons])

    def measure(self, place: int) -> Measured:
        """Take one measurement."""
        now = self.now
        around = Surroundings(
            agent=self.window.agent, began=self.began, later=self._later, signals=self._alerts(now), clock=lambda: now
        )
        found = measured(self.checks[place], self.arguments, around)
        return Measured(place, found.at, found.verdict, found.text)

    def _later(self, agent: str, since: int) -> tuple[int, int]:
        return self.store.glance(lambda cursor: measurements.later(cursor, agent, since))

    def _alerts(self, now: int) -> list[Signal]:
        return [alert_of(one, now) for one in self.heard if one.kind == "alert"]


def asks_by(check: Check) -> bool:
    """Whether a check asks by the call's arguments."""
    return isinstance(check, Python | Command | Sql)


def _told(one: signals.Signal, now: int) -> Told:
    """What a person said, no later than now."""
    kind = cast("Literal['undo', 'keep', 'extend']", one.kind)
    return Told(kind, min(one.at_us, now), until=one.body.get("until"))
