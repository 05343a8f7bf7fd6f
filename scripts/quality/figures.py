"""The figures of `make quality`: what is counted, out of what was recorded and judged."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.quality.judging import Judged

Figures = dict[str, Any]
PARTS = ("flow.py", "routing.py", "ledger", "trust", "policy")
"""The logic that mutants are drawn from, below `src/ladder_graph`."""
PACKAGE = Path("src/ladder_graph")


def part(path: str) -> str:
    """The package of a file of the product, or the file where it is in none."""
    return Path(path).relative_to(PACKAGE).parts[0]


def covered(report: Mapping[str, Any]) -> list[Figures]:
    """Lines and branches by package, of coverage.py's own report; modules beside the packages are one row."""
    names = ("covered_lines", "num_statements", "covered_branches", "num_branches")
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for path, file in report["files"].items():
        name = part(path)
        row = name if not name.endswith(".py") or name in PARTS else "other modules"
        for into in (row, "all"):
            sums[into].update({key: file["summary"][key] for key in names})
    rows = sorted(sums.items(), key=lambda one: (one[0] == "all", one[0] == "other modules", one[0]))
    return [
        {"package": row, "lines": [of[names[0]], of[names[1]]], "branches": [of[names[2]], of[names[3]]]}
        for row, of in rows
    ]


def counted(lines: Iterable[str]) -> list[Figures]:
    """Tests by kind: functions once, cases each; a property is one case, however many examples it draws."""
    functions: dict[str, set[str]] = defaultdict(set)
    properties: dict[str, set[str]] = defaultdict(set)
    cases: Counter[str] = Counter()
    for one in map(json.loads, lines):
        kind, function = _kind(one), one["test"].partition("[")[0]
        functions[kind].add(function)
        cases[kind] += 1
        if one["property"]:
            properties[kind].add(function)
    return [
        {"kind": kind, "functions": len(functions[kind]), "cases": cases[kind], "properties": len(properties[kind])}
        for kind in sorted(cases)
    ]


def _kind(one: Mapping[str, Any]) -> str:
    path = one["test"].partition("::")[0]
    if one["doctest"]:
        return "doctests"
    if path.endswith(".ipynb"):
        return "notebooks"
    folder = Path(path).parts[1] if path.startswith("tests/") else Path(path).parts[0]
    return f"{folder}, long form" if "faults" in one["markers"] else folder


def scored(drawn: Sequence[Judged], totals: Mapping[str, int], equivalents: Mapping[str, str]) -> list[Figures]:
    """What became of the mutants of each part; those that change nothing are counted, and are in no score."""
    by_part: dict[str, Counter[str]] = {name: Counter() for name in PARTS if name in totals}
    for one in drawn:
        same = one.mutant.known_as in equivalents and one.verdict == "survived"
        by_part[part(one.mutant.path)]["equivalent" if same else one.verdict] += 1
    verdicts = ("killed", "hung", "survived", "not run", "equivalent")
    return [
        {"part": name, "mutants": totals[name], "drawn": ends.total(), **{one: ends[one] for one in verdicts}}
        for name, ends in by_part.items()
    ]


def alive(drawn: Sequence[Judged], equivalents: Mapping[str, str]) -> list[str]:
    """The mutants that no test noticed, by name."""
    unnoticed = (one for one in drawn if one.verdict in {"survived", "not run"})
    return [f"{one.mutant.known_as} ({one.verdict})" for one in unnoticed if one.mutant.known_as not in equivalents]
