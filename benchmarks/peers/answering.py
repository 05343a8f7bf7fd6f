"""How a gate in an environment of its own is asked: it says what it is, and then runs as many calls as it is told.

    python -m benchmarks.peers.cedar WAY DIRECTORY

One line of JSON comes in, one goes out. The first that goes out tells what is installed. After that a number lets it
take every call so many times, and it answers with the CPU and wall time of that in seconds, and the number of calls.
Nothing but Python is needed here.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import platform
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers.policy import CALLS, MOVING, Asked, Verdict

Decide = Callable[[str, dict[str, Any]], Verdict] | Callable[[str, dict[str, Any]], Awaitable[Verdict]]
"""From a tool and its arguments to a verdict, with everything on the way that a caller can't leave out."""

RECORDED = tuple(asked for asked in CALLS if asked[0] in MOVING and asked[2] == "allow")
"""The calls of which a record is made, by every gate that makes one: what moves something, and is allowed."""


def answer(
    ways: Mapping[str, Callable[[Path], Decide]], *, of: str, fold: Mapping[Verdict, Verdict] | None = None
) -> None:
    """Answer until nobody asks any more. The way is named on the command line, and so is a folder for what it keeps.

    Args:
        ways: How to set the gate up, by way; `decision` is asked about every call, others about those of a record.
        of: What is measured, as it is installed.
        fold: What the gate says in the place of a verdict that it doesn't know.

    Raises:
        RuntimeError: A verdict is wrong, so that what was measured would be another policy.
    """
    way, directory = sys.argv[1], Path(sys.argv[2])
    decide = ways[way](directory)
    calls = RECORDED if way in {"audit", "durable", "one_row"} else CALLS
    with asyncio.Runner() as loop:
        loop.run(_check(decide, calls, fold or {}))
        print(
            json.dumps({"version": f"{of} {version(of)}" if of else "", "python": platform.python_version()}),
            flush=True,
        )
        for line in sys.stdin:
            print(json.dumps(loop.run(_run(decide, calls, int(line)))), flush=True)


async def _check(decide: Decide, calls: tuple[Asked, ...], fold: Mapping[Verdict, Verdict]) -> None:
    for tool, arguments, right in calls:
        found = decide(tool, arguments)
        said = await found if inspect.isawaitable(found) else found
        if said != fold.get(right, right):
            raise RuntimeError(f"{tool} with {arguments} was decided as {said}, and {right} is right")


async def _run(decide: Decide, calls: tuple[Asked, ...], rounds: int) -> dict[str, float]:
    """Where a gate is async, everything is awaited in one task, so that the loop costs it nothing."""
    pairs = [(tool, arguments) for tool, arguments, _ in calls] * rounds
    one: Any = decide
    cpu, wall = time.process_time(), time.perf_counter()
    if inspect.iscoroutinefunction(decide):
        for tool, arguments in pairs:
            await one(tool, arguments)
    else:
        for tool, arguments in pairs:
            one(tool, arguments)
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "calls": len(pairs)}
