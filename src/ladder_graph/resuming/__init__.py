"""Going on with threads that have got an answer: who can, and the worker that sees to it."""

from __future__ import annotations

from ladder_graph.resuming.heads import Head, Resumer
from ladder_graph.resuming.in_process import InProcess
from ladder_graph.resuming.server import Server
from ladder_graph.resuming.working import Worker

__all__ = ["Head", "InProcess", "Resumer", "Server", "Worker"]
