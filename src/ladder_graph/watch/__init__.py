"""Watching an action after it ran: health checks, alerts from outside, and what they mean together."""

from __future__ import annotations

from ladder_graph.watch.measuring import Measurement, Surroundings, measure, measured
from ladder_graph.watch.phase import Judgement, Taken, Told, judge
from ladder_graph.watch.signals import Signal, already_firing, told_of

__all__ = [
    "Judgement",
    "Measurement",
    "Signal",
    "Surroundings",
    "Taken",
    "Told",
    "already_firing",
    "judge",
    "measure",
    "measured",
    "told_of",
]
