"""Hold the policies of this folder against recorded runs: `python -m examples.agentdojo [--json]`, from the root.

The same as `ladder replay` with these runs and policies, beside those to compare with; any option of it may follow. The
runs carry no clock, so every call is taken to come at one moment of office hours.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ladder_graph.cli import main

HERE = Path("examples/agentdojo")
MOMENT = "2024-05-15T10:00Z"
"""A Wednesday morning."""

if __name__ == "__main__":
    main(["replay", str(HERE / "runs.jsonl.gz"), "--policy", str(HERE), "--references", "--at", MOMENT, *sys.argv[1:]])
