"""`python -m benchmarks`: run every benchmark, print the figures, and write `build/bench.json`."""

from __future__ import annotations

from pathlib import Path

from benchmarks import gate, verify
from benchmarks.figures import write

OUT = Path("build/bench.json")
"""Where the figures go."""


def main() -> None:
    """Run everything. A missed goal is said; it is no error, since machines differ."""
    figures = [figure for benchmark in (gate, verify) for figure in benchmark.measure()]
    for figure in figures:
        verdict = "ok" if figure.ok else "MISSED"
        print(f"{figure.name:<44} {figure.value:>10.3f} {figure.unit:<13} goal {figure.goal:<8g} {verdict}")
    write(figures, OUT)
    print(f"{OUT}: {sum(figure.ok for figure in figures)} of {len(figures)} goals reached")


main()
