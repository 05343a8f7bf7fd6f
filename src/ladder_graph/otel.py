"""OpenTelemetry: spans and figures of what a ladder decides, beside those of the GenAI conventions.

Nothing is imported from OpenTelemetry until `instrument` is called. No argument, result or name of a person leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ladder_graph.calls import Call
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from ladder_graph.ladder import Ladder

Shown = Callable[[Call], Mapping[str, Any]]
"""Which of a call's arguments may leave, and as what."""


def instrument(
    ladder: Ladder,
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    arguments: Shown | None = None,
    threads: bool = False,
    levels: bool = True,
) -> None:
    """Tell OpenTelemetry of every call of a ladder from now on. A second time adds nothing.

    Args:
        ladder: The ladder.
        tracer_provider: Makes the spans; the global one by default. Where that records nothing, nothing is done.
        meter_provider: Takes the figures; the global one by default.
        arguments: Says which arguments a span may carry, as `gen_ai.tool.call.arguments`; None for none. `shapes`
            tells their types and lengths alone.
        threads: Whether a span may carry the LangGraph thread, as `gen_ai.conversation.id`. Applications tend to put
            names of people into it.
        levels: Whether what waits in the ledger is told too. It is the same from every process; one is enough.

    Raises:
        LadderError: OpenTelemetry isn't installed.

    Example:
        >>> from ladder_graph import Ladder
        >>> ladder = Ladder(agent="ops", rungs={"send_email": "confirm"}, ledger=":memory:")
        >>> instrument(ladder)
        >>> ladder.close()
    """
    try:
        from ladder_graph.telemetry.meters import metered
        from ladder_graph.telemetry.spans import Spans
    except ImportError as missing:
        raise LadderError(
            f"telling OpenTelemetry needs its API ({missing}): pip install 'ladder-graph[otel]'"
        ) from missing
    if any(isinstance(one, Spans) for one in ladder.observers):
        return
    ladder.observers.add(Spans(tracer_provider, arguments, threads=threads))
    ladder.observers.add(metered(ladder, meter_provider, levels=levels))


def shapes(call: Call) -> dict[str, str]:
    """The arguments of a call as types and lengths, for `instrument(arguments=shapes)`.

    Example:
        >>> shapes(Call("ops", "t", "1", "send", {"to": "ana@example.com", "copies": 2}))
        {'to': 'str (15)', 'copies': 'int'}
    """
    return {name: _shape(value) for name, value in call.arguments.items()}


def _shape(value: Any) -> str:
    length = f" ({len(value)})" if isinstance(value, str | bytes | list | dict) else ""
    return type(value).__name__ + length
