"""Keeping what is shown of trust a minute old, in a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger("ladder_graph")

PAUSE = 60.0
"""Seconds between two refreshes."""
SHARE = 20
"""The pause after a refresh is at least as many times its CPU time, so that it takes a twentieth of one core."""


class Assessor:
    """Refreshes again and again until it is stopped.

    Args:
        refresh: Works out what has grown old, and nothing else: another process may have done it.
    """

    def __init__(self, refresh: Callable[[], object]) -> None:
        self._refresh = refresh
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, at once; a second time is harmless."""
        if self._thread is None:
            self._stopping = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(self._stopping,), name="ladder-assess", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop, without waiting: what is being worked out is lost, and nobody misses it."""
        self._stopping.set()
        self._thread = None

    def _run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            began = time.thread_time()
            try:
                self._refresh()
            except Exception:
                if stopping.is_set():
                    return  # The ledger was closed meanwhile.
                log.exception("what is known of each cell could not be worked out anew")
            stopping.wait(max(PAUSE, SHARE * (time.thread_time() - began)))
