"""A process that watches until it is stopped, and takes alerts meanwhile."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ladder_graph.cli.ending import Ending
from ladder_graph.errors import LadderError
from ladder_graph.wording import inert

if TYPE_CHECKING:
    from ladder_graph.cli.assessments import IncidentDocument
    from ladder_graph.ladder import Ladder
    from ladder_graph.policy import Policy
    from ladder_graph.watch.mistakes import Reported

log = logging.getLogger("ladder_graph")

HERE = "127.0.0.1"
"""Where it listens unless another address is said."""
HIGHEST = 65_535
"""The last port there is."""


@dataclass(frozen=True, slots=True)
class Listening:
    """An address that is taken, and what a sender must show."""

    sockets: list[socket.socket]
    token: str
    name: str
    """The variable that holds the token: who comes with it is known by this name."""

    def place(self, path: str = "signals") -> str:
        """The address, as a sender needs it."""
        host, port, *_ = self.sockets[0].getsockname()
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/{path}"


def bound(address: str, policy: Policy) -> Listening:
    """Take an address, with the token that the policy names.

    Args:
        address: `HOST:PORT`, `:PORT` or `PORT`.
        policy: Says in which variable of the environment the token is.

    Raises:
        LadderError: There is no token that can't be guessed, no such address, or something that is needed is missing.
    """
    token = _token(policy)
    _needed()
    from ladder_graph.telemetry.probing import token_of

    token_of(policy)  # It is said now that it isn't there, and not once it watches.
    taken = taken_at(address)
    return Listening([taken], token, policy.signals.token_env or "")


def taken_at(address: str) -> socket.socket:
    """Take an address, so that nobody else has it.

    Args:
        address: `HOST:PORT`, `:PORT` or `PORT`.

    Raises:
        LadderError: There is no such address, or somebody else has it.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or HERE
    if not port.isdecimal() or int(port) > HIGHEST:
        raise LadderError(f"--listen {address!r} names no port; write --listen PORT, or HOST:PORT")
    try:
        return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as wrong:
        raise LadderError(f"{host}:{port} can't be listened at: {wrong.strerror or wrong}") from wrong


def _token(policy: Policy) -> str:
    from ladder_graph.watch.tokens import token_in

    name = policy.signals.token_env
    if name is None:
        raise LadderError('alerts are taken with a token only; name its variable: [signals] token_env = "..."')
    return token_in(name, "alerts are taken")


def _needed() -> None:
    """Raises where what serves isn't there."""
    from importlib.util import find_spec

    if find_spec("uvicorn") is None or find_spec("starlette") is None:
        raise LadderError("--listen needs uvicorn and starlette; install them with: pip install 'ladder-graph[watch]'")


def until_stopped(ladder: Ladder, listening: Listening | None = None) -> None:
    """Watch until SIGTERM or SIGINT; what was begun is done first.

    Raises:
        LadderError: Nothing is listened to any more.
    """
    over = Ending()
    ladder.watcher.policy = ladder.refresh
    ladder.notarize()
    ladder.watcher.start()
    ladder.keep_assessing()
    log.info("watching %s", ladder.store.source)
    if listening is None:
        over.wait()
    else:
        _listen(ladder, listening, over)
    ladder.watcher.stop()
    log.info("stopped")


def _listen(ladder: Ladder, listening: Listening, over: Ending) -> None:
    import uvicorn

    from ladder_graph.cli import assessments, incidents
    from ladder_graph.facts import Person
    from ladder_graph.telemetry.probing import probed
    from ladder_graph.watch import Signal
    from ladder_graph.watch.receiving import create_app

    def deliver(signals: list[Signal]) -> None:
        log.info("alerts: %d delivered, %d new", len(signals), ladder.deliver(signals))

    def report(one: Reported) -> IncidentDocument:
        # The sender is known by its token; whom it names nobody has checked.
        by = Person(f"{listening.name}, for {one.by}" if one.by else listening.name, "server")
        found, down, new = incidents.report(ladder, one.action, one.severity, by, kind=one.kind, text=one.text)
        log.info("incident: %s (action %s), %s", found.tool, found.short, "new" if new else "known")
        return assessments.incident(found, down, new=new)

    app = create_app(deliver, listening.token, report, probed(ladder, watching=True))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))

    def serve() -> None:
        try:
            server.run(sockets=listening.sockets)
        finally:
            over.tell()

    thread = threading.Thread(target=serve, name="ladder-signals", daemon=True)
    thread.start()
    log.info("alerts are taken at %s", listening.place())
    log.info("incidents are taken at %s", listening.place("incidents"))
    if ladder.policy.metrics.token_env is not None:
        log.info("figures are told at %s", listening.place("metrics"))
    over.wait()
    lost = not server.should_exit and not thread.is_alive()
    server.should_exit = True
    thread.join()
    if lost:
        raise LadderError(f"nothing listens at {listening.place()} any more")


@contextmanager
def spoken() -> Iterator[None]:
    """What the ladder logs meanwhile goes to standard output, one line each."""
    told, level = _Lines(), log.level
    log.addHandler(told)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(told)
        log.setLevel(level)


class _Lines(logging.Handler):
    """One line a record, in which nothing acts, whatever a tool or an alert has put into it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print it at once."""
        wrong = record.exc_info[1] if record.exc_info else None
        said = record.getMessage() + (f": {type(wrong).__name__}: {wrong}" if wrong else "")
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        try:
            sys.stdout.write(f"{stamp} {inert(' '.join(said.split()))}\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            self.handleError(record)
