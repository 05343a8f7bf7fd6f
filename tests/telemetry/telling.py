"""What leaves towards OpenTelemetry, kept in memory."""

from __future__ import annotations

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ladder_graph.otel import instrument


class Told:
    """Takes spans and figures of ladders."""

    def __init__(self):
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meters = MeterProvider([self._reader])

    def of(self, ladder, **options):
        """The ladder, which tells it everything."""
        instrument(ladder, tracer_provider=self.tracers, meter_provider=self.meters, **options)
        return ladder

    @property
    def spans(self):
        """Those that have ended, in the order in which they began."""
        return sorted(self._spans.get_finished_spans(), key=lambda span: span.start_time)

    def named(self, name):
        """The spans of a name."""
        return [span for span in self.spans if span.name == name]

    @property
    def figures(self):
        """Each figure's points: labels to value, of a histogram to its count."""
        data = self._reader.get_metrics_data()
        found = {}
        for resource in data.resource_metrics if data else []:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found[metric.name] = {
                        tuple(point.attributes.values()): getattr(point, "value", None) or getattr(point, "count", 0)
                        for point in metric.data.data_points
                    }
        return found

    @property
    def all(self):
        """Everything that left, as text."""
        data = self._reader.get_metrics_data()
        return "\n".join([*(span.to_json() for span in self.spans), data.to_json() if data else ""])
