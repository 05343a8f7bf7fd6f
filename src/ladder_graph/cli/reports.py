"""Reports: what was done unasked at rung 5, or couldn't be undone on any, and saying that it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import All, Json
from ladder_graph.cli.place import place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    import datetime as dt

    from ladder_graph.cli.screen import Screen
    from ladder_graph.ledger import Report


def reports(ctx: typer.Context, *, every: All = False, json: Json = False) -> None:
    """List the reports that nobody has read yet."""
    from ladder_graph.cli import documents, screen

    with place_of(ctx).looking() as ladder:
        found, now = ladder.reports(unread=not every), ladder.clock()
        held = {one.action: one.why for one in ladder.watched() if one.phase == "held"}
    if json:
        screen.document([documents.report(report, now) for report in found])
        return
    out = screen.Screen()
    for report in found:
        _card(out, report, now, held.get(report.action.key, ""))
    out.gap()
    if any(report.action.key in held for report in found):
        out.note("What is held waits for ladder keep ACTION, or ladder undo ACTION; ladder show ACTION says all.")
    out.note("ladder ack ACTION, or ladder ack --all" if found else "Every report is read.")
    out.gap()


def ack(
    ctx: typer.Context,
    actions: Annotated[list[str] | None, typer.Argument(metavar="ACTION...", help="Actions, by their keys.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every report that is unread.")] = False,
) -> None:
    """Say that you have read the reports on these actions."""
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.desk import signed_in

    if bool(actions) == every:
        raise LadderError("say which reports you have read: ladder ack ACTION..., or ladder ack --all")
    person = signed_in()
    out = Screen()
    with place_of(ctx).acting() as ladder:
        unread, now = ladder.reports(), ladder.clock()
        keys = [report.action.key for report in unread] if every else [ladder.action(one).key for one in actions or ()]
        named = {report.action.key: report for report in unread}
        for key in dict.fromkeys(keys):
            ladder.acknowledge(key, by=person)
            _card(out, named[key], now)
        readers = {named[key].reader for key in keys} - {person.name}
    out.gap()
    if not keys:
        out.note("Every report was read before.")
        return
    count = f"{len(keys)} report{'s' * (len(keys) > 1)}"
    out.line(styled(f"{out.glyphs.good} {count} read", "green").append(f" by {person.name}", "default"))
    if readers:
        out.note(f"The policy names {' and '.join(sorted(readers))} as the reader; it is recorded that it was you.")
    out.gap()


def _card(out: Screen, report: Report, now: dt.datetime, held: str = "") -> None:
    from ladder_graph.cli.screen import clock, shortened, span, styled
    from ladder_graph.wording import show

    action = report.action
    out.heading(f"{action.agent} ran {action.tool}", action.short)
    out.fields([(name, shortened(show(value))) for name, value in action.arguments.items()])
    if action.arguments:
        out.gap()
    left = (report.due - now).total_seconds()
    due = styled(f"by {report.reader}, within {span(left)}", "")
    if report.read is not None:
        due = styled(f"by {report.by}, {clock(report.read)}", "")
    elif left < 0:
        due = styled(f"by {report.reader}, overdue since {span(-left)}", "bold red")
    facts = [("filed", clock(report.filed)), ("state", str(action.state)), ("held", held), ("told", action.text)]
    out.fields([(name, value) for name, value in facts if value])
    out.fields([("to be read" if report.read is None else "read", due)])
