"""Whose code runs: the ladder's, with what tool authors gave it, or the graph's.

A probe, a health check or an undo runs because the ladder calls for it, and may call tools by hand. The nodes of a
graph and the code of its tools may not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_OURS: ContextVar[bool] = ContextVar("ladder_graph_ours", default=False)


def ours() -> bool:
    """Whether it is the ladder's."""
    return _OURS.get()


@contextmanager
def running(*, ours: bool) -> Iterator[None]:
    """Say whose code runs inside, in this task and in those that come from it.

    Args:
        ours: Whether it is the ladder's.
    """
    token = _OURS.set(ours)
    try:
        yield
    finally:
        _OURS.reset(token)
