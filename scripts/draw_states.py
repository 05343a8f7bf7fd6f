"""Writes `docs/states.md` from the table in `ladder_graph.states`, so that the drawing can't drift from the code."""

from __future__ import annotations

from pathlib import Path

from ladder_graph.states import mermaid

PAGE = Path(__file__).parents[1] / "docs" / "states.md"

TEXT = """\
# The states of a call

Every tool call that goes through the ladder is in one of these states, and takes no step that isn't drawn here.
The table stands in `src/ladder_graph/states.py`. This page is written from it by `make docs`.

```mermaid
{diagram}
```
"""


def page() -> str:
    """The whole page as it should stand in `docs/states.md`."""
    return TEXT.format(diagram=mermaid())


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
