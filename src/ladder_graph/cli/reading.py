"""Reading a report: what stands out first, then a random sample, and one verdict for each; no verdict is suggested."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import MOST, Json
from ladder_graph.cli.place import find_project, place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    import datetime as dt

    from ladder_graph.cli.screen import Cell, Screen
    from ladder_graph.facts import Person
    from ladder_graph.ladder import Ladder
    from ladder_graph.ledger import Digest, Item
    from ladder_graph.reporting.composing import Counts

VERDICTS = ("fine", "look", "undo")


def report(
    ctx: typer.Context,
    digest: Annotated[
        str | None, typer.Argument(metavar="[REPORT]", help="Its id, or the beginning of it.", show_default=False)
    ] = None,
    *,
    verdict: Annotated[
        list[str] | None,
        typer.Option(metavar="ACTION=fine|look|undo", help="One verdict, instead of being asked. Repeatable."),
    ] = None,
    note: Annotated[str, typer.Option(help="What you note.", show_default=False)] = "",
    every: Annotated[bool, typer.Option("--all", help="Those that are read, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many, the latest ones.")] = 20,
    json: Json = False,
) -> None:
    """List the reports on what ran unasked, or read one.

    It is read once everything that it shows has a verdict: fine, look (somebody must look into it), undo. To see it is
    not to read it. Where it isn't read in time, the tools in it go down a rung.
    """
    from ladder_graph.cli import digested, screen

    if digest is None:
        if verdict or note:
            raise LadderError("say which report the verdicts are for: ladder report REPORT --verdict ACTION=fine")
        with place_of(ctx).looking() as ladder:
            found, now = ladder.digests(None if every else "unread", limit=limit), ladder.clock()
            open_ = [] if every else ladder.digests("gathering", limit=limit)
        if json:
            screen.document([digested.digest(one, now) for one in (*found, *open_)])
            return
        _list(screen.Screen(), [*found, *open_], now)
        return
    find_project()
    with place_of(ctx).acting() as ladder:
        whole = ladder.digest(digest)
        if verdict:
            whole = ladder.read(whole.id, dict(map(_said, verdict)), by=_me(), note=note, shown=whole.hash or None)
        if json:
            screen.document(digested.digest(whole, ladder.clock(), items=True))
            return
        out = screen.Screen()
        _head(out, whole, ladder.clock())
        if verdict or whole.state != "unread":
            for item in whole.items:
                _item(out, item)
            _end(out, whole)
        else:
            _ask(out, ladder, whole, note)


def _me() -> Person:
    from ladder_graph.ladder.desk import signed_in

    return signed_in()


def _said(text: str) -> tuple[str, str]:
    action, _, verdict = text.partition("=")
    if verdict not in VERDICTS or not action:
        raise LadderError(f"--verdict {text!r}: write ACTION=fine, ACTION=look or ACTION=undo")
    return action, verdict


# --- listing ---------------------------------------------------------------------------------------------------------


def _list(out: Screen, found: list[Digest], now: dt.datetime) -> None:
    out.gap()
    if not found:
        out.note("Every report is read.")
        out.gap()
        return
    out.columns([_row(one, now) for one in found], ("report", "", "calls", "verdicts", "to be read by", ""), between=2)
    out.gap()
    out.note("ladder report REPORT reads one. One that is open shows nothing yet; ladder reports lists what is in it.")
    out.gap()


def _row(one: Digest, now: dt.datetime) -> list[Cell]:
    from ladder_graph.cli.screen import styled

    given = f"{one.given} of {one.shows}" if one.made else "open"
    return [
        styled(one.id[:12], "bold"), one.title, str(one.calls), given, ", ".join(one.readers), _due(one, now),
    ]  # fmt: skip


def _due(one: Digest, now: dt.datetime) -> Cell:
    from ladder_graph.cli.screen import clock, span, styled

    if one.read is not None:
        return f"read {clock(one.read)}{', too late' if one.late(now) else ''}"
    left = (one.due - now).total_seconds()
    return styled(f"overdue since {span(-left)}", "bold red") if left < 0 else f"within {span(left)}"


# --- one report ------------------------------------------------------------------------------------------------------


def _head(out: Screen, one: Digest, now: dt.datetime) -> None:
    from ladder_graph.cli.screen import clock

    out.heading(one.title, one.id[:12])
    if one.made is None:
        calls = f"{one.calls} call{'s' * (one.calls != 1)} so far"
        out.line(f"It is open until {clock(one.ends)}: {calls}. ladder reports lists them.")
        out.gap()
    if one.counts is not None:
        odd = sum(not item.picked for item in one.items)
        ran = f"{one.calls} call{'s' * (one.calls != 1)} ran without asking anyone."
        out.line(f"{ran} Here are the {odd} that stand out, and {len(one.items) - odd} picked at random.")
        out.gap()
        out.fields([(name, _count(one.counts, one.before, key)) for name, key in _COUNTS])
    named = f"{', '.join(one.readers)}, until {clock(one.due)}"
    facts: list[tuple[str, Cell]] = [("to be read", named), ("", _due(one, now))]
    if one.escalate_to:
        facts.append(("then told", ", ".join(one.escalate_to)))
    if one.stakes:
        facts.append(("else", f"{_cells(one.stakes)} down from report to rollback"))
    if one.fell:
        facts.append(("it has cost", f"{_cells(one.fell)} the rung report"))
    out.fields(facts)
    out.gap()


_COUNTS = (("calls", "calls"), ("failed", "failed"), ("undone", "undone"), ("new targets", "new_targets"))


def _count(counts: Counts, before: Counts | None, key: str) -> str:
    number = getattr(counts, key)
    return f"{number}" if before is None else f"{number} ({getattr(before, key)} the period before)"


def _cells(cells: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{tool} [{scope}]" if scope else tool for tool, scope in cells)


def _item(out: Screen, item: Item) -> int:
    """One action; how many characters there are to read."""
    from ladder_graph.cli.screen import QUIET, clock, shortened, styled
    from ladder_graph.wording import show

    action = item.action
    out.heading(f"{action.tool} is {action.state}", action.short)
    for flag in item.flags:
        out.line(styled(f"{out.glyphs.odd} ", "yellow").append(f"{flag.text}", "default"))
    if item.picked:
        out.line(styled("picked at random", QUIET))
    arguments = [(name, shortened(show(value), 1000)) for name, value in action.arguments.items()]
    out.fields(arguments)
    facts = [("ran", clock(action.at)), ("thread", action.thread), ("told", shortened(action.text))]
    if item.verdict is not None:
        facts.append(("verdict", f"{item.verdict}, by {item.by}"))
    out.fields([(name, value) for name, value in facts if value])
    if item.came:
        out.line(styled(f"{out.glyphs.bad} not undone: {item.came}", "red"))
    return sum(len(name) + len(value) for name, value in arguments)


def _ask(out: Screen, ladder: Ladder, whole: Digest, note: str) -> None:
    """One action at a time; each verdict is written down as soon as it is given."""
    from ladder_graph.cli import asking

    person, left = _me(), [item for item in whole.items if item.verdict is None]
    for place, item in enumerate(left, 1):
        _item(out, item)
        out.gap()
        began, said = time.monotonic(), ""
        while said not in VERDICTS:
            said = asking.typed(
                f"{place} of {len(left)}: type fine, look or undo: ", instead="give each verdict by --verdict"
            )
        looked = time.monotonic() - began
        given = {item.action.key: said}
        whole = ladder.read(whole.id, given, by=person, looked=looked, note=note, shown=whole.hash)
        now = next(one for one in whole.items if one.action.key == item.action.key)
        if now.came:
            out.note(f"It can't be undone: {now.came}")
        elif said == "undo":
            out.note(f"It is {now.action.state}.")
    _end(out, whole)


def _end(out: Screen, whole: Digest) -> None:
    from ladder_graph.cli.screen import clock, styled

    out.gap()
    if whole.state == "read" and whole.read is not None:
        said = f" by {whole.by}, {clock(whole.read)}"
        out.line(styled(f"{out.glyphs.good} read", "green").append(said, "default"))
    elif whole.made is not None:
        out.note(f"{whole.given} of {whole.shows} verdicts are given; it is unread until all of them are.")
    out.gap()
