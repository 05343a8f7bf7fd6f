"""Sending what people are to be told every few seconds, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger("ladder_graph")

PAUSE = 2.0
"""Seconds between two looks, each of which is one look-up where nothing is due."""


Send = Callable[[Callable[[], bool]], object]
"""Sends what is due, and asks what it is given before each message whether to leave off."""


class Messenger:
    """Sends again and again until it is stopped.

    Args:
        send: Sends what is due; any number of processes may do so.
        pause: Seconds between two looks.
    """

    def __init__(self, send: Send, pause: float = PAUSE) -> None:
        self._send, self._pause = send, pause
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, at once; a second time is harmless."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="ladder-tell", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop, once the message that is being sent is sent; those after it are left to others."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._send(self._stopping.is_set)
            except Exception:
                log.exception("what people are to be told could not be sent")
            self._stopping.wait(self._pause)
