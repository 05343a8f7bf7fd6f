"""Threads that do what was begun, and what they have in hand."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

log = logging.getLogger("ladder_graph")


class Hands:
    """A few threads, and the actions that they are at or will come to.

    Args:
        workers: How many.
        name: What their names begin with.
    """

    def __init__(self, workers: int, name: str) -> None:
        self._workers, self._name = workers, name
        self._pool: ThreadPoolExecutor | None = None
        self._guard = threading.Lock()
        self._jobs: set[Future[None]] = set()
        self._leases: dict[str, int] = {}

    @property
    def full(self) -> bool:
        """Whether more waits than is done at a time."""
        with self._guard:
            return len(self._jobs) > 2 * self._workers

    def free(self, action: str, now_us: int, lease_us: int) -> bool:
        """Whether an action may be begun that was taken just now, and is leased until that moment.

        One that is in hand may be begun beside that where its lease hasn't ended: somebody let it be due earlier.
        """
        with self._guard:
            held = self._leases.get(action)
            if held is not None:
                self._leases[action] = lease_us
            return held is None or now_us < held

    def busy(self, action: str) -> bool:
        """Whether an action is in hand."""
        with self._guard:
            return action in self._leases

    def begin(self, actions: Sequence[str], lease_us: int, job: Callable[[], object]) -> None:
        """Do a job for these actions. What goes wrong in it is logged: they are due again, and so are others."""
        with self._guard:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix=self._name)
            try:
                done = self._pool.submit(_done, job)
            except RuntimeError:
                return  # The program ends, and nothing can be begun any more: it is somebody else's, or the next run's.
            self._leases.update(dict.fromkeys(actions, lease_us))
            self._jobs.add(done)
        done.add_done_callback(lambda done: self._put_down(actions, done))

    def _put_down(self, actions: Sequence[str], done: Future[None]) -> None:
        with self._guard:
            self._jobs.discard(done)
            for action in actions:
                self._leases.pop(action, None)

    def wait(self) -> bool:
        """Wait until all that was begun is done; False where there was nothing."""
        with self._guard:
            jobs = set(self._jobs)
        wait(jobs)
        return bool(jobs)

    def stop(self) -> None:
        """Finish what is being done, and drop what only waited."""
        with self._guard:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def _done(job: Callable[[], object]) -> None:
    try:
        job()
    except Exception:
        log.exception("a watcher could not do what was due")
