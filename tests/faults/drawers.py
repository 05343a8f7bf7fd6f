"""Processes that draw on one limit at once, race after race, whatever becomes of their calls and their clocks say."""

from __future__ import annotations

import datetime as dt
import random
from contextlib import closing, contextmanager

from ladder_graph.policy.bounds import Charge
from ladder_graph.policy.bounds.window import start
from ladder_graph.steps import Claimed
from tests.faults.crashing import CONTEXT
from tests.unit.ledger.desk import Desk, call

PROCESSES = 16
LIMIT = 60
REACH = 8
"""Buckets that a sliding window reaches back."""
ENDS = ("done", "failed", "unknown", "")
"""What becomes of a call; nothing is heard any more of the last one."""

ZONE = "Europe/Zurich"
SPRING, AUTUMN = (dt.datetime(2026, month, day, 1, tzinfo=dt.UTC) for month, day in ((3, 29), (10, 25)))
"""When its clocks go forward from two to three, and back from three to two."""


def around(change, attempt, dice):
    """The hour that it is: at first the one before the change, and now and then later, too."""
    minutes = dice.choice((-10, 10, 10)) if attempt > 1 else -10
    return start(change + dt.timedelta(minutes=minutes), "hour", ZONE) // 1_000_000, 0


def within(change, hours, dice):
    """The day that it is, at any moment of one with so many hours."""
    midnight = start(change, "day", ZONE) // 1_000_000
    moment = dt.datetime.fromtimestamp(midnight + dice.randrange(hours * 3600), dt.UTC)
    return start(moment, "day", ZONE) // 1_000_000, 0


CLOCKS = {
    "fixed": lambda attempt, dice: (7, 0),
    # Everybody begins yesterday, and now and then somebody's clock says that it is yesterday still.
    "midnight": lambda attempt, dice: (dice.choice((7, 8, 8)) if attempt > 1 else 7, 0),
    "summer time begins": lambda attempt, dice: around(SPRING, attempt, dice),
    "summer time ends": lambda attempt, dice: around(AUTUMN, attempt, dice),
    "a day of 23 hours": lambda attempt, dice: within(SPRING, 23, dice),
    "a day of 25 hours": lambda attempt, dice: within(AUTUMN, 25, dice),
    "sliding": lambda attempt, dice: (100 + min(attempt, REACH), REACH),
    "sliding, set back": lambda attempt, dice: (dice.randint(100, 100 + REACH), REACH),
}
"""The window, or the bucket, that a process finds itself in at an attempt, and how far back earlier ones count."""
TWO = {"midnight", "summer time begins", "summer time ends"}
"""Where a window ends meanwhile, and the limit is there anew in the next one."""


def charged(amount, begun, reach):
    """What a call takes."""
    return Charge("ops/pay/money", "it", amount, LIMIT, "micro_usd", begun * 1_000_000, reach * 1_000_000)


RATE = Charge("ops/pay/rate", "a burst", 1, LIMIT, "calls", 7_000_000, interval=1_000_000)
"""A call of a rate: as many as the limit may come at once, and the clock stands still."""


def drawn(place, clock, number, seed, barrier):
    """Claim until nothing at all is left; which action took how much."""
    dice, took, attempt, amount = random.Random(f"{seed} {number}"), {}, 0, 2  # noqa: S311  # it makes no secrets
    with closing(Desk(place)) as desk:
        barrier.wait(60)
        while amount:
            one, attempt = call(f"{number}_{attempt}"), attempt + 1
            asked = charged(amount, *CLOCKS[clock](attempt, dice)) if clock in CLOCKS else RATE
            if desk.claim(one, asked) != Claimed(1):
                amount -= 1
                continue
            took[one.key], amount = amount, dice.randint(1, 5)
            if end := dice.choice(ENDS if clock != "rate, none fails" else ("done", "unknown", "")):
                desk.record(end, one)
    return took


def serve(number, pipe, barrier):
    """One process: it draws where it is told, until it is told nowhere."""
    while (order := pipe.recv()) is not None:
        pipe.send(drawn(*order[:2], number, order[2], barrier))


@contextmanager
def drawers():
    """All processes, up and ready: a function of place, clock and seed that lets them race and says who took what."""
    barrier, pipes = CONTEXT.Barrier(PROCESSES), [CONTEXT.Pipe() for _ in range(PROCESSES)]
    processes = [
        CONTEXT.Process(target=serve, args=(number, there, barrier), daemon=True)
        for number, (_, there) in enumerate(pipes)
    ]

    def race(*order):
        took = {}
        for here, _ in pipes:
            here.send(order)
        for here, _ in pipes:
            assert here.poll(120)
            took |= here.recv()
        return took

    for process in processes:
        process.start()
    try:
        yield race
        for here, _ in pipes:
            here.send(None)
    finally:
        for process in processes:
            process.join(10)
            process.kill()
