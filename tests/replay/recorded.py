"""Recorded runs that tests make up, small enough to count by hand."""

from __future__ import annotations

from ladder_graph.replay import CRITICAL, Run, TracedCall

FINE, WRONG = frozenset(), frozenset({CRITICAL})


def call(tool, arguments=None, **other):
    """A call, by default with arguments that are known to be empty."""
    return TracedCall(tool, {} if arguments is None else arguments, **other)


def run_of(*tools, kind="task", critical=(), harmed=None, **other):
    """A run that calls these tools, each with a place of its own in the conversation; `critical` are places."""
    calls = tuple(
        call(tool, turn=place, labels=WRONG if place in critical else FINE) if isinstance(tool, str) else tool
        for place, tool in enumerate(tools)
    )
    harmed = bool(critical) if harmed is None else harmed
    whole = {"id": "r", "suite": "mail", "task": "t1", "said": ("Do it.",), "apart": True} | other
    return Run(calls=calls, kind=kind, harmed=harmed, **whole)
