"""Driving the life of a call: two drivers for the one generator in `ladder_graph.flow`, one of them async."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Generator
from typing import Any, TypeVar, cast

from ladder_graph.ledger import Refused
from ladder_graph.steps import Claim, Execute, Look, Pose, Ring, Settle, Step, TakeOver
from ladder_graph.turns.turn import Turn

T = TypeVar("T")


class Abandoned(BaseException):
    """Carries a call that nobody waits for any more out of its task, before it is claimed. Nobody sees it."""


def drive(life: Generator[Step, Any, T], turn: Turn) -> T:
    """Perform each step of a call's life, and return what it comes to.

    Raises:
        Abandoned: Whoever waited for it was cancelled before it was claimed. Nothing ran.
    """
    claimed = False
    try:
        step = next(life)
        while True:
            if not claimed and not turn.host.awaited():
                raise Abandoned
            claimed = claimed or isinstance(step, Claim | TakeOver)
            step = life.send(_perform(step, turn))
    except StopIteration as end:
        return cast("T", end.value)
    finally:
        life.close()  # Whoever looks on is told that it is over now, and not when memory is tidied.
        turn.over()


def _perform(step: Step, turn: Turn) -> Any:
    if isinstance(step, Execute):
        if (barred := turn.barred()) is not None:
            return barred
        outcome = turn.host.execute(step.call, again=step.again)
        turn.executed()
        return outcome
    step = turn.written(step)
    transaction = turn.transaction(step)
    if transaction is None:
        return turn.perform(step)
    work, durable = transaction
    try:
        return turn.noted(turn.store.write(work, durable=durable))
    except Refused as refused:
        return refused.refusal


async def adrive(life: Generator[Step, Any, T], turn: Turn) -> T:
    """As `drive`, on the event loop. From the claim on, cancelling the caller doesn't stop what was claimed."""
    try:
        step = next(life)
        while not isinstance(step, Claim | TakeOver):
            step = life.send(await _aperform(step, turn))
    except StopIteration as end:
        return cast("T", end.value)
    except BaseException:
        life.close()
        raise
    claimed = asyncio.ensure_future(_afinish(life, step, turn))
    # A caller that was cancelled no longer asks for the result, and an interrupt in it would warn that nobody did.
    claimed.add_done_callback(lambda task: task.cancelled() or task.exception())
    return await asyncio.shield(claimed)


async def _afinish(life: Generator[Step, Any, T], step: Step, turn: Turn) -> T:
    try:
        while True:
            step = life.send(await _aperform(step, turn))
    except StopIteration as end:
        return cast("T", end.value)
    finally:
        life.close()
        turn.over()


async def _aperform(step: Step, turn: Turn) -> Any:
    if isinstance(step, Execute):
        if (barred := turn.barred()) is not None:
            return barred
        outcome = await turn.host.aexecute(step.call, again=step.again)
        if turn.undoable:
            await asyncio.to_thread(turn.executed)
        return outcome
    if isinstance(step, Pose) or (isinstance(step, Settle) and step.draft is not None):
        step = await asyncio.to_thread(turn.written, step)
    transaction = turn.transaction(step)
    if transaction is not None:
        work, durable = transaction
        try:
            return turn.noted(await turn.store.awrite(work, durable=durable))
        except Refused as refused:
            return refused.refusal
    if isinstance(step, Look) and (seen := turn.recalled(step)) is not None:
        return seen
    if isinstance(step, Ring):
        # The interrupt must be raised in the task's own context.
        return turn.perform(step)
    return await asyncio.to_thread(functools.partial(turn.perform, step))
