"""One figure of a benchmark, and how figures are written down."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Unit = Literal["ratio", "count", "us_cpu", "us_cpu_added", "us_wall", "ms_cpu", "s_cpu", "mb", "kb", "per_s"]
"""`us_cpu` is microseconds of CPU time, `ms_cpu` milliseconds and `s_cpu` seconds of it, `us_cpu_added` what a call
costs above something that is named, `us_wall` microseconds on the clock, `mb` and `kb` are megabytes and kilobytes,
and `per_s` is how many a second."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure against its goal."""

    name: str
    value: float | None
    """None where it couldn't be measured here."""
    unit: Unit
    goal: float | None
    """The largest value that is good; the smallest where more is better. None for what is only told, as another's
    figure is."""
    more_is_better: bool = False
    note: str = ""
    """Why it wasn't measured, or what it was measured against."""

    @property
    def ok(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        if self.value is None:
            return False
        return self.value >= self.goal if self.more_is_better else self.value <= self.goal

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.name:<44} {'-':>10} {self.unit:<13} skipped: {self.note}"
        if self.goal is None:
            return f"{self.name:<44} {self.value:>10.3f} {self.unit}"
        bound = f"{'>=' if self.more_is_better else '<='} {self.goal:g}"
        verdict = "ok" if self.ok else "MISSED"
        return f"{self.name:<44} {self.value:>10.3f} {self.unit:<13} goal {bound:<9} {verdict}"

    def as_json(self) -> dict[str, object]:
        """As one object of `build/bench.json`."""
        return {**asdict(self), "value": None if self.value is None else round(self.value, 3), "ok": self.ok}


def write(figures: list[Figure], path: Path, machine: Mapping[str, Any]) -> None:
    """Write figures as JSON.

    Args:
        figures: Them.
        path: Where to.
        machine: What they were taken on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"machine": machine, "figures": [figure.as_json() for figure in figures]}
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost, in seconds."""

    cpu: float
    wall: float


def interleaved(variants: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 2) -> dict[str, list[Cost]]:
    """Run each variant once a round, in turn, so that a noisy machine is noisy for all of them.

    Args:
        variants: What to run, by name.
        rounds: How many costs to keep of each.
        warm_up: Rounds that are run first and not kept.

    Returns:
        The costs by name, in the order of the rounds.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in variants}
    for turn in range(rounds + warm_up):
        for name, run in variants.items():
            cpu, wall = time.process_time(), time.perf_counter()
            run()
            cost = Cost(time.process_time() - cpu, time.perf_counter() - wall)
            if turn >= warm_up:
                costs[name].append(cost)
    return costs


def ratio(costs: list[Cost], to: list[Cost], kind: Literal["cpu", "wall"]) -> float:
    """The median of the ratios of each round's pair."""
    return statistics.median(getattr(a, kind) / getattr(b, kind) for a, b in zip(costs, to, strict=True))


def p50(costs: list[Cost]) -> float:
    """The median wall time of a run, in seconds."""
    return statistics.median(cost.wall for cost in costs)


def least_cpu(costs: list[Cost], calls: int) -> float:
    """The least CPU time of a run for each of its `calls` calls, in microseconds: noise only ever adds."""
    return min(cost.cpu for cost in costs) / calls * 1e6
