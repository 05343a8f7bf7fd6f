"""Functions of an undo in a module that makes no declaration: they are known only once the tool's module is there."""

from __future__ import annotations

import sys
import time


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


def crash(kept):
    """End the process."""
    raise SystemExit(3)
