"""The command line `ladder`: where an agent stands, what waits for a person, and what happened.

Importing it is cheap: typer is loaded by `main`, and policy, ledger and LangGraph by the command that needs them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

INSTALL = "the command line needs typer and rich; install them with: pip install 'ladder-graph[cli]'"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command, and end the process with its exit code.

    Exit codes: 0 for done, 1 for a check that found something wrong or a person who said no, 2 for an error.

    Args:
        arguments: What stands behind `ladder`; those of the process by default.
    """
    if not (find_spec("typer") and find_spec("rich")):
        sys.stderr.write(f"error: {INSTALL}\n")
        sys.exit(2)
    from ladder_graph.cli.program import program

    program(arguments, prog_name="ladder")
