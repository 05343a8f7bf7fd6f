"""Writes `docs/benchmarks.md`, and what the README says of speed, from the figures beside the page.

    python -m benchmarks.page [FILE...]      takes those of `build/bench.json`, or of other files, later ones first
    python -m benchmarks.page --again        writes the page anew from `docs/benchmarks.json`

Figures are grouped by what their names begin with; a group that nobody wrote a word about gets a part of its own.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.parts import PARTS, Part

TAKEN = Path("build/bench.json")
KEPT = Path("docs/benchmarks.json")
PAGE = Path("docs/benchmarks.md")
README = Path("README.md")
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"
"""What stands around the lines of the README that are written from the figures."""

Figure = dict[str, Any]


UNITS = {
    "ratio": "", "count": "", "us_cpu": " µs", "us_cpu_added": " µs more", "us_wall": " µs on the clock",
    "ms_cpu": " ms", "s_cpu": " s", "mb": " MB", "kb": " kB", "per_s": " a second",
}  # fmt: skip
"""How a unit is written behind a value; one that isn't here is written as it is."""

HEAD = """# Benchmarks

Written by `make bench` from the figures in [benchmarks.json](benchmarks.json); not edited by hand.

{machine}

## How to read it

- A ratio says more than a time: it holds on other machines. It is the median over rounds in which both ran in turn.
- Times are CPU time where nothing else is said, the least of all rounds: noise only adds. Where a disk is waited for,
  it is said that they are taken on the clock.
- Goals are set before measuring. **{reached} of {held} are reached**; {missed}
- What has no goal is only told. What couldn't be measured here is named below, with the reason.
"""


def shown(value: float | None, unit: str) -> str:
    """A value as the page shows it, with three digits.

    Example:
        >>> shown(0.2226, "ratio"), shown(13.88, "us_cpu"), shown(53124.0, "count"), shown(None, "mb")
        ('0.223', '13.9 µs', '53,124', '-')
    """
    if value is None:
        return "-"
    before = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    digits = 0 if value == int(value) else max(0, 3 - before)
    return f"{value:,.{digits}f}{UNITS.get(unit, f' {unit}')}"


def _goal(figure: Figure) -> str:
    if figure["goal"] is None:
        return ""
    sign = "≥" if figure["more_is_better"] else "≤"
    verdict = "skipped" if figure["value"] is None else "reached" if figure["ok"] else "**missed**"
    return f"{sign} {figure['goal']:g}: {verdict}"


def table(figures: Sequence[Figure]) -> Iterator[str]:
    """The figures of a part, one a row."""
    yield "| figure | value | goal | note |"
    yield "|---|---:|---|---|"
    for one in figures:
        note = str(one["note"]).replace("|", "\\|")
        yield f"| `{one['name']}` | {shown(one['value'], one['unit'])} | {_goal(one)} | {note} |"


def parts(figures: Iterable[Figure]) -> Iterator[tuple[Part, list[Figure]]]:
    """The parts that have figures, in order, and then those that nobody wrote a word about."""
    left = list(figures)
    for part in PARTS:
        mine = [one for one in left if one["name"].startswith(part.prefixes)]
        left = [one for one in left if one not in mine]
        if mine:
            yield part, mine
    groups: dict[str, list[Figure]] = {}
    for one in left:
        groups.setdefault(re.split(r"[.:]", one["name"])[0], []).append(one)
    for name, mine in groups.items():
        yield Part(name.replace("_", " ").capitalize(), (name,), ""), mine


def page(told: dict[str, Any]) -> str:
    """The whole page.

    Args:
        told: The machine and the figures, as in `docs/benchmarks.json`.
    """
    figures: list[Figure] = told["figures"]
    held = [one for one in figures if one["goal"] is not None]
    missed = [one for one in held if not one["ok"] and one["value"] is not None]
    reached = sum(bool(one["ok"]) for one in held)
    said = "those that are missed are marked." if missed else "none is missed."
    lines = [HEAD.format(machine=_machine(told["machine"]), reached=reached, held=len(held), missed=said)]
    for part, mine in parts(figures):
        lines += [f"## {part.title}", "", *([part.text, ""] if part.text else []), *table(mine), ""]
    skipped = [one for one in figures if one["value"] is None]
    lines += ["## What wasn't measured", ""]
    lines += [f"- `{one['name']}`: {one['note']}" for one in skipped] or ["Everything was."]
    return "\n".join(lines) + "\n"


def _machine(machine: dict[str, Any]) -> str:
    installed = ", ".join(f"{name} {version}" for name, version in machine["installed"].items())
    return (
        f"Taken {machine['date']} on {machine['processors']} processors {machine['processor']}, {machine['system']}, "
        f"Python {machine['python']}, SQLite {machine['sqlite']}; {installed}. "
        f"The load was {machine['load_before']} before and {machine.get('load_after')} after."
    )


SENTENCES = (
    ("peers.decision.ladder.cpu", "A decision takes {} of CPU"),
    ("peers.decision.ladder_to_agt_os", ", {} of what agent-governance-toolkit's takes"),
    ("gate.sqlite.write.wall_to_plain", ". On SQLite, an agent under `wrap` takes {} times as long as without a gate"),
    ("gate.sqlite.asked.wall_to_per_call", ", and asked at each call {} times as long as under LangChain's by call"),
    ("sqlite.write.p50_to_one_commit", ". A gated call on a disk takes {} times as long as one durable commit"),
)  # fmt: skip
"""What the README says, by the figure."""


def readme(told: dict[str, Any]) -> str:
    """The lines of the README, with those figures that are there."""
    found = {one["name"]: one for one in told["figures"]}
    said = [
        text.format(shown(found[name]["value"], found[name]["unit"]))
        for name, text in SENTENCES
        if name in found and found[name]["value"] is not None
    ]
    text = "".join(said).lstrip("., ")
    where = "All figures, those that miss their goals too: [benchmarks](docs/benchmarks.md)."
    return "\n".join((BEGIN, *textwrap.wrap(f"{text[:1].upper()}{text[1:]}. {where}", 120), END))


def placed(text: str, told: dict[str, Any]) -> str:
    """A README with its lines of figures written anew."""
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: readme(told), text, flags=re.DOTALL)


def merged(files: Sequence[Path]) -> dict[str, Any]:
    """The figures of several files, those of earlier ones where a name comes twice, and the machine of the first."""
    read = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    figures = {one["name"]: one for told in reversed(read) for one in told["figures"]}
    return {"machine": read[0]["machine"], "figures": list(figures.values())}


def main(arguments: Sequence[str]) -> None:
    """Write the page, what it was written from, and the lines of the README."""
    told = merged([KEPT] if "--again" in arguments else [Path(one) for one in arguments] or [TAKEN])
    KEPT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(told), encoding="utf-8")
    README.write_text(placed(README.read_text(encoding="utf-8"), told), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
