"""The command line `ladder`: where an agent stands, what waits for a person, and what happened.

Importing it is cheap: typer is loaded by `main`, and policy, ledger and LangGraph by the command that needs them.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

UNREAD = 128 + 13
"""How a program ends whose reader has stopped, as shells say of one that SIGPIPE has ended; nothing was found wrong."""
_LAST = 2
"""The last of the places that every program is given: for input, for output and for what goes wrong."""
INSTALL = "the command line needs typer and rich; install them with: pip install 'ladder-graph[cli]'"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command, and end the process with its exit code.

    Exit codes: 0 for done, 1 for a check that found something wrong or a person who said no, 2 for an error; 141 where
    whoever read its output has stopped, as in `ladder log | head`.

    Args:
        arguments: What stands behind `ladder`; those of the process by default.
    """
    _opened()
    if not (find_spec("typer") and find_spec("rich")):
        sys.stderr.write(f"error: {INSTALL}\n")
        sys.exit(2)
    from ladder_graph.cli.program import program

    try:
        program(arguments, prog_name="ladder")
    except SystemExit as end:
        sys.exit(_written_out(end.code))


def _opened() -> None:
    """Open each place that the caller has closed: what is printed there is lost, and nothing comes from it."""
    closed = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is None]
    if not closed:
        return
    # Whatever is opened next would come into the place of what was closed, and it may be the ledger.
    while (nowhere := os.open(os.devnull, os.O_RDWR)) <= _LAST:
        pass
    for name in closed:
        mode = "r" if name == "stdin" else "w"
        setattr(sys, name, open(nowhere, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  # it stays to the end


def _written_out(code: str | int | None) -> str | int | None:
    """See to it that what was printed has arrived, and return the exit code; Python itself would only grumble at it."""
    try:
        sys.stdout.flush()
    except OSError as wrong:
        # What is left in the buffer goes nowhere, or Python would try once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if wrong.errno == errno.EPIPE:
            return UNREAD
        if not code:
            sys.stderr.write(f"error: what was printed didn't arrive: {wrong.strerror}\n")
        return code or 2
    return code
