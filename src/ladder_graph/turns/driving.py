"""Driving the life of a call: two drivers for the one generator in `ladder_graph.flow`, one of them async."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Generator
from typing import Any, TypeVar, cast

from ladder_graph.errors import LedgerError
from ladder_graph.facts import Outcome
from ladder_graph.ledger import Refused, seen_through
from ladder_graph.splitting import Await
from ladder_graph.steps import (
    Claim,
    Claimed,
    Execute,
    Look,
    NotClaimed,
    Pose,
    Record,
    Ring,
    Settle,
    StandBy,
    Step,
    TakeOver,
    Wait,
)
from ladder_graph.turns.awaiting import aslept, slept
from ladder_graph.turns.turn import Turn
from ladder_graph.whose import running

T = TypeVar("T")


class Abandoned(BaseException):
    """Carries a call that nobody waits for any more out of its task, before it is claimed. Nobody sees it."""


class Elsewhere(BaseException):
    """Carries a call out of a thread that it must not keep, as another run of it is waited for. Nobody sees it."""


GIVEN_UP = "it was given up before it ran."
"""What is recorded of a call whose event loop ended between its claim and its run."""


def drive(life: Generator[Step, Any, T], turn: Turn) -> T:
    """Perform each step of a call's life, and return what it comes to.

    Raises:
        Abandoned: Whoever waited for it was cancelled before it was claimed. Nothing ran.
        Elsewhere: Another run of it must be waited for, and not in this thread. It is as if nothing had begun.
    """
    try:
        with running(ours=True):
            step = next(life)
            while True:
                _go_on(turn)
                came = _perform(step, turn)
                turn.begun = turn.begun or isinstance(came, Claimed)
                step = life.send(came)
    except StopIteration as end:
        return cast("T", end.value)
    finally:
        life.close()  # Whoever looks on is told that it is over now, and not when memory is tidied.
        turn.over()


def _go_on(turn: Turn) -> None:
    if not turn.begun and (turn.left or not turn.host.awaited()):
        raise Abandoned


def _perform(step: Step, turn: Turn) -> Any:
    if isinstance(step, Await):
        return slept(turn.waiting(step))
    if isinstance(step, Wait | StandBy):
        if not (turn.begun or turn.host.stays()):
            raise Elsewhere
        return slept(turn.waiting(step), functools.partial(_go_on, turn))
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
    except (Refused, LedgerError) as wrong:
        return _not_written(step, wrong)


def _not_written(step: Step, wrong: Refused | LedgerError) -> NotClaimed:
    """What a step comes to that the ledger refuses.

    Raises:
        LedgerError: The ledger can't be used. Where it was the outcome of a call that it didn't take, that is said.
    """
    if isinstance(wrong, Refused):
        return wrong.refusal
    if isinstance(step, Record):
        call = step.call
        raise type(wrong)(
            f"{call.tool} was started (action {call.short}), and what came of it couldn't be recorded: "
            f"{str(wrong).rstrip('.')}. Don't repeat it; `ladder show {call.short}` tells what is known."
        ) from wrong
    raise wrong


async def adrive(life: Generator[Step, Any, T], turn: Turn) -> T:
    """As `drive`, on the event loop. From the claim on, cancelling the caller doesn't stop what was claimed."""
    with running(ours=True):
        return await _adrive(life, turn)


async def _adrive(life: Generator[Step, Any, T], turn: Turn) -> T:
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
    try:
        return await asyncio.shield(claimed)
    except asyncio.CancelledError:
        turn.left = True
        raise


async def _afinish(life: Generator[Step, Any, T], step: Step, turn: Turn) -> T:
    """From the claim on. Where the loop ends meanwhile, what is claimed is put on record, and nothing else begins.

    Where nothing could be claimed, it goes on only as long as its caller waits.
    """
    given_up: asyncio.CancelledError | None = None
    try:
        while True:
            at = step
            if not isinstance(at, Claim | TakeOver):
                _go_on(turn)
            try:
                came = await _aperform(step, turn, firm=not isinstance(step, Claim | TakeOver))
            except asyncio.CancelledError as cancelled:
                seen = seen_through(cancelled)
                if seen is None:
                    raise
                given_up, came = cancelled, turn.noted(seen[0])
            turn.begun = turn.begun or isinstance(came, Claimed)
            step = life.send(came)
            if given_up is not None and isinstance(at, Claim) and isinstance(step, Execute):
                # It stopped at an interrupt of its own before, or nothing of it has run.
                step = life.send(Outcome("paused" if step.again else "failed", text=GIVEN_UP, signal=given_up))
            if given_up is not None and not isinstance(step, Record):
                raise given_up
    except StopIteration as end:
        return cast("T", end.value)
    finally:
        life.close()
        turn.over()


async def _aperform(step: Step, turn: Turn, *, firm: bool = False) -> Any:
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
            return turn.noted(await turn.store.awrite(work, durable=durable, firm=firm))
        except (Refused, LedgerError) as wrong:
            return _not_written(step, wrong)
    if isinstance(step, Wait | Await | StandBy):
        return await aslept(turn.waiting(step), functools.partial(_go_on, turn))
    if isinstance(step, Look) and (seen := turn.recalled(step)) is not None:
        return seen
    if isinstance(step, Ring):
        # The interrupt must be raised in the task's own context.
        return turn.perform(step)
    return await asyncio.to_thread(functools.partial(turn.perform, step))
