"""`python -m benchmarks [NAME...]`: run benchmarks, print the figures, and write `build/bench.json`.

The names are those in `BENCHMARKS`. Without one all are run.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from benchmarks.figures import write
from benchmarks.machine import facts, load

OUT = Path("build/bench.json")
"""Where the figures go."""
BENCHMARKS = {
    "gate": "gate",
    "commits": "commits",
    "routing": "routing",
    "ledger": "ledger",
    "watching": "watching",
    "trust": "trust",
    "standings": "standings",
    "console": "console",
    "replay": "replay",
    "fleet": "fleet",
    "growth": "growth",
    "waiting": "waiting",
    "moving": "moving",
    "peers": "peers.side_by_side",
}
"""What can be measured, and by which module's `measure`."""


def main() -> None:
    """Run them. A missed goal is said; it is no error, since machines differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=f"Measure, and write {OUT}.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; without one, all")
    names = parser.parse_args().names
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark named {', '.join(unknown)}; choose from {', '.join(BENCHMARKS)}")
    figures, machine = [], facts()
    for name in names or BENCHMARKS:
        for figure in import_module(f"benchmarks.{BENCHMARKS[name]}").measure():
            print(figure, flush=True)
            figures.append(figure)
        write(figures, OUT, {**machine, "load_after": load()})
    held = [figure for figure in figures if figure.goal is not None]
    print(f"{OUT}: {sum(bool(figure.ok) for figure in held)} of {len(held)} goals reached")


main()
