"""Replay: what a call costs, what the pack costs under six policies, and whether memory stays flat.

The long streams are the pack over and over, each time with tasks of other names, fed through a pipe: nothing is written
to the disk, and no two tasks are alike.
"""

from __future__ import annotations

import datetime as dt
import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from benchmarks.figures import Figure, interleaved, least_cpu
from ladder_graph.policy import load_policy
from ladder_graph.replay import REFERENCES, Board, Decider, read

AGENTDOJO = Path(__file__).parents[1] / "examples" / "agentdojo"
PACK = AGENTDOJO / "runs.jsonl.gz"
AT = dt.datetime(2024, 5, 15, 10, tzinfo=dt.UTC)
CALLS = 3768
"""Calls in the pack."""
LENGTHS = (10**5, 10**6, 10**7)
"""Calls in the streams. The shortest has all tasks that are counted apart, whose resamples take most of the memory."""

WATCHED = """
import sys
from benchmarks.machine import peak_memory
from benchmarks.replay import board, AT, ours
from ladder_graph.replay import Coverage, read
seen, held = Coverage(), board({"ours": ours()})
for run in read("-", sys.exit):
    seen.add(run)
    held.add(run)
list(held.rows())
print(seen.calls, peak_memory())
"""
"""Holds a stream against one policy, and prints how many calls it had and the most memory that took, in megabytes."""


def ours():  # noqa: ANN201  # a policy by suite
    """The shipped policies."""
    return {suite: load_policy(AGENTDOJO / f"{suite}.toml") for suite in ("banking", "workspace")}


def board(policies) -> Board:  # noqa: ANN001  # by name and suite
    """A board of policies."""
    return Board(policies, at=AT, trouble=sys.exit)


def measure() -> Iterator[Figure]:
    """The figures, one after the other."""
    shipped = ours()
    six = {"ours": shipped} | {
        name: {suite: made(policy) for suite, policy in shipped.items()} for name, made in REFERENCES.items()
    }
    runs = list(read(str(PACK), sys.exit))

    def held(policies) -> None:  # noqa: ANN001
        one = board(policies)
        for run in runs:
            one.add(run)

    def decided() -> None:
        deciders = {suite: Decider(policy, AT) for suite, policy in shipped.items()}
        for run in runs:
            for _ in deciders[run.suite].judged(run):
                pass

    def whole() -> None:
        one = board(six)
        for run in read(str(PACK), sys.exit):
            one.add(run)
        list(one.rows())

    costs = interleaved(
        {
            "decided": decided,
            "one": lambda: held({"ours": shipped}),
            "read": lambda: list(read(str(PACK), sys.exit)),
            "six": whole,
        },
        9,
    )
    for name, what in (("decided", "decided by one policy"), ("one", "decided and counted")):
        a_second = 1e6 / least_cpu(costs[name], CALLS)
        yield Figure(f"replay: calls a second, {what}", a_second, "count", 50_000, more_is_better=True)
    yield Figure("replay: a call of the pack read from its file", least_cpu(costs["read"], CALLS), "us_cpu", 20)
    yield Figure(
        "replay: the pack under six policies", min(cost.cpu for cost in costs["six"]), "s_cpu", 5,
        note="read, decided, counted, with intervals",
    )  # fmt: skip
    first, *others = (peak(calls) for calls in LENGTHS)
    for calls, most in zip(LENGTHS[1:], others, strict=True):
        yield Figure(
            f"replay: peak memory, {calls:.0e} calls to {LENGTHS[0]:.0e}", most / first, "ratio", 1.1,
            note=f"{most:.0f} MB to {first:.0f} MB",
        )  # fmt: skip


def peak(calls: int) -> float:
    """The most memory that a stream of so many calls takes, in megabytes."""
    program = [sys.executable, "-c", WATCHED]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        feeder = threading.Thread(target=_feed, args=(running.stdin, calls))
        feeder.start()
        seen, most = map(float, cast("IO[bytes]", running.stdout).read().split())
        feeder.join()
    if seen < calls:
        raise SystemExit(f"of {calls:,} calls only {seen:,.0f} were read")
    return most


def _feed(stdin: IO[bytes], calls: int) -> None:
    lines = gzip.decompress(PACK.read_bytes())
    with stdin:
        for turn in range(-(-calls // CALLS)):
            stdin.write(lines.replace(b"/user_task_", b"/user_task_%d_" % turn))
