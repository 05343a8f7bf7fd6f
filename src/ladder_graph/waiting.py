"""Work on an event loop, which must not wait for a disk or a server: it is tried there first.

Most of the time the gate knows all that it needs, and a visit to another thread would cost more than its work. Whatever
turns out to have to wait is given up before it does, and done from its start in another thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class _WouldWait(BaseException):
    """Carries work that would have to wait off the event loop. Nobody sees it."""


class _Thread(threading.local):
    on_a_loop = False


_thread = _Thread()


def waits() -> None:
    """Say that what comes next may wait, before anything of it is done; `promptly` goes on elsewhere then."""
    if _thread.on_a_loop:
        raise _WouldWait


async def promptly(work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """Do some work here if it needn't wait, and else in another thread, as `asyncio.to_thread` does.

    Args:
        work: May be begun twice: whatever it does before it has to wait must be harmless a second time.
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
    _thread.on_a_loop = True
    try:
        return work(*args, **named)
    except _WouldWait:
        pass
    finally:
        _thread.on_a_loop = False
    return await asyncio.to_thread(work, *args, **named)
