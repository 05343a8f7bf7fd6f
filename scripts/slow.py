"""Names the slow tests in `tests/slow.txt`, by what they took in a run: `python -m scripts.slow build/*.xml`.

A run is a JUnit file of `make test` or `make slow`. A test function is slow if its cases took more than `LIMIT`
together; what wasn't run stays as it was.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET  # pytest wrote what it reads

ROOT = Path(__file__).parents[1]
FILE = ROOT / "tests" / "slow.txt"
LIMIT = 0.5
"""Seconds. What stays below it takes two workers some two minutes."""


def seconds(runs: Iterable[Path]) -> dict[str, float]:
    """What each test function took, all its cases together."""
    took: dict[str, float] = defaultdict(float)
    for run in runs:
        for case in ET.parse(run).getroot().iter("testcase"):  # noqa: S314  # as above
            place, name = case.get("classname", ""), case.get("name", "").split("[")[0]
            took[_named(place, name)] += float(case.get("time", 0))
    return took


def _named(place: str, name: str) -> str:
    """A test's id: the file that its dotted place begins with, the classes after it, and its name."""
    if name.endswith(".ipynb"):
        return f"notebooks/{name}::{name}"
    parts = place.split(".")
    for end in range(len(parts), 0, -1):
        file = Path(*parts[:end]).with_suffix(".py")
        if (ROOT / file).is_file():
            return "::".join((file.as_posix(), *parts[end:], name))
    return f"{place}::{name}"


def main(runs: list[str]) -> None:
    """Write the file anew."""
    took = seconds(map(Path, runs))
    known = set(FILE.read_text(encoding="utf-8").split()) if FILE.exists() else set()
    slow = {name for name, spent in took.items() if spent > LIMIT} | known - took.keys()
    FILE.write_text("".join(f"{name}\n" for name in sorted(slow)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
