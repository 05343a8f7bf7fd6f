"""Whose code runs: the ladder's, with what tool authors gave it, or the graph's.

A probe, a health check or an undo runs because the ladder calls for it, and may call tools by hand. The nodes of a
graph and the code of its tools may not.
"""

from __future__ import annotations

from contextvars import ContextVar, Token

_OURS: ContextVar[bool] = ContextVar("ladder_graph_ours", default=False)


def ours() -> bool:
    """Whether it is the ladder's."""
    return _OURS.get()


class running:  # noqa: N801  # it is read as a verb, like a generator's would be, which costs each call several times as much
    """Say whose code runs inside, in this task and in those that come from it.

    Args:
        ours: Whether it is the ladder's.
    """

    __slots__ = ("_ours", "_token")

    def __init__(self, *, ours: bool) -> None:
        self._ours = ours

    def __enter__(self) -> None:
        self._token: Token[bool] = _OURS.set(self._ours)

    def __exit__(self, *_: object) -> None:
        _OURS.reset(self._token)
