"""The watcher: works off open windows, in any number of processes, and undoes what went wrong."""

from __future__ import annotations

from ladder_graph.watcher.rounds import Watcher

__all__ = ["Watcher"]
