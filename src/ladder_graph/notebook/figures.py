"""Pictures: the ladder, the way to the next rung, intervals, and a front of two costs.

None has a ground of its own, and every colour can be read on white and on black. What a colour says, a form or a label
says too. Nothing here touches pyplot or its settings, and a figure is shown once, by the notebook.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ladder_graph.errors import LadderError
from ladder_graph.ladder.desk import Cell
from ladder_graph.notebook.frames import INSTALL
from ladder_graph.notebook.palette import BLUE, GREEN, INK, MARKS, ORANGE
from ladder_graph.notebook.paths import Look
from ladder_graph.replay.board import Board, Row
from ladder_graph.replay.metrics import RATIOS
from ladder_graph.replay.pareto import Front, Point
from ladder_graph.replay.report.columns import GROUPS
from ladder_graph.replay.report.findings import totals
from ladder_graph.scale import Rung
from ladder_graph.telling import cut
from ladder_graph.wording import inert

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEADS = {one.ratio: one.head for columns in GROUPS.values() for one in columns}
_FORMS = "osD^v"
"""Of marks, in the order of their colours."""
_LABEL = 44
"""Characters of a name that a picture shows."""


def ladder(cells: Sequence[Cell]) -> Figure:
    """The six rungs, with each tool where it stands, and a dashed line up to where the policy would have it.

    Args:
        cells: What `ladder.status()` gave.

    Raises:
        LadderError: There is no tool, or matplotlib is missing.
    """
    if not cells:
        raise LadderError("no tool is under this ladder, so there is nothing to draw")
    figure, axes = _empty(max(5.0, 1.3 + 1.25 * len(cells)), 3.6)
    axes.hlines(range(len(Rung)), -0.6, len(cells) - 0.4, color=INK, linewidth=0.8)
    for place, one in enumerate(cells):
        stands, claims = one.route.rung, one.claimed
        if stands is not claims:
            axes.vlines(place, stands, claims, color=ORANGE, linestyle="--", linewidth=1.6)
            axes.plot(place, claims, marker="_", markersize=16, color=ORANGE, markeredgewidth=2.4)
        axes.plot(place, stands, marker="o", markersize=11, color=GREEN if stands is claims else BLUE)
    axes.set_xticks(range(len(cells)), [_short(one.name) for one in cells], rotation=20, ha="right")
    axes.set_yticks(range(len(Rung)), [f"{rung.word} {int(rung)}" for rung in Rung])
    axes.set_ylim(-0.5, len(Rung) - 0.5)
    axes.set_title("● stands here     ▬ the policy would have it here", loc="left", color=INK, fontsize=10)
    return figure


def promotion(looks: Sequence[Look] | Mapping[str, Sequence[Look]]) -> Figure:
    """The e-value day by day, against what is needed for the next rung.

    Args:
        looks: What `path` gave, or several such by name.

    Raises:
        LadderError: There is no look, or matplotlib is missing.
    """
    lines = looks if isinstance(looks, Mapping) else {"": looks}
    if not any(lines.values()):
        raise LadderError("there is no look yet, so there is no path; a tool on the highest rung has none either")
    figure, axes = _empty(7.2, 3.8)
    for (name, found), colour, form in zip(lines.items(), _again(MARKS), _again(_FORMS), strict=False):
        days = [(one.at - found[0].at).total_seconds() / 86_400 for one in found]
        shown = [max(one.e, 1e-2) for one in found]
        axes.plot(days, shown, color=colour, linewidth=2)
        granted = [place for place, one in enumerate(found) if one.granted]
        if granted:
            at = granted[0]
            axes.plot(days[at], shown[at], marker=form, markersize=9, color=colour)
            _beside(axes, f"day {days[at]:.0f}", (days[at], shown[at]), (8, -14))
        if name:
            _beside(axes, _short(name), (days[-1], shown[-1]), (6, -4))
    wanted = max(one.wanted for found in lines.values() for one in found)
    axes.axhline(wanted, color=INK, linestyle="--", linewidth=1.2)
    _beside(axes, f"{wanted:.0f} is needed", (0, wanted), (2, 4))
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.tick_params(which="both", colors=INK)
    axes.set_xlabel("days", color=INK)
    axes.set_ylabel("e-value", color=INK)
    return figure


def intervals(rows: Board | Iterable[Row], ratio: str = "asked") -> Figure:
    """One ratio of each policy, with its 95 % interval.

    Args:
        rows: A board, or rows of it; of several suites the total counts.
        ratio: Its name, as in `ladder_graph.replay.metrics.RATIOS`.

    Raises:
        LadderError: There is no such ratio, nothing to count it of, or matplotlib is missing.
    """
    if ratio not in RATIOS:
        raise LadderError(f"{ratio!r} is no ratio of a board; there are {', '.join(RATIOS)}")
    listed = totals(list(rows.rows() if isinstance(rows, Board) else rows))
    found = [
        (row.policy, one.value, one.low, one.high)
        for row in listed
        if (one := row.estimates[ratio]).value is not None and one.low is not None and one.high is not None
    ]
    if not found:
        raise LadderError(f"none of these runs says anything of {ratio!r}, so there is nothing to draw")
    figure, axes = _empty(7.2, 0.9 + 0.42 * len(found))
    for place, (_, value, low, high) in enumerate(reversed(found)):
        axes.hlines(place, low, high, color=BLUE, linewidth=3)
        axes.plot(value, place, marker="o", markersize=8, color=BLUE, clip_on=False, zorder=5)
    axes.set_yticks(range(len(found)), [_short(name) for name, *_ in reversed(found)])
    axes.set_ylim(-0.6, len(found) - 0.4)
    axes.set_xlim(left=0)
    axes.set_xlabel(_HEADS.get(ratio, f"{RATIOS[ratio].counted} / {RATIOS[ratio].of}"), color=INK)
    return figure


def pareto(front: Front | None) -> Figure:
    """People's time against risk: the policies that no other beats in both, joined, and the others hollow.

    Args:
        front: What `ladder_graph.replay.pareto.front` gave.

    Raises:
        LadderError: There is none, or matplotlib is missing.
    """
    if front is None:
        raise LadderError("there is no task that nobody interfered with, so nobody knows what people are asked")
    figure, axes = _empty(7.2, 4.4)
    best = front.best
    axes.step([one.minutes for one in best], [one.risk for one in best], where="post", color=BLUE, linewidth=1.4)
    for one in front.points:
        worse = bool(one.dominated_by)
        axes.hlines(one.risk, one.low, one.high, color=BLUE, linewidth=1.2)
        axes.plot(
            one.minutes, one.risk, marker="s" if worse else "o", markersize=9, markeredgecolor=BLUE,
            markerfacecolor="none" if worse else BLUE,
        )  # fmt: skip
    _labels(axes, front.points)
    axes.margins(0.14, 0.16)
    axes.set_xlabel("minutes of people's time for each task", color=INK)
    axes.set_ylabel(f"{front.axis} that get through", color=INK)
    return figure


def _labels(axes: Axes, points: Sequence[Point]) -> None:
    """Names beside their points; where several would lie on each other they are stacked, and say so by their order."""
    widest = max(one.minutes for one in points) or 1.0
    tallest = max(one.risk for one in points) or 1.0
    taken: list[tuple[float, float]] = []
    for one in sorted(points, key=lambda point: (point.risk, point.minutes)):
        x, y = one.minutes / widest, one.risk / tallest
        steps = sum(abs(x - other) < _NEAR[0] and abs(y - above) < _NEAR[1] for other, above in taken)
        taken.append((x, y))
        side, off = ("left", 9) if x < _RIGHT else ("right", -9)
        _beside(axes, _short(one.policy), (one.minutes, one.risk), (off, 6 + 12 * steps), side)


_NEAR = (0.35, 0.08)
"""How near two points may come, as shares of the picture, before their names would lie on each other."""
_RIGHT = 0.6
"""From where on a name stands to the left of its point."""


# --- what all of them share ---------------------------------------------------------------------------------------


def _empty(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure without a ground, in inches, with one pair of axes."""
    try:
        from matplotlib.figure import Figure as Plain
    except ModuleNotFoundError as missing:
        raise LadderError(f"a picture needs matplotlib, and it is missing: {INSTALL}") from missing

    class Picture(Plain):  # type: ignore[misc, unused-ignore]  # matplotlib may come without types
        """A figure that shows itself, whether pyplot was loaded or not."""

        def _repr_png_(self) -> bytes:
            return png(self)

    figure = Picture(figsize=(width, height), layout="constrained", facecolor="none")
    axes = figure.add_subplot(facecolor="none")
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(INK)
    axes.tick_params(colors=INK, labelsize=9)
    return figure, axes


def _beside(axes: Axes, said: str, at: tuple[float, float], off: tuple[float, float], side: str = "left") -> None:
    """Write something beside a point, so many points to the right and up."""
    axes.annotate(said, at, xytext=off, textcoords="offset points", ha=side, color=INK, fontsize=9)


def png(figure: Figure, dpi: int = 144) -> bytes:
    """A figure as a picture without a ground.

    Args:
        figure: The figure.
        dpi: Dots for an inch.
    """
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=dpi, transparent=True)
    return held.getvalue()


def _short(name: str) -> str:
    r"""A name that a picture can show: nothing in it acts, and `$` begins no formula."""
    return cut(inert(name), _LABEL).replace("$", r"\$")


def _again(things: Sequence[Any]) -> Iterable[Any]:
    while True:
        yield from things
