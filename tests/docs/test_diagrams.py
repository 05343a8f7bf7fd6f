"""The drawings in `docs/`."""

from __future__ import annotations

from ladder_graph.states import mermaid
from scripts.draw_states import PAGE, page


def test_the_states_are_drawn_as_they_are():
    """`docs/states.md` holds exactly what the table of states says; `make docs` writes it anew."""
    drawn = PAGE.read_text(encoding="utf-8")
    assert drawn.partition("```mermaid\n")[2].partition("\n```")[0] == mermaid(), "run: make docs"
    assert drawn == page(), "run: make docs"
