"""Being told to end, also where another thread got the signal."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import signal, sys, threading
from ladder_graph.cli.ending import Ending

ending = Ending()

def hand_over():
    signal.pthread_kill(threading.get_ident(), int(sys.argv[1]))
    threading.Event().wait()

threading.Timer(0.1, hand_over).start() if sys.argv[2] == "another" else threading.Timer(0.1, ending.tell).start()
ending.wait()
print("ended", flush=True)
__import__("os")._exit(0)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of threads are POSIX")
@pytest.mark.parametrize(("number", "way"), [("15", "another"), ("2", "another"), ("15", "itself")])
def test_a_signal_that_another_thread_was_handed_is_heard(number, way):
    """The system may give a process's signal to any thread of it; the main one hears of it all the same."""
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, number, way], capture_output=True, text=True, timeout=60, check=False
    )
    assert (found.returncode, found.stdout) == (0, "ended\n"), found.stderr
