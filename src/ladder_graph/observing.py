"""Who looks on while a call lives: told of each step and of its answer, and never in its way.

The generator of `ladder_graph.flow` is wrapped once, so that both drivers are looked at alike. Where nobody looks on,
nothing is wrapped. What goes wrong in whoever looks on is logged, once, and costs the call nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar, cast

from ladder_graph.calls import Call
from ladder_graph.facts import Route
from ladder_graph.flow import Routed
from ladder_graph.steps import Pose, Step
from ladder_graph.waiting import once

log = logging.getLogger("ladder_graph")
T = TypeVar("T")


class Witness(Protocol):
    """Looks on at one turn of a call: from where it comes to the gate until it ends, or waits for a person."""

    @property
    def trace(self) -> str:
        """What a question of this turn is kept with, so that whoever goes on finds it; empty where that is nothing."""

    def before(self, step: Step) -> None:
        """A step is about to be performed."""

    def after(self, step: Step, answer: Any) -> None:
        """It was performed, and this came of it."""

    def over(self, came: Any, *, cut: bool) -> None:
        """The turn is over.

        Args:
            came: What it came to.
            cut: It was left before it came to anything, at an interrupt or by an error.
        """


class Observer(Protocol):
    """Looks on at the calls of one ladder, in whatever thread or task they live in. It must not wait."""

    def meets(self, call: Call, *, found: bool) -> Witness | None:
        """A turn of a call begins.

        Args:
            call: The call.
            found: Whether its route was found a moment ago, so that `routed` was told of it.

        Returns:
            Who looks on; None where nobody does.
        """

    def routed(self, call: Call, route: Route, seconds: float) -> None:
        """The gate has found a rung for a call that hasn't come to it yet."""


class Observers:
    """Everybody who looks on at the calls of one ladder."""

    def __init__(self) -> None:
        self._all: tuple[Observer, ...] = ()
        self._said: set[tuple[str, str]] = set()

    def __iter__(self) -> Iterator[Observer]:
        """Each of them."""
        return iter(self._all)

    def add(self, observer: Observer) -> None:
        """Let one more look on, from the next turn of any call on."""
        self._all += (observer,)

    def over(self, call: Call, life: Generator[Step, Any, T], *, found: bool = False) -> Generator[Step, Any, T]:
        """The life of a call as it is looked at; as it was where nobody looks on.

        Args:
            call: The call.
            life: What a driver is to perform.
            found: Whether its route was found a moment ago.
        """
        if not self._all:
            return life
        met = [self._safely(one.meets, call, found=found) for one in self._all]
        return self._seen([one for one in met if one is not None], life)

    def routing(self, call: Call, finding: Generator[Step, Any, Routed]) -> Generator[Step, Any, Routed]:
        """The finding of a call's route, as it is timed; as it was where nobody looks on."""
        return self._timed(call, finding) if self._all else finding

    def _timed(self, call: Call, finding: Generator[Step, Any, Routed]) -> Generator[Step, Any, Routed]:
        begun = time.perf_counter()
        found = yield from finding
        seconds = time.perf_counter() - begun
        for one in self._all:
            once(partial(self._safely, one.routed, call, found[0], seconds))
        return found

    def _seen(self, witnesses: list[Witness], life: Generator[Step, Any, T]) -> Generator[Step, Any, T]:
        came, cut = None, True
        try:
            step = next(life)
            while True:
                step = self._begun(witnesses, step)
                answer = yield step
                for one in witnesses:
                    self._safely(one.after, step, answer)
                step = life.send(answer)
        except StopIteration as end:
            came, cut = end.value, False
            return cast("T", came)
        finally:
            life.close()
            for one in reversed(witnesses):
                self._safely(one.over, came, cut=cut)

    def _begun(self, witnesses: list[Witness], step: Step) -> Step:
        for one in witnesses:
            if isinstance(step, Pose) and not step.trace:
                step = replace(step, trace=self._safely(lambda one=one: one.trace) or "")
            self._safely(one.before, step)
        return step

    def _safely(self, told: Callable[..., T], *given: Any, **more: Any) -> T | None:
        try:
            return told(*given, **more)
        except Exception as wrong:  # noqa: BLE001  # whoever looks on may be anybody's code, and must stop no call
            # The error itself may hold what was looked at, so only its name is logged.
            what = getattr(told, "__qualname__", repr(told)), type(wrong).__name__
            if what not in self._said:
                self._said.add(what)
                log.warning("what looks on at calls failed in %s: %s; it is said once", *what)
            return None
