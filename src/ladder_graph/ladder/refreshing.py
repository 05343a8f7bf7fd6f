"""A policy file that is edited while agents run: when it counts as changed, and what a running process can take up."""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ladder_graph.errors import PolicyError
from ladder_graph.ledger import Journal, Store
from ladder_graph.policy import Policy, load_policy

log = logging.getLogger("ladder_graph")

SETTLED = 0.1
"""Seconds that a file must have been left alone before it is read, so that no half of an edit is ever in force."""

Mark = tuple[int, int, int] | None
"""When a file was written (nanoseconds), its inode and its size; None where there is none."""


class PolicyFile:
    """Tells by one `stat` whether a policy file was edited, and takes it up whole or not at all.

    Args:
        path: The file, of which the present content counts as known. A link is followed.
        names_ledger: Whether the ledger lies where the file says.
    """

    def __init__(self, path: Path, *, names_ledger: bool) -> None:
        self.path = path.absolute()
        self._names_ledger = names_ledger
        self._known = self._new = self._mark()
        self._since = 0.0
        self._latest: Policy | None = None
        self._taking = threading.Lock()

    def changed(self) -> bool:
        """Whether the file is another than the known one, and nobody seems to be writing it any more."""
        mark = self._mark()
        if mark == self._known:
            return False
        if mark != self._new:
            self._new, self._since = mark, time.monotonic()
        # A moment of writing that lies well back needs no second look; one in the future, or none, does.
        quiet = mark is not None and time.time() - mark[0] / 1e9 >= SETTLED
        return quiet or time.monotonic() - self._since >= SETTLED

    def taken(self, old: Policy, tools: Iterable[str], store: Store, clock: Callable[[], dt.datetime]) -> Policy:
        """The policy that is in force from now on: what the file holds, or the old one where that can't be.

        Either is said once, in the log and in the ledger.

        Args:
            old: The policy in force so far.
            tools: The tools that are mounted.
            store: The ledger.
            clock: Tells the moment.
        """
        with self._taking:
            mark = self._new
            if mark == self._known:
                return self._latest or old  # Another thread has just taken it.
            new, problems = self._read(old, tools)
            if self._mark() != mark:
                return old  # Somebody has begun to write it while it was read.
            now = old if problems else new
            if problems or new.revision != old.revision:
                kept = f"the policy stays as it was: {'; '.join(problems)}"
                said = kept if problems else f"revision {now.revision} is in force from now on"
                text = f"the policy file {self.path} was changed, and {said}"
                body = {"was": old.revision, "problems": problems, "text": text}
                journal = Journal(store.owner, now.revision, clock())
                store.write(lambda cursor: journal.append(cursor, old.agent, "policy", "", body), durable=False)
                log.warning("%s", text)
            self._known, self._latest = mark, now
            return now

    def _read(self, old: Policy, tools: Iterable[str]) -> tuple[Policy, list[str]]:
        try:
            new = load_policy(self.path)
            return new, fixed(old, new, tools, ledger=self._names_ledger)
        except PolicyError as wrong:
            return old, list(wrong.problems)
        except Exception as wrong:  # whatever an edit does to the reader, no call ends by it
            log.debug("reading %s", self.path, exc_info=True)
            return old, [f"{self.path}: can't be read: {type(wrong).__name__}: {wrong}"]

    def _mark(self) -> Mark:
        try:
            found = os.stat(self.path)  # noqa: PTH116  # cheaper than Path.stat, at every call
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


def fixed(old: Policy, new: Policy, tools: Iterable[str], *, ledger: bool) -> list[str]:
    """What is different and can't change in a process that runs, in words; empty where all of it can.

    Args:
        old: The policy in force.
        new: What the file holds now.
        tools: The tools that are mounted, whose undo was loaded then.
        ledger: Whether the policy says where the ledger is.
    """
    names = ("agent", "drafts", "ask", *(("ledger",) if ledger else ()))
    found = [name for name in names if getattr(old, name) != getattr(new, name)]
    found += [f"tools.{tool}.undo" for tool in sorted(set(tools)) if old.rule(tool).undo != new.rule(tool).undo]
    return [f"{name} can't change while the agent runs; restart it" for name in found]
