"""What was found in recorded runs: how much of them could be read, what each policy makes of them, and what changes."""

from __future__ import annotations

from collections.abc import Sequence

from ladder_graph.notebook.markup import Child, Html, element, joined, page, pairs, table, text
from ladder_graph.notebook.palette import BLUE
from ladder_graph.replay.board import Board, Row
from ladder_graph.replay.coverage import SAID, Coverage
from ladder_graph.replay.differences import Change
from ladder_graph.replay.pareto import Front
from ladder_graph.replay.report.columns import GROUPS, Column, percent, shown, unnamed, unseen
from ladder_graph.replay.report.phrases import ASSUMED, many, minutes, risk
from ladder_graph.replay.suggesting import Suggestion
from ladder_graph.replay.suggesting.snippet import inline
from ladder_graph.wording import given

_WIDE = 70
"""Pixels of an interval."""


def board(found: Board) -> Html:
    """What each policy makes of the runs, and what it decides otherwise than the first one."""
    told = [_changed(policy, changes) for policy, changes in found.changes().items() if changes]
    return page(_rows(list(found.rows())), *told)


def rows(found: Sequence[Row]) -> Html:
    """Rows of a board."""
    return page(_rows(found))


def _rows(found: Sequence[Row]) -> Html:
    several = len({row.suite for row in found}) > 1
    groups = [(title, shown(columns, found)) for title, columns in GROUPS.items()]
    tables = [_group(title, columns, found, several=several) for title, columns in groups if columns]
    notes = [element("p", one, class_="soft") for one in (*ASSUMED, *unnamed(found), *unseen(found))]
    if not tables:
        return element("p", "No run was added yet, or no policy is for its suite.")
    return joined(*tables, *notes)


def _group(title: str, columns: Sequence[Column], found: Sequence[Row], *, several: bool) -> Html:
    most = {one.ratio: max([1.0, *(row.estimates[one.ratio].high or 0.0 for row in found)]) for one in columns}
    body: list[tuple[Child, ...]] = [
        (
            f"{row.policy}, {row.suite}" if several else row.policy,
            *(_figure(one, row, most[one.ratio]) for one in columns),
        )
        for row in found
    ]
    legend = pairs([(one.head, one.about) for one in columns])
    return joined(table(title, ("policy", *(one.head for one in columns)), body), legend)


def _figure(column: Column, row: Row, most: float) -> Html:
    """A ratio in figures, with a picture of its interval, which says nothing that the figures don't."""
    one, said = row.estimates[column.ratio], text(column.cell(row))
    if one.value is None or one.low is None or one.high is None:
        return said
    value, low, high = (f"{_WIDE * each / most:.1f}" for each in (one.value, one.low, one.high))
    drawn = joined(
        element("line", x1=0, x2=_WIDE, y1=6, y2=6, stroke="currentColor", stroke_opacity="0.25"),
        element("line", x1=low, x2=high, y1=6, y2=6, stroke=BLUE, stroke_width=3),
        element("circle", cx=value, cy=6, r=3.5, fill=BLUE),
    )
    return joined(element("svg", drawn, width=_WIDE, height=12, aria_hidden="true"), Html("<br>"), said)


def coverage(found: Coverage) -> Html:
    """How much of recorded runs could be read."""
    body: list[tuple[Child, ...]] = [
        (SAID[name], f"{getattr(found, name):,}", "-" if share is None else f"{percent(share)}%")
        for name, share in found.shares().items()
    ]
    title = f"What {many(found.runs, 'run')} with {many(found.calls, 'call')} bring along"
    return page(table(title, ("what", "calls", "of all"), body))


def changes(found: Sequence[Change]) -> Html:
    """What one policy decides otherwise than another."""
    return page(_changed("it", found))


def _changed(policy: str, found: Sequence[Change]) -> Html:
    body: list[tuple[Child, ...]] = [
        (one.tool, one.before, one.after, f"{one.count:,}", *_example(one)) for one in found
    ]
    heads = ("tool", "before", "now", "calls", "for example", "why")
    return table(f"What {policy} decides otherwise", heads, body, empty="nothing")


def _example(one: Change) -> tuple[Child, Child]:
    if not one.examples:
        return "", ""
    first = one.examples[0]
    known = "?" if first.arguments is None else given(first.arguments)
    return element("code", text(known, 120)), first.why


def suggestions(found: Sequence[Suggestion]) -> Html:
    """Bounds that recorded runs suggest, with what they would have let through on the half that wasn't looked at."""
    body: list[tuple[Child, ...]] = [(one.tool, *_together(one), _evidence(one)) for one in found]
    heads = (
        "tool", "bounds that belong together", "right calls inside", "wrong calls inside", "runs wrong", "at most",
        "evidence",
    )  # fmt: skip
    note = "Counted on the tasks that the bounds weren't chosen on. Nothing applies by itself."
    return page(table("What the runs suggest", heads, body), element("p", note, class_="soft"))


def _together(one: Suggestion) -> tuple[Child, ...]:
    checked = one.together.checked
    bounds = joined(*(element("div", element("code", inline(bound))) for bound in one.together.bounds))
    return (
        bounds or "none was found", f"{checked.fine_inside}/{checked.fine}", f"{checked.wrong_inside}/{checked.wrong}",
        f"{checked.failed}/{checked.runs}", f"{percent(checked.at_most)}%",
    )  # fmt: skip


def _evidence(one: Suggestion) -> str:
    return "; ".join(one.evidence.missing) or "enough, if the ledger held it"


def front(found: Front) -> Html:
    """People's time against risk, and which policies no other one beats in both."""
    body: list[tuple[Child, ...]] = [
        (one.policy, minutes(one), risk(found, one.risk),
         f"no: {', '.join(one.dominated_by)}" if one.dominated_by else "yes")
        for one in found.points
    ]  # fmt: skip
    heads = ("policy", "minutes for each task", found.axis, "worth its questions")
    return page(table("People's time against risk", heads, body), element("p", found.assumed, class_="soft"))
