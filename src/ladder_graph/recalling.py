"""What a process has seen of its cells, by which a new call is sent to its rung without asking the ledger first.

Nothing runs on the strength of it: the claim looks, in its own transaction, whether all of it still holds, and where it
doesn't the route is found anew. What ends in anything but a claim is never found by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ladder_graph.altering import altered
from ladder_graph.calls import Call
from ladder_graph.facts import Seen
from ladder_graph.policy.bounds import Charge
from ladder_graph.trust.cells import CellKey
from ladder_graph.waiting import once

A_MOMENT = 1_000_000
"""How long it holds, in microseconds, that no report has become late since somebody looked."""
MOST = 10_000
"""Cells, and calls, that are remembered at most; then it begins again."""


_NEVER = (0, -1, 0)


def holds(seen: Seen, now_us: int) -> bool:
    """Whether what was seen a moment ago stands as long as the agent's chain has no new entry."""
    return seen.end >= 0 and 0 <= now_us - seen.at_us < A_MOMENT


def looked_again(seen: Seen, n: int, now_us: int) -> bool:
    """Whether a claim has looked at all that it went by, some time after somebody had.

    One whose entry follows the end of the chain that was seen a moment ago may have looked at nothing but that, which
    tells nothing of what only time brings.

    Args:
        seen: What it went by.
        n: The number of its entry.
        now_us: When it was made, in microseconds since the epoch.
    """
    return now_us - seen.at_us >= A_MOMENT // 2 and not (holds(seen, now_us) and n == seen.end + 1)


class Memory:
    """What was seen of each cell, and how far the chains have grown since by calls of this process alone."""

    __slots__ = ("_cells", "_chains", "_met", "_silent")

    def __init__(self) -> None:
        self._cells: dict[CellKey, tuple[Seen, dict[str, int]]] = {}
        self._chains: dict[str, tuple[int, int, int]] = {}
        """Of each agent, two lengths of its chain: between them it grew by starts and ends of calls in this process;
        and when it did so last, in microseconds since the epoch."""
        self._silent: dict[tuple[str, str], tuple[int | None, int]] = {}
        """Of each agent and thread where there was nothing to hear: the run that looked, and how long the chain was."""
        self._met: set[tuple[str, str]] = set()
        """Threads with the digests of the calls that they have made: the same call again is another matter."""

    def recalled(self, call: Call, cell: CellKey, charges: Sequence[Charge], now_us: int) -> Seen | None:
        """What a look at a new call would most likely see.

        Args:
            call: The call.
            cell: Its cell.
            charges: What it would take from quotas.
            now_us: The moment, in microseconds since the epoch.

        Returns:
            None where nothing is known that the claim could hold its look against.
        """
        found = self._cells.get(cell)
        met = (call.thread, call.digest)
        if found is None or met in self._met:
            return None
        seen, left = found
        first, last, _ = self._chains.get(cell.agent, _NEVER)
        end = last if first <= seen.end <= last else seen.end
        if now_us < seen.at_us:  # Somebody has set the clock back, and more than the mark may be another matter.
            return None
        if not (seen.mark or holds(seen, now_us)):
            return None
        if any(charge.quota not in left for charge in charges):
            return None
        once(partial(self._meet, met))
        return altered(
            seen, left=tuple((charge, left[charge.quota]) for charge in charges), end=end, recalled=True
        )  # fmt: skip

    def keep(self, call: Call, cell: CellKey, seen: Seen) -> None:
        """Remember what was seen of a call, as far as it is true of the next one in its cell."""
        self._meet((call.thread, call.digest))
        if any(one is not None for one in (seen.known, seen.twin, seen.before, seen.declined)):
            return
        plain = seen.watched and seen.rehearsed and not (seen.firing or seen.mute or seen.scoped or seen.pivot)
        if not plain or seen.overdue or not (seen.mark or seen.end >= 0):
            self._cells.pop(cell, None)
            return
        if len(self._cells) >= MOST:
            self._cells.clear()
        self._cells[cell] = (seen, {charge.quota: left for charge, left in seen.left})

    def grew(self, written: Sequence[tuple[str, int]], at_us: int) -> None:
        """A claim or a record is committed.

        Args:
            written: Agent and number of each entry of that transaction, by whichever attempt.
            at_us: When, in microseconds since the epoch.
        """
        if len(written) != 1:  # More than a start or an end: it may be what the cells have to be looked at anew for.
            return
        ((agent, n),) = written
        first, last, _ = self._chains.get(agent, _NEVER)
        self._chains[agent] = (first if last == n - 1 else n - 1, n, at_us)

    def stood(self, cell: CellKey, seen: Seen, n: int, at_us: int) -> None:
        """A claim is committed that has looked again at what was seen of its cell: all of that stood right before.

        Args:
            cell: The cell.
            seen: What the claim went by.
            n: The number of its entry, the only one of that transaction.
            at_us: When, in microseconds since the epoch.
        """
        found = self._cells.get(cell)
        if found is not None and found[0].mark == seen.mark and n > found[0].end:
            self._cells[cell] = (altered(found[0], end=n, at_us=at_us), found[1])

    def hear_nothing(self, agent: str, thread: str, run: int | None, end: int) -> None:
        """Somebody looked what an agent has to hear, and there was nothing.

        Args:
            agent: Whose drafts and suggestions.
            thread: In which thread.
            run: The run that looked; None where that isn't known.
            end: How long the agent's chain was.
        """
        if len(self._silent) >= MOST:
            self._silent.clear()
        self._silent[agent, thread] = (run, end)

    def heard_all(self, agent: str, thread: str, run: int | None, now_us: int) -> bool:
        """Whether there can't be anything new to hear.

        What becomes of a draft is written in its agent's chain. That has grown by this process's own calls alone since
        this run looked, and the last of them was a moment ago.

        Args:
            agent: Whose drafts and suggestions.
            thread: In which thread.
            run: The run that asks; None where that isn't known.
            now_us: The moment, in microseconds since the epoch.
        """
        looked, end = self._silent.get((agent, thread), (None, 0))
        first, last, at_us = self._chains.get(agent, _NEVER)
        return run is not None and run == looked and first <= end <= last and 0 <= now_us - at_us < A_MOMENT

    def _meet(self, met: tuple[str, str]) -> None:
        if len(self._met) >= MOST:
            self._met.clear()
        self._met.add(met)
