"""What watching costs: from a bad signal to the undo's start, and ten thousand windows worked off by two processes.

`python -m benchmarks.watching LEDGER` is one watcher. It says when it is ready, works until its input ends, and prints
its CPU time in seconds and its memory in megabytes.
"""

from __future__ import annotations

import http.server
import json
import logging
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.machine import peak_memory
from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.facts import Outcome, Route
from ladder_graph.ledger import Journal
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.actions.questions import Terms
from ladder_graph.ledger.watching import signals
from ladder_graph.policy import Policy
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Claim, Record
from ladder_graph.tools import Declaration
from ladder_graph.undo import prepare
from ladder_graph.watch.kept import kept_alert
from ladder_graph.watch.signals import Signal
from ladder_graph.watcher.rounds import POLL, Watcher

WINDOWS = 10_000
WINDOW, EVERY = 30.0, 10.0
"""Seconds that each is watched, and between two measurements: a thousand measurements and 500 ends a second."""
LATE = 1.0
"""Seconds after its end by which a window must be closed."""
ALERTS = 10
"""Actions that are undone, one after the other."""
GRACE = 0.05
"""Seconds that the undo's start may take beside the poll."""
STREAM = "bench"


def before(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing to remember."""
    return {"n": arguments["n"]}


def put_back(kept: Mapping[str, Any]) -> None:
    """Nothing to put back."""


TOOL = Declaration(prepare=before, undo=put_back, home="benchmarks.watching")


def measure() -> list[Figure]:
    """Every figure of watching."""
    logging.getLogger("ladder_graph").setLevel(logging.ERROR)
    Path("build").mkdir(exist_ok=True)
    figures = []
    for group in (_to_the_undo, _many):
        with tempfile.TemporaryDirectory(dir="build") as directory:
            figures += group(Path(directory) / "ladder.db")
    return figures


# --- from a signal to the undo ------------------------------------------------------------------------------------


def _to_the_undo(ledger: Path) -> list[Figure]:
    """From the commit of an alert to the commit of `undoing`, by another process."""
    check = {"kind": "alert", "labels": {"service": "web"}, "alive": {"alertname": "Watchdog"}, "every": 30}
    waits = []
    with closing(_ladder(ledger, check, 600)) as ladder, _watchers(ledger, 1):
        for n in range(ALERTS):
            (action,) = _acted(ladder, [n])
            moment = time.time_ns() // 1000
            alert = Signal(f"f{n}", moment, "firing", {"service": "web"}, moment)
            ladder.store.write(lambda cursor, alert=alert: signals.deliver(cursor, [kept_alert(alert)]))
            begun = time.perf_counter()
            _until(lambda action=action: ladder.action(action).state in {State.UNDOING, State.UNDONE})
            waits.append(time.perf_counter() - begun)
            _until(lambda action=action: ladder.action(action).state is State.UNDONE)
    note = f"longest of {ALERTS}: {max(waits) * 1e3:.0f} ms, with a poll of {POLL * 1e3:.0f} ms"
    return [Figure("watch.signal_to_undo.longest_to_poll", max(waits) / (POLL + GRACE), "ratio", 1, note=note)]


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError("what was waited for doesn't come")
        time.sleep(0.002)


# --- many windows -------------------------------------------------------------------------------------------------


def _many(ledger: Path) -> list[Figure]:
    """Windows whose ends are spread over their length, measured by a URL that all of them share."""
    with _server() as url:
        check = {"kind": "http", "url": url, "every": EVERY}
        with closing(_ladder(ledger, check, WINDOW)) as ladder:
            _acted(ladder, range(WINDOWS))
            with _watchers(ledger, 2) as said:
                begun = _spread(ladder)
                _until_closed(ladder)
                took = time.perf_counter() - begun
            missed, longest, came = _missed(ladder)
    cpu, memory = sum(one["cpu"] for one in said), max(one["memory"] for one in said)
    phases = ", ".join(f"{count} {phase}" for phase, count in sorted(came.items()))
    note = f"{phases}; the latest {longest * 1e3:.0f} ms after its end; {WINDOWS / took:.0f} ends a second"
    return [
        Figure(f"watch.{WINDOWS}_windows.missed", missed, "count", 0, note=note),
        Figure(f"watch.{WINDOWS}_windows.cpu_of_one_core", cpu / took, "ratio", 1, note="both watchers together"),
        Figure(f"watch.{WINDOWS}_windows.memory", memory, "mb", 150, note="of the larger of two watchers"),
    ]


def _spread(ladder: Ladder) -> float:
    """Let the windows end one after the other, the first one when each must have been measured once."""
    length, over, here = int(WINDOW * 1e6), int((WINDOW - EVERY) * 1e6), Moment.at(ladder.clock())

    def spread(cursor: Any) -> None:
        keys = [row["action"] for row in cursor.execute("SELECT action FROM watch", {}).fetchall()]
        for n, key in enumerate(keys):
            gone = over * n // len(keys)
            cursor.execute(
                "UPDATE watch SET begun_us = :begun, begun_boot_us = :boot, until_us = :until, due_us = :due "
                "WHERE action = :key",
                {
                    "begun": here.wall_us - gone, "boot": here.boot_us - gone, "until": here.wall_us - gone + length,
                    "due": here.wall_us + int(EVERY * 0.9e6) * (len(keys) - n) // len(keys), "key": key,
                },
            )  # fmt: skip

    ladder.store.write(spread)
    return time.perf_counter()


def _until_closed(ladder: Ladder) -> None:
    count = "SELECT count(*) FROM watch WHERE due_us IS NOT NULL"
    deadline = time.monotonic() + 4 * WINDOW
    while ladder.store.glance(lambda cursor: cursor.execute(count, {}).fetchone()[0]):
        if time.monotonic() > deadline:
            return  # Those that are left count as missed.
        time.sleep(0.1)


def _missed(ladder: Ladder) -> tuple[int, float, Counter[str]]:
    """Windows that weren't kept, or were closed late; the latest one's delay in seconds; and what came of them all."""
    query = (
        "SELECT watch.phase, entry.at_us - watch.until_us AS late FROM watch "
        "LEFT JOIN entry ON entry.action = watch.action AND entry.kind = 'watched'"
    )
    rows = ladder.store.read(lambda cursor: cursor.execute(query, {}).fetchall())
    late = [LATE * 2e6 if row["late"] is None or row["phase"] != "kept" else row["late"] for row in rows]
    return sum(one > LATE * 1e6 for one in late), max(late) / 1e6, Counter(row["phase"] for row in rows)


@contextmanager
def _server() -> Iterator[str]:
    """A service that is well."""

    class Well(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Well)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


# --- what both need -----------------------------------------------------------------------------------------------


def _ladder(ledger: Path, check: Mapping[str, Any], window: float) -> Ladder:
    rule = {"rung": "rollback", "checks": [check], "watch": {"window": window}}
    policy = Policy.from_rungs(STREAM, {"act": rule}).model_copy(update={"watcher": "process"})
    ladder = Ladder(policy=policy, ledger=ledger)
    ladder.seat("act", TOOL, agent=STREAM, can_ask=True)
    return ladder


def _acted(ladder: Ladder, numbers: Any) -> list[str]:
    """Actions that were claimed with their undo, and done."""
    rule = ladder.policy.rule("act")
    journal = Journal(ladder.store.owner, ladder.policy.revision, ladder.clock())
    made = [Call(STREAM, "1", f"call_{n}", "act", {"n": n}) for n in numbers]

    def work(cursor: Any) -> None:
        for call in made:
            claim = Claim(call, Route(Rung.ROLLBACK), artifact=prepare(call, TOOL))
            claimed = journal.claim(cursor, claim, Terms(rule), None)
            journal.record(cursor, Record(call, claimed.fence, State.DONE, Outcome("done")), None)
            ladder.store.owner.end(call.key, claimed.fence)

    ladder.store.write(work)
    return [call.key for call in made]


@contextmanager
def _watchers(ledger: Path, count: int) -> Iterator[list[dict[str, float]]]:
    """Watchers in processes of their own; what they say of themselves is in the list once the block is over."""
    pipe, said = subprocess.PIPE, []
    start = [sys.executable, "-m", "benchmarks.watching", str(ledger)]
    running = [subprocess.Popen(start, stdin=pipe, stdout=pipe, text=True) for _ in range(count)]
    for process in running:
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        process.stdout.readline()
    try:
        yield said
    finally:
        said += [json.loads(process.communicate()[0]) for process in running]


def main(ledger: str) -> None:
    """Watch until the input ends."""
    logging.getLogger("ladder_graph").setLevel(logging.ERROR)
    with closing(Ladder(agent=STREAM, ledger=ledger)) as ladder:
        watcher = Watcher(ladder.store, ladder.clock, lambda: ladder.policy)
        watcher.start()
        print("ready", flush=True)
        sys.stdin.read()
        watcher.stop()
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "memory": peak_memory()}))


if __name__ == "__main__":
    main(sys.argv[1])
