"""What was found, as plain text: what was read first, then the tables, then what to make of them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap

from ladder_graph.replay.board import Row
from ladder_graph.replay.coverage import SAID, Coverage, Part
from ladder_graph.replay.differences import Change
from ladder_graph.replay.metrics import Reading
from ladder_graph.replay.pareto import Front
from ladder_graph.replay.report.columns import GROUPS, NOTHING, Column, divided, percent, shown, unnamed, unseen
from ladder_graph.replay.report.findings import Findings
from ladder_graph.replay.report.layout import aligned, chunked, continued, listed
from ladder_graph.replay.report.phrases import (
    ASSUMED,
    HEADS,
    NEWLY,
    PREFIX,
    SOURCES,
    attacks,
    many,
    minutes,
    risk,
    source,
    summed,
)
from ladder_graph.wording import given, inert

_LONGEST = 160
"""Characters of a call that are shown."""


def text(found: Findings, width: int = 110) -> str:
    """Everything that was found.

    Args:
        found: What was found.
        width: Columns of the screen. Tables that don't fit are continued below.
    """
    parts = [
        sources(found.parts, width),
        coverage(found.coverage, found.at, width),
        *([_notes(found, width)] if any(one.notes for one in found.candidates) else []),
        *(_suite(found, suite, width) for suite in found.suites),
        _legend(found, width),
        _readings(found.totals, width),
        _horizon(found.totals, width),
        *(_changes(found, name, changes, width) for name, changes in found.changes.items()),
        *([_front(found.front, width)] if found.front else []),
    ]
    return "\n\n".join(part for part in parts if part)


def coverage(of: Coverage, at: dt.datetime | None, width: int) -> str:
    """What was read, and what that means for the rest.

    Args:
        of: The counts.
        at: The moment at which calls without a time were taken to come.
        width: Columns of the screen.
    """
    lines = [f"What was read: {many(of.runs, 'run')} with {many(of.calls, 'call')}"]
    rows = [
        (SAID[name], f"{getattr(of, name):,}", NOTHING if share is None else f"{percent(share)}%")
        for name, share in of.shares().items()
    ]
    lines += [f"  {line}" for line in aligned(rows)]
    return "\n".join([*lines, *listed(of.meanings(at), width)])


def sources(parts: Sequence[Part], width: int) -> str:
    """What was read from where, and in which format.

    Args:
        parts: The places.
        width: Columns of the screen.
    """
    first, room = len(SOURCES[0]), width - _FACTS
    shown = len(SOURCES) if room >= first else _SHOWN
    cells = [(_ending(inert(path), max(room, first)), *others) for path, *others in map(source, parts)]
    return "\n".join(aligned([row[:shown] for row in (SOURCES, *cells)]))


_FACTS = 75
"""Columns of the screen that are left for what stands behind a path."""
_SHOWN = 4
"""Cells that are shown where the screen is too narrow for all of them."""


def _ending(text: str, most: int) -> str:
    """A path, without its beginning where it is long."""
    return text if len(text) <= most else f"...{text[3 - most :]}"


def _notes(found: Findings, width: int) -> str:
    lines = ["What the policies say of themselves"]
    for one in found.candidates:
        lines += listed((f"{one.name}: {note}" for note in one.notes), width)
    return "\n".join(lines)


# --- the tables ---------------------------------------------------------------------------------------------------


def _suite(found: Findings, suite: str, width: int) -> str:
    """The tables of one suite, or of all."""
    rows = found.of(suite)
    tally = rows[0].tally
    read = f"{many(tally.runs, 'run')}, {many(tally.calls, 'call')}"
    lines = wrap(f"{inert(found.title(suite))}: {read}{attacks(tally)}", width)
    for title, group in GROUPS.items():
        columns = shown(group, rows)
        if columns:
            lines += ["", *chunked(title, rows, [(one.head, one.cell) for one in columns], width)]
    notes = [*unnamed(rows), *unseen(rows)]
    return "\n".join([*lines, *(["", *listed(notes, width)] if notes else [])])


def _legend(found: Findings, width: int) -> str:
    """What the columns mean that were shown."""
    columns = [one for group in GROUPS.values() for one in shown(group, found.rows)]
    if not columns:
        return ""
    first = max(len(one.head) for one in columns) + 2
    lines = ["Meaning"]
    for one in columns:
        lines += wrap(one.about, width, initial_indent=f"  {one.head:<{first}}", subsequent_indent=" " * (first + 2))
    return "\n".join([*lines, *listed(ASSUMED, width)])


# --- readings and the horizon -------------------------------------------------------------------------------------


def _readings(rows: Sequence[Row], width: int) -> str:
    """The figures by each reading of what comes after the horizon, where the readings differ."""
    differing, same = divided(rows)
    if not differing and not any(row.partings for row in rows):
        return ""  # Nothing comes after it.
    lines = ["After the horizon, by four readings"]
    for column in differing:
        heads = [(head, _reading(column, reading)) for reading, head in HEADS.items()]
        lines += ["", *chunked(column.head, rows, heads, width)]
    notes = [PREFIX] if differing else []
    notes += [f"The same by each reading: {', '.join(one.head for one in same)}."] if same else []
    lines += ["", *listed(notes, width)]
    return "\n".join(lines)


def _reading(column: Column, reading: Reading) -> Callable[[Row], str]:
    return lambda row: column.plain(getattr(row.readings, reading))


def _horizon(rows: Sequence[Row], width: int) -> str:
    """How many runs are exact to their end, and why the others aren't."""
    whys = sorted({why for row in rows for why in row.partings})
    columns = [("exact to the end", lambda row: f"{row.tally.exact:,}")]
    columns += [(why, _parted(why)) for why in whys]
    return "\n".join(chunked("Runs, by what ends the exactness", rows, columns, width))


def _parted(why: str) -> Callable[[Row], str]:
    return lambda row: f"{Counter[str](row.partings)[why]:,}"


# --- one policy against another -----------------------------------------------------------------------------------


def _changes(found: Findings, name: str, changes: Sequence[Change], width: int) -> str:
    """What one policy decides otherwise than the first: call by call, or in sum where it was made to compare with."""
    first = found.candidates[0].name
    lines = [f"{inert(name)} against {inert(first)}: {summed(changes)}"]
    if not found.reference(name):
        for change in changes:
            lines += _change(change, width)
    return "\n".join(lines)


def _change(change: Change, width: int) -> Iterator[str]:
    yield f"  {NEWLY[change.after]}: {change.count:,} x {inert(change.tool)}, {change.before} before"
    for one in change.examples:
        call = f"{inert(one.tool)}({'?' if one.arguments is None else given(one.arguments)})"
        yield f"    {call if len(call) <= _LONGEST else f'{call[:_LONGEST]}...'}"
        yield from wrap(f"{inert(one.run)}, call {one.place + 1}: {inert(one.why)}", width, initial_indent=" " * 6,
                        subsequent_indent=" " * 6)  # fmt: skip


# --- cost and risk ------------------------------------------------------------------------------------------------


def _front(of: Front, width: int) -> str:
    names = ("People's time against risk", *(inert(one.policy) for one in of.points))
    columns = [
        ("minutes/task", *(minutes(one) for one in of.points)),
        (of.axis, *(risk(of, one.risk) for one in of.points)),
        ("", *("dominated" if one.dominated_by else "on the front" for one in of.points)),
    ]
    worse = [f"{one.policy} is worse than {', '.join(one.dominated_by)}." for one in of.points if one.dominated_by]
    return "\n".join([*continued(names, columns, width), *listed([*worse, of.assumed], width)])
