"""`python -m ladder_graph.cli`: the same as `ladder`."""

from __future__ import annotations

from ladder_graph.cli import main

main()
