"""The command line in a process of its own, at a terminal of its own."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time


class Terminal:
    """The command line in a process of its own, at a terminal of its own.

    Args:
        arguments: What stands behind `ladder`.
        ahead: What was typed before it started.
    """

    def __init__(self, *arguments, ahead=""):
        self._master, slave = pty.openpty()
        if ahead:
            os.write(self._master, ahead.encode())
        command = [sys.executable, "-m", "ladder_graph.cli", *arguments]
        self._process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.text = ""

    def until(self, words, times=1):
        """Read until these words were printed so often."""
        deadline = time.monotonic() + 30
        while self.text.count(words) < times:
            assert self._read(deadline), f"{words!r} was not printed {times} times:\n{self.text}"
        return self.text

    def type(self, text):
        """Type something."""
        os.write(self._master, text.encode())

    def interrupt(self):
        """Press Ctrl-C, and once more where nothing comes of it.

        A signal that arrives after the prompt is out, and before Python has begun to wait for a line, wakes nobody.
        """
        os.kill(self._process.pid, signal.SIGINT)
        while not select.select([self._master], [], [], 1)[0] and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGINT)

    def end(self):
        """Read the rest; the exit code."""
        deadline = time.monotonic() + 30
        while self._read(deadline):
            pass
        os.close(self._master)
        return self._process.wait(timeout=30)

    def _read(self, deadline):
        ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
        try:
            data = os.read(self._master, 65536) if ready else b""
        except OSError:  # On Linux the end of a terminal is an error.
            data = b""
        self.text += data.decode()
        return bool(data)
