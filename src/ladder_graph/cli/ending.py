"""Being told to end: SIGTERM and Ctrl+C, heard whichever thread the system hands them to."""

from __future__ import annotations

import signal
import threading

_EVERY = 1.0
"""Seconds after which a signal is heard that another thread was handed. Python runs its handlers in the main thread
alone, and one that waits without an end is woken only by a signal of its own."""


class Ending:
    """Waits for SIGTERM or SIGINT. It is made in the main thread, and from then on neither ends the process."""

    def __init__(self) -> None:
        self._told = threading.Event()
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: self._told.set())

    def tell(self) -> None:
        """End for another reason."""
        self._told.set()

    def wait(self) -> None:
        """Come back once it was told."""
        while not self._told.wait(_EVERY):
            pass
