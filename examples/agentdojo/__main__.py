"""Hold the policies of this folder against recorded runs: `python -m examples.agentdojo [FILE] [--json]`.

Prints what each policy would have made of them, beside three to compare with, and exits with 1 where something in the
file could not be used. The runs carry no clock, so every call is taken to come at one moment of office hours.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import signal
import sys
from pathlib import Path

from ladder_graph.policy import load_policy
from ladder_graph.replay import REFERENCES, Board, Row, agentdojo, report

HERE = Path(__file__).parent
PACK = HERE / "runs.jsonl.gz"
NOW = dt.datetime(2024, 5, 15, 10, tzinfo=dt.UTC)
"""A Wednesday morning."""
OURS = "these policies"
POLICIES = {suite: load_policy(HERE / f"{suite}.toml") for suite in ("banking", "workspace")}


class Troubles:
    """Prints what could not be used, a line each, and knows how much there was."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, text: str) -> None:
        """Print one line."""
        self.count += 1
        print(text, file=sys.stderr)


def main() -> int:
    """Read the runs once, and print what was found."""
    options = argparse.ArgumentParser(prog="python -m examples.agentdojo", description="Policies on recorded runs.")
    options.add_argument(
        "file", nargs="?", type=Path, default=PACK, help="recorded runs; by default those of the tests"
    )
    options.add_argument("--json", action="store_true", help="print JSON")
    said = options.parse_args()
    trouble = Troubles()
    board = Board(
        {
            OURS: POLICIES,
            **{name: {s: of(policy) for s, policy in POLICIES.items()} for name, of in REFERENCES.items()},
        },
        now=NOW,
        writes=lambda suite, tool: not POLICIES[suite].rule(tool).read_only,
        trouble=trouble,
    )
    try:
        for run in agentdojo.read(said.file, trouble):
            board.add(run)
    except OSError as wrong:
        trouble(f"{said.file}: {wrong.strerror or wrong}")
    print(json.dumps(report.document(board.rows()), indent=2) if said.json else text(list(board.rows())))
    return 1 if trouble.count else 0


def text(rows: list[Row]) -> str:
    """The table, and how it is to be read."""
    hidden = report.unseen(row for row in rows if row.policy == OURS)
    return "\n".join([report.table(rows), "", report.LEGEND, *hidden])


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever reads only the head of the table ends it
    sys.exit(main())
