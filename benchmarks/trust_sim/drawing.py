"""Draws `docs/trust-sim.svg` from stored figures: on a ground of its own, light or dark as the reader has it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from html import escape

from benchmarks.trust_sim.experiments import BARE, OURS, Figure
from benchmarks.trust_sim.page import Figures, wilson

WIDTH, HEIGHT = 900, 710
LEFT, RIGHT = 290, 800
"""Where the bars begin and end."""
BAR = 30
"""Pixels from one bar to the next."""

STYLE = """
.ground { fill: #ffffff } text { fill: #1f2328; font: 13px sans-serif } .head { font-weight: bold; font-size: 15px }
.told { fill: #d1242f }
.axis { stroke: #59636e } .grid { stroke: #d1d9e0 } .bar { fill: #9a6700 } .ours { fill: #0969da; stroke: #0969da }
.ends { stroke: #1f2328 } .promise { stroke: #d1242f; stroke-dasharray: 5 4 } .line { fill: none; stroke-width: 2 }
.c0 { stroke: #59636e } .c1 { stroke: #9a6700 } .c2 { stroke: #1a7f37 } .c3 { stroke: #8250df } .c4 { stroke: #0969da }
.c5 { stroke: #0969da; stroke-dasharray: 7 4 }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } text { fill: #e6edf3 } .axis { stroke: #9198a1 } .grid { stroke: #3d444d }
.bar { fill: #d29922 } .ours { fill: #4493f8; stroke: #4493f8 } .ends { stroke: #e6edf3 } .promise { stroke: #f85149 }
.told { fill: #f85149 }
.c0 { stroke: #9198a1 } .c1 { stroke: #d29922 } .c2 { stroke: #3fb950 } .c3 { stroke: #ab7df8 } .c4 { stroke: #4493f8 }
.c5 { stroke: #4493f8 }
}
"""

LINES = (
    "always ask",
    "never ask",
    "whichever is cheaper, by an oracle",
    "99 % of the last 30 days",
    f"{OURS}, mistakes are handled (D0)",
    f"{OURS}, each mistake demotes (D1)",
)
"""The rules whose costs are drawn."""


def drawing(figures: Iterable[Figure]) -> str:
    """The whole picture as it should stand in `docs/trust-sim.svg`."""
    found = Figures(figures)
    title = "False promotions of each rule at the limit, and what each rule costs"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        *_bars(found),
        *_costs(found),
        "</svg>",
        "",
    ])  # fmt: skip


def _text(x: float, y: float, text: str, anchor: str = "start", css: str = "") -> str:
    look = f' class="{css}"' if css else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{look}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


# --- false promotions ---------------------------------------------------------------------------------------------


def _bars(found: Figures) -> Iterator[str]:
    top, rows = 64, found.rows("peeking")
    bottom = top + BAR * len(rows)
    yield _text(20, 30, "Promoted within a year, though 1 % of its calls are wrong, and that is the limit", css="head")
    for tick in (0, 0.25, 0.5, 0.75, 1):
        yield _line(_along(tick), top - 8, _along(tick), bottom, "grid")
        yield _text(_along(tick), bottom + 16, f"{tick:.0%}", "middle")
    for n, row in enumerate(rows):
        yield from _bar(found.by_key["peeking", row, "0.01"], top + BAR * n)
    yield _line(_along(0.05), top - 8, _along(0.05), bottom, "promise")
    yield _text(_along(0.05) + 60, bottom - BAR + 15, "5 % is promised at most", css="told")


def _bar(figure: Figure, y: float) -> Iterator[str]:
    share, css = figure.promoted / figure.runs, "ours" if figure.row in {OURS, BARE} else "bar"
    low, high = wilson(figure.promoted, figure.runs)
    yield _text(LEFT - 10, y + 15, figure.row, "end")
    yield f'<rect x="{LEFT}" y="{y + 2}" width="{_along(share) - LEFT:.1f}" height="17" class="{css}"/>'
    yield _line(_along(low), y + 10.5, _along(high), y + 10.5, "ends")
    yield _text(_along(max(share, 0.05)) + 8, y + 15, f"{share:.1%}")


def _along(share: float) -> float:
    return LEFT + share * (RIGHT - LEFT)


# --- costs --------------------------------------------------------------------------------------------------------

_TOP, _BOTTOM, _FROM, _TO = 424, 666, 70, 540
_LEAST, _MOST = 10.0, 10_000.0


def _costs(found: Figures) -> Iterator[str]:
    columns = sorted({column for name, _, column in found.by_key if name == "dollars"}, key=float)
    yield _text(20, 396, "Dollars for 1000 actions, by how often the agent is wrong", css="head")
    for dollars in (10, 100, 1000, 10_000):
        yield _line(_FROM, _up(dollars), _TO, _up(dollars), "grid")
        yield _text(_FROM - 8, _up(dollars) + 4, f"${dollars}", "end")
    for column in columns:
        yield _line(_right(column), _BOTTOM, _right(column), _BOTTOM + 5, "axis")
        yield _text(_right(column), _BOTTOM + 20, f"{float(column):.2%}".replace(".00%", "%"), "middle")
    for n, row in enumerate(LINES):
        means = ((column, found.by_key["dollars", row, column].mean or 0.0) for column in columns)
        points = " ".join(f"{_right(column):.1f},{_up(mean):.1f}" for column, mean in means)
        yield f'<polyline points="{points}" class="line c{n}"/>'
        yield f'<polyline points="560,{450 + 26 * n} 590,{450 + 26 * n}" class="line c{n}"/>'
        yield _text(598, 454 + 26 * n, row)


def _right(column: str) -> float:
    return _FROM + (math.log10(float(column)) + 4) / (math.log10(0.03) + 4) * (_TO - _FROM)


def _up(dollars: float) -> float:
    share = math.log10(dollars / _LEAST) / math.log10(_MOST / _LEAST)
    return _BOTTOM - share * (_BOTTOM - _TOP)
