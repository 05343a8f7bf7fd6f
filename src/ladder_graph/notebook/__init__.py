"""The ladder in a notebook: things show themselves, become data frames, and are drawn.

    %load_ext ladder_graph

From then on the last line of a cell may be `ladder`, `ladder.status()`, `ladder.pending()`, `ladder.actions()`,
`ladder.life(action)`, `ladder.briefing(question)`, `ladder.digest(report)`, `ladder.trust()`, `ladder.difference()`,
or the board of a replay, and there is a picture of it. No JavaScript is in it, and whatever models and tools wrote is
text.

`frame` makes a data frame of each of these, and `ladder_graph.notebook.figures` draws; both need
`ladder-graph[notebooks]`. A `Ladder` shows itself without anything.
"""

from __future__ import annotations

from ladder_graph.notebook.frames import frame
from ladder_graph.notebook.markup import Html
from ladder_graph.notebook.paths import Look, path
from ladder_graph.notebook.views import html

__all__ = ["Html", "Look", "frame", "html", "path"]
