"""Waiting for what somebody else sees through: a watch that a live call depends on, or a task that runs the same call.

Here it is only looked at. Each wait is written once, as a generator that looks, and gives the seconds until it looks
again; `slept` waits them out in its thread, and `aslept` on an event loop, which holds no thread meanwhile.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar, cast

from ladder_graph.facts import Seen
from ladder_graph.ledger import Store
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.tables.rows import US
from ladder_graph.ledger.watching import watches
from ladder_graph.ledger.watching.watches import Window
from ladder_graph.states import AT_WORK

T = TypeVar("T")
Waiting = Generator[float, None, T]
"""Gives seconds to wait until the next look, and returns what was waited for."""

LOOK = 0.05
"""Seconds between two looks."""
GRACE = 10.0
"""Seconds after the end of a watch within which a watcher must have said what came of it."""
PATIENCE = 30.0
"""Seconds to wait for another live task that runs the very same action."""


@dataclass(slots=True)
class Patience:
    """How long one turn waits for other calls on its resource, however many; by the monotonic clock.

    What was left there has a time of its own: of two calls that have waited for it, one still waits for the other.
    """

    until: float = math.inf
    """When it is over for calls that run; endless before it has begun to wait for one."""
    left_until: float = math.inf
    """When it is over for what was left, which all calls wait for at the same time."""

    def lasts(self) -> tuple[bool, bool]:
        """Whether it still waits for calls that run, and for what was left."""
        now = time.monotonic()
        return now < self.until, now < self.left_until

    def counts_from(self, since: float | None) -> float:
        """When it is over for what is seen to since that moment, or for a call that runs, which is waited for now."""
        if since is None:
            self.until = min(self.until, time.monotonic() + PATIENCE)
            return self.until
        self.left_until = min(self.left_until, since + PATIENCE)
        return self.left_until


def slept(waiting: Waiting[T], go_on: Callable[[], object] = bool) -> T:
    """Wait in this thread.

    Args:
        waiting: What is waited for.
        go_on: Raises, before each pause, where nobody waits any more.
    """
    while True:
        pause, came = _looked(waiting)
        if pause is None:
            return cast("T", came)
        go_on()
        time.sleep(pause)


async def aslept(waiting: Waiting[T], go_on: Callable[[], object] = bool) -> T:
    """As `slept`, with nothing but the looks in another thread. It ends at once where its task is cancelled."""
    while True:
        pause, came = await asyncio.to_thread(_looked, waiting)
        if pause is None:
            return cast("T", came)
        go_on()
        await asyncio.sleep(pause)


def _looked(waiting: Waiting[T]) -> tuple[float | None, T | None]:
    try:
        return next(waiting), None
    except StopIteration as end:
        return None, end.value


def left_alone(look: Callable[[], Seen]) -> Waiting[Seen]:
    """Wait until nobody runs an action any more, or `PATIENCE` is over.

    Args:
        look: Tells what the ledger knows of it.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        seen = look()
        if seen.known is None or time.monotonic() > deadline:
            return seen
        if not seen.known.owner_alive:
            # Its end may have come between its row and the look at its owner, who is over only once that is written.
            return look() if seen.known.state in AT_WORK else seen
        yield LOOK


def stood_by(
    store: Store, occupies: Callable[[Cursor], bool | None], see_to: Callable[[], float | None], patience: Patience
) -> Waiting[None]:
    """Wait until an action keeps nobody from what it touches any more, or the time is over.

    Args:
        store: The ledger.
        occupies: Whether it does; None where somebody must see to that, as its process is gone or it is to be undone.
        see_to: Does so, where nobody is at it, and tells since when that lasts; None of a call that runs.
        patience: How long it is waited for. What was left on a resource has been waited for by others, too.
    """
    left, until = None, 0.0
    while (found := store.glance(occupies)) is not False:
        if left is None or (found is None and not left):
            left, until = found is None, patience.counts_from(see_to())
        elif time.monotonic() < until:
            yield LOOK
        else:
            return
    # However many come between each undo that is made anew and its claim, that ends too.
    patience.counts_from(None)


def outlasted(store: Store, clock: Callable[[], dt.datetime], action: str) -> Waiting[str]:
    """Wait until the watch over an action has ended.

    Args:
        store: The ledger.
        clock: Returns the present moment as an aware datetime.
        action: The action's key.

    Returns:
        Empty where it was kept; otherwise what is wrong, in words. That nobody watched is wrong: silence is no health.
    """

    def look(cursor: Cursor) -> Window | None:
        return watches.window_of(cursor, action)

    until, last = 0, time.monotonic()
    while True:
        window = store.glance(look)
        if window is None or window.phase not in {"armed", "open"}:
            return _ended(window)
        if window.until_us != until:  # A person may have put something on.
            until = window.until_us
            last = time.monotonic() + max(0.0, (until - micros(clock())) / US) + GRACE
        if time.monotonic() > last:
            return "nobody measured it in time"
        yield LOOK


def _ended(window: Window | None) -> str:
    if window is None:
        return "its watch is gone"
    return "" if window.phase == "kept" else window.why or "its watch did not end well"
