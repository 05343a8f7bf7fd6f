"""Whether a bound lets a tool reach what the ladder itself stands on: its policy, its lock, its ledger."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ladder_graph.cli.findings import Finding, Point
from ladder_graph.cli.place import MEMORY

if TYPE_CHECKING:
    from ladder_graph.cli.place import Place
    from ladder_graph.policy import Policy


def examine(policy: Policy, place: Place) -> Iterator[Finding]:
    """Each tool whose bound on paths holds a file that decides what it may do; a tool that only reads isn't one."""
    ours = list(_ours(policy, place))
    for tool, rule in policy.tools.items():
        points = tuple(
            Point(f"its bound lets it write {file}, and so its own rungs", "keep it outside of that directory")
            for bound in rule.bounds
            if bound.kind == "under" and not rule.read_only
            for file in ours
            if Path(os.path.realpath(bound.directory)) in Path(os.path.realpath(file)).parents
        )
        if points:
            yield Finding("reach", "wrong", f"{tool} can change what it is held by", points)


def _ours(policy: Policy, place: Place) -> Iterator[str]:
    yield from (str(place.policy.absolute()), str(place.lock.absolute()))
    file = place.ledger_file(policy)
    if "://" not in file and file != MEMORY:
        yield str(Path(file).absolute())
