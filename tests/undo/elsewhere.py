"""Functions of an undo in a module that makes no declaration: they are known only once the tool's module is there."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path


def put_back(kept):
    """Do nothing."""


def never_declared(kept):
    """No undo of anything."""
    raise AssertionError("this must not run")


def talk(kept):
    """Print what would pass for an answer."""
    sys.stdout.write('{"state": "undo_failed", "text": ""}')


def hang(kept):
    """Take too long."""
    time.sleep(60)


HOLD = """
import fcntl, sys, time
held = open(sys.argv[1], "w")
fcntl.flock(held, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


def hang_with_a_child(kept):
    """Start a process that holds a lock, say so, and wait for it."""
    with subprocess.Popen([sys.executable, "-c", HOLD, kept["lock"]], stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        Path(kept["started"]).touch()


def leave_a_child(kept):
    """Start a process that holds a lock, and let it go on: the undo was to start a service again."""
    child = subprocess.Popen([sys.executable, "-c", HOLD, kept["lock"]], stdout=subprocess.PIPE)
    child.stdout.readline()
    Path(kept["started"]).write_text(str(child.pid))


def crash(kept):
    """End the process."""
    raise SystemExit(3)
