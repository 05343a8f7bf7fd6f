"""Work on an event loop, which must not wait for a disk or a server: it is tried there first.

Most of the time the gate knows all that it needs, and a visit to another thread would cost more than its work. Whatever
turns out to have to wait is given up before it does, and done from its start in another thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class _WouldWait(BaseException):
    """Carries work that would have to wait off the event loop. Nobody sees it."""


class _Thread(threading.local):
    later: list[Callable[[], object]] | None = None
    """What is to be done at the end of the work that is tried on an event loop; None where there is none."""


_thread = _Thread()


def waits() -> None:
    """Say that what comes next may wait, before anything of it is done; `promptly` goes on elsewhere then."""
    if _thread.later is not None:
        raise _WouldWait


def once(do: Callable[[], object]) -> None:
    """Do something that may be done but once: now, or at the end of the work that is tried on an event loop."""
    if _thread.later is None:
        do()
    else:
        _thread.later.append(do)


async def promptly(work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """Do some work here if it needn't wait, and else in another thread, as `asyncio.to_thread` does.

    Args:
        work: May be begun twice: whatever it does before it has to wait must be harmless a second time, or be handed
            to `once`.
        args: What it is given.
        named: As above, by name.

    Example:
        >>> def known(n):
        ...     return n if n < 10 else asked(n)
        >>> def asked(n):
        ...     waits()
        ...     return f"{n}, from {'here' if threading.current_thread() is threading.main_thread() else 'elsewhere'}"
        >>> asyncio.run(promptly(known, 1)), asyncio.run(promptly(known, 12))
        (1, '12, from elsewhere')
    """
    tried = _tried(partial(work, *args, **named))
    if tried is None:
        return await asyncio.to_thread(work, *args, **named)
    came, later = tried
    for do in later:
        do()
    return came


def _tried(work: Callable[[], T]) -> tuple[T, list[Callable[[], object]]] | None:
    """What work came to and what is to be done now; None where it would have had to wait."""
    before, later = _thread.later, list[Callable[[], object]]()
    _thread.later = later
    try:
        return work(), later
    except _WouldWait:
        return None
    finally:
        _thread.later = before
