"""Figures for OpenTelemetry: counters and histograms as calls come by, and levels of the ledger when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from ladder_graph.telemetry.catalog import CATALOG, Metric
from ladder_graph.telemetry.levels import Levels
from ladder_graph.telemetry.measuring import Measuring

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder


class Instruments:
    """One instrument of OpenTelemetry for each figure that calls bring about.

    Args:
        meter: Makes them.
    """

    def __init__(self, meter: metrics.Meter) -> None:
        self._counters = {one: meter.create_counter(one.name, one.unit, one.text) for one in _of("counter")}
        self._histograms = {
            one: meter.create_histogram(
                one.name, one.unit, one.text, explicit_bucket_boundaries_advisory=list(one.buckets)
            )
            for one in _of("histogram")
        }

    def add(self, metric: Metric, labels: tuple[str, ...]) -> None:
        """One more."""
        self._counters[metric].add(1, _named(metric, labels))

    def record(self, metric: Metric, labels: tuple[str, ...], value: float) -> None:
        """One value of a histogram."""
        self._histograms[metric].record(value, _named(metric, labels))


def metered(ladder: Ladder, provider: metrics.MeterProvider | None, *, levels: bool) -> Measuring:
    """Whoever looks on at a ladder's calls for OpenTelemetry's figures.

    Args:
        ladder: The ladder.
        provider: Takes the figures; None for the global one.
        levels: Whether what waits in the ledger is told too.
    """
    meter = metrics.get_meter("ladder_graph", version("ladder-graph"), provider)
    if levels:
        told = Levels(ladder)
        for metric in (one for one in CATALOG if one.kept):
            make = meter.create_observable_counter if metric.kind == "counter" else meter.create_observable_gauge
            make(metric.name, [_reading(told, metric)], metric.unit, metric.text)
    return Measuring(Instruments(meter))


def _reading(levels: Levels, metric: Metric) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def read(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(one.value, _named(metric, one.labels)) for one in levels.told() if one.metric is metric]

    return read


def _of(kind: str) -> list[Metric]:
    return [one for one in CATALOG if one.kind == kind and not one.kept]


def _named(metric: Metric, labels: tuple[str, ...]) -> dict[str, Any]:
    return dict(zip(metric.labels, labels, strict=True))
