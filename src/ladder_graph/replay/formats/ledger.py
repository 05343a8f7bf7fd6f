"""Our own ledger, in SQLite or PostgreSQL: one run for each agent in each thread, in the order in which they began.

A ledger holds no words of the user's, so that what is bound to them can't be decided from it; a checkpointer's history
of the same threads holds them. Arguments that were erased are missing, and so are the answers of tools where nothing of
their conversation was kept, since then nobody knows which calls had heard them. What a shadow took down comes last.
"""

from __future__ import annotations

from collections.abc import Iterator

from ladder_graph.replay.formats import Format
from ladder_graph.replay.sources import Source
from ladder_graph.replay.stores.databases import advance
from ladder_graph.replay.traces import Run


def _read(source: Source) -> Iterator[Run]:
    from ladder_graph.replay.stores.accounts import Accounts
    from ladder_graph.replay.stores.shadows import shadow_runs

    with Accounts(source.path) as accounts:
        whole = accounts.count()
        for done, (thread, agent) in enumerate(accounts.threads(), 1):
            found = accounts.of(thread, agent)
            requesters = {one.requester for one in found} - {None}
            inner = "/" in agent
            yield Run(
                id=f"{thread}|{agent}" if inner else thread,
                calls=tuple(one.traced for one in found),
                suite=agent,
                # What an agent inside another one did is no observation of its own.
                task=thread if inner else "",
                requester=requesters.pop() if len(requesters) == 1 else None,
            )
            advance(source, done, whole)
        yield from shadow_runs(accounts.shadows())


FORMAT = Format(
    name="ledger",
    about="a ladder's own ledger, in SQLite or PostgreSQL",
    fits=lambda sample: {"action", "question", "entry", "payload"} <= sample.tables,
    read=_read,
)
