"""The workers behind `ladder resume-worker`: on a graph in this process, or on a server's threads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from ladder_graph.cli.ending import Ending
from ladder_graph.cli.graphs import load, made_by
from ladder_graph.errors import LadderError
from ladder_graph.ledger.database.sqlite import MEMORY
from ladder_graph.resuming import InProcess, Server, Worker

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

log = logging.getLogger("ladder_graph")


@contextmanager
def here(app: str, poll: float) -> Iterator[Worker]:
    """A worker on a graph of this project.

    Args:
        app: `module:name` of a graph under a ladder, or of a function that makes one; it may be async, and may be a
            context manager, as whoever opens a checkpointer is.
        poll: Seconds between two looks.

    Raises:
        LadderError: There is no such graph, it is under no ladder, or no other process can see its threads.
    """
    from ladder_graph.hosts.finding import mounted

    with ExitStack() as opened:
        graph, loop = _made(app, load(app), opened)
        ladder, agent = mounted(graph)
        if ladder.store.source == MEMORY:
            raise LadderError(
                f"the ledger of {app} is in the memory of one process, so nobody answers where it sees it"
            )
        resumer = InProcess(graph, agent=agent, loop=loop)
        if not resumer.lasting:
            raise LadderError(
                f"{app} keeps its threads in memory, where another process's are never found; give it a checkpointer "
                f"on disk or a server, such as SqliteSaver or PostgresSaver, or attach InProcess(graph) where it runs"
            )
        with _working(ladder, resumer, poll) as worker:
            yield worker


@contextmanager
def there(ladder: Ladder, url: str, assistant: str, key_env: str | None, poll: float) -> Iterator[Worker]:
    """A worker on the threads of a LangGraph server."""
    with _working(ladder, Server(url, assistant, key_env=key_env), poll) as worker:
        yield worker


@contextmanager
def _working(ladder: Ladder, resumer: InProcess | Server, poll: float) -> Iterator[Worker]:
    worker = Worker(
        ladder.store, ladder.clock, ladder.refresh, resumer, poll=poll, tell=ladder.send_messages,
        accepted=ladder.run_accepted if isinstance(resumer, InProcess) else None,
    )  # fmt: skip
    try:
        yield worker
    finally:
        worker.stop()


def until_stopped(worker: Worker) -> None:
    """Work until SIGTERM or SIGINT; threads that were begun come to their end first."""
    over = Ending()
    worker.start()
    log.info("going on with threads of %s, %s; ledger %s", worker.agent, worker.resumer.how, worker.store.source)
    over.wait()
    worker.stop()
    log.info("stopped")


def _made(app: str, found: Any, opened: ExitStack) -> tuple[Any, asyncio.AbstractEventLoop | None]:
    """The graph, and the loop that it was made on, if it was."""
    if hasattr(found, "get_state"):
        return found, None
    if not callable(found):
        raise LadderError(f"{app} is a {type(found).__name__}, and no graph nor a function that makes one")
    return made_by(app, found, opened)
