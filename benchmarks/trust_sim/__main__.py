"""`python -m benchmarks.trust_sim [--quick | --page]`: simulate, and write `docs/trust-sim.md` and its picture.

`--quick` draws a thousandth of the worlds and writes only what the tests compare with; `--page` draws none, and writes
the page anew from the stored figures.
"""

from __future__ import annotations

import sys
import time

from benchmarks.trust_sim.drawing import drawing
from benchmarks.trust_sim.expected import differs
from benchmarks.trust_sim.experiments import Figure, everything
from benchmarks.trust_sim.page import page
from benchmarks.trust_sim.stored import FULL, PAGE, PICTURE, QUICK, SCALE, read, write


def main(asked: set[str]) -> int:
    """Run it. Figures that differ from what was expected are named, and make it fail."""
    if "--quick" in asked:
        write(QUICK, everything(SCALE))
        return 0
    if "--page" not in asked:
        figures: list[Figure] = []
        began = time.perf_counter()
        for figure in everything():
            if not figures or figures[-1].table != figure.table:
                print(f"{time.perf_counter() - began:6.0f} s  {figure.table}", flush=True)
            figures.append(figure)
        write(FULL, figures)
    figures = read(FULL)
    PAGE.write_text(page(figures), encoding="utf-8")
    PICTURE.write_text(drawing(figures), encoding="utf-8")
    wrong = [text for text in map(differs, figures) if text]
    print("\n".join([*wrong, f"{PAGE}: {len(figures)} figures, {len(wrong)} of them not as expected"]))
    return bool(wrong)


sys.exit(main(set(sys.argv[1:])))
