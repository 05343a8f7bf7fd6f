"""The chains of agents as far as they were read, kept between two looks at them, so that only what is new is read."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from ladder_graph.ledger import Store
from ladder_graph.ledger.evidence.happenings import happenings, hash_of, head_of
from ladder_graph.trust.fold import Fold

KEPT = 250_000
"""Actions that are kept in memory at most, of all agents together: a little less than a kilobyte each."""


@dataclass(slots=True)
class Read:
    """A chain as far as it was read."""

    fold: Fold
    n: int = 0
    """The last entry that was read."""
    hash: str = ""
    """Its hash: where another entry stands in its place, all of it is read anew."""


class Folds:
    """What the chains of a ledger have told so far.

    Args:
        store: The ledger.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.most = 0
        """Actions that are kept in memory at most; none, unless somebody looks every minute."""
        self._read: dict[str, Read] = {}
        self.lock = threading.Lock()
        """To be held while a fold is looked at: the next reading changes it."""

    def of(self, agent: str, *, anew: bool = False) -> Read:
        """The chain of an agent up to its end; the lock is held.

        Args:
            agent: Whose.
            anew: Read it from its first entry, since what was erased meanwhile doesn't count any more.
        """
        if anew:
            self._read.pop(agent, None)
        # Taken out until all is read: whoever tries again after half of it begins with the first entry.
        found = self._store.scan(lambda connection: _read_on(connection, agent, self._read.pop(agent, None)))
        self._read[agent] = found
        self._forget()
        return found

    def keeps(self, agent: str) -> bool:
        """Whether the chain of an agent is kept, so that what is new is read at once."""
        return agent in self._read

    def _forget(self) -> None:
        """Let go of the longest ones, until what is left may be kept."""
        while self._read and sum(len(one.fold.deeds) for one in self._read.values()) > self.most:
            del self._read[max(self._read, key=lambda agent: len(self._read[agent].fold.deeds))]


def _read_on(connection: Any, agent: str, known: Read | None) -> Read:
    n, digest = head_of(connection, agent)
    if known is None or known.n > n or (known.n and hash_of(connection, agent, known.n) != known.hash):
        known = Read(Fold(agent))
    for entry in happenings(connection, agent, n, known.n):
        known.fold.take(entry)
    known.n, known.hash = n, digest
    return known
