"""What LangGraph's checkpointers keep, in SQLite or PostgreSQL: one run a thread.

Threads come in the order in which they began, one at a time, and of each only its messages are held. A graph inside
another one, which has a checkpoint namespace of its own, is a run of its own as soon as it proposes calls; its task is
the thread, since what it does is no independent observation. Types that aren't LangChain's or LangGraph's own are never
loaded, so that a database can be read that somebody else gave.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from ladder_graph.errors import LadderError
from ladder_graph.replay.formats import Format, Sample
from ladder_graph.replay.sources import Source
from ladder_graph.replay.stores.databases import advance, connected, is_postgres, opened, served
from ladder_graph.replay.traces import Run

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from ladder_graph.replay.stores.checkpoint import Serde
    from ladder_graph.replay.stores.histories import History

_THREADS = """SELECT thread_id AS thread, min(checkpoint_id) AS first FROM checkpoints
GROUP BY thread_id ORDER BY first, thread"""
"""The ids of checkpoints grow with time."""
_COUNT = "SELECT count(DISTINCT thread_id) AS threads FROM checkpoints"
_WRITES = frozenset({"writes", "checkpoint_writes"})
"""Where the two databases keep what tasks wrote."""


def _read(source: Source) -> Iterator[Run]:
    from ladder_graph.replay.stores.checkpoint import Serde

    serde = Serde()
    with closing(opened(source.path, ledger=False)) as database, _saver(source, serde) as saver:
        (counted,) = database.rows(_COUNT)
        for done, row in enumerate(database.stream(_THREADS), 1):
            yield from _thread(source, saver, row["thread"])
            serde.forget()
            advance(source, done, counted["threads"])


@contextmanager
def _saver(source: Source, serde: Serde) -> Iterator[BaseCheckpointSaver[Any]]:
    """The checkpointer, on a connection that can't write."""
    if is_postgres(source.path):
        try:
            from langgraph.checkpoint.postgres import PostgresSaver
        except ImportError:
            raise LadderError(_NEEDS.format("postgres", "'ladder-graph[postgres]'")) from None
        with closing(served(source.path)) as server:
            yield PostgresSaver(server, serde=serde)
        return
    try:
        from langgraph.checkpoint.sqlite import SqliteSaver
    except ImportError:
        raise LadderError(_NEEDS.format("sqlite", "'ladder-graph[replay]'")) from None
    with closing(connected(source.path)) as file:
        yield SqliteSaver(file, serde=serde)


_NEEDS = "these checkpoints are read with langgraph-checkpoint-{}: pip install {}"


def _thread(source: Source, saver: BaseCheckpointSaver[Any], thread: str) -> Iterator[Run]:
    """The runs of one thread, that of the outermost graph first."""
    from ladder_graph.replay.stores.histories import History

    graphs: dict[str, History] = {}
    try:
        for one in saver.list({"configurable": {"thread_id": thread}}):
            namespace = one.config["configurable"]["checkpoint_ns"]
            if namespace not in graphs:
                graphs[namespace] = History(thread, namespace)
            graphs[namespace].add(one)
    except Exception as wrong:  # noqa: BLE001  # a serializer's or a driver's, of whatever stands there
        source.tell(thread, f"can't be read, and is left out: {type(wrong).__name__}: {wrong}")
        return
    proposers = _proposers(graphs)
    for namespace, history in sorted(graphs.items()):
        place = f"{thread}|{namespace}" if namespace else thread
        for trouble in history.troubles():
            source.tell(place, trouble)
        theirs = frozenset(name for name, whose in proposers.items() if whose != namespace)
        run = history.run(partial(source.tell, place), theirs)
        if run.calls or not namespace:
            yield run


def _proposers(graphs: dict[str, History]) -> dict[str, str]:
    """Whose each message with calls is: the graph's that had it first, and of two at once the inner one's."""
    found: dict[str, tuple[bool, float, int, str]] = {}
    for namespace, history in graphs.items():
        for name, at in history.began.items():
            mine = (at is None, at.timestamp() if at else 0.0, -len(namespace), namespace)
            found[name] = min(mine, found.get(name, mine))
    return {name: whose for name, (*_, whose) in found.items()}


def _fits(sample: Sample) -> bool:
    return "checkpoints" in sample.tables and bool(_WRITES & sample.tables)


FORMAT = Format(
    name="checkpoints",
    about="what a LangGraph checkpointer keeps, in SQLite or PostgreSQL",
    fits=_fits,
    read=_read,
)
