"""Pictures of what was found, as SVG that takes its colours from the page that it stands in.

A row's picture is as wide as there is room: what lies along it is given in percent, so that nothing is stretched.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise

from markupsafe import Markup, escape

from ladder_graph.replay.board import Row
from ladder_graph.replay.metrics import RATIOS, Tally
from ladder_graph.replay.pareto import Front, Point
from ladder_graph.replay.report.columns import Column, percent
from ladder_graph.replay.report.labels import Box, placed
from ladder_graph.wording import inert

_HIGH = 18
"""Pixels of a row's picture."""
_STEPS = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)
"""Where an axis may end, by powers of ten: a fourth of each is a round number, too."""


def bar(share: float) -> Markup:
    """A share as a bar.

    Args:
        share: From 0 to 1.
    """
    return _row(
        f'<rect class="well" width="100%" height="8" y="5" rx="2"/>'
        f'<rect class="mark" width="{_along(share)}" height="8" y="5" rx="2"/>'
    )


def whisker(column: Column, row: Row, most: float) -> Markup:
    """A figure as a dot, its interval as a line, and behind both what it may be at best and at worst.

    Args:
        column: The figure.
        row: The policy's.
        most: Where the axis ends.
    """
    found = row.estimates[column.ratio]
    if found.value is None or found.low is None or found.high is None:
        return Markup()
    low, high = sorted(_value(column, tally) for tally in (row.readings.best, row.readings.worst))
    return _row(
        f'<line class="axis" x1="0" x2="100%" y1="9" y2="9"/>'
        f'<rect class="band" x="{_along(low / most)}" width="{_along((high - low) / most)}" y="3" height="12" rx="2"/>'
        f'<line class="whisker" x1="{_along(found.low / most)}" x2="{_along(found.high / most)}" y1="9" y2="9"/>'
        f'<circle class="dot" cx="{_along(found.value / most)}" cy="9" r="4.5"/>'
    )


def end_of_axis(column: Column, rows: Iterable[Row]) -> float:
    """Where the axis of a figure ends: at all of a share, and beyond everything that is drawn of a mean.

    Args:
        column: The figure.
        rows: What is drawn of it.
    """
    if column.unit == "share":
        return 1.0
    drawn = [value for row in rows for value in (row.estimates[column.ratio].high, _value(column, row.readings.worst))]
    return rounded_up(max((value for value in drawn if value is not None), default=0.0))


def rounded_up(value: float) -> float:
    """The next round number.

    Args:
        value: Not negative.

    Example:
        >>> rounded_up(2.3), rounded_up(30), rounded_up(0)
        (2.4, 32.0, 1.0)
    """
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _STEPS if step * power >= value * (1 - 1e-9))


def _value(column: Column, tally: Tally) -> float:
    ratio = RATIOS[column.ratio]
    whole = getattr(tally, ratio.of)
    return getattr(tally, ratio.counted) / whole if whole else 0.0


def _along(share: float) -> str:
    return f"{min(max(share, 0.0), 1.0) * 100:.2f}%"


def _row(inside: str) -> Markup:
    # What it shows stands beside it as text, so that whoever listens hears it once.
    return Markup(f'<svg class="row" height="{_HIGH}" aria-hidden="true">{inside}</svg>')  # noqa: S704  # ours


# --- cost and risk ------------------------------------------------------------------------------------------------

WIDE, TALL = 440, 380
"""Units of the picture, which are nearly pixels on a phone."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 428, 16, 330
_TICKS = 4


def scatter(front: Front) -> Markup:
    """People's time against risk: each policy as a dot, and a line along those that no other one dominates.

    Args:
        front: The policies.
    """
    chart = _Chart(front)
    name = "Each policy by people's minutes for a task and by risk; the table below has the figures"
    inside = "".join([*chart.grid(), chart.staircase(), *chart.points(), *chart.names()])
    return Markup(  # noqa: S704  # names are escaped where they are written
        f'<svg class="scatter" viewBox="0 0 {WIDE} {TALL}" role="img" aria-label="{name}">{inside}</svg>'
    )


class _Chart:
    def __init__(self, front: Front) -> None:
        self._front = front
        self._wide = rounded_up(max(one.high for one in front.points))
        self._shares = front.axis != "irreversible actions"
        self._high = 1.0 if self._shares else rounded_up(max(one.risk for one in front.points))

    def _x(self, minutes: float) -> float:
        return _LEFT + minutes / self._wide * (_RIGHT - _LEFT)

    def _y(self, risk: float) -> float:
        return _BOTTOM - risk / self._high * (_BOTTOM - _TOP)

    def grid(self) -> Iterator[str]:
        for step in range(_TICKS + 1):
            minutes, risk = self._wide * step / _TICKS, self._high * step / _TICKS
            yield _line("axis", _LEFT, self._y(risk), _RIGHT, self._y(risk))
            yield _text(_LEFT - 6, self._y(risk) + 4, f"{percent(risk)}%" if self._shares else f"{risk:g}", "end")
            yield _text(self._x(minutes), _BOTTOM + 18, f"{minutes:g}", "middle")
        yield _text((_LEFT + _RIGHT) / 2, TALL - 8, "minutes of people's time for each task", "middle")

    def staircase(self) -> str:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in self._corners())
        return f'<polyline class="front" points="{points}"/>'

    def _corners(self) -> list[tuple[float, float]]:
        """Beyond the line that they make lies everything that some policy on the front dominates."""
        best = self._front.best
        corners = [(self._x(best[0].minutes), float(_TOP))]
        for one, following in zip(best, [*best[1:], None], strict=True):
            end = self._x(following.minutes) if following else _RIGHT
            corners += [(self._x(one.minutes), self._y(one.risk)), (end, self._y(one.risk))]
        return corners

    def points(self) -> Iterator[str]:
        for one in self._front.points:
            x, y = self._x(one.minutes), self._y(one.risk)
            yield _line("whisker", self._x(one.low), y, self._x(one.high), y)
            yield f'<circle class="{"hollow" if one.dominated_by else "dot"}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'

    def names(self) -> Iterator[str]:
        dots = [self._dot(one) for one in self._front.points]
        names = [inert(one.policy) for one in self._front.points]
        for label in placed(names, dots, Box(_LEFT, _TOP - 12, _RIGHT, _BOTTOM - 2), self._lines()):
            if label.far:
                yield _line("leader", *label.leader)
            yield _text(label.x, label.y, label.text, label.anchor, "name")

    def _lines(self) -> list[Box]:
        whiskers = [
            ((self._x(one.low), self._y(one.risk)), (self._x(one.high), self._y(one.risk)))
            for one in self._front.points
        ]
        return [
            Box(min(a[0], b[0]) - 1, min(a[1], b[1]) - 1, max(a[0], b[0]) + 1, max(a[1], b[1]) + 1)
            for a, b in [*pairwise(self._corners()), *whiskers]
        ]

    def _dot(self, one: Point) -> tuple[float, float]:
        return self._x(one.minutes), self._y(one.risk)


def _text(x: float, y: float, text: str, anchor: str = "start", css: str = "tick") -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(css: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
