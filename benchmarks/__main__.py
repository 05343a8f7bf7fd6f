"""`python -m benchmarks [NAME...]`: run benchmarks, print the figures, and write `build/bench.json`.

The names are those of the modules: gate, commits, routing, ledger, watching, trust, standings, console,
replay, fleet, growth, waiting, moving.
Without one all are run.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import (
    commits,
    console,
    fleet,
    gate,
    growth,
    ledger,
    moving,
    replay,
    routing,
    standings,
    trust,
    waiting,
    watching,
)
from benchmarks.figures import write

OUT = Path("build/bench.json")
"""Where the figures go."""
BENCHMARKS = {
    "gate": gate,
    "commits": commits,
    "routing": routing,
    "ledger": ledger,
    "watching": watching,
    "trust": trust,
    "standings": standings,
    "console": console,
    "replay": replay,
    "fleet": fleet,
    "growth": growth,
    "waiting": waiting,
    "moving": moving,
}


def main() -> None:
    """Run them. A missed goal is said; it is no error, since machines differ."""
    figures = []
    for name in sys.argv[1:] or BENCHMARKS:
        for figure in BENCHMARKS[name].measure():
            print(figure, flush=True)
            figures.append(figure)
    write(figures, OUT)
    print(f"{OUT}: {sum(figure.ok for figure in figures)} of {len(figures)} goals reached")


main()
