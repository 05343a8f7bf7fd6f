"""The figures that were found last, beside the code that finds them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from benchmarks.trust_sim.experiments import Figure

ROOT = Path(__file__).parents[2]
PAGE, PICTURE = ROOT / "docs" / "trust-sim.md", ROOT / "docs" / "trust-sim.svg"
FULL, QUICK = Path(__file__).with_name("figures.json"), Path(__file__).with_name("quick.json")
SCALE = 0.001
"""Of how many of the worlds a quick look is made."""


def write(path: Path, figures: Iterable[Figure]) -> None:
    """Write figures, one a line, so that a change can be read."""
    lines = ",\n".join(json.dumps(figure.as_json) for figure in figures)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def read(path: Path) -> list[Figure]:
    """Read what `write` wrote."""
    return [Figure(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
