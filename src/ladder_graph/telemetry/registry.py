"""The figures of this process, kept for a page that Prometheus reads. It needs nothing but the standard library."""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from ladder_graph.telemetry.catalog import CATALOG, Level, Metric, label

MOST = 2_000
"""Sets of labels that are kept for one metric; what comes beyond them is counted together."""
OTHER = "_other"
"""What stands in each label of that."""
TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The content type of the page."""


class Registry:
    """Counts, and times in buckets. Any thread may tell it something."""

    def __init__(self) -> None:
        self._counts: dict[Metric, dict[tuple[str, ...], float]] = {}
        self._times: dict[Metric, dict[tuple[str, ...], _Times]] = {}
        self._lock = threading.Lock()

    def add(self, metric: Metric, labels: tuple[str, ...]) -> None:
        """One more."""
        with self._lock:
            counts = self._counts.setdefault(metric, {})
            labels = _bounded(counts, labels)
            counts[labels] = counts.get(labels, 0) + 1

    def record(self, metric: Metric, labels: tuple[str, ...], value: float) -> None:
        """One value of a histogram."""
        with self._lock:
            times = self._times.setdefault(metric, {})
            times.setdefault(_bounded(times, labels), _Times(metric.buckets)).take(value)

    def page(self, levels: Iterable[Level]) -> str:
        """Everything in Prometheus' text format.

        Args:
            levels: What is read from the ledger at this moment.
        """
        read: dict[Metric, dict[tuple[str, ...], float]] = {}
        for level in levels:
            read.setdefault(level.metric, {})[level.labels] = level.value
        with self._lock:
            lines = [line for metric in CATALOG for line in self._lines(metric, read.get(metric, {}))]
        return "\n".join(lines) + "\n"

    def _lines(self, metric: Metric, read: dict[tuple[str, ...], float]) -> Iterator[str]:
        name = metric.prometheus
        yield f"# HELP {name} {_escaped(metric.text, quotes=False)}"
        yield f"# TYPE {name} {metric.kind}"
        for labels, value in sorted({**self._counts.get(metric, {}), **read}.items()):
            yield f"{name}{_labelled(metric, labels)} {_number(value)}"
        for labels, times in sorted(self._times.get(metric, {}).items(), key=lambda one: one[0]):
            yield from times.lines(metric, labels)


class _Times:
    """One histogram."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds, self.counts, self.sum = bounds, [0] * (len(bounds) + 1), 0.0

    def take(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def lines(self, metric: Metric, labels: tuple[str, ...]) -> Iterator[str]:
        name = metric.prometheus
        for bound, count in zip((*self.bounds, math.inf), accumulate(self.counts), strict=True):
            yield f"{name}_bucket{_labelled(metric, labels, bound)} {count}"
        yield f"{name}_sum{_labelled(metric, labels)} {_number(self.sum)}"
        yield f"{name}_count{_labelled(metric, labels)} {sum(self.counts)}"


def _bounded(kept: Mapping[tuple[str, ...], object], labels: tuple[str, ...]) -> tuple[str, ...]:
    return labels if labels in kept or len(kept) < MOST else (OTHER,) * len(labels)


def _labelled(metric: Metric, labels: tuple[str, ...], bound: float | None = None) -> str:
    pairs = [f'{label(name)}="{_escaped(value)}"' for name, value in zip(metric.labels, labels, strict=True)]
    pairs += [] if bound is None else [f'le="{_number(bound)}"']
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(text: str, *, quotes: bool = True) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if quotes else text


def _number(value: float) -> str:
    if value == math.inf:
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(value)
